/** Operations as doors start, read, cancel and decide them. */
import { QueryNotRegisteredError, WorkflowExecutionAlreadyStartedError, WorkflowFailedError, WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import { TerminatedFailure } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow';
import { StError } from '../model/errors';
import { clusterWorkflowId, type OperationName } from '../model/ids';
import { activityOf, isUnderWay, type Decision, type OperationReport, type Waits } from '../model/operation';
import { shorten } from '../model/shorten';
import { AdvisedError } from './advised';
import { askServer, askWorker, fromFailure } from './calls';
import { closedReport, withReason } from './closedReport';
import { requirePollers } from './taskQueues';
import { commandLine } from './temporalCommand';

export interface StartRequest {
  operation: OperationName;
  workflowId: string;
  /** One JSON object, as the `temporal` CLI would send it. */
  input: object;
  taskQueue: string;
  /** One line for the list of workflows in the Temporal UI. */
  summary: string;
}

export interface Started {
  workflowId: string;
  runId: string;
  /** True when an operation with this id was running already: nothing was started. */
  already: boolean;
}

/**
 * Starts an operation, or finds the one that runs under this id. Returns when the server has it, which does not mean that a worker has.
 * @throws StError Unreachable when no worker polls the task queue
 */
export async function startOperation(client: Client, { operation, workflowId, input, taskQueue, summary }: StartRequest): Promise<Started> {
  try {
    await requirePollers(client, taskQueue);
  } catch (error) {
    if (!(await findRunning(client, workflowId))) throw error;
  }
  try {
    const handle = await askServer(client, `start ${workflowId}`, () => client.workflow.start(operation, {
      workflowId, taskQueue, args: [input], workflowTaskTimeout: '3s', staticSummary: summary.slice(0, 190),
      workflowIdConflictPolicy: 'FAIL', workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    }));
    return { workflowId, runId: handle.firstExecutionRunId, already: false };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { ...(await findOperation(client, workflowId)), already: true };
  }
}

/** An activity that is being tried again. */
export interface Attempt {
  /** Key of the step or check. */
  key: string;
  attempt: number;
  lastFailure: string;
  /** ISO-8601 UTC: when this attempt began, or will begin. */
  startsAt?: string;
  /** How long it has been tried since its first failure, and after how long it is given up, in milliseconds. */
  triedMs?: number;
  patienceMs?: number;
}

/** What one look at an operation shows. */
export interface Sighting {
  workflowId: string;
  runId: string;
  /** Temporal's word: RUNNING, COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  status: string;
  /** Left out while no worker answers. */
  report?: OperationReport;
  /** Why there is no report. */
  silence?: string;
  attempts: Attempt[];
  /** The run that goes on in this one's place after a reset. */
  successor?: string;
}

type Described = Awaited<ReturnType<WorkflowHandle['describe']>>;

/** @throws StError InvalidInput when the server knows no such operation */
export async function findOperation(client: Client, workflowId: string, runId?: string): Promise<{ workflowId: string; runId: string; described: Described }> {
  try {
    const described = await askServer(client, `look at ${workflowId}`, () => client.workflow.getHandle(workflowId, runId).describe());
    return { workflowId, runId: described.runId, described };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new AdvisedError('InvalidInput', `The Temporal server knows no operation "${workflowId}"${runId ? ` (run ${runId})` : ''}.`, [
      `See which there were: stctl history ${clusterOf(workflowId)}`, 'See every workflow of this namespace: temporal workflow list', 'Check the address and the namespace of the server: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE.',
    ], { cause: error });
  }
}

/** Whether an operation runs under this id now. */
export async function findRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    return (await findOperation(client, workflowId)).described.status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof StError && error.code === 'InvalidInput') return false;
    throw error;
  }
}

/** Looks once at one run of an operation. A closed one always has a report. @throws StError Unreachable when the server does not answer, InvalidInput for what is no operation */
export async function look(client: Client, workflowId: string, runId?: string): Promise<Sighting> {
  const found = await findOperation(client, workflowId, runId);
  const status = found.described.status.name;
  const handle = client.workflow.getHandle(workflowId, found.runId);
  const pending = await pendingOf(client, found.described);
  const attempts = pending.filter(({ attempt }) => attempt > 1).map(({ told: { triedMs, patienceMs }, waits: _, ...one }): Attempt => ({ ...one, ...(triedMs === undefined ? {} : { triedMs }), ...(patienceMs === undefined ? {} : { patienceMs }) }));
  const sighting: Sighting = { workflowId, runId: found.runId, status, attempts };
  let silence: unknown;
  try {
    sighting.report = await askWorker(client, workflowId, `the status of ${workflowId}`, () => handle.query<OperationReport>('report'));
    if (status === 'RUNNING') withWaits(sighting.report, new Map(pending.flatMap(({ key, waits }) => (waits ? [[key, waits]] : []))));
  } catch (error) {
    if (error instanceof QueryNotRegisteredError) throw noOperation(workflowId, found.described.type);
    silence = error;
    sighting.silence = error instanceof Error ? error.message : String(error);
  }
  if (status === 'RUNNING') return sighting;
  const successor = status === 'TERMINATED' ? await replacedBy(client, workflowId, found.runId) : undefined;
  if (successor !== undefined) return { ...sighting, successor };
  const described = { workflowId, type: found.described.type, status, startTime: found.described.startTime.toISOString(), closeTime: (found.described.closeTime ?? new Date()).toISOString() };
  // The server alone knows the result; the steps only a worker can tell.
  const report = closedReport(described, await ending(client, handle), sighting.report, silence !== undefined);
  return { ...sighting, attempts: [], report: report.outcome === 'cancelled' ? withReason(report, await cancelReason(client, workflowId, found.runId)) : report };
}

interface Pending {
  key: string;
  attempt: number;
  lastFailure: string;
  startsAt?: string;
  /** What its heartbeats told last, by this attempt or the one before. */
  told: { triedMs?: number; patienceMs?: number };
  /** What it waits for now. One whose worker has gone tells nothing that holds. */
  waits?: Waits;
}

/** The activities that are at work, or will be tried again. */
function pendingOf(client: Client, { raw: { pendingActivities } }: Described): Promise<Pending[]> {
  return Promise.all((pendingActivities ?? []).map(async ({ activityId, attempt, lastFailure, state, heartbeatDetails, lastStartedTime, nextAttemptScheduleTime }): Promise<Pending> => {
    const [details] = heartbeatDetails?.payloads?.length ? await decodeArrayFromPayloads(client.options.loadedDataConverter, heartbeatDetails.payloads).catch(() => []) : [];
    const told = (details ?? {}) as Pending['told'] & { waits?: Waits };
    const works = atWork.has(state ?? 0);
    const at = works ? lastStartedTime : nextAttemptScheduleTime;
    return {
      key: activityId ?? '', attempt: attempt ?? 1, lastFailure: firstLine(lastFailure?.message ?? ''), told,
      ...(at ? { startsAt: new Date(Number(at.seconds) * 1_000 + Number(at.nanos ?? 0) / 1e6).toISOString() } : {}), ...(works && typeof told.waits?.for === 'string' ? { waits: told.waits } : {}),
    };
  }));
}

/** Temporal's numbers of a pending activity that a worker has: started, and asked to stop. */
const atWork = new Set<number>([2, 3]);

/** Puts beside the steps that run what they wait for. */
function withWaits({ steps }: OperationReport, waits: ReadonlyMap<string, Waits>): void {
  for (const row of steps) {
    const found = isUnderWay(row.state) ? waits.get(activityOf(row)) : undefined;
    if (found) row.waits = found;
  }
}

/** Of what runs beside the operations and has no report. */
function noOperation(workflowId: string, type: string): AdvisedError {
  const cluster = clusterOf(workflowId);
  return new AdvisedError('InvalidInput', `${workflowId} (${type}) is no operation: it has no report, and is not ended by stctl.`, [
    `See how the cluster is and what runs on it: stctl status ${cluster}`, ...(type === 'monitorCluster' ? [`Stop the watch for a time: stctl pause ${cluster} --for 1h --reason …`, `End it for good: ${commandLine(['temporal', 'workflow', 'cancel', '--workflow-id', workflowId])}`] : []),
  ]);
}

/** The JSON object that a run was started with. @throws when the server does not answer or the payload can't be read */
export async function startInput(client: Client, { workflowId, runId }: { workflowId: string; runId: string }): Promise<Record<string, unknown>> {
  const { history } = await askServer(client, `the input of ${workflowId}`, () => client.workflowService.getWorkflowExecutionHistory({ namespace: client.options.namespace, execution: { workflowId, runId }, maximumPageSize: 1 }));
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const [input] = await decodeArrayFromPayloads(client.options.loadedDataConverter, payloads);
  return input as Record<string, unknown>;
}

export interface RunOfId {
  runId: string;
  /** Temporal's word. */
  status: string;
  /** ISO-8601 UTC. */
  startedAt: string;
}

const mostRuns = 50;

/** Runs of one id that the server still keeps, newest first; visibility may lag a moment behind. */
export function runsOf(client: Client, workflowId: string): Promise<RunOfId[]> {
  return askServer(client, `the runs of ${workflowId}`, async () => {
    const runs: RunOfId[] = [];
    for await (const { runId, status, startTime } of client.workflow.list({ query: `WorkflowId=${JSON.stringify(workflowId)}`, pageSize: mostRuns })) {
      runs.push({ runId, status: status.name, startedAt: startTime.toISOString() });
      if (runs.length >= mostRuns) break;
    }
    return runs.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  });
}

/** Pages of the history that are looked through from its end, of 1000 events each: undo comes after the request. */
const mostPages = 5;

/** Why a run was asked to stop, which its history alone knows; nothing when no reason was given. */
async function cancelReason(client: Client, workflowId: string, runId: string): Promise<string | undefined> {
  const request = { namespace: client.options.namespace, execution: { workflowId, runId }, maximumPageSize: 1_000 };
  let nextPageToken: Uint8Array | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const found = await askServer(client, `the history of ${workflowId}`, () => client.workflowService.getWorkflowExecutionHistoryReverse({ ...request, ...(nextPageToken ? { nextPageToken } : {}) }));
    const asked = found.history?.events?.find((event) => event.workflowExecutionCancelRequestedEventAttributes);
    if (asked) return firstLine(asked.workflowExecutionCancelRequestedEventAttributes?.cause ?? '') || undefined;
    nextPageToken = found.nextPageToken;
    if (!nextPageToken?.length) return undefined;
  }
  return undefined;
}

/** The result of a closed run: its report, or the failure it ended with. */
async function ending(client: Client, handle: WorkflowHandle): Promise<OperationReport | StError> {
  try {
    return (await askServer(client, `the result of ${handle.workflowId}`, () => handle.result())) as OperationReport;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    if (error.cause instanceof TerminatedFailure) return new StError('Interrupted', `Terminated: ${error.cause.message || 'no reason was given'}`, { cause: error });
    if (error.cause?.name === 'CancelledFailure') return new StError('Cancelled', 'Cancelled.', { cause: error });
    return fromFailure(error.cause, error);
  }
}

/** The latest run of the same chain, when this one was replaced by a reset; otherwise nothing. */
async function replacedBy(client: Client, workflowId: string, runId: string): Promise<string | undefined> {
  const [ours, latest] = await Promise.all([findOperation(client, workflowId, runId), findOperation(client, workflowId)]);
  const chain = (found: { described: Described }) => found.described.raw.workflowExecutionInfo?.firstRunId;
  return latest.runId !== runId && chain(latest) !== undefined && chain(latest) === chain(ours) ? latest.runId : undefined;
}

/**
 * Asks an operation to stop. It undoes what it began and answers in its own time. One that passes its point of no return before it hears of this goes on.
 * @throws AdvisedError Refused when it is past that point, has ended, or is none
 */
export async function cancelOperation(client: Client, workflowId: string, reason: string): Promise<Sighting> {
  if (workflowId.startsWith(clusterWorkflowId(''))) {
    const cluster = clusterOf(workflowId);
    throw new AdvisedError('Refused', `${workflowId} is the record of a cluster, no operation: it can't be cancelled. Nothing was changed.`, [`See what runs on the cluster: stctl status ${cluster}`, `Cancel that: stctl cancel set-up-cluster/${cluster} --reason …`]);
  }
  const sighting = await look(client, workflowId);
  if (sighting.status !== 'RUNNING') throw new AdvisedError('Refused', `${workflowId} is not running (${sighting.report?.outcome ?? sighting.status.toLowerCase()}): there is nothing to cancel.`, hasEnded(workflowId));
  if (sighting.report?.forwardOnly) throw new AdvisedError('Refused', `${workflowId} is past its point of no return: it goes forward only, and no cancel stops it.`, forwardWays(sighting.report));
  const { namespace, identity } = client.options;
  await askServer(client, `cancel ${workflowId}`, () => client.workflowService.requestCancelWorkflowExecution({ namespace, identity, reason, workflowExecution: { workflowId, runId: sighting.runId } }));
  return sighting;
}

/** Answers an operation that holds. @throws StError Refused or InvalidInput, in the operation's own words */
export async function decide(client: Client, workflowId: string, decision: Decision): Promise<string> {
  await findOperation(client, workflowId);
  try {
    return await askWorker(client, workflowId, `the decision for ${workflowId}`, () => client.workflow.getHandle(workflowId).executeUpdate<string, [Decision]>('decide', { args: [decision] }));
  } catch (error) {
    if (error instanceof StError && error.code === 'Refused') throw new AdvisedError('Refused', error.message, [`See which steps wait, and their keys: stctl report ${workflowId}`], { cause: error });
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new AdvisedError('Refused', `${workflowId} has ended: nothing waits for a decision.`, hasEnded(workflowId), { cause: error });
  }
}

/** What is left to a person who wants an operation to end that only goes forward. */
const forwardWays = ({ workflowId, steps }: OperationReport): string[] => {
  const waiting = steps.find(({ state }) => state === 'waiting');
  if (!waiting) return [`Follow it to its end: stctl watch ${workflowId}`, 'A step that can\'t go on waits for a decision, and may be aborted then.'];
  return [`It waits for a decision, and may be aborted: ${commandLine(['stctl', 'decide', workflowId, '--step', waiting.key, '--do', 'abort', '--reason', '…'])}`, `See what else can be decided: stctl report ${workflowId}`];
};

/** `set-up-cluster/demo` → `demo`. */
const clusterOf = (workflowId: string): string => workflowId.split('/')[1] || '<cluster>';

const hasEnded = (workflowId: string): string[] => [`See how it ended: stctl report ${workflowId}`, `See what runs now: stctl status ${clusterOf(workflowId)}`];

const firstLine = (text: string): string => shorten(text.split('\n')[0] ?? '', 300);
