/** The state of one run of an operation, and how it is shown. Its parts change together; the files beside this one each do one thing with it. */
import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { Decision, OperationReport } from '../../model/operation';
import type { ClusterSpec } from '../../model/spec';
import type { Authority } from '../../model/targets';
import type { OperationInput } from './context';
import { details } from './report';
import { newBook, type Book } from './steps';

export interface Run {
  name: string;
  input: OperationInput;
  authority: Authority;
  /** The epoch of the last run that changed something. */
  changedBy: number;
  /** Known once the lease is granted; to whom is told what happens. */
  spec?: ClusterSpec;
  book: Book;
  /** What the checks found, by their names: stable, so they are part of the fingerprint. */
  facts: Map<string, unknown>;
  /** What the checks measured, by their names: other numbers at every look. */
  measured: Map<string, unknown[]>;
  report: OperationReport;
  /** Decisions that were accepted and not yet used. */
  decisions: Decision[];
  /** What steps have found that a person must put right. */
  byHand: string[];
  /** How often a step has waited for a person. */
  holds: number;
  /** False while the body is run to check and plan. */
  acting: boolean;
}

export const now = (): string => new Date().toISOString();

export function newRun(name: string, input: OperationInput): Run {
  const { workflowId } = workflowInfo();
  const book = newBook();
  const startedAt = now();
  const report: OperationReport = {
    apiVersion: 'st-orchestrator/v1', kind: 'OperationReport', operation: name, cluster: input.cluster, workflowId, dryRun: input.dryRun === true,
    phase: 'checking', phaseSince: startedAt, outcome: 'running', summary: 'Starting.', now: 'Nothing has been changed.', next: 'The checks.', startedAt,
    checks: book.checks, steps: book.steps, unfinished: [], decisions: [],
    ...(input.requestedBy ? { requestedBy: input.requestedBy } : {}), ...(input.reason ? { reason: input.reason } : {}),
  };
  return { name, input, authority: { cluster: input.cluster, epoch: 0, operation: workflowId }, changedBy: 0, book, facts: new Map(), measured: new Map(), report, decisions: [], byHand: [], holds: 0, acting: false };
}

/** Says in one sentence each what goes on, what the state is and what comes next; people read these in the Temporal UI, `stctl` and the log. */
export function say(run: Run, phase: OperationReport['phase'], summary: string, nowText: string, next: string): void {
  if (phase !== run.report.phase) run.report.phaseSince = now();
  Object.assign(run.report, { phase, summary, now: nowText, next });
  show(run);
}

export const show = (run: Run): void => setCurrentDetails(details(run.report));

export function close(run: Run, outcome: OperationReport['outcome'], summary: string, nowText: string, next: string): OperationReport {
  run.report.outcome = outcome;
  run.report.endedAt = now();
  say(run, 'ended', summary, nowText, next);
  return run.report;
}

/** "Start the Server (st2)". */
export const titleOf = ({ title, node }: { title: string; node?: string | undefined }): string => (node === undefined ? title : `${title} (${node})`);
