/**
 * `operation()`: validates the input, takes the lease, runs the body twice (once to check and plan, once to act), shows live progress, undoes what a
 * failed or cancelled operation began, writes the report and gives the lease back.
 *
 * The body runs twice on purpose: in the first pass checks are real and steps are only written down, so the plan, a dry run and the progress shown
 * ("3 of 14, next …") come from the same code as the act; in the second pass checks answer from the first, and a step that was not planned is refused.
 */
import { defineSearchAttributeKey } from '@temporalio/common';
import { CancellationScope, defineQuery, defineUpdate, patched, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import { mayHaveWorked } from '../../model/clusterRecord';
import { canonicalJson, fingerprint } from '../../model/fingerprint';
import { cancelledText, type Decision, type OperationReport, type StepState } from '../../model/operation';
import { listProblems } from '../../model/problems';
import { shorten } from '../../model/shorten';
import type { ClusterSpec } from '../../model/spec';
import { differencesText } from '../../model/specDifferences';
import { firstLines, mostUnfinished } from '../../model/unfinished';
import { cancelReason } from '../parts/cancelReason';
import { change, decide, undo, validateDecision } from './changes';
import { runChecks } from './checks';
import type { ClusterView, Ending, OperationContext, OperationInput, OperationOptions } from './context';
import { CancelledFailure, describe, failure, isCancellation } from './failures';
import { acquireLease, readRecord, releaseLease, specConflict, unknownCluster } from './lease';
import { counted } from './report';
import { close, newRun, now, say, type Run } from './run';
import { unfinished } from './steps';
import { tellOfEnd } from './telling';

export const statusQuery = defineQuery<OperationReport>('status');
export const reportQuery = defineQuery<OperationReport>('report');
export const decideUpdate = defineUpdate<string, [Decision]>('decide');

/** Runs one operation from its raw input to its report. Throws ApplicationFailure (or the cancellation) with a message that says everything. */
export async function operation<I extends OperationInput>(name: string, raw: unknown, body: (context: OperationContext<I>) => Promise<Ending>, options: OperationOptions<I>): Promise<OperationReport> {
  const parsed = options.parse(raw);
  if ('problems' in parsed) throw failure('InvalidInput', `The input of ${name} is wrong; nothing was started. ${listProblems(parsed.problems)}`);
  const input = parsed.value;
  const run = newRun(name, input);
  listen(run);
  let ending: Ending | undefined;
  try {
    upsertSearchAttributes([
      { key: defineSearchAttributeKey('StCluster', 'KEYWORD'), value: input.cluster },
      { key: defineSearchAttributeKey('StOperation', 'KEYWORD'), value: name },
    ]);
    const context = contextOf<I>(run, input, await enter(run, input, options));
    run.spec = context.cluster.spec;
    say(run, 'checking', 'The prerequisites are being checked.', 'Nothing has been changed.', 'The plan.');
    const looked = await body(context);
    if (looked.result !== undefined) run.report.result = looked.result;
    holdToThePlan(run, context.cluster.spec);
    if (run.report.dryRun) return planned(run, looked);
    run.acting = true;
    say(run, 'working', `${counted(run.book.steps.length, 'step')} to do.`, 'The operation is working.', '');
    const { summary, result, byHand, ...changes } = await body(context);
    ending = { summary, ...changes };
    if (result !== undefined) run.report.result = result;
    leave(run, byHand);
    run.report.unfinished = unfinished(run.report);
    return succeeded(run, summary);
  } catch (error) {
    await CancellationScope.nonCancellable(() => fail(run, error));
    throw ended(run, error);
  } finally {
    await tellOfEnd(run);
    // Also when the lease was only asked for: the answer may have been lost.
    if (!run.report.dryRun) await release(run, ending);
  }
}

function listen(run: Run): void {
  setHandler(statusQuery, () => run.report, { description: 'Where the operation stands: phase, steps, what a person can do' });
  setHandler(reportQuery, () => run.report, { description: 'The report, also after the end' });
  setHandler(decideUpdate, (decision) => decide(run, decision), {
    description: 'Decide for a step that waits: {step, node?, do: retry|skip|done-by-hand|abort, by, reason}',
    validator: validateDecision,
  });
}

/** Takes the lease, or for a dry run reads the record without it. */
async function enter<I extends OperationInput>(run: Run, input: I, options: OperationOptions<I>): Promise<ClusterView> {
  const { cluster, dryRun, waitForLease } = input;
  const inline = options.specOf?.(input);
  if (dryRun) {
    const record = await readRecord(run.authority);
    if (record?.spec && inline && canonicalJson(record.spec) !== canonicalJson(inline)) throw specConflict(cluster, record.revision, differencesText(record.spec, inline));
    const spec = record?.spec ?? inline;
    if (!spec && !options.discovers?.(input)) throw unknownCluster(cluster);
    run.authority = { ...run.authority, epoch: record?.epoch ?? 0 };
    run.changedBy = record?.changedBy ?? 0;
    if (spec) run.report.revision = record?.spec ? record.revision : 1;
    return { name: cluster, spec: spec as ClusterSpec, members: record?.members ?? [], debts: record?.debts ?? [], activeSite: record?.activeSite ?? null, epoch: run.authority.epoch, complete: record ? mayHaveWorked(record) : false, recovered: record?.recovered === true, unfinished: (record?.unfinished ?? []).length > 0 };
  }
  const granted = await acquireLease({
    operation: run.name, ...(options.about ? { about: options.about(input) } : {}), authority: run.authority, waitMs: waitForLease ?? 0, ...(inline ? { spec: inline } : {}),
    onBusy: (sentence) => say(run, 'waiting for the lease', `${sentence}.`, 'Nothing has been changed.', 'Asked again every 5 s.'),
  });
  run.authority = { ...run.authority, epoch: granted.epoch };
  run.changedBy = granted.changedBy ?? granted.epoch - 1;
  Object.assign(run.report, { epoch: granted.epoch, revision: granted.revision });
  return { name: cluster, spec: granted.spec, members: granted.members, debts: granted.debts ?? [], activeSite: granted.activeSite, epoch: granted.epoch, complete: granted.complete, recovered: granted.recovered === true, unfinished: granted.unfinished === true };
}

function contextOf<I>(run: Run, input: I, cluster: ClusterView): OperationContext<I> {
  return {
    input,
    cluster,
    checks: (group, compare) => runChecks(run, group, compare as never) as never,
    step: async (title, task, ...[options]) => {
      const act = { task, ...(options?.node !== undefined ? { node: options.node } : {}), ...(options?.undo ? { undo: options.undo } : {}) };
      const [value] = await change(run, title, [act], { key: options?.key ?? task.activity, planned: options?.planned, parallel: 1, need: 'all', aside: options?.aside === true });
      return value as never;
    },
    forEachNode: (title, nodes, act, ...[options]) => {
      const acts = nodes.map((node) => ({ node: node.name, task: act(node), ...(options?.undo ? { undo: options.undo(node) } : {}) }));
      return change(run, title, acts, { key: options?.key ?? acts[0]?.task.activity ?? title, planned: options?.planned, parallel: options?.parallel ?? acts.length, need: options?.need ?? 'all', aside: options?.aside === true }) as never;
    },
    keep: (nodes) => {
      if (run.acting) run.book.undo = run.book.undo.filter(({ node }) => !nodes.some(({ name }) => name === node));
    },
    pointOfNoReturn: () => {
      if (!run.acting) return;
      // A cancel that came while the step before was at work is not overrun.
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled before the point of no return');
      run.report.forwardOnly = true;
    },
  };
}

/** Names what was planned, and refuses when a person approved another plan. A run that was refused in between has changed nothing. */
function holdToThePlan(run: Run, spec: ClusterSpec): void {
  const { report, input } = run;
  // The same steps may do something else: another weight, an exception accepted.
  const wish = patched('plan-holds-wish') ? { wish: wishOf(input) } : {};
  report.fingerprint = fingerprint({ spec, revision: report.revision, epoch: run.changedBy, facts: Object.fromEntries(run.facts), steps: run.book.steps.map(({ key }) => key), ...wish });
  if (input.fingerprint !== undefined && input.fingerprint !== report.fingerprint) {
    throw failure('PlanChanged', `The plan ${input.fingerprint} does not hold for this run: what is asked for, the spec, what the checks found, or the steps differ, or another operation ran meanwhile (now ${report.fingerprint}). Nothing was changed. Make a new plan.`);
  }
}

/** What is asked for, without how it is run; the spec is that of the record. */
function wishOf(input: OperationInput): object {
  return Object.fromEntries(Object.entries(input).filter(([field, value]) => !howItIsRun.has(field) && value !== false));
}

const howItIsRun: ReadonlySet<string> = new Set(['cluster', 'spec', 'seed', 'dryRun', 'fingerprint', 'waitForLease', 'patience', 'requestedBy', 'reason']);

/** What is left for a person: what the operation itself says, and what its steps have found. */
function leave(run: Run, said: readonly string[] = []): void {
  const all = [...said, ...new Set(run.byHand)];
  if (all.length > 0) run.report.byHand = all.slice(0, 100);
}

function succeeded(run: Run, summary: string): OperationReport {
  const [first, ...others] = run.report.unfinished;
  const state = first !== undefined ? `Not everything asked for was done: ${first}${others.length > 0 ? `; and ${others.length} more` : ''}.`
    : run.byHand.length > 0 ? 'Everything asked for was done; something was left behind that a person must put right.' : 'Everything asked for is as it should be.';
  const next = run.report.unfinished.length > 0 ? 'See "unfinished".' : run.report.byHand ? 'What is left for a person: see "byHand".' : 'Nothing.';
  return close(run, run.book.steps.length === 0 ? 'nothing to do' : 'completed', summary, state, next);
}

function planned(run: Run, { summary, result }: Ending): OperationReport {
  const count = run.book.steps.length;
  if (count === 0 && result !== undefined) return close(run, 'planned', summary, 'Nothing has been changed.', 'The answer is in "result".');
  return close(run, 'planned', count === 0 ? 'Nothing would be done.' : `${counted(count, 'step')} would be done.`, 'Nothing has been changed.', `Run it with fingerprint "${run.report.fingerprint}". A dry run can't prove that a step will succeed.`);
}

async function fail(run: Run, error: unknown): Promise<void> {
  const { code, message } = isCancellation(error) ? { code: 'Cancelled', message: cancelledText(cancelReason()) } : describe(error);
  run.report.failure = { code, message };
  if (run.book.undo.length > 0 && !run.report.forwardOnly) {
    say(run, 'undoing', message, 'What was begun is being undone, last step first.', 'The report.');
    await undo(run);
  }
  run.report.unfinished = run.acting ? unfinished(run.report) : [];
  leave(run);
  const outcome = isCancellation(error) ? 'cancelled' : run.acting ? 'failed' : 'refused';
  const { state, next } = aftermath(run);
  close(run, outcome, message, state, next);
}

/** What the state is after a run that did not complete, and what will happen. */
function aftermath(run: Run): { state: string; next: string } {
  const { steps } = run.book;
  const [first, ...others] = run.report.unfinished;
  const count = (wanted: StepState): number => steps.filter(({ state }) => state === wanted).length;
  const [done, undone, notBegun] = [count('done'), count('undone'), count('planned')];
  if (!run.acting || (first === undefined && done === 0)) return { state: run.acting && undone > 0 ? 'What was begun was undone.' : 'Nothing was changed.', next: 'Nothing happens by itself.' };
  const rest = first === undefined ? (notBegun > 0 ? `Not begun: ${notBegun}.` : '') : `Not done: ${others.length + 1}: ${first}${others.length > 0 ? '; …' : '.'}`;
  return {
    state: [`Done: ${done} of ${counted(steps.length, 'step')}.`, undone > 0 ? `Undone: ${undone}.` : '', rest].filter(Boolean).join(' '),
    next: 'Nothing happens by itself. When what stopped it is cured, run the operation again: it does what is missing.',
  };
}

/** What the run ends with: the cancellation as it is, or one failure whose message says everything. */
function ended(run: Run, error: unknown): unknown {
  if (isCancellation(error)) return error;
  const { code, message } = describe(error);
  const { now: state, next, workflowId } = run.report;
  // A refusal says already that nothing was changed.
  return failure(code, run.acting ? `${message}\n${state} ${next}` : message, workflowId);
}

async function release(run: Run, ending: Ending | undefined): Promise<void> {
  const { workflowId, startedAt, endedAt, outcome, summary } = run.report;
  const line = { operation: run.name, workflowId, epoch: run.authority.epoch, startedAt, endedAt: endedAt ?? now(), outcome, summary: shorten(summary, 300) };
  const { members, debts, activeSite, complete } = ending ?? {};
  await CancellationScope.nonCancellable(() =>
    releaseLease(run.authority, { line, unfinished: firstLines(run.report.unfinished, mostUnfinished), ...(members ? { members } : {}), ...(debts ? { debts } : {}), ...(activeSite ? { activeSite } : {}), ...(complete !== undefined ? { complete } : {}) }).catch((error: unknown) => {
      const { code, message } = describe(error);
      throw failure(code, `${run.name} ended as "${outcome}", but the record of the cluster could not be told: ${message}. The next operation finds that this one has ended.`, workflowId);
    }),
  );
}
