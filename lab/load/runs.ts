/**
 * Runs of the load generator: each has a number of its own in the lab's folder, and ends with the lab.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { identify, isAlive, signal, type ProcessId } from '../processes';
import { until } from '../shell';
import { loadFolder } from './ledger';

const recordOf = (lab: string, run: number): string => path.join(loadFolder(lab), `run-${run}.json`);

/** Takes the next number for this process. */
export function beginRun(lab: string): number {
  fs.mkdirSync(loadFolder(lab), { recursive: true });
  const draft = path.join(loadFolder(lab), `draft-${process.pid}`);
  fs.writeFileSync(draft, JSON.stringify(identify(process.pid)));
  // A link comes into being together with its text.
  for (let run = 1; ; run += 1) {
    try {
      fs.linkSync(draft, recordOf(lab, run));
      fs.rmSync(draft);
      return run;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Ends the runs that still go on, and waits for them. */
export async function endRuns(lab: string): Promise<void> {
  if (!fs.existsSync(loadFolder(lab))) return;
  const records = fs.readdirSync(loadFolder(lab)).filter((name) => name.startsWith('run-'));
  const running = records.map((name) => JSON.parse(fs.readFileSync(path.join(loadFolder(lab), name), 'utf8')) as ProcessId).filter((id) => isAlive(id) && id.pid !== process.pid);
  for (const id of running) signal(id, 'SIGTERM');
  await until('the load to end', () => running.every((id) => !isAlive(id)), 15_000, 50);
}
