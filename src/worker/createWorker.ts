/** The one seam between the product and whoever runs it: the worker's process and the tests make their workers here. */
import { Client } from '@temporalio/client';
import { Worker, type NativeConnection, type WorkerInterceptors, type WorkflowBundleOption } from '@temporalio/worker';
import { createActivities, type RegisteredActivities } from '../activities';
import { dataConverterFor } from '../control/connectionConfig';
import { activityInterceptor } from './activityInterceptor';
import { defaultBundlePath } from './bundle';
import type { Clients } from './clients';
import type { WorkerConfig } from './config';

export interface CreateWorkerOptions {
  config: WorkerConfig;
  /** The clients of the systems that activities act on; tests wrap or replace them. */
  clients: Clients;
  connection: NativeConnection;
  /** Run inside our own, so that what they throw is sorted like any failure. */
  interceptors?: WorkerInterceptors;
  /** `dist/workflow-bundle.js` by default. */
  bundle?: WorkflowBundleOption;
  /** Beside the product's own: those of a measurement. */
  activities?: RegisteredActivities;
  /** That of the configuration by default. */
  taskQueue?: string;
}

/** A worker that is ready to run; `worker.run()` polls until it is told to stop. The clients and the connection stay the caller's to close. */
export async function createWorker({ config, clients, connection, interceptors = {}, bundle = { codePath: defaultBundlePath }, activities = {}, taskQueue = config.taskQueue }: CreateWorkerOptions): Promise<Worker> {
  const { namespace, identity } = config;
  const dataConverter = await dataConverterFor(config);
  const temporal = new Client({ connection, namespace, identity, dataConverter });
  return Worker.create({
    connection,
    namespace,
    identity,
    taskQueue,
    dataConverter,
    workflowBundle: bundle,
    activities: { ...createActivities({ clients, temporal, taskQueue }), ...activities },
    interceptors: { ...interceptors, activity: [activityInterceptor(), ...(interceptors.activity ?? [])] },
    maxConcurrentActivityTaskExecutions: config.maxActivities,
    maxCachedWorkflows: config.maxCachedWorkflows,
    // A cancelled or superseded activity must hear of it within a second; the SDK's default would take 80 % of its heartbeat time-out.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    // A killed worker's workflows go to another worker after this time, instead of 10 s.
    stickyQueueScheduleToStartTimeout: '1s',
    shutdownGraceTime: config.shutdownGraceMs,
    shutdownForceTime: config.shutdownForceMs,
  });
}
