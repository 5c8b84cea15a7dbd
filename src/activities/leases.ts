/** The record of a cluster, reached with the worker's own Temporal client, since a workflow can't send updates to another. */
import { WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, WorkflowUpdateFailedError, type Client, type WorkflowExecutionDescription, type WorkflowHandle } from '@temporalio/client';
import type { AcquireAnswer, AcquireRequest, ClusterRecord, LeaseHolder, ReleaseRequest } from '../model/cluster';
import { StError } from '../model/errors';
import { clusterWorkflowId } from '../model/ids';
import type { OperationReport } from '../model/operation';
import type { ClusterSpec } from '../model/spec';
import { firstLines, mostUnfinished, unfinished } from '../model/unfinished';

export interface LeaseActivities {
  /** Asks once; a holder that has closed or is gone loses the lease in the same breath. Only a spec creates the record. */
  acquire(input: { cluster: string; holder: LeaseHolder; operation: string; spec?: ClusterSpec }): Promise<AcquireAnswer>;
  release(input: { cluster: string; request: ReleaseRequest }): Promise<{ released: boolean }>;
  read(input: { cluster: string }): Promise<ClusterRecord | null>;
  /** Whether an operation still runs, and if not, what it left. */
  lookUp(input: { holder: LeaseHolder }): Promise<LookedUp>;
}

export interface LookedUp {
  alive: boolean;
  /** It was asked to cancel, and has not come to its end yet. */
  ending?: true;
  because: string;
  unfinished: string[];
}

const queryBudgetMs = 10_000;

export function leaseActivities({ temporal, taskQueue }: { temporal: Client; taskQueue: string }): LeaseActivities {
  const handleOf = (cluster: string): WorkflowHandle => temporal.workflow.getHandle(clusterWorkflowId(cluster));

  async function ask(cluster: string, request: AcquireRequest): Promise<AcquireAnswer> {
    if (!request.spec) return (await handleOf(cluster).executeUpdate('acquire', { args: [request] })) as AcquireAnswer;
    const startWorkflowOperation = new WithStartWorkflowOperation('cluster', {
      workflowId: clusterWorkflowId(cluster), taskQueue, args: [{ name: cluster }], workflowTaskTimeout: '3s',
      workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'REJECT_DUPLICATE', staticSummary: `The record of cluster ${cluster}`,
    });
    return (await temporal.workflow.executeUpdateWithStart('acquire', { args: [request], startWorkflowOperation })) as AcquireAnswer;
  }

  /** A record that was terminated is there and answers no update; a new one in its place would know nothing of the cluster. */
  async function refuseClosed(cluster: string, error: unknown): Promise<void> {
    if (!(error instanceof WorkflowNotFoundError) && !(error instanceof WorkflowExecutionAlreadyStartedError)) return;
    const status = await handleOf(cluster).describe().then((found) => found.status.name, () => undefined);
    if (status === undefined || status === 'RUNNING') return;
    const id = clusterWorkflowId(cluster);
    throw new StError('Refused', `The record of cluster "${cluster}" was closed (${id} is ${status.toLowerCase()}); nothing was changed. Bring it back with what it knew: temporal workflow reset --workflow-id ${id} --type LastWorkflowTask --reason "…"`);
  }

  const lookUp = async ({ holder: { workflowId, firstExecutionRunId } }: { holder: LeaseHolder }): Promise<LookedUp> => {
    try {
      const latest = await temporal.workflow.getHandle(workflowId).describe();
      if (latest.raw.workflowExecutionInfo?.firstRunId === firstExecutionRunId) return await judge(latest, temporal.workflow.getHandle(workflowId));
      // The id was used again since, by the next try of the same operation, say.
      const its = temporal.workflow.getHandle(workflowId, firstExecutionRunId);
      return await judge(await its.describe(), its);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { alive: false, because: 'the workflow is gone', unfinished: [] };
      throw error;
    }
  };

  async function judge({ status: { name }, raw }: WorkflowExecutionDescription, handle: WorkflowHandle): Promise<LookedUp> {
    // An old Temporal server may not say it.
    if (name === 'RUNNING') return { alive: true, because: '', unfinished: [], ...(raw.workflowExtendedInfo?.cancelRequested ? { ending: true as const } : {}) };
    return { alive: false, because: `${name.toLowerCase()} without a report`, unfinished: await leftBy(handle, name) };
  }

  /** The steps that were running or failed, as the closed workflow itself knows them; its history is replayed for that. */
  async function leftBy(handle: WorkflowHandle, status: string): Promise<string[]> {
    try {
      const report = await temporal.withDeadline(Date.now() + queryBudgetMs, () => handle.query<OperationReport>('report'));
      return firstLines(unfinished(report, status), mostUnfinished);
    } catch {
      return ['what it left could not be read from its history: run the operation again, it completes what is missing'];
    }
  }

  return {
    lookUp,
    async acquire({ cluster, ...request }) {
      try {
        const at = (): string => new Date().toISOString();
        const answer = await ask(cluster, { ...request, at: at() });
        if (answer.granted || answer.reason !== 'busy') return answer;
        const found = await lookUp({ holder: answer.lease });
        if (found.alive) return { ...answer, ...(found.ending ? { ending: true as const } : {}) };
        const { workflowId, firstExecutionRunId } = answer.lease;
        return await ask(cluster, { ...request, at: at(), evict: { workflowId, firstExecutionRunId, because: found.because, unfinished: found.unfinished } });
      } catch (error) {
        await refuseClosed(cluster, error);
        if (error instanceof WorkflowNotFoundError) return { granted: false, reason: 'no spec' };
        throw foreign(error);
      }
    },
    async release({ cluster, request }) {
      try {
        return (await handleOf(cluster).executeUpdate('release', { args: [request] })) as { released: boolean };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { released: false };
        throw foreign(error);
      }
    },
    async read({ cluster }) {
      try {
        return await handleOf(cluster).query<ClusterRecord>('status');
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return null;
        throw foreign(error);
      }
    },
  };
}

function foreign(error: unknown): unknown {
  if (error instanceof WorkflowUpdateFailedError) return new StError('Bug', `The record refused: ${error.cause?.message ?? error.message}`, { cause: error });
  return error;
}
