/** The monitor of a cluster, and a single look at it, as doors start, ask, pause and resume them. */
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { StError } from '../model/errors';
import type { ClusterHealth } from '../model/health';
import { checkHealthWorkflowId, monitorWorkflowId } from '../model/ids';
import { AdvisedError } from './advised';
import { askServer, askWorker, fromFailure } from './calls';
import { readCluster } from './clusters';
import { requirePollers } from './taskQueues';

/** What the monitor sees, or null when none runs. @throws StError Unreachable when it runs and no worker answers for it */
export async function readHealth(client: Client, cluster: string): Promise<ClusterHealth | null> {
  const workflowId = monitorWorkflowId(cluster);
  const handle = client.workflow.getHandle(workflowId);
  try {
    const { status, raw } = await askServer(client, `look at ${workflowId}`, () => handle.describe());
    if (status.name !== 'RUNNING' && status.name !== 'CONTINUED_AS_NEW') return null;
    const health = await askWorker(client, workflowId, `the health of cluster "${cluster}"`, () => handle.query<ClusterHealth>('status'));
    return seenLast(health, (raw.pendingActivities ?? []).flatMap(({ activityType, lastHeartbeatTime }) => (activityType?.name === watchingActivity && lastHeartbeatTime ? [Number(lastHeartbeatTime.seconds) * 1_000] : [])));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Looks for as long as nothing changes, and gives a sign of life every second. */
const watchingActivity = 'watching.watch';

/** The monitor hears of changes alone: while all is as it was, the looks since are told by their signs of life, those of the slowest vantage point. */
export function seenLast(health: ClusterHealth, looks: readonly number[]): ClusterHealth {
  const fresh = health.watch?.vantage.filter((one) => one.fresh).length ?? 0;
  const last = Math.min(...looks);
  if (fresh === 0 || looks.length < fresh || last <= Date.parse(health.sampledAt)) return health;
  return { ...health, sampledAt: new Date(last).toISOString() };
}

export interface StartedMonitor {
  workflowId: string;
  /** True when it was running: it was given the settings, if any, and went on. */
  already: boolean;
}

/** Sees to it that a cluster is watched, with these settings. @throws StError UnknownCluster, InvalidInput, Unreachable */
export async function startMonitor(client: Client, { cluster, settings, taskQueue }: { cluster: string; settings: Record<string, unknown>; taskQueue: string }): Promise<StartedMonitor> {
  await readCluster(client, cluster);
  await requirePollers(client, taskQueue);
  const workflowId = monitorWorkflowId(cluster);
  try {
    await askServer(client, `start ${workflowId}`, () => client.workflow.start('monitorCluster', {
      workflowId, taskQueue, args: [{ cluster, ...settings }], workflowTaskTimeout: '3s', staticSummary: `Watch cluster ${cluster}`, workflowIdConflictPolicy: 'FAIL', workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    }));
    return { workflowId, already: false };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    if (Object.keys(settings).length > 0) await tellMonitor(client, cluster, 'configure', settings);
    return { workflowId, already: true };
  }
}

/** Sends an update to the monitor; answers its sentence. @throws AdvisedError Refused when none runs, InvalidInput in the monitor's own words; StError UnknownCluster */
export async function tellMonitor(client: Client, cluster: string, update: 'configure' | 'pause' | 'resume', input: object): Promise<string> {
  const workflowId = monitorWorkflowId(cluster);
  try {
    return await askWorker(client, workflowId, `${update} ${workflowId}`, () => client.workflow.getHandle(workflowId).executeUpdate<string, [object]>(update, { args: [input] }));
  } catch (error) {
    if (error instanceof StError && error.code === 'InvalidInput') throw new AdvisedError('InvalidInput', error.message, [`See how it is watched: stctl status ${cluster}`], { cause: error });
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    // A name that nobody knows is told as that.
    await readCluster(client, cluster);
    throw new AdvisedError('Refused', `There is nothing to ${update}: no monitor watches ${cluster}.`, [`Watch it: stctl monitor-cluster ${cluster}`], { cause: error });
  }
}

/** A look reads from every host, each with its own short budget. */
const lookBudgetMs = 90_000;

/** Looks once, now; one that is under way is joined. @throws StError with the code of the failure when nothing could be seen */
export async function lookAtHealth(client: Client, { cluster, taskQueue }: { cluster: string; taskQueue: string }): Promise<ClusterHealth> {
  await readCluster(client, cluster);
  await requirePollers(client, taskQueue);
  const workflowId = checkHealthWorkflowId(cluster);
  const handle = await askServer(client, `start ${workflowId}`, () => client.workflow.start('checkHealth', {
    workflowId, taskQueue, args: [{ cluster }], workflowTaskTimeout: '3s', staticSummary: `Look at cluster ${cluster}`, workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  }));
  try {
    return await askWorker(client, workflowId, `the look at cluster "${cluster}"`, () => handle.result() as Promise<ClusterHealth>, lookBudgetMs);
  } catch (error) {
    if (error instanceof WorkflowFailedError) throw fromFailure(error.cause, error);
    throw error;
  }
}
