/** What of an operation is worth telling, and in which words. All events of one run are one incident, so one thread of mails. Pure. */
import type { ClusterRecord, Lease } from './cluster';
import type { ClusterEvent } from './events';
import { kebabCase } from './ids';
import type { OperationReport, StepRow } from './operation';
import { shorten } from './shorten';
import { stepSums } from './stepSums';

/** The run that tells: its first run id makes the event's ids its own. */
export interface Teller {
  firstExecutionRunId: string;
  /** Started by a Schedule: nobody sits before it, so a refusal is told too. */
  scheduled: boolean;
}

const incidentOf = (operation: string, firstExecutionRunId: string): string => `${kebabCase(operation)}.${firstExecutionRunId}`;

/** A run that was reset tells again, and keeps its first run id: its events need other ids. */
const stamp = (at: string): string => String(Date.parse(at) % 1_000_000_000);

/** A sentence of the report, within what an event may hold. */
const sentence = (text: string, longest = 1_000): string => shorten(text.trim() || 'Nothing is known.', longest);

/** What a fact of an event may hold, with room for the line that counts the others. */
const longestFact = 1_800;

/** One line each and each of them whole, as many as a fact holds; the report has them all. */
function listed(lines: readonly string[], workflowId: string): string {
  const whole = lines.map((line) => shorten(line.replace(/\s+/g, ' '), longestFact));
  let size = 0;
  const kept = whole.filter((line) => (size += line.length + 1) <= longestFact + 1);
  return [...kept, ...(kept.length < whole.length ? [`and ${whole.length - kept.length} more: stctl report ${workflowId}`] : [])].join('\n');
}

function factsOf({ operation, workflowId, startedAt, requestedBy, reason, unfinished, byHand = [] }: Pick<OperationReport, 'operation' | 'workflowId' | 'startedAt' | 'requestedBy' | 'reason' | 'unfinished' | 'byHand'>): Record<string, string> {
  return {
    operation, workflow: workflowId, started: startedAt,
    ...(requestedBy ? { requestedBy: `${requestedBy} (as claimed)` } : {}), ...(reason ? { reason } : {}),
    ...(unfinished.length > 0 ? { unfinished: listed(unfinished, workflowId) } : {}),
    ...(byHand.length > 0 ? { byHand: listed(byHand, workflowId) } : {}),
  };
}

const begun = ({ state }: StepRow): boolean => state !== 'planned';

function endedText({ operation, outcome, summary }: OperationReport): string {
  if (outcome === 'completed') return `${operation} has completed: ${summary}`;
  // Its summary says already what became of it, and why.
  if (outcome === 'cancelled') return `${operation} was ${summary}`;
  return `${operation} ${outcome === 'failed' ? 'has failed' : `was ${outcome}`}: ${summary}`;
}

/** The end of an operation that changed something or tried to; nothing for a dry run, for one that had nothing to do, and for a refusal that somebody sees who started it. */
export function endedEvent(report: OperationReport, { firstExecutionRunId, scheduled }: Teller): ClusterEvent | undefined {
  const { outcome, operation, cluster, workflowId, steps, failure } = report;
  const told = outcome === 'completed' ? steps.some(({ changed }) => changed === true) : outcome === 'failed' || outcome === 'cancelled' ? steps.some(begun) : outcome === 'refused' && scheduled;
  if (report.dryRun || !told) return undefined;
  const incident = incidentOf(operation, firstExecutionRunId);
  return {
    id: `${incident}.ended.${stamp(report.endedAt ?? report.startedAt)}`, kind: 'operation-ended', cluster, at: report.endedAt ?? report.startedAt, severity: outcome === 'completed' ? 'info' : outcome === 'failed' ? 'critical' : 'warning', incident,
    summary: sentence(endedText(report), 500),
    now: sentence(report.now), next: sentence(report.next),
    youCan: [
      `See what was done, step by step: stctl report ${workflowId}`,
      `See the cluster: stctl status ${cluster}`,
      ...(outcome !== 'completed' && failure && failure.code !== 'Cancelled' ? [`Read what the code means: stctl explain ${failure.code}`] : []),
    ],
    facts: { ...factsOf(report), outcome, steps: `${steps.length}: ${stepSums(steps)}`, ...(failure ? { code: failure.code } : {}) },
  };
}

/** An operation past its point of no return that can't go on. @param count of the waits of this run so far, this one included */
export function waitsEvent(report: OperationReport, row: StepRow, message: string, { firstExecutionRunId, count, at }: { firstExecutionRunId: string; count: number; at: string }): ClusterEvent {
  const { operation, cluster, workflowId } = report;
  const step = row.node === undefined ? row.title : `${row.title} (${row.node})`;
  const decide = (what: string): string => `stctl decide ${workflowId} --step '${row.key.replaceAll('\'', `'\\''`)}' --do ${what} --reason '…'`;
  const incident = incidentOf(operation, firstExecutionRunId);
  return {
    id: `${incident}.waits.${count}.${stamp(at)}`, kind: 'operation-waits', cluster, at, severity: 'critical', incident, ...(row.node !== undefined ? { node: row.node.split(' at ')[0]! } : {}),
    summary: sentence(`${operation} waits for a person: "${step}" can't go on.`, 500),
    now: sentence(`${message} The operation is past its point of no return; what is done stays done.`),
    next: 'Nothing, until somebody decides: it waits for ever.',
    youCan: [
      `Cure the cause, and have it tried again: ${decide('retry')}`,
      `Do it by hand, which is then verified: ${decide('done-by-hand')}`,
      `Leave the step out: ${decide('skip')}`,
      `Give up: ${decide('abort')}`,
    ],
    facts: { ...factsOf(report), step: row.key },
  };
}

/** The record's own: the operation that held this lease has ended without a report, and the record has just written its line. */
export function interruptedEvent({ name, operations: [line], unfinished }: ClusterRecord, lease: Lease): ClusterEvent {
  const { operation, workflowId, firstExecutionRunId, since } = lease;
  const incident = incidentOf(operation, firstExecutionRunId);
  return {
    id: `${incident}.interrupted`, kind: 'operation-interrupted', cluster: name, at: line?.endedAt ?? lease.since, severity: 'critical', incident,
    summary: sentence(`${operation} was interrupted: ${line?.summary || 'it ended without a report.'}`, 500),
    now: unfinished.length > 0 ? sentence(`Begun and neither done nor undone: ${unfinished.join('; ')}.`) : 'What it left half-done, if anything, is not known.',
    next: 'Nothing happens by itself. Only the same operation, or a repair, may follow.',
    youCan: [`See what is left: stctl status ${name}`, `See what was done, step by step: stctl report ${workflowId}`, `Run it again with what it was given, which completes the rest${operation === 'rollingRestart' ? `; so that what was restarted is left alone, with "startedBefore": "${since}" (stctl: --started-before)` : ''}`, 'Read what it means: stctl explain Interrupted'],
    facts: factsOf({ operation, workflowId, startedAt: lease.since, unfinished }),
  };
}
