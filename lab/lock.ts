/**
 * One `up`, `down` or `reset` of a lab at a time on this machine.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { runFolder } from './place';
import { checkName } from './plan';
import { identify, isAlive, type ProcessId } from './processes';
import { until } from './shell';

/** A lock whose holder died is free. */
function removeIfStale(file: string): void {
  let holder: ProcessId | undefined;
  try {
    holder = JSON.parse(fs.readlinkSync(file)) as ProcessId;
  } catch {
    return; // given back meanwhile
  }
  if (!isAlive(holder)) fs.rmSync(file, { force: true });
}

/**
 * Runs `work` while holding the lab's lock.
 * @throws Error when another command holds it for more than 60 s.
 */
export async function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
  fs.mkdirSync(runFolder, { recursive: true, mode: 0o755 });
  const file = path.join(runFolder, `.lock-${checkName(name)}`);
  const me = JSON.stringify(identify(process.pid));
  // A symlink comes into being together with its text: there is no moment at which the holder is unknown.
  await until(`another command on lab ${name} to end (${file})`, () => {
    removeIfStale(file);
    try {
      fs.symlinkSync(me, file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return false;
    }
  }, 60_000, 100);
  try {
    return await work();
  } finally {
    fs.rmSync(file, { force: true });
  }
}
