/** What removing nodes comes to, from what the checks found. Pure. */
import type { BalancerFacts } from './balancerPlan';
import type { GateFacts } from './gate';
import type { Problem } from './operation';
import { serves, whyNot } from './stopPlan';

export type Role = 'server' | 'edge';

/** A node that is to go, or went before. */
export interface Leaving {
  node: string;
  role: Role;
  member: boolean;
  /** It was removed while it did not answer, and owes the gate since. */
  owes: boolean;
}

/** What its own Administration Tool says of a node. */
export interface Answering {
  node: string;
  admin: 'running' | 'not operational' | 'not running';
  /** All that it should run runs. */
  online: boolean;
  /** Of an Edge that stays: a Transaction Manager is connected to it; null where nobody can say. */
  served?: boolean | null;
}

export interface RemovalFound {
  leaving: Leaving[];
  /** Of every node that is leaving. */
  gates: GateFacts[];
  /** Of those that go out. */
  answers: Answering[];
  /** The members that stay. */
  stay: (Answering & { role: Role })[];
  /** Those that have to do with nodes that go. */
  balancers: Pick<BalancerFacts, 'name' | 'serving'>[];
}

export interface RemovalRules {
  minimumNodes: number;
  force: boolean;
  acceptActive: boolean;
  /** Nodes that the same run adds afterwards. */
  coming: { servers: number; edges: number };
}

export interface RemovalPlan {
  /** Members that go. */
  members: string[];
  /** Those that answer and are drained. */
  drain: string[];
  /** Of these: those that did all they should, so that an undo starts them again. */
  online: string[];
  /** Whose hosts answer: stopped and gated. */
  gate: string[];
  /** Members whose hosts do not answer: Unknown, never taken for stopped. */
  unknown: string[];
}

/** A gate that is closed and behind which nothing runs needs nothing; nor does a host that never had a product. */
export const isShut = ({ gate, runs }: GateFacts): boolean => (gate === 'closed' || gate === 'none') && runs === false;

/** Members; and those that are none and whose hosts are not shut: removed while they were dead, or left by an addition that was interrupted. All steps do nothing where nothing is to be done. */
export const goesOut = ({ node, member, owes }: Leaving, gates: readonly GateFacts[]): boolean =>
  member || gates.some((facts) => facts.node === node && facts.gate !== 'unknown' && !isShut(facts) && (facts.ours || owes));

export function planRemoval({ leaving, gates, answers }: RemovalFound): RemovalPlan {
  const gateOf = (node: string): GateFacts | undefined => gates.find((facts) => facts.node === node);
  const answerOf = (node: string): Answering | undefined => answers.find((answer) => answer.node === node);
  const members = leaving.filter(({ member }) => member).map(({ node }) => node);
  const out = leaving.filter((one) => goesOut(one, gates)).map(({ node }) => node);
  return {
    members,
    drain: out.filter((node) => answerOf(node)?.admin === 'running'),
    online: members.filter((node) => answerOf(node)?.online),
    gate: out.filter((node) => gateOf(node)?.gate !== 'unknown'),
    unknown: members.filter((node) => gateOf(node)?.gate === 'unknown'),
  };
}

const what: Record<Role, string> = { server: 'Server', edge: 'Edge' };

export function removalProblems(found: RemovalFound, rules: RemovalRules): Problem[] {
  return [...found.leaving.flatMap((node) => nodeProblems(node, found, rules)), ...spareProblems(found, rules)];
}

/** What "force" overrides stays in the plan and in the report. */
function spareProblems(found: RemovalFound, rules: RemovalRules): Problem[] {
  const problems = [...lastProblems(found, rules), ...thresholdProblems(found, rules), ...doorProblems(found)];
  const all = problems.length > 0 ? problems : frontProblems(found);
  return all.map((problem) => (rules.force ? { ...problem, level: 'warning' } : { ...problem, remedy: `${problem.remedy}; or give "force" and the reason` }));
}

/** Online is not yet sent to: a balancer may hold out those that stay, or find them ill. */
function frontProblems({ leaving, balancers }: RemovalFound): Problem[] {
  return balancers.filter(({ serving }) => serving.length > 0 && serving.every((name) => leaving.some(({ node }) => node === name))).map(({ name, serving }) => ({
    what: `${name} sends to nobody but ${serving.join(' and ')} now, and ${serving.length === 1 ? 'that goes' : 'those go'}`,
    remedy: 'bring those that stay back into the balancer first',
  }));
}

/** What can't be done about one node. */
function nodeProblems({ node, member, owes }: Leaving, { gates, answers }: RemovalFound, { acceptActive }: RemovalRules): Problem[] {
  const gate = gates.find((facts) => facts.node === node);
  const answer = answers.find((one) => one.node === node);
  // What could not be read is told by the check itself.
  if (!gate) return [];
  if (!member) {
    const touchable = gate.ours || owes || isShut(gate) || gate.gate === 'unknown';
    return touchable ? [] : [{ what: `${node} is no member, and no operation of this cluster ever acted on it: what stands there is not touched`, remedy: 'name a member; or adopt what stands there' }];
  }
  if (gate.gate === 'unknown' && answer?.admin === 'running') {
    return [{ what: `${node}: its Administration Tool answers, and its host does not by SSH (${gate.why}): it works, and could be neither stopped nor gated`, remedy: 'mend the way by SSH; or switch the host off, and remove it as one that is dead' }];
  }
  if (gate.gate === 'unknown') {
    return [{ what: `${node} does not answer (${gate.why}): it is removed without being drained, stopped or gated, and may still run`, remedy: 'see to it that it is off, or off the network', level: 'warning' }];
  }
  if (gate.runs !== false && answer !== undefined && answer.admin !== 'running' && !acceptActive) {
    return [{ what: `${node}: ${gate.runs === null ? 'the product may run there' : 'the product runs there'} and its Administration Tool does not answer, so what a stop would cut is not known`, remedy: 'start its Administration Tool; or accept the cut with "acceptActive"' }];
  }
  return [];
}

function lastProblems({ leaving, stay }: RemovalFound, { coming, force }: RemovalRules): Problem[] {
  return (['server', 'edge'] as const).flatMap((role) => {
    const goes = leaving.filter((one) => one.member && one.role === role).map(({ node }) => node);
    const left = stay.filter((one) => one.role === role).length + (role === 'server' ? coming.servers : coming.edges);
    const after = role === 'server' && force ? '; with none left nobody is served, and "stctl set-up-cluster" brings one back, alone, to which "stctl add-node" adds the others' : '';
    return goes.length === 0 || left > 0 ? [] : [{ what: `no ${what[role]} would be left without ${goes.join(', ')}`, remedy: `add another one first${after}` }];
  });
}

/** Two rules: how many Servers belong to the cluster afterwards, and how many of them work while those that work go. */
function thresholdProblems({ leaving, answers, stay }: RemovalFound, { minimumNodes, coming }: RemovalRules): Problem[] {
  const goes = leaving.filter(({ member, role }) => member && role === 'server').map(({ node }) => node);
  const servers = stay.filter(({ role }) => role === 'server');
  const after = servers.length + coming.servers;
  // With none left there is something worse to say.
  if (goes.length === 0 || after === 0) return [];
  const remedy = 'add another one first, or lower policies.minimumNodes';
  if (after < minimumNodes) return [{ what: `${after} Server${after === 1 ? '' : 's'} would be left without ${goes.join(', ')}, and policies.minimumNodes is ${minimumNodes}`, remedy }];
  const online = servers.filter((one) => one.online).map(({ node }) => node);
  const working = goes.filter((node) => answers.some((answer) => answer.node === node && answer.online));
  if (working.length === 0 || online.length >= minimumNodes) return [];
  const not = servers.filter((one) => !one.online).map(({ node, admin }) => `${node} ${admin === 'running' ? 'does not run all that it should' : 'does not answer'}`);
  return [{ what: `of the Servers that stay ${online.length} ${online.length === 1 ? 'is' : 'are'} Online (${not.join(', ') || 'no other is there'}), and policies.minimumNodes is ${minimumNodes}: ${working.join(', ')} can't be spared`, remedy: not.length > 0 ? 'bring those back first' : remedy }];
}

/** An Edge without a Transaction Manager behind it is healthy for a balancer, and serves nobody. */
function doorProblems({ leaving, answers, stay }: RemovalFound): Problem[] {
  const edges = stay.filter(({ role }) => role === 'edge');
  const working = leaving.filter(({ node, member, role }) => member && role === 'edge' && answers.some((answer) => answer.node === node && answer.online)).map(({ node }) => node);
  // With none left there is something worse to say.
  if (working.length === 0 || edges.length === 0 || edges.some(serves)) return [];
  const why = edges.map(({ node, admin, online, served }) => whyNot({ node, online: admin === 'running' ? online : null, ...(served === undefined ? {} : { served }) }));
  return [{ what: `none of the Edges that stay serves (${why.join(', ')}): ${working.join(', ')} can't be spared`, remedy: 'bring those back first' }];
}
