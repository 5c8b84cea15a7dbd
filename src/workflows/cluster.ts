/**
 * The record of one cluster, kept by one workflow that never ends: spec, members, epoch, lease, history. It acts on nothing; it only answers.
 * While a lease is held it asks now and then whether the holder still runs, so that an operation that was terminated shows as `interrupted`.
 */
import { defineSearchAttributeKey } from '@temporalio/common';
import { allHandlersFinished, CancellationScope, condition, continueAsNew, defineQuery, defineUpdate, setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { highestEpoch, type AcquireAnswer, type AcquireRequest, type ApplyAnswer, type ApplyRequest, type ClusterRecord, type ReleaseRequest } from '../model/cluster';
import { acquire, apply, evict, newRecord, release } from '../model/clusterRecord';
import { clusterName } from '../model/fields';
import { listProblems } from '../model/problems';
import { isAcquireRequest, isReleaseRequest } from '../model/recordRequests';
import { shorten } from '../model/shorten';
import { formatProblem, parseClusterSpec } from '../model/spec';
import { bug, describe, failure } from './operation/failures';
import { leases } from './operation/groups';
import { perform } from './operation/tasks';
import { tellOfInterruption } from './operation/telling';
import { listenForWindows } from './parts/windows';

export interface ClusterInput {
  name: string;
  /** Carried over a continue-as-new. */
  record?: ClusterRecord;
  /** How often a holder of the lease is looked up, in milliseconds. */
  lookUpEvery?: number;
  /** Events after which history is started anew; left out: when the server suggests it. */
  historyLimit?: number;
}

export const clusterStatusQuery = defineQuery<ClusterRecord>('status');
export const acquireUpdate = defineUpdate<AcquireAnswer, [AcquireRequest]>('acquire');
export const releaseUpdate = defineUpdate<{ released: boolean }, [ReleaseRequest]>('release');
export const applyUpdate = defineUpdate<ApplyAnswer, [ApplyRequest]>('apply');

const defaultLookUp = 30_000;

export async function cluster(input: ClusterInput): Promise<void> {
  if (!clusterName.safeParse(input?.name).success) throw failure('InvalidInput', 'The entity "cluster" is started by "stctl apply" and by set-up, not by hand.');
  // A record that was carried over may be from a version that kept less.
  const record = { ...newRecord(input.name), ...input.record };
  const run = workflowInfo();
  const show = (): void => setCurrentDetails(describeRecord(record));

  // A plain error in a handler would hang its caller and every query.
  const answer = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw bug(describe(error).message);
    } finally {
      show();
    }
  };
  setHandler(clusterStatusQuery, () => record, { description: 'The record: spec, members, phase, epoch, lease, unfinished work, last operations' });
  setHandler(acquireUpdate, async (request) => {
    const { lease } = record;
    const answered = answer(() => acquire(record, request));
    if ('evicted' in answered && answered.evicted && lease) await tellOfInterruption(record, lease);
    return answered;
  }, { description: 'Used by operations: take the lease', validator: requires(isAcquireRequest, 'operation, at, about?, evict?, spec?') });
  setHandler(releaseUpdate, (request) => answer(() => release(record, request)), { description: 'Used by operations: give the lease back', validator: requires(isReleaseRequest, 'line, unfinished, members?, debts?') });
  setHandler(applyUpdate, (request) => {
    // People send specs as their files have them; the validator has refused the wrong ones.
    const { spec } = parseClusterSpec(request.spec);
    const applied = answer(() => apply(record, { ...request, spec: spec ?? request.spec }, new Date().toISOString()));
    if ('refused' in applied) throw failure(applied.refused, applied.message);
    return applied;
  }, { description: 'Used by "stctl apply": the new spec, with the revision it was made from', validator: (request) => requireSpec(request, record.name) });

  listenForWindows(record, answer);

  show();
  // A cancelled entity would close and lose the record; whoever cancels it is ignored.
  await CancellationScope.nonCancellable(async () => {
    if (!input.record) upsertSearchAttributes([{ key: defineSearchAttributeKey('StCluster', 'KEYWORD'), value: record.name }]);
    const full = (): boolean => workflowInfo().continueAsNewSuggested || workflowInfo().historyLength >= (input.historyLimit ?? Infinity);
    for (let look = 1; !full(); look += 1) {
      await condition(() => record.lease !== null || full());
      const { lease } = record;
      if (lease === null) continue;
      const same = (): boolean => record.lease?.workflowId === lease.workflowId && record.lease.epoch === lease.epoch;
      if (await condition(() => !same() || full(), input.lookUpEvery ?? defaultLookUp)) continue;
      const authority = { cluster: record.name, epoch: record.epoch, operation: run.workflowId };
      const found = await perform(leases.lookUp({ holder: lease }), { key: `lease/look-up/${look}`, summary: `is ${lease.workflowId} still running?`, kind: 'record', authority });
      if (found.alive || !same()) continue;
      answer(() => evict(record, { ...lease, unfinished: found.unfinished, because: found.because }, new Date().toISOString()));
      await tellOfInterruption(record, lease);
    }
    await condition(allHandlersFinished);
  });
  await continueAsNew<typeof cluster>({ ...input, record });
}

/**
 * These updates are for our own activities; a person who sends one by hand, to set a lease free, say, is told so. All of it is looked at first: what breaks off in the middle of
 * the change has taken the lease from an operation that runs.
 */
const requires = (isWhole: (request: unknown) => boolean, rest: string) => (request: unknown): void => {
  if (!isWhole(request)) throw failure('InvalidInput', `expected {holder: {workflowId, firstExecutionRunId}, ${rest}}; operations send this update themselves. Nothing was changed.`);
};

function requireSpec(request: Partial<ApplyRequest> | undefined, name: string): void {
  const { epochAtLeast } = request ?? {};
  if (epochAtLeast !== undefined && !(Number.isInteger(epochAtLeast) && epochAtLeast >= 0 && epochAtLeast <= highestEpoch)) throw failure('InvalidInput', `epochAtLeast: expected a whole number, at most ${highestEpoch}. Nothing was changed.`);
  const parsed = parseClusterSpec(request?.spec);
  if (parsed.problems) throw failure('InvalidInput', `The spec is wrong; nothing was changed. ${listProblems(parsed.problems.map(formatProblem))}`);
  const given = parsed.spec.metadata.name;
  if (given !== name) throw failure('InvalidInput', `metadata.name: expected "${name}", the cluster of this record, found "${given}". Nothing was changed.`);
}

function describeRecord(record: ClusterRecord): string {
  const lines = [
    `**${record.name}**: ${record.phase}, ${record.members.length} members, revision ${record.revision}, epoch ${record.epoch}`,
    '',
    record.lease ? `**Running:** ${record.lease.operation} (\`${record.lease.workflowId}\`) since ${record.lease.since}` : 'No operation is running.',
    ...record.maintenance.map(({ id, nodes, until, reason, by }) => `**In maintenance:** ${nodes.join(', ') || 'the whole cluster'} until ${until} (${id}): ${reason}, by ${by} (as claimed)`),
    ...(record.unfinished.length > 0 ? ['', '**Unfinished:**', ...record.unfinished.map((line) => `- ${line}`)] : []),
    '', '| Ended | Operation | Outcome | |', '|---|---|---|---|',
    ...record.operations.map((line) => `| ${line.endedAt} | ${line.operation} | ${line.outcome} | ${shorten(line.summary.replace(/[|\n]/g, ' '), 160)} |`),
  ];
  return lines.join('\n').slice(0, 18_000);
}
