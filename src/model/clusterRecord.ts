/** How the record of a cluster changes: pure functions over the record, each idempotent, since an update may be sent twice. */
import { canonicalJson } from './fingerprint';
import { differencesText } from './specDifferences';
import type { AcquireAnswer, AcquireRequest, ApplyAnswer, ApplyRequest, ClusterPhase, ClusterRecord, LeaseHolder, LeftBehind, ReleaseRequest } from './cluster';
import type { ErrorCode } from './errors';
import { clusterWorkflowId } from './ids';

const historyLength = 20;
/** Of the lines that tell of a run which changed nothing: were all kept, a few tries that were refused would push out what had changed something. */
const mostIdle = 5;
const idle: ReadonlySet<string> = new Set(['refused', 'nothing to do']);

export function newRecord(name: string): ClusterRecord {
  return { apiVersion: 'st-orchestrator/v1', kind: 'ClusterStatus', name, phase: 'new', complete: false, spec: null, revision: 0, members: [], activeSite: null, epoch: 0, changedBy: 0, lease: null, left: [], unfinished: [], debts: [], maintenance: [], operations: [] };
}

const sameHolder = (a: LeaseHolder | null, b: LeaseHolder): boolean => a !== null && a.workflowId === b.workflowId && a.firstExecutionRunId === b.firstExecutionRunId;

/** A record that was lost and made anew can't say that its cluster never worked: it is held for one that may serve. */
export const mayHaveWorked = ({ complete, recovered }: ClusterRecord): boolean => complete || recovered === true;

/** Grants the lease or says who holds it; never waits. Asked twice by one holder it answers the same grant. The epoch rises at every new grant. */
export function acquire(record: ClusterRecord, request: AcquireRequest): AcquireAnswer {
  let evicted = false;
  if (request.evict && !sameHolder(request.holder, request.evict) && sameHolder(record.lease, request.evict)) {
    evict(record, request.evict, request.at);
    evicted = true;
  }
  if (record.lease && !sameHolder(record.lease, request.holder)) return { granted: false, reason: 'busy', lease: record.lease };
  if (request.spec && record.spec && canonicalJson(request.spec) !== canonicalJson(record.spec)) return { granted: false, reason: 'spec conflict', revision: record.revision, differs: differencesText(record.spec, request.spec) };
  const spec = record.spec ?? request.spec;
  if (!spec) return { granted: false, reason: 'no spec' };
  const broughtSpec = !record.spec;
  if (broughtSpec) {
    record.spec = spec;
    record.revision = 1;
  }
  if (!record.lease) {
    record.epoch += 1;
    record.lease = { workflowId: request.holder.workflowId, firstExecutionRunId: request.holder.firstExecutionRunId, operation: request.operation, ...(request.about ? { about: request.about } : {}), epoch: record.epoch, since: request.at, ...(broughtSpec ? { broughtSpec } : {}) };
    if (record.phase === 'new') record.phase = 'setting up';
  }
  return { granted: true, epoch: record.epoch, changedBy: record.changedBy, revision: record.revision, spec, members: record.members, debts: record.debts, activeSite: record.activeSite, complete: mayHaveWorked(record), ...(record.recovered ? { recovered: true } : {}), evicted, interrupted: record.phase === 'interrupted', unfinished: record.unfinished.length > 0 };
}

/** Takes the lease from a holder that closed without a report, and keeps what it left. */
export function evict(record: ClusterRecord, gone: LeaseHolder & { unfinished: string[]; because: string }, at: string): void {
  if (!record.lease || !sameHolder(record.lease, gone)) return;
  const { operation, workflowId, about = [], epoch, since } = record.lease;
  addLine(record, { operation, workflowId, epoch, startedAt: since, endedAt: at, outcome: 'interrupted', summary: gone.because });
  record.lease = null;
  record.changedBy = epoch;
  keepLeft(record, [...record.left.filter((one) => !isSettledBy(one, { operation, about })), { operation, workflowId, about, unfinished: gone.unfinished, interrupted: true }]);
  record.phase = phaseOf(record);
}

/**
 * Whether a run of this operation, about these nodes, has had to do with what that one left: what it says of it holds. About the whole cluster it is over with what the same
 * operation left; about some nodes with what was left about no others, and a restart of some says nothing of what an addition or a removal left of them.
 */
function isSettledBy(left: LeftBehind, { operation, about }: Pick<LeftBehind, 'operation' | 'about'>): boolean {
  const same = left.operation === operation;
  if (about.length === 0) return same;
  return left.about.length > 0 && left.about.every((node) => about.includes(node)) && (same || operation !== 'rollingRestart');
}

/** A set-up that succeeds has brought every member to where it belongs. By which options they direct the workload it neither knows nor changes. */
const setUpSettles = ({ operation }: LeftBehind): boolean => operation !== 'rebalanceWorkload';

function keepLeft(record: ClusterRecord, left: LeftBehind[]): void {
  record.left = left;
  record.unfinished = left.flatMap(({ unfinished }) => unfinished);
}

function phaseOf({ left, complete, unfinished, members }: ClusterRecord): ClusterPhase {
  if (left.some(({ interrupted }) => interrupted)) return 'interrupted';
  return complete ? 'active' : unfinished.length > 0 ? 'setting up' : members.length > 0 ? 'active' : 'new';
}

/** Gives the lease back and writes what the operation says into the record. Does nothing when another holds it. */
export function release(record: ClusterRecord, request: ReleaseRequest): { released: boolean } {
  if (!sameHolder(record.lease, request.holder)) return { released: false };
  // Nothing was begun with it: the next try may bring a corrected one.
  if (record.lease?.broughtSpec && request.line.outcome === 'refused') {
    record.spec = null;
    record.revision = 0;
  }
  const about = record.lease?.about ?? [];
  record.lease = null;
  addLine(record, request.line);
  if (request.members) record.members = request.members;
  if (request.debts) record.debts = request.debts;
  if (request.activeSite !== undefined) record.activeSite = request.activeSite;
  if (request.complete !== undefined) record.complete = request.complete;
  if (record.complete) delete record.recovered;
  const { line, unfinished } = request;
  if (!idle.has(line.outcome)) record.changedBy = line.epoch;
  const succeeded = line.outcome === 'completed' || line.outcome === 'nothing to do';
  const own = { operation: line.operation, about };
  // A refused run changed nothing, so what others have left still stands.
  const ends = (one: LeftBehind): boolean => (succeeded && own.operation === 'setUpCluster' && setUpSettles(one)) || ((succeeded || unfinished.length > 0) && isSettledBy(one, own));
  const interrupted = !succeeded && record.left.some((one) => one.interrupted && ends(one));
  const staying = record.left.filter((one) => !ends(one));
  keepLeft(record, unfinished.length > 0 ? [...staying, { ...own, workflowId: line.workflowId, unfinished, interrupted }] : staying);
  record.phase = phaseOf(record);
  return { released: true };
}

/**
 * The new spec, made from the revision the caller saw, and the floor under the epoch. Refused while an operation runs. The same spec again changes
 * nothing; an epoch is never lowered.
 */
export function apply(record: ClusterRecord, request: ApplyRequest, at: string): ApplyAnswer | { refused: ErrorCode; message: string } {
  const { epochAtLeast = 0 } = request;
  const raises = epochAtLeast > record.epoch;
  const same = record.spec !== null && canonicalJson(record.spec) === canonicalJson(request.spec);
  if (same && !raises) return { revision: record.revision, changed: false };
  if (record.lease) return { refused: 'ClusterBusy', message: `${record.lease.operation} (${record.lease.workflowId}) is running on "${record.name}": the spec can't change meanwhile. Nothing was changed.` };
  if (request.expectedRevision !== undefined && request.expectedRevision !== record.revision) {
    return { refused: 'SpecConflict', message: `The spec of "${record.name}" is at revision ${record.revision}, yours was made from ${request.expectedRevision}. Nothing was changed.` };
  }
  if (raises) {
    const summary = `The epoch was raised from ${record.epoch}, by ${request.by ?? 'nobody who said who'} (as claimed): the record had been lost or restored.`;
    addLine(record, { operation: 'apply', workflowId: clusterWorkflowId(record.name), epoch: epochAtLeast, startedAt: at, endedAt: at, outcome: 'epoch raised', summary });
    record.epoch = epochAtLeast;
    record.changedBy = epochAtLeast;
    if (!record.complete) record.recovered = true;
  }
  if (!same) {
    record.spec = request.spec;
    record.revision += 1;
  }
  return { revision: record.revision, changed: !same, ...(raises ? { epoch: record.epoch } : {}) };
}

function addLine(record: ClusterRecord, line: ClusterRecord['operations'][number]): void {
  const lines = [line, ...record.operations];
  const kept = new Set(lines.filter(({ outcome }) => idle.has(outcome)).slice(0, mostIdle));
  record.operations = lines.filter((one) => kept.has(one) || !idle.has(one.outcome)).slice(0, historyLength);
}
