/** The lease from the operation's side: asked for through an activity, since a workflow cannot update another one; waiting is a timer here. */
import { sleep, workflowInfo } from '@temporalio/workflow';
import type { LeaseActivities } from '../../activities/leases';
import type { AcquireAnswer, LeaseHolder, ReleaseRequest } from '../../model/cluster';
import type { ClusterSpec } from '../../model/spec';
import type { Authority } from '../../model/targets';
import { failure } from './failures';
import { leases } from './groups';
import { orphanSettleMs, perform } from './tasks';

export const holderOf = (): LeaseHolder => {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  return { workflowId, firstExecutionRunId };
};

const recordOptions = (key: string, summary: string, authority: Authority) => ({ key, summary, kind: 'record' as const, authority });

const askEveryMs = 5_000;

export interface AcquireOptions {
  operation: string;
  about?: string[];
  authority: Authority;
  spec?: ClusterSpec;
  /** How long to wait for another operation to end, in milliseconds; 0 asks once. */
  waitMs: number;
  onBusy: (sentence: string) => void;
}

export type Granted = Extract<AcquireAnswer, { granted: true }>;

/** Asks until granted or until the wait is over. Fails with ClusterBusy, UnknownCluster or SpecConflict. */
export async function acquireLease({ operation, about, authority, spec, waitMs, onBusy }: AcquireOptions): Promise<Granted> {
  // Counted by pauses, never by the clock: whether there is a timer must be the same at every replay.
  for (let ask = 1, left = waitMs; ; ask += 1) {
    const request = { cluster: authority.cluster, holder: holderOf(), operation, ...(about ? { about } : {}), ...(spec ? { spec } : {}) };
    const answer = await perform(leases.acquire(request), recordOptions(`lease/acquire/${ask}`, 'acquire the lease', authority));
    if (answer.granted) {
      // Its activity may run on until it hears by its heartbeat that the workflow has gone.
      if (answer.evicted || answer.interrupted) await sleep(orphanSettleMs);
      return answer;
    }
    if (answer.reason === 'no spec') throw unknownCluster(authority.cluster);
    if (answer.reason === 'spec conflict') throw specConflict(authority.cluster, answer.revision, answer.differs);
    const sentence = `${answer.lease.operation} (${answer.lease.workflowId}) holds the lease of "${authority.cluster}" since ${answer.lease.since}${answer.ending ? '; it was asked to cancel, and holds it until it has come to its end' : ''}`;
    if (left <= 0) throw failure('ClusterBusy', `${sentence}. Nothing was changed. Watch it with "stctl watch ${answer.lease.workflowId}", or start this again with "--wait-for-lease 10m" (in JSON "waitForLease": "10m"), which waits for its end.`);
    onBusy(sentence);
    // Timers below a second take a second on most servers.
    const pause = Math.max(1_000, Math.min(askEveryMs, left));
    await sleep(pause);
    left -= pause;
  }
}

export const unknownCluster = (cluster: string): Error =>
  failure('UnknownCluster', `Cluster "${cluster}" was never applied: run "stctl apply -f cluster.yaml" first, or give setUpCluster or adoptCluster the spec. Nothing was changed.`);

export const specConflict = (cluster: string, revision: number, differs: string): Error =>
  failure('SpecConflict', `Cluster "${cluster}" has another spec (revision ${revision}) than the one given, which differs in: ${differs}. Apply the change with "stctl apply", or leave "spec" out. Nothing was changed.`);

/** Gives the lease back and writes the operation's line into the record. Idempotent. */
export async function releaseLease(authority: Authority, request: Omit<ReleaseRequest, 'holder'>): Promise<void> {
  await perform(leases.release({ cluster: authority.cluster, request: { ...request, holder: holderOf() } }), recordOptions('lease/release', 'give the lease back', authority));
}

/** The record as it stands, for a dry run, which takes no lease. */
export function readRecord(authority: Authority): ReturnType<LeaseActivities['read']> {
  return perform(leases.read({ cluster: authority.cluster }), recordOptions('lease/read', 'read the record', authority));
}
