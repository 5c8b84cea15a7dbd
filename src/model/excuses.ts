/** Nodes whose failure is expected: an operation has taken them down, or a person has said so. They count as present, and nobody is mailed. Pure. */
import type { Maintenance } from './cluster';
import type { OperationReport } from './operation';

/** What excuses which node. */
export type Excuses = ReadonlyMap<string, string>;

const notYetOver = new Set(['planned', 'running', 'waiting', 'failed', 'undoing', 'undo failed']);

/** What the keys of steps begin with that take a node down or bring it back. All others (backups, notes, options, a login) leave it as it is, and what fails meanwhile is a failure. */
const downOrBack = new Set([
  'out-of-service', 'out', 'drain', 'stop', 'stop-all', 'stop-down', 'stop-edge', 'stop-edges', 'stop-admin', 'stop-services', 'update', 'update-first', 'unlist', 'unzone', 'gate',
  'add', 'start-admin', 'start-first-admin', 'start-edge-admin', 'online', 'edge-online', 'sweep', 'serving',
]);

/** By these a node leaves the cluster: it stays down when they are done, and a member of the record until the operation gives its lease back. */
const leaving = new Set(['unlist', 'unzone', 'gate']);

const kindOf = ({ key }: { key: string }): string => key.split('/')[0]!;

/** A node with such a step that has begun and one that is not over, or that leaves. Asked only of the operation that holds the lease: until that is given back the record knows nothing of what was done. */
export function takenDown({ steps, workflowId }: Pick<OperationReport, 'steps' | 'workflowId'>): Map<string, string> {
  const excused = new Map<string, string>();
  const rows = steps.filter((row) => row.node !== undefined && downOrBack.has(kindOf(row)));
  // A step at the balancer is about "st1 at lb1".
  const nodeOf = (row: { node?: string }): string => row.node!.split(' at ')[0]!;
  for (const row of rows) {
    const node = nodeOf(row);
    const its = rows.filter((one) => nodeOf(one) === node);
    const begun = its.some(({ state }) => state !== 'planned');
    const leaves = its.some((one) => leaving.has(kindOf(one)) && one.state !== 'planned' && one.state !== 'undone');
    if (leaves || (begun && its.some(({ state }) => notYetOver.has(state)))) excused.set(node, workflowId);
  }
  return excused;
}

export const inForce = (windows: readonly Maintenance[], at: string): Maintenance[] => windows.filter(({ since, until }) => Date.parse(since) <= Date.parse(at) && Date.parse(at) < Date.parse(until));

/** A window without names covers the whole cluster. */
export function excusesOf(nodes: readonly string[], { windows, report, at }: { windows: readonly Maintenance[]; report?: Pick<OperationReport, 'steps' | 'workflowId'>; at: string }): Map<string, string> {
  const excused = report ? takenDown(report) : new Map<string, string>();
  for (const { nodes: named, until, reason } of inForce(windows, at)) {
    for (const node of named.length === 0 ? nodes : named) excused.set(node, `maintenance until ${until}: ${reason}`);
  }
  return excused;
}
