import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { NativeConnection, type ActivityInboundCallsInterceptor, type Worker } from '@temporalio/worker';
import { connectClient } from '../../../src/control/connect';
import { buildWorkflowBundle } from '../../../src/worker/bundle';
import type { Clients } from '../../../src/worker/clients';
import { workerConfig, type WorkerConfig } from '../../../src/worker/config';
import { createWorker } from '../../../src/worker/createWorker';
import { createLogger, installTelemetry } from '../../../src/worker/telemetry';

const unique = (name: string): string => `${name}-${randomBytes(4).toString('hex')}`;
const codePath = join(tmpdir(), `st-trivial-bundle-${process.pid}.js`);
/** The only real activity here asks the Temporal server itself. */
const clients = {} as Clients;
const env = { ...process.env, TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' };

let connection: NativeConnection;
let client: Client;

beforeAll(async () => {
  installTelemetry({ logLevel: 'error' }, createLogger('error'));
  await buildWorkflowBundle(codePath, require.resolve('./trivial'));
  connection = await NativeConnection.connect(workerConfig(env).connectionOptions);
  client = await connectClient(workerConfig(env));
});

afterAll(async () => {
  await client?.connection.close();
  await connection?.close();
  await rm(codePath, { force: true });
});

/** A worker on a queue of its own; `execute` stands before the activity. */
function workerOf(taskQueue: string, execute?: ActivityInboundCallsInterceptor['execute'], config: Partial<WorkerConfig> = {}): Promise<Worker> {
  return createWorker({
    config: { ...workerConfig(env), maxCachedWorkflows: 0, shutdownGraceMs: 0, ...config }, clients, connection, taskQueue,
    bundle: { codePath }, interceptors: execute && { activity: [() => ({ inbound: { execute } })] },
  });
}

const start = (taskQueue: string, input: object, by: Client = client) =>
  by.workflow.start('look', { taskQueue, workflowId: unique('look/demo'), workflowTaskTimeout: '3s', args: [input] });

const failureOf = (result: Promise<unknown>): Promise<Error> => result.then(() => { throw new Error('it did not fail'); }, (error: Error) => error);

/** Waits in the activity until it is told to stop. */
const untilStopped = (): Promise<never> => Context.current().cancelled;

describe('a worker made by createWorker', () => {
  it('runs a prebuilt bundle with our activities against a real server', async () => {
    const taskQueue = unique('worker');
    const worker = await workerOf(taskQueue);
    const result = await worker.runUntil(async () => (await start(taskQueue, { cluster: unique('nobody') })).result());
    expect(result).toEqual({ found: null });
  });

  it('retries what may pass and ends with what can not, as one line with the code as its type', async () => {
    const taskQueue = unique('worker');
    let calls = 0;
    const worker = await workerOf(taskQueue, async () => {
      calls += 1;
      if (calls < 3) throw Object.assign(new Error('connect 10.0.0.1:8444'), { code: 'ECONNREFUSED' });
      throw Object.assign(new Error('permission denied for schema\nst'), { code: '42501', severity: 'ERROR' });
    });
    const error = await failureOf(worker.runUntil(async () => (await start(taskQueue, { cluster: 'demo' })).result()));
    expect(calls).toBe(3);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    const cause = (error as WorkflowFailedError).cause!.cause as Error;
    expect(cause).toMatchObject({ type: 'PermissionDenied', nonRetryable: true, message: 'permission denied for schema | st' });
    expect(cause.stack).not.toContain('activityInterceptor');
  });

  it('has a running activity hear of a cancellation within two seconds', async () => {
    const taskQueue = unique('worker');
    let began!: () => void;
    const running = new Promise<void>((resolve) => (began = resolve));
    const worker = await workerOf(taskQueue, () => (began(), untilStopped()));
    await worker.runUntil(async () => {
      const handle = await start(taskQueue, { cluster: 'demo' });
      await running;
      const asked = performance.now();
      await handle.cancel();
      await failureOf(handle.result());
      expect(performance.now() - asked).toBeLessThan(2_500);
      expect((await handle.describe()).status.name).toBe('CANCELLED');
    });
  });

  it('gives what it was doing back when it is told to end, and the next worker goes on with it', async () => {
    const taskQueue = unique('worker');
    let began!: () => void;
    const running = new Promise<void>((resolve) => (began = resolve));
    const first = await workerOf(taskQueue, () => (began(), untilStopped()));
    const run = first.run();
    const handle = await start(taskQueue, { cluster: unique('nobody') });
    await running;
    first.shutdown();
    await run;
    const attempts: number[] = [];
    const second = await workerOf(taskQueue, (input, next) => (attempts.push(Context.current().info.attempt), next(input)));
    expect(await second.runUntil(() => handle.result())).toEqual({ found: null });
    expect(attempts).toEqual([2]);
  });

  it('keeps every payload unreadable for the server when a key is configured', async () => {
    process.env.ST_TEST_PAYLOAD_KEY = randomBytes(32).toString('hex');
    const taskQueue = unique('worker');
    const config = workerConfig({ ...env, ST_ENCRYPTION_KEY: 'env:ST_TEST_PAYLOAD_KEY' });
    const worker = await workerOf(taskQueue, undefined, { encryption: config.encryption });
    const knowing = await connectClient(config);
    try {
      const handle = await worker.runUntil(async () => {
        const started = await start(taskQueue, { cluster: unique('nobody'), note: 'correct horse' }, knowing);
        expect(await started.result()).toEqual({ found: null, note: 'correct horse' });
        return started;
      });
      const written = [...JSON.stringify(await handle.fetchHistory()).matchAll(/"(?:encoding|data)":"([^"]+)"/g)].map(([, bytes]) => Buffer.from(bytes!, 'base64').toString('latin1'));
      // Input, what the activity got and gave, and the result: each with its encoding and its data.
      expect(written.filter((text) => text === 'binary/encrypted')).toHaveLength(4);
      expect(written).toHaveLength(8);
      expect(written.join()).not.toContain('correct horse');
      await expect(client.workflow.getHandle(handle.workflowId).result()).rejects.toThrow('binary/encrypted');
    } finally {
      await knowing.connection.close();
    }
  });
});

describe('a client', () => {
  it('says where it looked when no server answers', async () => {
    const nowhere = workerConfig({ ...env, TEMPORAL_ADDRESS: '127.0.0.1:1' });
    await expect(connectClient(nowhere, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'Unreachable', message: expect.stringMatching(/127\.0\.0\.1:1 did not answer within 0\.3 s.*TEMPORAL_ADDRESS/) });
  });
});
