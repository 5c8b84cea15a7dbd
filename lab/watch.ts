/**
 * `up --die-with PID`: a small process that takes the lab down when that one is gone, so that a test run that was killed leaves nothing.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { labFolder } from './place';
import { identify, isAlive, signal, type ProcessId } from './processes';
import { pause } from './shell';

const recordOf = (name: string): string => path.join(labFolder(name), 'watcher.json');

/** The process that a lab is to die with. */
export function toWatch(pid: number): ProcessId {
  const watched = identify(pid);
  if (watched === undefined) throw new Error(`--die-with ${pid}: no such process`);
  return watched;
}

/** Starts the watcher of a lab. Should the watched process be gone by now, the watcher finds that out. */
export function startWatcher(name: string, watched: ProcessId): void {
  const log = fs.openSync(path.join(labFolder(name), 'watcher.log'), 'w');
  const child = spawn(process.execPath, [process.argv[1] ?? '', 'watch', '--name', name, '--pid', String(watched.pid), '--started', watched.started], {
    detached: true, stdio: ['ignore', log, log], cwd: '/',
  });
  fs.closeSync(log);
  child.unref();
  if (child.pid !== undefined) fs.writeFileSync(recordOf(name), JSON.stringify(identify(child.pid) ?? null));
}

/** Ends the watcher of a lab that is taken down, unless it is the one who does it. */
export function stopWatcher(name: string): void {
  const file = recordOf(name);
  if (!fs.existsSync(file)) return;
  const id = JSON.parse(fs.readFileSync(file, 'utf8')) as ProcessId | null;
  fs.rmSync(file, { force: true });
  if (id !== null && id.pid !== process.pid) signal(id, 'SIGTERM');
}

/** Body of the watcher: returns when the watched process is gone. */
export async function waitForEnd(watched: ProcessId): Promise<void> {
  while (isAlive(watched)) await pause(500);
}
