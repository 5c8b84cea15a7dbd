/** What a measurement stands on: a lab of its own, and a worker in a process of its own. Both are gone when this process is. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createClients } from '../src/clients';
import { loadClusterFile } from '../src/control/clusterFile';
import type { ClusterSpec } from '../src/model/spec';

const root = resolve(__dirname, '../..');

export interface Estate {
  /** The lab's folder. */
  dir: string;
  /** The main cluster's, as `stctl` reads it from the lab's cluster file. */
  spec: ClusterSpec;
  /** That of another cluster file of the lab. */
  specOf(file: string): ClusterSpec;
  /** A command of the lab on this one; answers what it prints. */
  lab(verb: string, ...args: string[]): Promise<string>;
  /** Back to the untouched hosts, with the same addresses and keys. */
  reset(): Promise<void>;
  down(): Promise<void>;
}

export interface EstateOptions {
  /** Left out: one that no other lab has. */
  name?: string;
  servers: number;
  edges?: number;
  /** Servers that only cluster-grown.yaml names. */
  reserve?: number;
  /** Servers of a second cluster, on hosts of their own (cluster2.yaml). */
  spare?: number;
  productTimeMs: number;
  /** A mail server, which the cluster files name. */
  mail?: boolean;
  /** The product starts by itself at power-on. */
  autostart?: boolean;
}

export async function startEstate({ name = `b${randomBytes(3).toString('hex')}`, ...options }: EstateOptions): Promise<Estate> {
  const home = mkdtempSync(join(tmpdir(), 'st-bench-'));
  const lab = (verb: string, ...args: string[]): Promise<string> =>
    new Promise((done, fail) => {
      execFile(join(root, 'scripts/lab'), [verb, '--name', name, ...args], { env: { ...process.env, ST_LAB_HOME: home }, timeout: 180_000, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
        if (error) fail(new Error(`lab ${verb}: ${stderr || error.message}`));
        else done(stdout);
      });
    });
  const { servers, edges = 0, reserve = 0, spare = 0, productTimeMs, mail, autostart } = options;
  await lab('up', '--servers', String(servers), '--edges', String(edges), '--reserve', String(reserve), '--spare', String(spare), '--product-time', `${productTimeMs}ms`, '--die-with', String(process.pid),
    ...(mail ? ['--mail'] : []), ...(autostart ? ['--autostart'] : []));
  const dir = join(home, name);
  const specOf = (clusterFile: string): ClusterSpec => {
    const file = join(dir, clusterFile);
    // The lab's fixed path: what is kept of a run says nothing of this machine's folders.
    const loaded = loadClusterFile(readFileSync(file, 'utf8'), file, { baseDir: join('/run/st-lab', name) });
    if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
    return loaded.spec;
  };
  return {
    dir, specOf, lab,
    spec: specOf('cluster.yaml'),
    reset: () => lab('reset').then(() => undefined),
    async down() {
      await lab('down');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export async function withClients<T>(act: (clients: ReturnType<typeof createClients>) => Promise<T>): Promise<T> {
  const clients = createClients();
  try {
    return await act(clients);
  } finally {
    await clients.close();
  }
}

const readyMs = 60_000;

export interface WorkerProcess {
  pid: number;
  stop(): Promise<void>;
}

/** The product's own worker, as in production (or the one of `program`), on a task queue of its own; answers once it polls. */
export async function startWorker(taskQueue: string, env: NodeJS.ProcessEnv = {}, program: string[] = [join(root, 'dist/src/worker/main.js')]): Promise<WorkerProcess> {
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ST_TASK_QUEUE: taskQueue, ...env } });
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
    process.off('exit', kill);
  };
  try {
    await ready(child, ended);
  } catch (error) {
    await stop('SIGKILL');
    throw error;
  }
  return { pid: child.pid!, stop: () => stop('SIGTERM') };
}

/** What it writes is read to the end: a full pipe would hold it up. */
function ready({ stdout, stderr }: ChildProcess, ended: Promise<void>): Promise<void> {
  return new Promise((done, fail) => {
    let log = '';
    const timer = setTimeout(() => fail(new Error(`the worker was not ready within ${readyMs / 1000} s:\n${log}`)), readyMs);
    const settle = (how: () => void): void => {
      clearTimeout(timer);
      how();
    };
    void ended.then(() => settle(() => fail(new Error(`the worker ended:\n${log}`))));
    stderr!.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4096);
    });
    stdout!.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('worker ready')) settle(done);
    });
  });
}
