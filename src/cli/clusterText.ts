/** The state of a cluster as people read it. Pure. */
import { hasNoServerLeft } from '../model/comeBack';
import { endpoint } from '../model/fields';
import type { Colors } from 'picocolors/types';
import { reopening, type FoundRecord } from '../control/clusters';
import type { Attempt } from '../control/operations';
import type { ClusterRecord, LeftBehind, OperationLine } from '../model/cluster';
import type { ClusterHealth } from '../model/health';
import { isUnderWay, type OperationReport } from '../model/operation';
import { retryLines } from './attempts';
import { isHeld } from './failure';
import { healthLine, isUnwell, nodeTable, problemLines, versionLine, watchLines } from './healthText';
import { count, duration, oneLine, table, time, type Cell } from './output';

/** The answer of `stctl status`: the record, and what runs on it. Additive changes only. */
export interface ClusterStatusView extends FoundRecord {
  /** ISO-8601 UTC. */
  sampledAt: string;
  /** The operation that holds the lease, or null. */
  running: OperationReport | null;
  /** What of it fails and is tried again; left out where nothing is. */
  attempts?: Attempt[];
  /** Why there is no report of the operation that runs. */
  runningUnknown?: string;
  /** What the monitor sees, or null. */
  health: ClusterHealth | null;
  /** Why that is not known. */
  healthUnknown?: string;
}

/** True when a person should look: the record is closed, nobody says how it is (no monitor watches what was set up, or it does not answer), a node is not as it should be, or an operation was lost, or left something undone, and none is at work on it. */
export const isDegraded = ({ phase, unfinished, lease, closed, health, healthUnknown }: FoundRecord & { health?: ClusterHealth | null; healthUnknown?: string }): boolean =>
  closed !== undefined || healthUnknown !== undefined || (health ? isUnwell(health) : phase !== 'new') || (lease === null && (phase === 'interrupted' || unfinished.length > 0));

export function clusterText(view: ClusterStatusView, colors: Colors, { wide = false } = {}): string {
  const { name, activeSite, revision, epoch, sampledAt, unfinished, lease, operations, health, debts, maintenance } = view;
  const site = activeSite ? `ACTIVE SITE ${activeSite}${label(view, activeSite)}` : 'NO ACTIVE SITE';
  const last = operations[0];
  const open = maintenance.filter(({ until }) => Date.parse(until) > Date.parse(sampledAt));
  return [
    `Cluster ${colors.bold(name)}   ${site}   ${phaseWord(view, colors)}   revision ${revision}, epoch ${epoch}`,
    ...(view.closed ? [`The record of this cluster is closed (${view.closed}): what stands here is what it knew last. Operations and apply are refused; the estate itself goes on as it is.`] : []),
    health ? healthLine(health, colors, sampledAt) : `Health not known: ${oneLine(view.healthUnknown ?? `no monitor watches ${name}`).replace(/\.$/, '')}.   record read ${time(sampledAt).slice(11)}`,
    ...(health ? problemLines(health) : []),
    ...(unfinished.length > 0 ? [lease ? 'Unfinished before this run:' : 'Unfinished:', ...folded(unfinished).map((line) => `  - ${oneLine(line)}`)] : []),
    ...(debts.length > 0 ? ['Owed, and done at first contact:', ...debts.map(({ node, what, since, because }) => `  - ${node}: ${what}, since ${time(since)}: ${oneLine(because)}`)] : []),
    ...(health ? watchLines(health) : []),
    '',
    health && !wide ? nodeTable(health.nodes, colors, sampledAt) : table(wide ? ['NODE', 'SITE', 'ROLE', 'ADDRESS', 'MEMBER', 'SSH', 'ADMIN'] : ['NODE', 'SITE', 'ROLE', 'ADDRESS', 'MEMBER'], nodeRows(view)),
    ...(health ? notWatched(view, health) : []),
    '',
    runningLine(view),
    ...retryLines(view.running, view.attempts ?? [], sampledAt),
    ...open.map(({ id, nodes, until, reason }) => `Maintenance ${id}: ${nodes.join(', ') || 'the whole cluster'} until ${time(until)}: ${oneLine(reason)}`),
    ...(last ? [`Last: ${last.operation} ${last.outcome} ${time(last.endedAt)}: ${oneLine(last.summary)}`] : []),
    ...(health ? versionLine(health.nodes) : []),
  ].join('\n');
}

/** What failed must be seen: steps that were never begun, which may be many, are counted. The report names them all. */
function folded(unfinished: readonly string[]): string[] {
  const notBegun = unfinished.filter((line) => line.endsWith(': not begun')).length;
  if (notBegun < 2) return [...unfinished];
  const others = unfinished.filter((line) => !line.endsWith(': not begun'));
  return others.length === 0 ? [`${count(notBegun, 'step')} not begun`] : [...others, `and ${count(notBegun, 'step')} not begun`];
}

/** Nodes of the spec that are no members: hosts in reserve. */
function notWatched(view: ClusterStatusView, { nodes }: ClusterHealth): string[] {
  const others = nodeRows(view).filter(([node, , , , member]) => member !== 'yes' && !nodes.some((seen) => seen.node === node)).map(([node]) => String(node));
  return others.length === 0 ? [] : [`Not members: ${others.join(', ')}`];
}

function phaseWord({ phase, spec, lease, unfinished, closed }: FoundRecord, colors: Colors): string {
  if (closed) return colors.red(`RECORD CLOSED (${closed}), was ${phase}`);
  if (phase === 'interrupted') return colors.red('INTERRUPTED');
  if (unfinished.length > 0 && lease === null) return colors.red(`${phase.toUpperCase()}, ${count(unfinished.length, 'step')} unfinished`);
  return phase === 'active' ? colors.green('active') : phase === 'new' ? (spec ? 'new (applied, never set up)' : 'new (nothing applied)') : phase;
}

const label = ({ spec }: ClusterRecord, site: string): string => (spec?.sites[site]?.label ? ` (${spec.sites[site].label})` : '');

/** What the spec lists and what the record knows as members: neither hides the other. */
function nodeRows({ spec, members }: ClusterRecord): Cell[][] {
  const isMember = (site: string, node: string): boolean => members.some((member) => member.site === site && member.node === node);
  const listed = Object.entries(spec?.sites ?? {}).flatMap(([site, { servers, edges }]) => [
    ...servers.map((node) => [node.name, site, 'Server', node.address, isMember(site, node.name) ? 'yes' : 'no', `${node.ssh.user}@${endpoint(node.ssh.address ?? node.address, node.ssh.port)}${node.ssh.jump ? ` via ${node.ssh.jump.address}` : ''}`, `https://${endpoint(node.admin.address ?? node.address, node.admin.port)}`]),
    ...edges.map((node) => [node.name, site, 'Edge', node.address, isMember(site, node.name) ? 'yes' : 'no', `${node.ssh.user}@${endpoint(node.ssh.address ?? node.address, node.ssh.port)}`, `https://${endpoint(node.admin.address ?? node.address, node.admin.port)}`]),
  ]);
  const unlisted = members.filter(({ site, node }) => !listed.some(([name, where]) => name === node && where === site));
  return [...listed, ...unlisted.map(({ site, node, address, role }) => [node, site, role === 'edge' ? 'Edge' : 'Server', address, 'yes, but not in the spec'])];
}

function runningLine({ lease, running, runningUnknown, sampledAt }: ClusterStatusView): string {
  if (!lease) return 'No operation is running.';
  const since = duration(Date.parse(sampledAt) - Date.parse(lease.since));
  const watch = `stctl watch ${lease.workflowId}`;
  if (!running) return `Running: ${lease.operation} since ${since}${runningUnknown ? ` (${oneLine(runningUnknown)})` : ''}   ${watch}`;
  const busy = running.steps.findIndex(({ state }) => isUnderWay(state) || state === 'waiting');
  const step = running.steps[busy];
  return `Running: ${lease.operation} ${running.phase}${step ? `, step ${busy + 1}/${running.steps.length} "${step.title}"${step.node ? ` (${step.node})` : ''}` : ''}, ${since}   ${watch}`;
}

export const clusterNext = (view: ClusterStatusView): string => {
  const { name, phase, spec, left, lease, running, closed, health, healthUnknown } = view;
  if (closed) return reopening(name);
  if (running && isHeld(running)) return `It waits for a decision: stctl watch ${running.workflowId}`;
  if (lease) return `Next: stctl watch ${lease.workflowId}`;
  if (phase === 'new') return spec ? `Next: stctl set-up-cluster ${name}` : `Next: stctl set-up-cluster -f cluster.yaml    what happened: stctl history ${name}`;
  if (left.length > 0) return `Next: ${endingsOf(name, left)}    what happened: stctl history ${name}`;
  if (phase !== 'active') return `Next: stctl plan set-up-cluster ${name}    what happened: stctl history ${name}`;
  if (hasNoServerLeft(view)) return `No Server is left. Next: stctl plan set-up-cluster ${name}`;
  if (!health && healthUnknown === undefined) return `Watch it: stctl monitor-cluster ${name}    look once: stctl check-health ${name}`;
  // Where nobody looks, nothing is known to be dead.
  if (health?.watch?.paused) return `Watch it again: stctl resume ${name}`;
  const dead = health?.watch?.vantage.some(({ fresh }) => fresh) === false ? undefined : health?.nodes.find(({ state, excused }) => state !== 'Online' && excused === undefined);
  return dead ? `Start it, or replace it: stctl replace-node ${dead.node} <new node> -c ${name}` : `History: stctl history ${name}`;
};

/** How what was left comes to an end: by the same again, by taking it back, or by a set-up, which brings every member to where it belongs but directs no workload. */
function endingsOf(name: string, left: readonly LeftBehind[]): string {
  const again = `run ${[...new Set(left.map(({ operation }) => operation))].join(', ')} again as it was`;
  const directed = left.find(({ operation }) => operation === 'rebalanceWorkload');
  return [
    again,
    ...(directed ? [`take the rebalancing back: stctl rebalance-workload --cluster ${name} --undo ${directed.workflowId}`] : []),
    ...(left.some(({ operation }) => operation !== 'rebalanceWorkload') ? [`bring ${directed ? 'all else' : 'the whole cluster'} up: stctl plan set-up-cluster ${name}`] : []),
  ].join(', or ');
}

export const historyText = (operations: OperationLine[], colors: Colors): string =>
  table(
    ['STARTED', 'TOOK', 'OPERATION', 'OUTCOME', 'EPOCH', 'WORKFLOW', 'SUMMARY'],
    operations.map((line) => [time(line.startedAt), duration(Date.parse(line.endedAt) - Date.parse(line.startedAt)), line.operation, line.outcome, line.epoch, line.workflowId, line.summary]),
    (text, header) => (header === 'OUTCOME' && /failed|interrupted/.test(text) ? colors.red(text) : text),
  );
