/** Workers for tests: a task queue of their own, fresh ids, activities given by the test, and every task replayed from its history. */
import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { activityInterceptor } from '../../src/worker/activityInterceptor';
import { workflowInterceptorModules } from '../../src/worker/bundle';
import { leaseActivities } from '../../src/activities/leases';

// Failures are what many tests are about; only what nobody expects belongs on the screen.
Runtime.install({ logger: new DefaultLogger('ERROR') });

export const unique = (name: string): string => `${name}-${randomBytes(4).toString('hex')}`;

export interface Ground {
  client: Client;
  connection: NativeConnection;
  close(): Promise<void>;
}

/** The server that jest's global set-up started. */
export async function connectGround(address = process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233'): Promise<Ground> {
  const [plain, native] = await Promise.all([Connection.connect({ address }), NativeConnection.connect({ address })]);
  const close = async (): Promise<void> => {
    await plain.close();
    await native.close();
  };
  return { client: new Client({ connection: plain }), connection: native, close };
}

export async function bundleOf(workflowsPath: string): Promise<WorkflowBundleOption> {
  const { code } = await bundleWorkflowCode({ workflowsPath, workflowInterceptorModules, logger: new DefaultLogger('ERROR') });
  return { code };
}

export type Fakes = Record<string, (...args: never[]) => Promise<unknown>>;

/** Runs `test` beside a worker whose activities are the real record's and the given fakes. */
export async function withWorker<T>(ground: Ground, bundle: WorkflowBundleOption, fakes: Fakes, test: (taskQueue: string) => Promise<T>): Promise<T> {
  const taskQueue = unique('test');
  const leases = Object.entries(leaseActivities({ temporal: ground.client, taskQueue })).map(([name, act]) => [`leases.${name}`, act]);
  const worker = await Worker.create({
    connection: ground.connection, taskQueue, workflowBundle: bundle, activities: { ...Object.fromEntries(leases), ...fakes },
    interceptors: { activity: [activityInterceptor()] }, maxCachedWorkflows: 0,
    maxHeartbeatThrottleInterval: '1s', defaultHeartbeatThrottleInterval: '1s', stickyQueueScheduleToStartTimeout: '1s', shutdownGraceTime: 0,
  });
  return worker.runUntil(() => test(taskQueue));
}
