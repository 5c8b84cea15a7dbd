/** From the votes of the vantage points to one answer about the cluster, and the sentences that people read. Pure. */
import type { ClusterHealth, Health, NodeHealth, NodeState, RecordView } from './health';
import { causeOf, explains } from './healthCauses';
import type { Around, Down, Vote } from './watch';

/** How many vantage points must agree when nobody said: more than half. */
export const majority = (vantagePoints: number): number => Math.floor(vantagePoints / 2) + 1;

/**
 * What `quorum` of the vantage points that have looked agree on. One that sees a node Online is outvoted only by a quorum that does not; a node is Offline only
 * when a quorum says so, and Unknown where fewer than a quorum have looked.
 */
export function agreedState(states: readonly NodeState[], quorum: number): NodeState {
  const count = (state: NodeState): number => states.filter((one) => one === state).length;
  if (states.length < quorum) return 'Unknown';
  if (count('Offline') >= quorum) return 'Offline';
  if (count('Offline') + count('Unknown') >= quorum) return 'Unknown';
  return count('Online') > 0 ? 'Online' : 'Unknown';
}

/** One vote out of those that are fresh. Where they differ, the words of one that says what was agreed. */
export function agree(votes: readonly Vote[], quorum: number): Vote | undefined {
  const [newest] = [...votes].sort((a, b) => Date.parse(b.record.readAt) - Date.parse(a.record.readAt));
  if (!newest || votes.length < quorum) return undefined;
  const seenBy = (node: string): NodeHealth[] => votes.flatMap(({ nodes }) => nodes.filter((one) => one.node === node));
  const nodes = newest.nodes.map((own) => {
    const seen = seenBy(own.node);
    const state = agreedState(seen.map((one) => one.state), quorum);
    const found = seen.find((one) => one.state === state);
    return found ?? { ...own, state, why: `the vantage points differ: ${seen.map((one) => one.state).join(', ')}` };
  });
  const around: Around = votes.length === 1 ? newest.around : {
    ...(votes.every((vote) => vote.around.database !== undefined) ? { database: newest.around.database! } : {}),
    ...(votes.every((vote) => vote.around.sharedFiles !== undefined) ? { sharedFiles: newest.around.sharedFiles! } : {}),
    balancers: votes.every((vote) => vote.around.balancers.length > 0) ? newest.around.balancers : [],
    ...agreedDown(votes, newest),
    reached: votes.some((vote) => vote.around.reached),
  };
  const { cause: _, ...rest } = newest;
  const cause = causeOf(nodes, around);
  const at = votes.map((vote) => vote.at).sort()[0]!;
  return { ...rest, at, nodes, around, ...(cause ? { cause } : {}) };
}

/** What everybody finds down; where one of them reaches it, it serves. */
function agreedDown(votes: readonly Vote[], { around: { down = [] } }: Vote): { down?: Down[] } {
  const all = down.filter(({ what, name }) => votes.every(({ around }) => around.down?.some((one) => one.what === what && one.name === name)));
  return all.length > 0 ? { down: all } : {};
}

/** Servers that are Online, or whose absence is expected. */
export const present = (nodes: readonly NodeHealth[]): number => nodes.filter(({ role, state, excused }) => role === 'server' && (state === 'Online' || excused !== undefined)).length;

/** How many Servers are Online, for people: `?` where nobody can say, which is not none. */
export function onlineCount({ health, online, nodes }: Pick<ClusterHealth, 'health' | 'online' | 'nodes'>): string {
  const servers = nodes.filter(({ role }) => role === 'server');
  const nobodyKnows = health === 'unknown' && servers.length > 0 && servers.every(({ state, was }) => state === 'Unknown' && was === undefined);
  return nobodyKnows ? '?' : String(online);
}

/** An Edge serves when it is Online and a Transaction Manager stands behind it, as far as that could be asked. */
const serves = ({ state, streaming, excused }: NodeHealth): boolean => excused !== undefined || (state === 'Online' && streaming?.connected !== 0);
export const noEdgeServes = (nodes: readonly NodeHealth[]): boolean => {
  const edges = nodes.filter(({ role }) => role === 'edge');
  return edges.length > 0 && !edges.some(serves);
};

const rank: Record<NodeState, number> = { Offline: 0, Unknown: 1, Online: 2 };
const troubled = ({ services, streaming }: NodeHealth): number => (services.stopped.length > 0 || (streaming?.missing.length ?? 0) > 0 ? 0 : 1);
const byName = new Intl.Collator('en', { numeric: true });
const problemsFirst = (a: NodeHealth, b: NodeHealth): number => rank[a.state] - rank[b.state] || troubled(a) - troubled(b) || byName.compare(a.node, b.node);

export function healthOf(cluster: string, vote: Vote): ClusterHealth {
  const { nodes, policies: { minimumNodes }, cause, record, site, at } = vote;
  const servers = nodes.filter(({ role }) => role === 'server');
  const online = servers.filter(({ state }) => state === 'Online').length;
  const sorted = [...nodes].sort(problemsFirst);
  const problems = problemsOf(cluster, sorted, vote);
  return {
    apiVersion: 'st-orchestrator/v1', kind: 'ClusterHealth', cluster, site, sampledAt: at, online, members: servers.length, minimumNodes,
    health: judge(vote, problems), ...(cause ? { cause } : {}), nodes: sorted, problems, record,
  };
}

/** A cluster that worked, and all of whose Servers were removed: nobody need look to know that it serves nobody. */
const allServersRemoved = ({ nodes, record }: Vote): boolean => record.complete === true && !nodes.some(({ role }) => role === 'server');

function judge(vote: Vote, problems: readonly string[]): Health {
  const { nodes, policies: { minimumNodes }, cause } = vote;
  if (allServersRemoved(vote)) return 'below threshold';
  if (!nodes.some(({ role }) => role === 'server') || cause?.code === 'our network') return 'unknown';
  if (present(nodes) < minimumNodes) return 'below threshold';
  return problems.length > 0 ? 'degraded' : 'ok';
}

function problemsOf(cluster: string, nodes: readonly NodeHealth[], vote: Vote): string[] {
  const { cause, around, policies, record } = vote;
  const problems: string[] = [];
  const left = leftProblem(record);
  if (allServersRemoved(vote)) problems.push(`No Server is left of the ${policies.minimumNodes} that are asked for: all were removed, and nobody is served. "stctl set-up-cluster ${cluster}" brings one back.`);
  else if (!nodes.some(({ role }) => role === 'server')) problems.push('The record knows no member yet: set the cluster up, or adopt it.');
  if (cause) problems.push(cause.sentence);
  // Of what is not seen from here nothing is claimed.
  if (cause?.code === 'our network') return [...problems, ...left];
  const servers = nodes.filter(({ role }) => role === 'server');
  if (servers.length > 0 && present(nodes) < policies.minimumNodes) problems.push(`${present(nodes)} of ${servers.length} Servers are Online or excused, fewer than the ${policies.minimumNodes} that are asked for.`);
  if (noEdgeServes(nodes)) problems.push('No Edge serves: no partner gets in.');
  problems.push(...nodes.flatMap((node) => nodeProblems(node, cause)), ...around.balancers, ...left);
  return problems.slice(0, 40);
}

/** What is told of one node. */
export function nodeProblems(node: NodeHealth, cause: Vote['cause']): string[] {
  const problems: string[] = [];
  // With one cause for all of them, each is told by its line in the table.
  if (node.state !== 'Online' && !explains(cause, node)) problems.push(`${node.node} is ${node.state}${node.why ? `: ${node.why}` : ''}${node.excused !== undefined ? ` (expected: ${node.excused})` : ''}`);
  else if (node.state === 'Online' && node.services.stopped.length > 0) problems.push(`${node.node} is Online without ${node.services.stopped.join(', ')}`);
  if (node.state === 'Online' && node.streaming && node.streaming.missing.length > 0) {
    const what = node.role === 'edge' ? 'no streaming connection from' : 'no streaming connection to';
    problems.push(`${node.node}: ${what} ${node.streaming.missing.join(', ')}`);
  }
  for (const { name, wanted, runtime, file } of node.balancer ?? []) {
    if (node.state === 'Online' && node.excused === undefined && runtime !== 'unknown' && !runtime.startsWith(wanted)) problems.push(`${name} sees ${node.node} as ${runtime}, expected ${wanted}${file !== 'unknown' && file !== wanted ? ` (its file says ${file})` : ''}`);
  }
  return problems;
}

/** What is told of work that an operation left. */
export const leftProblem = ({ unfinished: [first, ...others] }: Pick<RecordView, 'unfinished'>): string[] =>
  (first === undefined ? [] : [`An operation left work unfinished: ${first}${others.length > 0 ? '; and more' : ''}`]);

/** Before anybody has looked, or when too few still do: nothing is claimed. */
export function blind(cluster: string, last: ClusterHealth | undefined, { at, why }: { at: string; why: string }): ClusterHealth {
  const nodes = (last?.nodes ?? []).map((node): NodeHealth => ({ ...node, state: 'Unknown', why }));
  return {
    apiVersion: 'st-orchestrator/v1', kind: 'ClusterHealth', cluster, site: last?.site ?? '', sampledAt: last?.sampledAt ?? at,
    online: 0, members: last?.members ?? 0, minimumNodes: last?.minimumNodes ?? 0, health: 'unknown', nodes, problems: [why], ...(last?.record ? { record: last.record } : {}),
  };
}
