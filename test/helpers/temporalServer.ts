/** The development server as a child process of a test: one for the whole run (globalSetup), or one of its own for a test that kills it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const script = join(__dirname, '../../scripts/temporal-server');
const startLimitMs = 60_000;

export interface TemporalServer {
  /** `127.0.0.1:port`; a restarted server has the same. */
  address: string;
  /** Of the server itself; changes with `start`. */
  pid: number;
  /** Ends the process with a signal (default SIGKILL) and answers once it is gone. The file stays. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same file and port. */
  start(): Promise<void>;
  /** Ends it and removes its folder, unless that was given. */
  stop(): Promise<void>;
}

/**
 * Starts a server on a file of its own and answers when workflows can be started on it. `synchronous: 'full'` is for tests that are about losing power.
 * A `folder` that is given stays.
 */
export async function startTemporalServer(options: { synchronous?: 'full' | 'normal'; uiPort?: number; folder?: string } = {}): Promise<TemporalServer> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'st-temporal-'));
  const port = await freePort();
  const arguments_ = ['--db', join(folder, 'temporal.db'), '--port', String(port), '--sync', options.synchronous ?? 'normal'];
  if (options.uiPort) arguments_.push('--ui-port', String(options.uiPort));
  let process_ = await launch(arguments_);
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    process_.kill(signal);
    await process_.ended;
  };
  return {
    address: `127.0.0.1:${port}`,
    get pid() {
      return process_.pid;
    },
    kill,
    start: async () => {
      process_ = await launch(arguments_);
    },
    stop: async () => {
      await kill();
      if (!options.folder) rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Launched {
  pid: number;
  ended: Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

function launch(arguments_: string[]): Promise<Launched> {
  const child = spawn(script, arguments_, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ST_QUIET: '1' } });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-8_192)));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`The Temporal server did not start: ${why}\n${log}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`not ready within ${startLimitMs / 1000} s`);
    }, startLimitMs);
    void ended.then(() => {
      clearTimeout(timer);
      fail('it ended');
    });
    child.once('error', (error) => fail(error.message));
    child.stdout.on('data', (chunk: Buffer) => {
      if (!chunk.toString().includes('temporal ready')) return;
      clearTimeout(timer);
      resolve({ pid: child.pid!, ended, kill: (signal) => void child.kill(signal) });
    });
  });
}

/** A TCP port of 127.0.0.1 that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
