/**
 * Watches a cluster for as long as it runs: one look after the other from every vantage point, each a long activity that ends only when something has changed, so
 * that a quiet hour leaves almost no history. It tells; it starts nothing and stops nothing.
 */
import { defineSearchAttributeKey } from '@temporalio/common';
import { allHandlersFinished, CancellationScope, condition, continueAsNew, setCurrentDetails, sleep, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { ClusterEvent } from '../model/events';
import { waitsForCalm } from '../model/incidents';
import { parseInput } from '../model/inputs';
import { monitorClusterInput, type MonitorClusterInput } from '../model/monitorInput';
import { listProblems } from '../model/problems';
import type { Authority } from '../model/targets';
import type { Vote } from '../model/watch';
import { describe as words, failure } from './operation/failures';
import { leases } from './operation/groups';
import { perform } from './operation/tasks';
import { describe, judge, judgeAgain } from './monitor/judge';
import { lookFrom, watchFrom } from './monitor/looks';
import { calmMs, carry, endPause, forMs, newMonitor, sliceMs, takeApart, type Monitor, type PostState } from './monitor/state';
import { answerAsked } from './monitor/updates';
import { tell } from './parts/tell';

/** Between two tries from a vantage point where nobody works, in milliseconds; the first comes at once. */
const pauseMs = 5_000;
const longestPauseMs = 30_000;
const lookAgainMs = 5_000;
const askAgainMs = 10_000;
const mostPauses = 5;
const historyLimit = 5_000;
/** Whatever is counted: Temporal ends a run at 51,200 events or 50 MB. */
const mostHistory = { events: 20_000, bytes: 20_000_000 };

export async function monitorCluster(raw: unknown): Promise<void> {
  const { asked, carried } = takeApart(raw);
  const parsed = parseInput<MonitorClusterInput>(monitorClusterInput, asked);
  if ('problems' in parsed) throw failure('InvalidInput', `The input of monitorCluster is wrong; nothing was started. ${listProblems(parsed.problems)}`);
  const input = parsed.value;
  const { workflowId, taskQueue } = workflowInfo();
  const run = newMonitor(input, carried, taskQueue);
  const authority: Authority = { cluster: run.cluster, epoch: 0, operation: workflowId };
  answerAsked(run, taskQueue);
  if (carried === undefined) upsertSearchAttributes([{ key: defineSearchAttributeKey('StCluster', 'KEYWORD'), value: run.cluster }]);
  setCurrentDetails(describe(run));

  // A new history would count the time of the policy from its own begin.
  const counting = (): boolean => run.incidents.below !== null && !run.incidents.below.told;
  const held = (): boolean => counting() && workflowInfo().historyLength < mostHistory.events && workflowInfo().historySize < mostHistory.bytes;
  let broken: unknown;
  const full = (): boolean => broken !== undefined || ((workflowInfo().continueAsNewSuggested || workflowInfo().historyLength >= (input.historyLimit ?? historyLimit)) && !held());
  const teller = { done: false };
  const telling = CancellationScope.nonCancellable(() => tellAll(run, authority, teller));
  const confirming = new CancellationScope();
  const confirmed = confirming.run(() => confirmWhenBelow(run, authority)).catch((error: unknown) => {
    if (!confirming.consideredCancelled) broken = error;
  });
  try {
    while (!full()) await watchOneGeneration(run, authority, full);
    if (broken !== undefined) throw broken;
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) run.outbox.push(endOf(run));
    throw error;
  } finally {
    confirming.cancel();
    await CancellationScope.nonCancellable(() => confirmed);
    teller.done = true;
    await CancellationScope.nonCancellable(() => telling);
  }
  await untilNobodyAsks(run);
  const { cluster, historyLimit: limit } = input;
  await continueAsNew<typeof monitorCluster>({ cluster, ...(limit === undefined ? {} : { historyLimit: limit }), carried: carry(run, new Date().toISOString()) });
}

/**
 * A workflow task that would end the run is done again when an event has come meanwhile (a look that was called off ends just then), and the updates that came
 * with it are refused. So the run ends in a task that has none; where somebody asks all the time, in one that meets no such event any more.
 */
async function untilNobodyAsks(run: Monitor): Promise<void> {
  for (let pauses = 0; pauses === 0 || (run.asked && pauses < mostPauses); pauses += 1) {
    run.asked = false;
    await sleep(1);
    await condition(allHandlersFinished);
  }
}

/** Until somebody changes how it is watched, or history is full. */
async function watchOneGeneration(run: Monitor, authority: Authority, full: () => boolean): Promise<void> {
  const { generation, paused } = run;
  const over = (): boolean => run.generation !== generation || full();
  if (paused) {
    judge(run);
    // A pause always ends by itself.
    if (!(await condition(over, paused.lastsMs))) endPause(run);
    return;
  }
  const scope = new CancellationScope();
  let broken: unknown;
  const fail = (error: unknown): void => {
    if (!scope.consideredCancelled) broken = error;
  };
  const working = scope.run(() => Promise.all([...run.posts.map((one) => keepWatching(run, one, authority)), judgeWhenCalm(run)])).catch(fail);
  try {
    await condition(() => over() || broken !== undefined);
  } finally {
    scope.cancel();
    await CancellationScope.nonCancellable(() => working);
  }
  if (broken !== undefined) throw broken;
}

async function keepWatching(run: Monitor, at: PostState, authority: Authority): Promise<never> {
  for (;;) {
    const { interval, failuresToOffline } = run.settings;
    try {
      const watched = await watchFrom({ vantage: at.vantage, key: `watch/${at.vantage}/${(run.looks += 1)}`, authority }, {
        cluster: run.cluster, sliceMs: sliceMs(run), ...(interval === undefined ? {} : { interval }), ...(failuresToOffline === undefined ? {} : { failuresToOffline }),
        ...(at.last ? { last: { fresh: at.fresh, votes: at.last.vote.votes, signature: at.last.signature, excused: excusedIn(at.last.vote), ...(at.last.around ? { around: at.last.around } : {}) } } : {}),
      });
      Object.assign(at, { last: watched, fresh: true, failures: 0 });
      delete at.trouble;
      judge(run);
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      const { code, message } = words(error);
      // Nobody applied this cluster: there is nothing to watch, and whoever started this is told so.
      if (code === 'UnknownCluster' && !at.last) throw failure(code, message);
      Object.assign(at, { fresh: false, failures: at.failures + 1, trouble: message });
      judge(run);
      // A worker that died is replaced at once; where nobody works there is no hurry.
      if (at.failures > 1) await sleep(Math.min(longestPauseMs, (at.failures - 1) * pauseMs));
    }
  }
}

const excusedIn = ({ nodes }: Vote): Record<string, string> => Object.fromEntries(nodes.flatMap(({ node, excused }) => (excused === undefined ? [] : [[node, excused]])));

/** Detect fast, trigger slow: when too few have been there for the time of the policy, everybody looks again before it is told. */
async function confirmWhenBelow(run: Monitor, authority: Authority): Promise<never> {
  for (;;) {
    await condition(() => run.paused === null && run.incidents.below !== null && !run.incidents.below.told);
    const { since } = run.incidents.below!;
    const changed = (): boolean => run.paused !== null || run.incidents.below?.since !== since;
    const ahead = Math.min(lookAgainMs, forMs(run) / 2);
    if (await condition(changed, Math.max(1, forMs(run) - ahead))) continue;
    const [votes] = await Promise.all([lookAgain(run, authority), condition(changed, Math.max(1, ahead))]);
    if (!changed()) judgeAgain(run, votes);
    if (!changed() && run.incidents.below?.told === false) await condition(changed, askAgainMs);
  }
}

async function lookAgain(run: Monitor, authority: Authority) {
  const looks = await Promise.all(run.posts.map(({ vantage }) =>
    lookFrom({ vantage, key: `look-again/${vantage}/${(run.looks += 1)}`, authority }, run.cluster).then(({ vote }) => [vote], (error: unknown) => {
      if (CancellationScope.current().consideredCancelled) throw error;
      return [];
    })));
  return looks.flat();
}

/** What came back is told when it has held for a while, though nothing is seen to change by then. */
async function judgeWhenCalm(run: Monitor): Promise<never> {
  for (;;) {
    await condition(() => waitsForCalm(run.incidents));
    if (!(await condition(() => !waitsForCalm(run.incidents), Math.max(1, calmMs(run))))) judge(run);
  }
}

/** One after the other, and never in the way of those who look: an event waits until the record can be read. */
async function tellAll(run: Monitor, authority: Authority, teller: { done: boolean }): Promise<void> {
  for (;;) {
    await condition(() => run.outbox.length > 0 || teller.done);
    const event = run.outbox[0];
    if (!event) return;
    const record = await perform(leases.read({ cluster: run.cluster }), { key: `tell/${(run.looks += 1)}`, summary: `who is told of: ${event.kind}`, kind: 'record', authority, patienceMs: 0 });
    if (record?.spec) await tell(event, record.spec);
    run.outbox.shift();
  }
}

/** A person has ended the watch: that nobody looks any more is worth telling. */
function endOf(run: Monitor): ClusterEvent {
  const at = new Date().toISOString();
  const incident = `${run.cluster}-watch-${at.replace(/[-:.]/g, '')}`;
  return {
    id: `${incident}.watching-ended`, kind: 'watching-ended', cluster: run.cluster, at, severity: 'warning', incident,
    summary: `${run.cluster} is watched no longer: its monitor was cancelled.`, now: 'Nobody looks at it.', next: 'Nothing happens by itself.', youCan: [`watch it again: stctl monitor-cluster ${run.cluster}`], facts: {},
  };
}
