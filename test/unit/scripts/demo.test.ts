/** scripts/demo with faked parts: what it starts, in which order, and that all of it is gone however the demo ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { sandbox, type Sandbox } from './sandbox';

let box: Sandbox;
let demo: ChildProcess | undefined;

beforeEach(() => {
  box = sandbox();
  box.copy('demo', 'common.sh', 'keep-running');
  const note = (what: string) => `echo "${what}" >>'${box.path('calls')}'`;
  box.program('prepare', note('prepare'), 'scripts');
  box.program('temporal-cli', 'echo /opt/temporal', 'scripts');
  box.program('temporal-server', `${note('temporal')}\necho $$ >'${box.path('temporal.pid')}'\necho 'temporal ready 127.0.0.1:1'\nexec sleep 60`, 'scripts');
  box.program('lab', `${note('lab $1 $2 $3')}\n[ "$1" != status ] || echo '{"hosts":[{"pids":{}}]}'\n[ "$1" != ledger ] || echo 'acknowledged 20'`, 'scripts');
  box.program('stctl', `${note('stctl $1 $TEMPORAL_ADDRESS')}\necho the report`, 'bin');
  box.write(`require('node:fs').appendFileSync('${box.path('calls')}', 'worker\\n'); console.log('worker ready'); setInterval(() => {}, 1000);`, 'dist/src/worker/main.js');
});
afterEach(() => {
  demo?.kill('SIGKILL');
  box.remove();
});

interface Running {
  output(): string;
  ended: Promise<number | null>;
}
function start(...arguments_: string[]): Running {
  const { TEMPORAL_ADDRESS: _address, ST_LAB_HOME: _home, ...env } = process.env;
  const child = spawn('bash', [box.path('scripts/demo'), ...arguments_], { env: { ...env, ST_DEMO_PORT: '1' } });
  demo = child;
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { output: () => text, ended: new Promise((resolve) => child.once('close', resolve)) };
}
async function until(what: () => boolean, why: () => string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!what()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${why()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const pidIn = (...path: string[]) => Number(box.read(...path));
const workerPid = () => pidIn('.cache/demo/demo/worker.pid');
const calls = () => box.read('calls').trim().split('\n');
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
const up = (running: Running) => until(() => running.output().includes('Ctrl-C ends the demo'), running.output);

test('it prepares, starts every part, sets the cluster up and, told not to wait, leaves nothing behind', async () => {
  const running = start('--no-wait');
  expect(await running.ended).toBe(0);
  // The Temporal server starts while the lab does.
  expect(calls().filter((call) => call !== 'temporal')).toEqual(['prepare', 'lab up --name demo', 'worker', 'stctl set-up-cluster 127.0.0.1:1', 'lab load --name demo', 'lab ledger --name demo', 'lab status --name demo', 'lab down --name demo']);
  expect(calls().indexOf('temporal')).toBeLessThan(calls().indexOf('worker'));
  expect(running.output()).toContain('the report');
  expect(running.output()).toContain("partners' files: acknowledged 20");
  expect(running.output()).toContain('everything that was started is gone');
  expect(alive(pidIn('temporal.pid'))).toBe(false);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('after %s everything it started is gone', async (signal) => {
  const running = start();
  await up(running);
  const pids = [pidIn('temporal.pid'), workerPid()];
  expect(pids.map(alive)).toEqual([true, true]);
  demo!.kill(signal);
  expect(await running.ended).not.toBe(0);
  expect(pids.map(alive)).toEqual([false, false]);
  expect(calls().at(-1)).toBe('lab down --name demo');
});

test('killed without a chance to clean up, its processes end with it', async () => {
  const running = start();
  await up(running);
  const pids = [pidIn('temporal.pid'), workerPid()];
  demo!.kill('SIGKILL');
  await until(() => !pids.some(alive), () => `still there: ${pids.filter(alive).join(' ')}`);
});

test('a worker that is killed is started again', async () => {
  const running = start();
  await up(running);
  const first = workerPid();
  process.kill(first, 'SIGKILL');
  await until(() => calls().filter((call) => call === 'worker').length === 2, running.output);
  expect(alive(workerPid())).toBe(true);
  expect(workerPid()).not.toBe(first);
  demo!.kill('SIGINT');
  await running.ended;
  expect(alive(pidIn('temporal.pid'))).toBe(false);
});

test('a set-up that fails gives its exit code, and everything is gone', async () => {
  box.program('stctl', 'exit 7', 'bin');
  const running = start();
  expect(await running.ended).toBe(7);
  expect(running.output()).toContain('set-up-cluster ended with code 7');
  expect(alive(pidIn('temporal.pid'))).toBe(false);
});

test("a worker that can't start is told with the end of its log, and everything is gone", async () => {
  box.write(`console.error('TEMPORAL_TLS is wrong'); process.exit(2);`, 'dist/src/worker/main.js');
  const running = start();
  expect(await running.ended).toBe(1);
  expect(running.output()).toContain('the worker did not start');
  expect(running.output()).toContain('TEMPORAL_TLS is wrong');
  expect(alive(pidIn('temporal.pid'))).toBe(false);
  expect(calls().at(-1)).toBe('lab down --name demo');
});

test('a process of the lab that outlives it is told, and the demo fails', async () => {
  box.program('lab', `[ "$1" != status ] || echo '{"hosts":[{"pids":{"tm":${process.pid}}}]}'`, 'scripts');
  const running = start('--no-wait');
  expect(await running.ended).toBe(1);
  expect(running.output()).toContain(`still running: ${process.pid}`);
});

test('a second demo of the same name is refused and does not touch the first', async () => {
  const first = start();
  await up(first);
  const running = demo;
  const second = start();
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain('is running already');
  expect(alive(pidIn('temporal.pid'))).toBe(true);
  running!.kill('SIGINT');
  await first.ended;
});

test('what to try next has full commands that can be pasted', async () => {
  const running = start();
  await up(running);
  for (const piece of ['export TEMPORAL_ADDRESS=127.0.0.1:1', '--type setUpCluster', '--task-queue st-orchestrator', '--workflow-id set-up-cluster/demo2', '--fail-existing', 'http://127.0.0.1:1001']) {
    expect(running.output()).toContain(piece);
  }
  demo!.kill('SIGINT');
  await running.ended;
});
