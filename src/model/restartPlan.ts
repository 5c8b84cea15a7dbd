/** Which nodes are restarted or updated, in which waves, and what forbids it. Pure. */
import type { BalancerFacts } from './balancerPlan';
import { addressesIn } from './nodeTable';
import type { Problem } from './operation';

export interface RestartFacts {
  node: string;
  role: 'server' | 'edge';
  /** What is installed, as its files say: version and build; null where nobody can say. */
  version: string | null;
  build: string | null;
  /** Its Administration Tool answers, its daemons run, a Server's Transaction Manager too. */
  online: boolean;
  /** An Edge that is Online, and not all of its daemons run with a Transaction Manager connected to them: it serves nobody, or not all. */
  unserved?: true;
  /** Its Administration Tool says what runs, be it little. */
  answers: boolean;
  /** Processes of the product run on its host; null where nobody can say. */
  runs: boolean | null;
  /** Every service of it was started after the moment that was asked about. */
  fresh: boolean;
  /** A Server's own address. */
  address?: string;
  /** Addresses in the cluster's table of nodes as this Server sees it; left out where it could not be asked. */
  members?: string[];
}

export interface RestartPlan {
  /** Brought up first: what an earlier operation left standing still, or out of a balancer. */
  first: string[];
  /** Each wave goes down together. */
  servers: string[][];
  edges: string[][];
  problems: Problem[];
}

export interface RestartWish {
  /** Left out: all. */
  nodes?: readonly string[] | undefined;
  startedBefore?: string | undefined;
  parallel: number;
  /** How many Servers stay Online. */
  keepOnline: number;
  /** An earlier operation did not come to its end: what stands still is taken for what it has stopped, and started. */
  resumes?: boolean;
  /** What a Transaction Manager that nobody can ask works on may be cut. */
  acceptActive?: boolean;
}

/** How many Edges stay: with one the front door is open. Who accepts that no Server is Online accepts that too. */
export const edgesToKeep = (keepOnline: number): number => (keepOnline === 0 ? 0 : 1);

export function planRestart(facts: readonly RestartFacts[], { nodes, startedBefore, parallel, keepOnline, resumes = false, acceptActive = false }: RestartWish, balancers: readonly BalancerFacts[] = []): RestartPlan {
  const problems: Problem[] = [];
  const meant = facts.filter(({ node }) => nodes === undefined || nodes.includes(node));
  const standing = meant.filter(({ online, version, build }) => resumes && !online && (version ?? build) !== null);
  const first = [...standing, ...meant.filter((one) => one.online && isTakenOut(one, balancers))].map(({ node }) => node);
  const chosen = meant.filter((one) => !standing.includes(one) && !(startedBefore !== undefined && one.fresh));
  // A Server that is started meanwhile connects to the Edges; whether it did is looked at before one of them goes down.
  const connects = [...standing, ...chosen].some(({ role }) => role === 'server');
  const isUp = ({ node, online, unserved }: RestartFacts): boolean => (online && (!unserved || connects)) || first.includes(node);
  for (const name of (nodes ?? []).filter((one) => !facts.some(({ node }) => node === one))) {
    problems.push({ what: `${name} is no member of the cluster; its members are ${facts.map(({ node }) => node).join(', ')}`, remedy: 'name members' });
  }
  for (const { node } of chosen.filter(({ online }) => !online)) {
    problems.push({ what: `${node} is not Online, so there is nothing of it to be restarted`, remedy: 'bring it back first ("stctl set-up-cluster" starts what does not run), or leave it out of "nodes"' });
  }
  problems.push(...(acceptActive ? [] : silentProblems(standing, 'start its Administration Tool, or wait until it answers when it is just being started; or accept the cut with "acceptActive"')), ...unlistedProblems(standing, facts), ...versionProblems(facts));
  const plan = { first, servers: waves(chosen, 'server', parallel), edges: waves(chosen, 'edge', parallel) };
  for (const [role, keep, word] of [['server', keepOnline, 'Server'], ['edge', edgesToKeep(keepOnline), 'Edge']] as const) {
    const all = facts.filter((one) => one.role === role);
    const going = role === 'server' ? plan.servers : plan.edges;
    const leftBeside = (wave: readonly string[]): number => all.filter((one) => isUp(one) && !wave.includes(one.node)).length;
    const tight = going.find((wave) => leftBeside(wave) < keep);
    if (tight) {
      const left = leftBeside(tight);
      const unserved = all.filter((one) => one.online && !isUp(one) && !tight.includes(one.node)).map(({ node }) => node);
      const idle = unserved.length === 0 ? '' : ` (${unserved.join(', ')}: not every daemon runs with a Transaction Manager connected to it)`;
      problems.push({ what: `while ${tight.join(' and ')} ${tight.length === 1 ? 'is' : 'are'} down, ${left} other ${word}${left === 1 ? '' : 's'} would be Online, and ${keep} must stay${idle}`, remedy: `${tight.length > 1 ? 'a smaller "parallel"; or ' : ''}${role === 'server' ? lessOnline(Math.min(...going.map(leftBeside))) : 'for the only Edge "keepOnline": 0 accepts that partners are shut out meanwhile'}` });
    } else if (keep > 0) {
      problems.push(...frontProblems([all.filter(({ node }) => first.includes(node)).map(({ node }) => node), ...going], all, balancers));
    }
  }
  return { ...plan, problems };
}

/** The number that would do for every wave. */
const lessOnline = (left: number): string => (left > 0 ? `"keepOnline": ${left} (--keep-online ${left})` : '"keepOnline": 0 (--keep-online 0) accepts that nobody is served meanwhile');

/** Online is not yet sent to: a balancer may hold the others out, or find them ill. Who comes back from an earlier wave is sent to again, unless somebody had taken it out. */
function frontProblems(waves: readonly string[][], all: readonly RestartFacts[], balancers: readonly BalancerFacts[]): Problem[] {
  return balancers.flatMap((balancer) => {
    let sentTo = balancer.serving.filter((name) => all.some(({ node }) => node === name));
    const out = leftOut(all, [balancer]);
    return waves.filter((wave) => wave.length > 0).flatMap((wave): Problem[] => {
      const shut = sentTo.length > 0 && sentTo.every((name) => wave.includes(name));
      const of = sentTo.join(' and ');
      sentTo = [...new Set([...sentTo, ...wave.filter((node) => !out.includes(`${node} at ${balancer.name}`))])];
      return shut ? [{ what: `${balancer.name} sends to nobody but ${of} now: while ${wave.join(' and ')} ${wave.length === 1 ? 'is' : 'are'} down, it would send to nobody`, remedy: 'bring others back into the balancer first, or take fewer nodes at once; "keepOnline": 0 accepts that partners are shut out meanwhile' }] : [];
    });
  });
}

/** Servers whose Administration Tools are silent, and on which something runs, or may: their Transaction Managers may be at work, and nobody could stop them gracefully. */
function silentProblems(facts: readonly RestartFacts[], remedy: string): Problem[] {
  return facts.filter(({ role, answers, runs }) => role === 'server' && !answers && runs !== false).map(({ node }) => ({
    what: `${node}: processes of the product run there, or may run, and its Administration Tool does not answer, so what a stop would cut is not known`, remedy,
  }));
}

/** A member of the record that is not in the table, as a removal leaves it that did not come to its end: started, it would run beside the cluster. */
function unlistedProblems(started: readonly RestartFacts[], all: readonly RestartFacts[]): Problem[] {
  const table = all.flatMap((one) => (one.online ? (one.members ?? []) : []));
  return started.filter(({ address }) => table.length > 0 && address !== undefined && !addressesIn([address]).some((own) => table.includes(own))).map(({ node }) => ({
    what: `${node} stands still and is not in the cluster's table of nodes: somebody took it out of it, most likely a removal that did not come to its end. Started it would join nothing`,
    remedy: `bring its removal to its end ("stctl remove-node ${node}")`,
  }));
}

/** A restart starts what is installed: two versions on one schema damage it (reference §16). */
function versionProblems(facts: readonly RestartFacts[]): Problem[] {
  const [first] = facts.filter(({ build, version }) => (build ?? version) !== null);
  const others = facts.filter((one) => (one.build ?? one.version) !== null && (one.build !== first!.build || one.version !== first!.version));
  return others.length === 0 ? [] : [{
    what: `different versions are installed: ${first!.node} ${nameOf(first!)}, ${others.map((one) => `${one.node} ${nameOf(one)}`).join(', ')}. Two versions never run on one schema`,
    remedy: 'update the nodes that are behind ("stctl update-cluster")',
  }];
}

export const nameOf = ({ version, build }: { version: string | null; build: string | null }): string => build ?? version ?? 'unknown';

/** A version is named in full or by its build. */
export const isAt = (wanted: string, { version, build }: { version: string | null; build: string | null }): boolean => wanted === version || wanted === build;

function waves(facts: readonly RestartFacts[], role: RestartFacts['role'], parallel: number): string[][] {
  const names = facts.filter((one) => one.role === role).map(({ node }) => node);
  return Array.from({ length: Math.ceil(names.length / parallel) }, (_, index) => names.slice(index * parallel, (index + 1) * parallel));
}

/** An operation of ours has taken it out of a balancer, and did not come to put it back. */
export const isTakenOut = ({ node: name }: RestartFacts, balancers: readonly BalancerFacts[]): boolean => balancers.some(({ takenOut = [] }) => takenOut.some(({ node }) => node === name));

/** `ed1 at lb1`: nodes that a person took out of a balancer. What an operation of ours left out comes back. */
export const leftOut = (facts: readonly RestartFacts[], balancers: readonly BalancerFacts[]): string[] =>
  balancers.flatMap(({ name, heldOut = [] }) => heldOut.filter((node) => facts.some((one) => one.node === node)).map((node) => `${node} at ${name}`));

/** What forbids to go from node to node: those that are at the version and stand still, or out of the balancer, are brought up first, then one that is behind after the other. */
export function nodeByNodeProblems(facts: readonly RestartFacts[], { version, keepOnline }: { version: string; keepOnline: number }, balancers: readonly BalancerFacts[]): Problem[] {
  const standing = facts.filter((one) => isAt(version, one) && (!one.online || isTakenOut(one, balancers))).map(({ node }) => node);
  const behind = facts.filter((one) => !isAt(version, one));
  return keepOnline === 0 ? [] : (['server', 'edge'] as const).flatMap((role) => {
    const all = facts.filter((one) => one.role === role);
    return frontProblems([all.filter(({ node }) => standing.includes(node)).map(({ node }) => node), ...waves(behind, role, 1)], all, balancers);
  });
}

/** Why this cluster can't be updated to a version by the operator's command. */
export function updateProblems(facts: readonly RestartFacts[], { version, specVersion, command, nodeByNode, allowed, acceptActive }: { version: string; specVersion: string; command: boolean; nodeByNode: boolean; allowed: boolean; acceptActive: boolean }): Problem[] {
  const behind = facts.filter((one) => !isAt(version, one));
  const stopped = behind.length === 0 ? [] : nodeByNode ? behind : facts;
  return [
    ...(specVersion === version ? [] : [{ what: `the cluster file says product.version ${specVersion}, and ${version} was asked for`, remedy: `apply the cluster file with product.version "${version}" first (stctl apply): afterwards it says what is installed` }]),
    ...(behind.length > 0 && !command ? [{ what: 'the cluster file names no product.update.command, the program that updates one node', remedy: 'name it, or update the nodes by hand while everything is stopped' }] : []),
    ...(nodeByNode && !allowed ? [{ what: 'node by node was asked for, and the cluster file does not allow it', remedy: 'set product.update.nodeByNode to true only when the notes of this very update allow two versions on one schema; otherwise everything is stopped' }] : []),
    ...facts.filter(({ version: found, build }) => found === null && build === null).map(({ node }) => ({ what: `${node}: which version is installed can't be read (lib/version.properties)`, remedy: 'make it readable for the product\'s user' })),
    ...unlistedProblems(facts.filter(({ online }) => !online), facts),
    ...(acceptActive ? [] : silentProblems(stopped, 'start its Administration Tool, or, while a program of an earlier try still updates it, wait for its end; or accept the cut with "acceptActive"')),
  ];
}
