/** Steps: written down in the planning pass, performed in the acting one; and what happens when one can't go on. */
import { CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import { decideInput, parseInput } from '../../model/inputs';
import type { Decision, Outcome, StepRow, Task } from '../../model/operation';
import { bug, CancelledFailure, describe, failure, isCancellation } from './failures';
import { now, say, show, titleOf, type Run } from './run';
import * as steps from './steps';
import { tellOfWait } from './telling';
import { perform, worstCase } from './tasks';

export interface Act {
  node?: string;
  task: Task<Outcome<unknown>>;
  undo?: Task<Outcome<unknown>>;
}

export interface Fan {
  key: string;
  /** Done or not, nothing is half-done by it. */
  aside: boolean;
  planned: unknown;
  parallel: number;
  need: 'all' | 'best-effort' | number;
}

/** Plans or performs one step on one or more nodes. Waits for every sibling before it fails: undo never runs beside a step that still runs. */
export async function change(run: Run, title: string, acts: Act[], fan: Fan): Promise<unknown[]> {
  if (!run.acting) {
    for (const { node, undo } of acts) {
      const wrong = steps.plan(run.book, { key: steps.stepKey(fan.key, node), title, ...(node !== undefined ? { node } : {}), ...(undo ? { undo: undo.activity } : {}), ...(fan.aside ? { aside: true } : {}), ...(acts.length > 1 ? { need: fan.need } : {}) });
      if (wrong) throw bug(wrong);
    }
    if (acts.length > 0) {
      const atOnce = Math.min(fan.parallel, acts.length);
      const one = Math.max(...acts.map(({ task }) => worstCase(task, 'change', run.input.patience)));
      run.report.worstCaseMs = (run.report.worstCaseMs ?? 0) + Math.ceil(acts.length / atOnce) * one;
    }
    return acts.map(() => fan.planned);
  }
  const results: unknown[] = new Array(acts.length);
  const errors: unknown[] = [];
  const pending = acts.map((act, index) => ({ act, index }));
  const lane = async (): Promise<void> => {
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      try {
        results[next.index] = await carryOut(run, title, fan, next.act);
      } catch (error) {
        errors.push(error);
        // Nothing more is begun after a failure; what runs beside it is waited for.
        if (isCancellation(error) || fan.need === 'all') pending.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(fan.parallel, acts.length) }, lane));
  const cancelled = errors.find(isCancellation);
  if (cancelled) throw cancelled;
  const need = fan.need === 'all' ? acts.length : fan.need === 'best-effort' ? 0 : fan.need;
  if (acts.length - errors.length < need) throw failure(describe(errors[0]).code, errors.map((error) => describe(error).message).join('; '));
  return results;
}

/** Performs one step until it is done, failed, or a person has decided. */
async function carryOut(run: Run, title: string, { key: fanKey, parallel }: Fan, { node, task, undo }: Act): Promise<unknown> {
  const key = steps.stepKey(fanKey, node);
  const row = steps.rowOf(run.book, key);
  if (!row) throw bug(`step "${key}" was not planned`);
  // A step that never runs must not be undone.
  if (!run.report.forwardOnly && CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled before the step began');
  if (undo && !run.report.forwardOnly) run.book.undo.push({ key, title, ...(node !== undefined ? { node } : {}), task: undo, group: fanKey, parallel });
  let byHand = false;
  for (;;) {
    steps.begin(row, now());
    sayWorking(run, row);
    const once = (): Promise<Outcome<unknown>> => perform(task, { key, summary: titleOf(row), kind: 'change', authority: run.authority, byHand, ...patienceOf(run) });
    try {
      const outcome = await (run.report.forwardOnly ? CancellationScope.nonCancellable(once) : once());
      steps.end(row, 'done', now(), outcome);
      run.byHand.push(...(outcome.byHand ?? []));
      show(run);
      return outcome.value;
    } catch (error) {
      const { code, message } = describe(error);
      steps.end(row, 'failed', now(), { note: message });
      show(run);
      if (isCancellation(error)) throw error;
      if (!run.report.forwardOnly) throw failure(code, `${titleOf(row)}: ${message}`);
      const decision = await CancellationScope.nonCancellable(() => hold(run, row, message));
      if (decision.do === 'abort') throw failure('Aborted', `${titleOf(row)}: aborted by ${decision.by} (as claimed): ${decision.reason}. It had failed with: ${message}`);
      if (decision.do === 'skip') {
        steps.end(row, 'skipped', now(), { note: `skipped by ${decision.by} (as claimed): ${decision.reason}` });
        return undefined;
      }
      // The same activity: it reads the state, finds it as wanted, and so verifies what the person did.
      byHand = decision.do === 'done-by-hand';
    }
  }
}

/** While another step waits for a person, that is what must be seen. */
function sayWorking(run: Run, row: StepRow): void {
  if (run.book.steps.some(({ state }) => state === 'waiting')) show(run);
  else say(run, 'working', `${titleOf(row)}.`, run.report.forwardOnly ? 'Past the point of no return: forward only, a cancel is refused.' : 'The operation is working.', '');
}

async function hold(run: Run, row: StepRow, message: string): Promise<Decision> {
  row.state = 'waiting';
  say(run, 'held', `"${titleOf(row)}" can't go on: ${message}`, 'Past the point of no return; the operation waits for a person.', 'Answer with the update "decide": retry, skip, done-by-hand or abort.');
  await tellOfWait(run, row, message);
  const index = (): number => run.decisions.findIndex((decision) => matches(row, decision));
  await condition(() => index() >= 0);
  const [decision] = run.decisions.splice(index(), 1);
  // What else was decided was decided of this wait, never of a later failure that nobody has seen.
  run.decisions = run.decisions.filter((other) => !matches(row, other) || run.book.steps.some((one) => one !== row && one.state === 'waiting' && matches(one, other)));
  return decision!;
}

const matches = (row: StepRow, decision: Decision): boolean =>
  (row.key === decision.step || row.title === decision.step) && (decision.node === undefined || decision.node === row.node);

/** Synchronous, as validators must be: what can be said of the decision alone. */
export function validateDecision(decision: Decision): void {
  const parsed = parseInput(decideInput, decision);
  if ('problems' in parsed) throw failure('InvalidInput', parsed.problems.join('; '));
}

/** How long a decision waits for the step it is about, in milliseconds. */
const decisionPatienceMs = 1_000;

/** Records a decision for a step that waits; refuses, in words, one that nothing waits for. */
export async function decide(run: Run, decision: Decision): Promise<string> {
  const waiting = (): StepRow[] => run.book.steps.filter((row) => row.state === 'waiting');
  const { historyLength } = workflowInfo();
  const isLater = (): boolean => workflowInfo().historyLength !== historyLength;
  // A worker that has just read the history may be handed the decision before it comes to the hold: what waits is known a moment later, in the same
  // workflow task. What comes to wait in a later one is another failure than the one that was decided of.
  await CancellationScope.nonCancellable(() => condition(() => isLater() || waiting().some((row) => matches(row, decision)) || run.report.phase === 'ended', decisionPatienceMs));
  if (waiting().length === 0) throw failure('Refused', `Nothing waits for a decision: ${run.name} is ${run.report.phase}.`);
  if (!waiting().some((row) => matches(row, decision))) throw failure('Refused', `"${decision.step}" does not wait; these do: ${waiting().map(titleOf).join(', ')}`);
  if (isLater()) throw failure('Refused', `"${decision.step}" waits for another failure than the one that was decided of: it has failed anew meanwhile. Look at it, and decide again.`);
  run.decisions.push(decision);
  run.report.decisions.push({ ...decision, at: now() });
  return `recorded: ${decision.do} "${decision.step}"${decision.node ? ` (${decision.node})` : ''} by ${decision.by} (as claimed)`;
}

const leastUndoBudgetMs = 30 * 60_000;

/** Undoes what was begun, within a budget of time: what runs out of it is cancelled and waited for, since the lease is given back afterwards. */
export async function undo(run: Run): Promise<void> {
  const longest = steps.undoGroups(run.book).map((group) => Math.ceil(group.length / group[0]!.parallel) * Math.max(...group.map(({ task }) => worstCase(task, 'undo'))));
  // An undo that waits for a graceful stop to land may take as long as that was given.
  const budgetMs = Math.max(leastUndoBudgetMs, longest.reduce((sum, ms) => sum + ms, 0));
  await CancellationScope.withTimeout(budgetMs, () => undoAll(run)).catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
}

/** Last first; the nodes of one fan-out as many at once as when it was done. What can't be undone stays listed. */
async function undoAll(run: Run): Promise<void> {
  for (const group of steps.undoGroups(run.book)) {
    const pending = [...group];
    const lane = async (): Promise<void> => {
      for (let entry = pending.shift(); entry !== undefined; entry = pending.shift()) await undoOne(run, entry);
    };
    await Promise.all(Array.from({ length: Math.min(group[0]!.parallel, group.length) }, lane));
  }
}

async function undoOne(run: Run, entry: steps.UndoEntry): Promise<void> {
  const row = steps.rowOf(run.book, entry.key);
  if (!row) return;
  steps.beginUndo(row, now());
  show(run);
  try {
    const outcome = await perform(entry.task, { key: `undo/${entry.key}`, summary: `undo: ${titleOf(entry)}`, kind: 'undo', authority: run.authority });
    steps.end(row, 'undone', now(), { note: outcome.note });
  } catch (error) {
    steps.end(row, 'undo failed', now(), { note: isCancellation(error) ? 'the time for undoing is over' : describe(error).message });
  }
  show(run);
}

const patienceOf = ({ input: { patience } }: Run): { patienceMs?: number } => (patience === undefined ? {} : { patienceMs: patience });
