/** What is tried again and again, in words. Pure. */
import type { Attempt } from '../control/operations';
import { activityOf, type CheckRow, type OperationReport, type StepRow } from '../model/operation';
import { shorten } from '../model/shorten';
import { count, duration, oneLine, time } from './output';

/** The step or check that an attempt is about, and whether it is being taken back. */
export function rowOf({ steps, checks }: OperationReport, { key }: Attempt): { row?: StepRow | CheckRow; undo: boolean } {
  const undone = steps.find((step) => key === activityOf({ ...step, state: 'undoing' }));
  const row = undone ?? steps.find((step) => step.key === key) ?? checks.find((check) => check.key === key);
  return { ...(row ? { row } : {}), undo: undone !== undefined };
}

/** "undo: Start the Server". */
export function attemptTitle(report: OperationReport, attempt: Attempt): string {
  const { row, undo } = rowOf(report, attempt);
  return `${undo ? 'undo: ' : ''}${row?.title ?? attempt.key}`;
}

const mostTold = 5;
const longestReason = 300;

/** A line for each that fails and is tried again: what, how often, until when, and why. */
export function retryLines(report: OperationReport | null, attempts: readonly Attempt[], now: string): string[] {
  const lines = attempts.slice(0, mostTold).map((one) => {
    const { attempt, startsAt, triedMs, patienceMs, lastFailure, key } = one;
    const what = report ? `"${attemptTitle(report, one)}"${nodeOf(report, one)}` : key;
    const begins = startsAt !== undefined && startsAt > now ? ` begins ${time(startsAt).slice(11)}` : '';
    const until = triedMs === undefined || patienceMs === undefined ? '' : `, given up after ${duration(patienceMs)} of tries (${duration(triedMs)} so far)`;
    return `  retrying ${oneLine(what)}: attempt ${attempt}${begins}${until}: ${shorten(oneLine(lastFailure), longestReason)}`;
  });
  return attempts.length > mostTold ? [...lines, `  and ${count(attempts.length - mostTold, 'other')} retrying`] : lines;
}

const nodeOf = (report: OperationReport, attempt: Attempt): string => {
  const node = rowOf(report, attempt).row?.node;
  return node ? ` (${node})` : '';
};
