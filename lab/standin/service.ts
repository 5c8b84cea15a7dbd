import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { openDatabase } from './database';
import { readHome, takeProductTime, type Home } from './home';
import { openLog, type Log } from './log';

export type State = 'Starting' | 'Running' | 'Draining';

/** What a service gets from `runService`. */
export interface Context {
  home: Home;
  /** `admin`, `tm`, `sshd` … */
  name: string;
  log: Log;
  pool: Pool;
  /** True once the service was told to end. */
  stopping(): boolean;
  /** Publishes how many sessions or tasks of a kind are under way (`var/run/<service>.state`). */
  setBusy(count: number, kind?: string): void;
  state(): State;
  /** Ends the service by itself, as the product does when a condition isn't met. */
  giveUp(why: string): Promise<never>;
}

const beginsWithinMs = 2_000;

/** What a started service answers to. */
export interface Running {
  stop(): Promise<void> | void;
  drain?(): void;
  resume?(): void;
  control?(request: Record<string, unknown>): unknown;
}

/**
 * The life of one service process: `node <service>.js FILEDRIVEHOME <service>`. TERM ends it, USR2 begins a graceful stop
 * (`lib/stopper.sh` ends it), WINCH takes it back to work.
 */
export async function runService(start: (context: Context) => Promise<Running>): Promise<void> {
  const [dir = '', name = ''] = process.argv.slice(2);
  const home = readHome(dir);
  const log = openLog(home, name);
  const pool = openDatabase(home.database);
  let state: State = 'Starting';
  const counts = new Map<string, number>();
  let busy = 0;
  let stopping = false;
  let running: Running | undefined = undefined;
  let begun: Promise<Running> | undefined = undefined;

  const publish = () => writeAtomically(join(dir, 'var/run', `${name}.state`), `${state} ${busy}\n`);
  const end = async (code: number): Promise<void> => {
    if (stopping) return;
    stopping = true;
    if (running) await takeProductTime(0.25);
    // One that is still beginning may have told the cluster already that it runs. Who gives up himself never comes to the end of his beginning.
    const service = running ?? (code === 0 ? await Promise.race([begun, pause(beginsWithinMs)]) : undefined);
    await service?.stop();
    for (const ending of ['state', 'sock']) rmSync(join(dir, 'var/run', `${name}.${ending}`), { force: true });
    log('INFO', `${name} ended.`);
    process.exit(code);
  };
  const become = (next: State) => {
    if (state === next || stopping) return;
    state = next;
    publish();
    log('INFO', `${name}: ${next}.`);
  };

  process.on('uncaughtException', (error) => {
    log('ERROR', error.stack ?? error.message);
    process.exit(1);
  });
  process.on('SIGTERM', () => void end(0));
  process.on('SIGINT', () => void end(0));
  process.on('SIGUSR2', () => { become('Draining'); running?.drain?.(); });
  process.on('SIGWINCH', () => { if (running && state === 'Draining') { become('Running'); running.resume?.(); } });

  publish();
  log('INFO', `${name} starts.`);
  begun = start({
    home, name, log, pool,
    stopping: () => stopping,
    state: () => state,
    setBusy: (count, kind = '') => {
      counts.set(kind, count);
      busy = [...counts.values()].reduce((sum, one) => sum + one, 0);
      if (!stopping) publish();
    },
    giveUp: async (why) => {
      log('ERROR', why);
      await end(3);
      return new Promise<never>(() => undefined);
    },
  });
  running = await begun;
  if (running.control) listenForControl(join(dir, 'var/run', `${name}.sock`), running.control);
  if (state === 'Starting') become('Running');
  else if (state === 'Draining') running.drain?.();
}

function listenForControl(path: string, control: (request: Record<string, unknown>) => unknown): void {
  rmSync(path, { force: true });
  createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      const answer = async (): Promise<unknown> => control(JSON.parse(data.toString()) as Record<string, unknown>);
      answer().then((value) => socket.end(JSON.stringify(value ?? null)), (error: Error) => socket.destroy(error));
    });
  }).listen(path);
}

/** Asks the service `name` of this Server something on its control socket. Rejects when it doesn't answer within 2 s. */
export function askService(home: Home, name: string, request: Record<string, unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(join(home.dir, 'var/run', `${name}.sock`));
    let answer = '';
    socket.setTimeout(2000, () => socket.destroy(new Error(`${name} does not answer`)));
    socket.on('connect', () => socket.write(JSON.stringify(request)));
    socket.on('data', (data) => { answer += data.toString(); });
    socket.on('end', () => (answer === '' ? reject(new Error(`${name} ended`)) : resolve(JSON.parse(answer))));
    socket.on('error', reject);
  });
}

export interface ServiceStatus {
  state: State | 'Not running';
  busy: number;
}

/** The state of a service of this Server, from its pid and state files; a process that isn't ours doesn't count. */
export function serviceStatus(home: Home, name: string): ServiceStatus {
  const down: ServiceStatus = { state: 'Not running', busy: 0 };
  try {
    const pid = readFileSync(join(home.dir, 'var/run', `${name}.pid`), 'utf8').trim();
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join('');
    if (!command.endsWith(`${home.dir}${name}`)) return down;
    const [state, busy] = readFileSync(join(home.dir, 'var/run', `${name}.state`), 'utf8').trim().split(' ');
    return { state: state as State, busy: Number(busy) };
  } catch {
    return down;
  }
}

/** True while the service does its work, also while a graceful stop waits for the last of it. */
export function isUp(status: ServiceStatus): boolean {
  return status.state === 'Running' || status.state === 'Draining';
}

function writeAtomically(file: string, text: string): void {
  const next = `${file}.${process.pid}`;
  writeFileSync(next, text);
  renameSync(next, file);
}
