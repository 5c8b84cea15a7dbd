/** The worker as a process of its own: compiled code, exit codes, signals. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { connectClient, withinDeadline } from '../../../src/control/connect';
import { connectionConfig } from '../../../src/control/connectionConfig';
import { searchAttributes } from '../../../src/model/ids';
import { freePort, startTemporalServer } from '../../helpers/temporalServer';

const program = join(__dirname, '../../../dist/src/worker/main.js');

interface Running { child: ChildProcess; out(): string; err(): string; said(words: string): Promise<void>; exit: Promise<number | null> }

const started: ChildProcess[] = [];
afterEach(() => started.splice(0).forEach((child) => child.kill('SIGKILL')));

function worker(env: Record<string, string>): Running {
  const child = spawn(process.execPath, [program], { env: { ...process.env, TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let [out, err] = ['', ''];
  const waiting = new Set<() => void>();
  const heard = (): void => waiting.forEach((look) => look());
  child.stdout.on('data', (chunk: Buffer) => ((out += chunk.toString()), heard()));
  child.stderr.on('data', (chunk: Buffer) => ((err += chunk.toString()), heard()));
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const said = (words: string): Promise<void> => new Promise((resolve, reject) => {
    const look = (): void => void ((out + err).includes(words) && resolve());
    waiting.add(look);
    look();
    void exit.then((code) => reject(new Error(`it ended with ${code} before it said "${words}": ${out}${err}`)));
  });
  return { child, out: () => out, err: () => err, said, exit };
}

describe('the process of the worker', () => {
  it('waits for its server, works when it comes up, goes on when it returns, and ends with 0 on SIGTERM', async () => {
    // Taken once to learn a free address, and started again while the worker already waits for it.
    const server = await startTemporalServer();
    try {
      await server.kill();
      const metrics = `127.0.0.1:${await freePort()}`;
      const running = worker({ TEMPORAL_ADDRESS: server.address, ST_METRICS_ADDRESS: metrics });
      await running.said('waiting until it answers');
      await server.start();
      await running.said('worker ready');
      expect(await (await fetch(`http://${metrics}/metrics`)).text()).toContain('temporal_num_pollers');
      expect(running.err().match(/waiting until it answers/g)).toHaveLength(1);

      await server.kill();
      await server.start();
      const client = await connectClient(connectionConfig({ TEMPORAL_ADDRESS: server.address, TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' }));
      // No such type is registered: the failed task in its history is the worker's answer.
      const handle = await client.workflow.start('noSuchType', { taskQueue: 'st-orchestrator', workflowId: 'who-is-there', workflowTaskTimeout: '3s' });
      const answered = async (): Promise<boolean> => ((await handle.fetchHistory()).events ?? []).some((event) => event.workflowTaskFailedEventAttributes?.identity?.startsWith('st-orchestrator@'));
      await until(answered, 30_000);
      await client.connection.close();

      running.child.kill('SIGTERM');
      expect(await running.exit).toBe(0);
      expect(running.out()).toBe('worker ready\n');
    } finally {
      await server.stop();
    }
  });

  it('ends at once on SIGTERM while it waits for a server', async () => {
    const running = worker({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
    await running.said('waiting until it answers');
    running.child.kill('SIGTERM');
    expect(await running.exit).toBe(0);
  });

  it('waits for a namespace that somebody has yet to make', async () => {
    const running = worker({ TEMPORAL_NAMESPACE: 'not-made-yet' });
    await running.said('waiting until it answers');
    expect(running.err()).toMatch(/not-made-yet.*not found/i);
  });

  it('ends with 2 and every problem of its settings in readable lines', async () => {
    const running = worker({ ST_MAX_ACTIVITIES: 'many', ST_LOG_LEVEL: 'loud' });
    expect(await running.exit).toBe(2);
    expect(running.err()).toContain("The worker's settings can't be used:\n  ST_LOG_LEVEL must be one of trace, debug, info, warn, error, not \"loud\"\n  ST_MAX_ACTIVITIES must be a whole number");
    expect(running.err()).not.toContain('    at ');
  });

  it('ends with 2 when its encryption key can not be read', async () => {
    const running = worker({ ST_ENCRYPTION_KEY: 'file:/nonexistent/key' });
    expect(await running.exit).toBe(2);
    expect(running.err()).toContain('Secret file:/nonexistent/key could not be read: it does not exist');
  });

  it('ends with 3 and the command to copy in a namespace without our search attributes', async () => {
    const namespace = `bare-${randomBytes(4).toString('hex')}`;
    const config = connectionConfig({ ...process.env, TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' });
    const client = await connectClient(config);
    await client.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 as never } });
    const running = worker({ TEMPORAL_NAMESPACE: namespace });
    expect(await running.exit).toBe(3);
    expect(running.err()).toContain(`The namespace "${namespace}" lacks the search attributes ${searchAttributes.join(', ')}`);
    expect(running.err()).toContain(`temporal operator search-attribute create --namespace ${namespace} --address ${config.connectionOptions.address} --name StCluster `);
    expect(running.out()).toBe('');
    await client.connection.close();
  });
});

describe('a call that needs a worker', () => {
  it('is given up in words when none answers', async () => {
    const client = await connectClient(connectionConfig({ ...process.env, TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' }));
    const handle = await client.workflow.start('nobody', { taskQueue: `nobody-${randomBytes(4).toString('hex')}`, workflowId: `nobody-${randomBytes(4).toString('hex')}` });
    await expect(withinDeadline(client, 500, 'the status of cluster demo', () => handle.query('status'))).rejects.toMatchObject({ code: 'Unreachable', message: expect.stringMatching(/^No answer within 0.5 s for the status of cluster demo: no worker/) });
    await expect(withinDeadline(client, 500, 'apply', () => handle.executeUpdate('apply'))).rejects.toMatchObject({ code: 'Unreachable' });
    await handle.terminate();
    await client.connection.close();
  });
});

async function until(reached: () => Promise<boolean>, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await reached())) {
    if (performance.now() > deadline) throw new Error(`not reached within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
