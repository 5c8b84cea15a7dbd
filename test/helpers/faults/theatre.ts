/**
 * Layer (c) of the fault tests: an operation on the lab, run by a worker that is a process of its own, while the test kills and cuts what it wants; then
 * the end is compared with that of an undisturbed run. Every scene begins with the lab reset and with a record of its own.
 */
import { Client, Connection, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { LabSnapshot } from '../../../lab/snapshot';
import { within } from '../../../src/clients/within';
import type { ClusterRecord } from '../../../src/model/cluster';
import { kebabCase } from '../../../src/model/ids';
import type { OperationReport } from '../../../src/model/operation';
import { startLab, type Lab, type LabOptions } from '../lab';
import { unique } from '../workflows';
import { startWorkerProcess, type WorkerProcess } from './workerProcess';

/** What the harness needs to know of an operation. */
export interface Play {
  operation: string;
  input(lab: Lab, cluster: string): object;
  lab?: LabOptions;
  /** Brings the lab, after its reset, to where the operation begins; by other operations, say. */
  ground?(scene: Scene): Promise<void>;
}

export interface Scene {
  lab: Lab;
  cluster: string;
  client: Client;
  taskQueue: string;
  /** The worker of the moment. */
  worker: WorkerProcess;
  /** Puts another worker in its place; the one before is killed, if it lives. */
  replaceWorker(): Promise<WorkerProcess>;
  /** Starts the operation. */
  start(): Promise<Performance>;
  record(): Promise<ClusterRecord>;
}

export interface Performance {
  handle: WorkflowHandle;
  /** Until the worker has been given this activity (its id is the step's key). */
  begun(key: string): Promise<void>;
  /** The report of the end; throws the operation's own failure. */
  report(): Promise<OperationReport>;
}

export interface Theatre {
  /** What an undisturbed run leaves, and the keys of its steps in order. */
  undisturbed: { end: LabSnapshot; steps: string[] };
  /** Resets the lab and lets `act` play. Answers what is there at the end, to be compared with the undisturbed end. */
  scene(act: (scene: Scene) => Promise<void>, options?: { address?: string }): Promise<LabSnapshot>;
  close(): Promise<void>;
}

/** The hash of nothing, as the snapshot has it. */
const nothing = 'e3b0c44298fc1c14';

/** An installation that was begun again on a schema that was there by then has had the secret file beside it, and emptied it: as good as none. */
const withoutEmptied = (key: string, value: unknown): unknown => (key.endsWith('st-orchestrator-install/taeh') && value === nothing ? undefined : value);

/** Brings a lab up and plays the operation once undisturbed. */
export async function openTheatre(play: Play): Promise<Theatre> {
  const lab = await startLab({ servers: 3, ...play.lab });
  let first = true;

  async function scene(act: (scene: Scene) => Promise<void>, { address = process.env['TEMPORAL_ADDRESS']! } = {}): Promise<LabSnapshot> {
    if (!first) await lab.run('reset');
    first = false;
    const cluster = unique('c');
    const connection = await Connection.connect({ address });
    const taskQueue = unique('faults');
    const client = new Client({ connection });
    const setting: Scene = {
      lab, cluster, client, taskQueue,
      worker: startWorkerProcess({ address, taskQueue }),
      async replaceWorker() {
        await setting.worker.kill();
        setting.worker = startWorkerProcess({ address, taskQueue });
        return setting.worker;
      },
      start: () => begin(client, taskQueue, play.operation, cluster, play.input(lab, cluster)),
      record: () => client.workflow.getHandle(`cluster/${cluster}`).query<ClusterRecord>('status'),
    };
    try {
      await play.ground?.(setting);
      await act(setting);
      const end = JSON.stringify(await lab.snapshot()).replaceAll(cluster, '<cluster>');
      return JSON.parse(end, withoutEmptied) as LabSnapshot;
    } catch (error) {
      throw new Error(`${(error as Error).message}\nThe end of the worker's log:\n${setting.worker.log().slice(-4_000)}`, { cause: error });
    } finally {
      await setting.worker.kill();
      await connection.close();
    }
  }

  try {
    let steps: string[] = [];
    const end = await scene(async ({ start }) => {
      const report = await (await start()).report();
      steps = report.steps.map(({ key }) => key);
    });
    return { undisturbed: { end, steps }, scene, close: () => lab.down() };
  } catch (error) {
    await lab.down();
    throw error;
  }
}

/** Starts an operation under its id, to be followed. */
export async function begin(client: Client, taskQueue: string, operation: string, cluster: string, input: object): Promise<Performance> {
  const handle = await client.workflow.start(operation, { taskQueue, workflowId: `${kebabCase(operation)}/${cluster}`, args: [input], workflowTaskTimeout: '3s' });
  return {
    handle,
    begun: (key) => scheduled(client, handle, key),
    async report() {
      const late = (): Error => new Error(`${handle.workflowId} has not ended after ${giveUpMs / 1_000} s`);
      try {
        return (await within(handle.result(), { timeoutMs: giveUpMs }, late)) as OperationReport;
      } catch (error) {
        throw error instanceof WorkflowFailedError ? (error.cause ?? error) : error;
      }
    },
  };
}

/** Before jest gives up: a scene must end before the next begins. */
const giveUpMs = 90_000;

/** Follows the history, which needs no worker, until it names the activity. */
async function scheduled(client: Client, handle: WorkflowHandle, key: string): Promise<void> {
  const deadline = Date.now() + giveUpMs;
  let nextPageToken: Uint8Array | undefined;
  do {
    const page: temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse = await client.withDeadline(Date.now() + 10_000, () => client.workflowService.getWorkflowExecutionHistory({
      namespace: 'default', execution: { workflowId: handle.workflowId }, waitNewEvent: true, nextPageToken,
    })).catch((error: { code?: number }) => {
      // Nothing new for a while (deadline exceeded) is no end.
      if (error.code === 4) return { history: { events: [] }, nextPageToken };
      throw error;
    });
    for (const { activityTaskScheduledEventAttributes } of page.history?.events ?? []) if (activityTaskScheduledEventAttributes?.activityId === key) return;
    nextPageToken = page.nextPageToken ?? undefined;
  } while (nextPageToken && nextPageToken.length > 0 && Date.now() < deadline);
  throw new Error(`${handle.workflowId} never began "${key}"`);
}

/** Milliseconds from the start of this worker's process to the first activity that it was given of the workflow; 0 where the workflow had ended by then. */
export async function wentOnAfter({ handle }: Performance, worker: WorkerProcess): Promise<number> {
  const { events } = await handle.fetchHistory();
  const its = (events ?? []).filter(({ activityTaskStartedEventAttributes: started }) => started?.identity === worker.identity);
  const timeOf = ({ eventTime }: temporal.api.history.v1.IHistoryEvent): number => Number(eventTime!.seconds) * 1_000 + (eventTime!.nanos ?? 0) / 1e6;
  const times = its.map(timeOf);
  // Killed a moment after its last activity, the worker had ended the workflow: the successor has nothing to go on with.
  if (times.length === 0 && timeOf(events!.at(-1)!) < worker.startedAt) return 0;
  if (times.length === 0) throw new Error(`${worker.identity} was given no activity`);
  return Math.round(Math.min(...times) - worker.startedAt);
}
