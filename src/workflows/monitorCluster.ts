/**
 * Watches a cluster for as long as it runs: one look after the other from every vantage point, each a long activity that ends only when something has changed, so
 * that a quiet hour leaves almost no history. It tells; it starts nothing and stops nothing.
 */
import { defineSearchAttributeKey } from '@temporalio/common';
import { allHandlersFinished, CancellationScope, condition, continueAsNew, defineQuery, defineUpdate, setCurrentDetails, setHandler, sleep, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { LeaseActivities } from '../activities/leases';
import type { ClusterHealth } from '../model/health';
import type { ClusterEvent } from '../model/events';
import { waitsForCalm } from '../model/incidents';
import { day, parseInput } from '../model/inputs';
import { configureInput, monitorClusterInput, pauseInput, reportInput, type MonitorClusterInput, type MonitorSettings, type PauseInput, type ReportInput } from '../model/monitorInput';
import { didYouMean, listProblems } from '../model/problems';
import type { Authority } from '../model/targets';
import { blind } from '../model/clusterHealth';
import { describe as words, failure } from './operation/failures';
import { perform, tasks } from './operation/tasks';
import { describe, judge, judgeAgain } from './monitor/judge';
import { lookFrom, watchFrom } from './monitor/looks';
import { calmMs, carry, forMs, msUntil, newMonitor, post, sliceMs, takeApart, watchView, type Monitor, type PostState } from './monitor/state';
import { tell } from './parts/tell';

const leases = tasks<LeaseActivities>('leases');

export const statusQuery = defineQuery<ClusterHealth>('status');
export const configureUpdate = defineUpdate<string, [MonitorSettings]>('configure');
export const pauseUpdate = defineUpdate<string, [PauseInput]>('pause');
export const resumeUpdate = defineUpdate<string, [{ by: string; reason?: string }]>('resume');
export const reportUpdate = defineUpdate<string, [ReportInput]>('report');

/** Between two tries from a vantage point where nobody works, in milliseconds; the first comes at once. */
const pauseMs = 5_000;
const longestPauseMs = 30_000;
const lookAgainMs = 5_000;
const askAgainMs = 10_000;
const mostReports = 20;
const historyLimit = 5_000;
/** Whatever is counted: Temporal ends a run at 51,200 events or 50 MB. */
const mostHistory = { events: 20_000, bytes: 20_000_000 };
const longestWatchPauseMs = 7 * day;

export async function monitorCluster(raw: unknown): Promise<void> {
  const { asked, carried } = takeApart(raw);
  const parsed = parseInput<MonitorClusterInput>(monitorClusterInput, asked);
  if ('problems' in parsed) throw failure('InvalidInput', `The input of monitorCluster is wrong; nothing was started. ${listProblems(parsed.problems)}`);
  const input = parsed.value;
  const { workflowId, taskQueue } = workflowInfo();
  const run = newMonitor(input, carried, taskQueue);
  const authority: Authority = { cluster: run.cluster, epoch: 0, operation: workflowId };
  listen(run, taskQueue);
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
  await condition(allHandlersFinished);
  const { cluster, historyLimit: limit } = input;
  await continueAsNew<typeof monitorCluster>({ cluster, ...(limit === undefined ? {} : { historyLimit: limit }), carried: carry(run, new Date().toISOString()) });
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
        ...(at.last ? { last: { fresh: at.fresh, votes: at.last.vote.votes, signature: at.last.signature, ...(at.last.around ? { around: at.last.around } : {}) } } : {}),
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

function listen(run: Monitor, taskQueue: string): void {
  const at = (): string => new Date().toISOString();
  const begin = (): void => { run.generation += 1; };
  setHandler(statusQuery, () => ({ ...(run.health ?? blind(run.cluster, undefined, { at: at(), why: `Nobody has looked at ${run.cluster} yet.` })), watch: watchView(run) }), { description: 'How the cluster is: every node, problems first, and how it is watched' });
  setHandler(configureUpdate, (raw) => {
    run.settings = { ...run.settings, ...known(configureInput, raw) };
    post(run, taskQueue);
    // A pause goes on as long as it was ordered for; who looks after it begins with these.
    if (!run.paused) begin();
    return `${run.cluster} is watched anew: ${JSON.stringify(watchView(run).vantage.map(({ name }) => name))}, quorum ${watchView(run).quorum}.`;
  }, { description: 'Change how it is watched: {interval, failuresToOffline, vantage, quorum, for, calm, sliceMs}, each optional', validator: requires(configureInput) });
  setHandler(pauseUpdate, (raw) => {
    const pause = known(pauseInput, raw);
    run.paused = { ...pause, lastsMs: msUntil(pause.until, at()) };
    for (const one of run.posts) one.fresh = false;
    begin();
    return `${run.cluster} is not watched until ${pause.until}; nobody is told of anything by then.`;
  }, { description: 'Stop watching for a time: {until, by, reason}; always ends', validator: (raw) => {
    requires(pauseInput)(raw);
    if (Date.parse(raw.until) <= Date.parse(at())) throw failure('InvalidInput', `until: expected a time to come, found ${raw.until}. Nothing was changed.`);
    if (msUntil(raw.until, at()) > longestWatchPauseMs) throw failure('InvalidInput', `until: expected a time within 7 days, found ${raw.until}. Nothing was changed.`);
  } });
  setHandler(resumeUpdate, () => {
    const was = run.paused !== null;
    if (was) endPause(run);
    return was ? `${run.cluster} is watched again.` : `${run.cluster} was not paused.`;
  }, { description: 'End a pause: {by, reason?}' });
  setHandler(reportUpdate, (raw) => {
    const { from, node, what } = known(reportInput, raw);
    run.reports = [{ at: at(), from, ...(node === undefined ? {} : { node }), what }, ...run.reports].slice(0, mostReports);
    return `noted as evidence; ${run.cluster} is judged by what is seen.`;
  }, { description: 'What another monitor or the product itself says: {from, node?, what}; evidence, never alone a reason', validator: (raw) => {
    const { node } = known(reportInput, raw);
    const nodes = run.health?.nodes.map((one) => one.node) ?? [];
    if (node !== undefined && nodes.length > 0 && !nodes.includes(node)) throw failure('InvalidInput', `node: ${run.cluster} has no node ${node}${didYouMean(node, nodes) || `; its nodes are ${nodes.join(', ')}`}`);
  } });
}

function endPause(run: Monitor): void {
  run.paused = null;
  run.generation += 1;
}

type Schema<T> = Parameters<typeof parseInput<T>>[0];

/** What the validator has let through. */
function known<T>(schema: Schema<T>, raw: unknown): T {
  const parsed = parseInput(schema, raw);
  if ('problems' in parsed) throw failure('InvalidInput', `${listProblems(parsed.problems)}. Nothing was changed.`);
  return parsed.value;
}

const requires = <T>(schema: Schema<T>) => (raw: unknown): void => void known(schema, raw);

/** A person has ended the watch: that nobody looks any more is worth telling. */
function endOf(run: Monitor): ClusterEvent {
  const at = new Date().toISOString();
  const incident = `${run.cluster}-watch-${at.replace(/[-:.]/g, '')}`;
  return {
    id: `${incident}.watching-ended`, kind: 'watching-ended', cluster: run.cluster, at, severity: 'warning', incident,
    summary: `${run.cluster} is watched no longer: its monitor was cancelled.`, now: 'Nobody looks at it.', next: 'Nothing happens by itself.', youCan: [`watch it again: stctl monitor-cluster ${run.cluster}`], facts: {},
  };
}
