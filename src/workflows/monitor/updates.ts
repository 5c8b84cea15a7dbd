/** What a monitor is asked and told while it runs: its query and its updates. */
import { defineQuery, defineUpdate, setHandler } from '@temporalio/workflow';
import { blind } from '../../model/clusterHealth';
import type { ClusterHealth } from '../../model/health';
import { day, parseInput } from '../../model/inputs';
import { configureInput, pauseInput, quorumProblem, reportInput, type MonitorSettings, type PauseInput, type ReportInput } from '../../model/monitorInput';
import { didYouMean, listProblems } from '../../model/problems';
import { failure } from '../operation/failures';
import { missedAfterMs } from './looks';
import { endPause, freshVotes, msUntil, post, quorumOf, watchView, type Monitor } from './state';

const statusQuery = defineQuery<ClusterHealth>('status');
const configureUpdate = defineUpdate<string, [MonitorSettings]>('configure');
const pauseUpdate = defineUpdate<string, [PauseInput]>('pause');
const resumeUpdate = defineUpdate<string, [{ by: string; reason?: string }]>('resume');
const reportUpdate = defineUpdate<string, [ReportInput]>('report');

const mostReports = 20;
const longestWatchPauseMs = 7 * day;

export function answerAsked(run: Monitor, taskQueue: string): void {
  const at = (): string => new Date().toISOString();
  const begin = (): void => { run.generation += 1; };
  const taken = <T>(act: (input: T) => string) => (input: T): string => {
    run.asked = true;
    return act(input);
  };
  setHandler(statusQuery, () => ({ ...(run.health ?? blind(run.cluster, undefined, { at: at(), why: `Nobody has looked at ${run.cluster} yet.` })), watch: watchView(run) }), { description: 'How the cluster is: every node, problems first, and how it is watched' });
  setHandler(configureUpdate, taken((raw) => {
    run.settings = { ...run.settings, ...known(configureInput, raw) };
    post(run, taskQueue);
    // A pause goes on as long as it was ordered for; who looks after it begins with these.
    if (!run.paused) begin();
    return `${run.cluster} is watched anew: ${JSON.stringify(watchView(run).vantage.map(({ name }) => name))}, quorum ${watchView(run).quorum}.`;
  }), { description: 'Change how it is watched: {interval, failuresToOffline, vantage, quorum, for, calm, sliceMs}, each optional', validator: (raw) => {
    const { vantage = run.posts, quorum = run.settings.quorum } = known(configureInput, raw);
    const problem = quorumProblem(quorum, vantage.length);
    if (problem !== undefined) throw failure('InvalidInput', `quorum: ${problem}. Nothing was changed.`);
  } });
  setHandler(pauseUpdate, taken((raw) => {
    const pause = known(pauseInput, raw);
    const seenAt = freshVotes(run).length >= quorumOf(run) ? new Date(Date.parse(at()) - missedAfterMs).toISOString() : run.paused?.seenAt;
    run.paused = { ...pause, lastsMs: msUntil(pause.until, at()), ...(seenAt === undefined ? {} : { seenAt }) };
    for (const one of run.posts) one.fresh = false;
    begin();
    return `${run.cluster} is not watched until ${pause.until}; nobody is told of anything until then.`;
  }), { description: 'Stop watching for a time: {until, by, reason}; always ends', validator: (raw) => {
    requires(pauseInput)(raw);
    if (Date.parse(raw.until) <= Date.parse(at())) throw failure('InvalidInput', `until: expected a time to come, found ${raw.until}. Nothing was changed.`);
    if (msUntil(raw.until, at()) > longestWatchPauseMs) throw failure('InvalidInput', `until: expected a time within 7 days, found ${raw.until}. Nothing was changed.`);
  } });
  setHandler(resumeUpdate, taken(() => {
    const was = run.paused !== null;
    if (was) endPause(run);
    return was ? `${run.cluster} is watched again.` : `${run.cluster} was not paused.`;
  }), { description: 'End a pause: {by, reason?}' });
  setHandler(reportUpdate, taken((raw) => {
    const { from, node, what } = known(reportInput, raw);
    run.reports = [{ at: at(), from, ...(node === undefined ? {} : { node }), what }, ...run.reports].slice(0, mostReports);
    return `noted as evidence; ${run.cluster} is judged by what is seen.`;
  }), { description: 'What another monitor or the product itself says: {from, node?, what}; evidence, never alone a reason', validator: (raw) => {
    const { node } = known(reportInput, raw);
    const nodes = run.health?.nodes.map((one) => one.node) ?? [];
    if (node !== undefined && nodes.length > 0 && !nodes.includes(node)) throw failure('InvalidInput', `node: ${run.cluster} has no node ${node}${didYouMean(node, nodes) || `; its nodes are ${nodes.join(', ')}`}`);
  } });
}

type Schema<T> = Parameters<typeof parseInput<T>>[0];

/** What the validator has let through. */
function known<T>(schema: Schema<T>, raw: unknown): T {
  const parsed = parseInput(schema, raw);
  if ('problems' in parsed) throw failure('InvalidInput', `${listProblems(parsed.problems)}. Nothing was changed.`);
  return parsed.value;
}

const requires = <T>(schema: Schema<T>) => (raw: unknown): void => void known(schema, raw);
