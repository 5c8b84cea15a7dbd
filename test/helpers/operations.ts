/** A real worker on a lab, made by the product's own seam, and the few calls that tests make of operations. */
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import type { WorkerInterceptors } from '@temporalio/worker';
import { createClients, type Clients } from '../../src/worker/clients';
import { createWorker } from '../../src/worker/createWorker';
import { workerConfig } from '../../src/worker/config';
import type { ClusterRecord } from '../../src/model/cluster';
import type { OperationReport } from '../../src/model/operation';
import { unique, type Ground } from './workflows';

export interface Operations {
  taskQueue: string;
  start(type: string, input: object, workflowId?: string): Promise<WorkflowHandle>;
  /** Runs to the end and answers the report. */
  run(type: string, input: object): Promise<OperationReport>;
  /** Runs to the end and answers the failure it must end with. */
  fail(type: string, input: object): Promise<ApplicationFailure>;
  record(cluster: string): Promise<ClusterRecord>;
}

export interface WorkerOptions {
  /** Wraps the clients, to count, fail or cut off calls. */
  wrap?: (clients: Clients) => Clients;
  interceptors?: WorkerInterceptors;
  maxCachedWorkflows?: number;
  /** Of a worker that another one of the test succeeds; left out: one of its own. */
  taskQueue?: string;
}

export function operationsOn(ground: Ground, taskQueue: string): Operations {
  const start = (type: string, input: object, workflowId = unique(type)): Promise<WorkflowHandle> =>
    ground.client.workflow.start(type, { taskQueue, workflowId, args: [input], workflowTaskTimeout: '3s' });
  return {
    taskQueue, start,
    run: async (type, input) => (await (await start(type, input)).result()) as OperationReport,
    async fail(type, input) {
      const error: unknown = await (await start(type, input)).result().then((report) => report, (thrown: unknown) => thrown);
      if (!(error instanceof WorkflowFailedError)) throw new Error(`expected a failure, got ${JSON.stringify(error)}`);
      return error.cause as ApplicationFailure;
    },
    record: (cluster) => ground.client.workflow.getHandle(`cluster/${cluster}`).query<ClusterRecord>('status'),
  };
}

/** Runs `test` beside a worker of the product; every workflow task replays its history unless told otherwise. */
export async function withOperations<T>(ground: Ground, test: (operations: Operations) => Promise<T>, { wrap = (clients) => clients, interceptors, maxCachedWorkflows = 0, taskQueue = unique('lab') }: WorkerOptions = {}): Promise<T> {
  const clients = createClients();
  const config = { ...workerConfig({ TEMPORAL_ADDRESS: process.env['TEMPORAL_ADDRESS'] }), maxCachedWorkflows, shutdownGraceMs: 0, shutdownForceMs: 10_000 };
  const bundle = process.env['ST_WORKFLOW_BUNDLE'];
  const worker = await createWorker({ config, clients: wrap(clients), connection: ground.connection, taskQueue, ...(interceptors ? { interceptors } : {}), ...(bundle ? { bundle: { codePath: bundle } } : {}) });
  try {
    return await worker.runUntil(() => test(operationsOn(ground, taskQueue)));
  } finally {
    await clients.close();
  }
}
