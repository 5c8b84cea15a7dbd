/** The state of a cluster as people read it. Pure. */
import { endpoint } from '../model/fields';
import type { Colors } from 'picocolors/types';
import { reopening, type FoundRecord } from '../control/clusters';
import type { ClusterRecord, OperationLine } from '../model/cluster';
import type { OperationReport } from '../model/operation';
import { isHeld } from './failure';
import { count, duration, oneLine, table, time, type Cell } from './output';

/** The answer of `stctl status`: the record, and what runs on it. Additive changes only. */
export interface ClusterStatusView extends FoundRecord {
  /** ISO-8601 UTC. */
  sampledAt: string;
  /** The operation that holds the lease, or null. */
  running: OperationReport | null;
  /** Why there is no report of the operation that runs. */
  runningUnknown?: string;
}

/** True when a person should look: the record is closed, or an operation was lost, or left something undone, and none is at work on it. */
export const isDegraded = ({ phase, unfinished, lease, closed }: FoundRecord): boolean => closed !== undefined || lease === null && (phase === 'interrupted' || unfinished.length > 0);

export function clusterText(view: ClusterStatusView, colors: Colors, { wide = false } = {}): string {
  const { name, activeSite, revision, epoch, sampledAt, unfinished, operations } = view;
  const site = activeSite ? `ACTIVE SITE ${activeSite}${label(view, activeSite)}` : 'NO ACTIVE SITE';
  const last = operations[0];
  return [
    `Cluster ${colors.bold(name)}   ${site}   ${phaseWord(view, colors)}   revision ${revision}, epoch ${epoch}   sampled ${time(sampledAt)}`,
    ...(view.closed ? ['', `The record of this cluster is closed (${view.closed}): what stands here is what it knew last. Operations and apply are refused; the estate itself goes on as it is.`] : []),
    '',
    table(wide ? ['NODE', 'SITE', 'ROLE', 'ADDRESS', 'MEMBER', 'SSH', 'ADMIN'] : ['NODE', 'SITE', 'ROLE', 'ADDRESS', 'MEMBER'], nodeRows(view)),
    ...(unfinished.length > 0 ? ['', 'Unfinished:', ...unfinished.map((line) => `  - ${oneLine(line)}`)] : []),
    '',
    runningLine(view),
    ...(last ? [`Last: ${last.operation} ${last.outcome} ${time(last.endedAt)}: ${oneLine(last.summary)}`] : []),
  ].join('\n');
}

function phaseWord({ phase, lease, unfinished, closed }: FoundRecord, colors: Colors): string {
  if (closed) return colors.red(`RECORD CLOSED (${closed}), was ${phase}`);
  if (phase === 'interrupted') return colors.red('INTERRUPTED');
  if (unfinished.length > 0 && lease === null) return colors.red(`${phase.toUpperCase()}, ${count(unfinished.length, 'step')} unfinished`);
  return phase === 'active' ? colors.green('active') : phase === 'new' ? 'new (applied, never set up)' : phase;
}

const label = ({ spec }: ClusterRecord, site: string): string => (spec?.sites[site]?.label ? ` (${spec.sites[site].label})` : '');

/** What the spec lists and what the record knows as members: neither hides the other. */
function nodeRows({ spec, members }: ClusterRecord): Cell[][] {
  const isMember = (site: string, node: string): boolean => members.some((member) => member.site === site && member.node === node);
  const listed = Object.entries(spec?.sites ?? {}).flatMap(([site, { servers, edges }]) => [
    ...servers.map((node) => [node.name, site, 'Server', node.address, isMember(site, node.name) ? 'yes' : 'no', `${node.ssh.user}@${endpoint(node.ssh.address ?? node.address, node.ssh.port)}${node.ssh.jump ? ` via ${node.ssh.jump.address}` : ''}`, `https://${endpoint(node.admin.address ?? node.address, node.admin.port)}`]),
    ...edges.map((node) => [node.name, site, 'Edge', node.address, undefined, `${node.ssh.user}@${endpoint(node.ssh.address ?? node.address, node.ssh.port)}`, `https://${endpoint(node.admin.address ?? node.address, node.admin.port)}`]),
  ]);
  const unlisted = members.filter(({ site, node }) => !listed.some(([name, where]) => name === node && where === site));
  return [...listed, ...unlisted.map(({ site, node, address }) => [node, site, 'Server', address, 'yes, but not in the spec'])];
}

function runningLine({ lease, running, runningUnknown, sampledAt }: ClusterStatusView): string {
  if (!lease) return 'No operation is running.';
  const since = duration(Date.parse(sampledAt) - Date.parse(lease.since));
  const watch = `stctl watch ${lease.workflowId}`;
  if (!running) return `Running: ${lease.operation} since ${since}${runningUnknown ? ` (${oneLine(runningUnknown)})` : ''}   ${watch}`;
  const busy = running.steps.findIndex(({ state }) => state === 'running' || state === 'waiting');
  const step = running.steps[busy];
  return `Running: ${lease.operation} ${running.phase}${step ? `, step ${busy + 1}/${running.steps.length} "${step.title}"${step.node ? ` (${step.node})` : ''}` : ''}, ${since}   ${watch}`;
}

export const clusterNext = ({ name, phase, lease, running, closed }: ClusterStatusView): string => {
  if (closed) return reopening(name);
  if (running && isHeld(running)) return `It waits for a decision: stctl watch ${running.workflowId}`;
  if (lease) return `Next: stctl watch ${lease.workflowId}`;
  if (phase === 'active') return `History: stctl history ${name}`;
  return phase === 'new' ? `Next: stctl set-up-cluster ${name}` : `Next: stctl plan set-up-cluster ${name}    what happened: stctl history ${name}`;
};

export const historyText = (operations: OperationLine[], colors: Colors): string =>
  table(
    ['STARTED', 'TOOK', 'OPERATION', 'OUTCOME', 'EPOCH', 'WORKFLOW', 'SUMMARY'],
    operations.map((line) => [time(line.startedAt), duration(Date.parse(line.endedAt) - Date.parse(line.startedAt)), line.operation, line.outcome, line.epoch, line.workflowId, line.summary]),
    (text, header) => (header === 'OUTCOME' && /failed|interrupted/.test(text) ? colors.red(text) : text),
  );
