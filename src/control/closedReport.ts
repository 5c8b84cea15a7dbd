/** The report of an operation that is closed, also when its worker can't be asked or it was ended by force. Pure. */
import { StError } from '../model/errors';
import { cancelledText, type OperationOutcome, type OperationReport } from '../model/operation';
import { unfinished } from '../model/unfinished';

export interface ClosedRun {
  workflowId: string;
  type: string;
  status: string;
  /** ISO-8601 UTC. */
  startTime: string;
  closeTime: string;
}

/** Codes that an operation ends with before it changes anything. */
const beforeAnyChange: ReadonlySet<string> = new Set(['InvalidInput', 'UnknownCluster', 'SpecConflict', 'PreconditionFailed', 'PlanChanged', 'ClusterBusy']);

/**
 * @param result what the server has: the report, or the failure it ended with
 * @param asked what a worker told, when one did
 * @param silent true when no worker could be asked
 */
export function closedReport(run: ClosedRun, result: OperationReport | StError, asked: OperationReport | undefined, silent: boolean): OperationReport {
  if (!(result instanceof StError)) return result;
  if (asked && asked.phase === 'ended') return asked;
  const changed = !beforeAnyChange.has(result.code);
  const outcome: OperationOutcome = result.code === 'Cancelled' ? 'cancelled' : changed ? 'failed' : 'refused';
  const open = (asked?.steps ?? []).filter(({ state }) => state !== 'done' && state !== 'planned' && state !== 'undone');
  const ended: OperationReport = {
    ...(asked ?? blank(run)),
    phase: 'ended',
    outcome,
    summary: result.message,
    failure: { code: result.code, message: result.message },
    endedAt: run.closeTime,
    now: stateNow(changed, open.length, silent && asked === undefined),
    next: 'Nothing happens by itself.',
    unfinished: asked ? unfinished(asked, run.status) : [],
  };
  return ended;
}

/** The report of a cancelled operation with why it was, also when no worker could tell: `cancelled: wrong database`. */
export function withReason(report: OperationReport, reason: string | undefined): OperationReport {
  if (reason === undefined) return report;
  const message = cancelledText(reason);
  return { ...report, summary: message, failure: { code: report.failure?.code ?? 'Cancelled', message } };
}

function stateNow(changed: boolean, open: number, unknown: boolean): string {
  if (!changed) return 'Nothing was changed.';
  if (unknown) return 'No worker answers, so which steps were done is not known here.';
  return open > 0 ? `${open} ${open === 1 ? 'step was' : 'steps were'} begun and did not end.` : 'No step was under way when it ended.';
}

const blank = ({ workflowId, type, startTime }: ClosedRun): OperationReport => ({
  apiVersion: 'st-orchestrator/v1', kind: 'OperationReport', operation: type, cluster: workflowId.split('/')[1] ?? '', workflowId, dryRun: workflowId.endsWith('/plan'),
  phase: 'ended', outcome: 'failed', summary: '', now: '', next: '', startedAt: startTime, checks: [], steps: [], unfinished: [], decisions: [],
});
