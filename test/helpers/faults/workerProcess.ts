/** The product's worker as a process of its own, to be killed: the compiled program, on a task queue of the test. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { unique } from '../workflows';

const program = join(__dirname, '../../../dist/src/worker/main.js');

export interface WorkerProcess {
  pid: number;
  /** As Temporal's histories name it. */
  identity: string;
  /** When the process was started, in milliseconds as `Date.now()` tells them. */
  startedAt: number;
  /** Everything it wrote so far. */
  log(): string;
  /** Ends it (default SIGKILL) and answers once it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a worker and answers at once; it polls a second later. It ends with the test run, however that ends. */
export function startWorkerProcess({ address, taskQueue, env: more }: { address: string; taskQueue: string; env?: NodeJS.ProcessEnv }): WorkerProcess {
  const identity = unique('worker');
  const env = { ...process.env, TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml', TEMPORAL_ADDRESS: address, ST_TASK_QUEUE: taskQueue, ST_IDENTITY: identity, ...more };
  const startedAt = Date.now();
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    pid: child.pid!, identity, startedAt,
    log: () => log,
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      await ended;
    },
  };
}
