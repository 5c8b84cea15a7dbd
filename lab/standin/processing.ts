/** One event, processed: a file is checked and pushed to the partner's directory, or what lies there for us is pulled. */
import { createHash } from 'node:crypto';
import { constants, createReadStream, promises as fs } from 'node:fs';
import { basename, join } from 'node:path';
import { takeProductTime, type Home } from './home';
import { markerOf } from './queue/receive';
import type { Moved, Task } from './queue/take';

/** Whether the TM still works; a task that finds it stopped goes no further and cleans nothing up. */
type Stopped = () => boolean;

/** Thrown where a TM that was stopped at once left off. */
export class Abandoned extends Error {}

/** Where a partner's own system is, seen from here: what is sent to the partner goes to `in`, what the partner has for us lies in `out` (**ours**). */
export function partnerFolders(home: Home, account: string): { in: string; out: string } {
  const folder = join(home.settings['standin.sharedPath'] ?? '', 'partners', account);
  return { in: join(folder, 'in'), out: join(folder, 'out') };
}

/** Checks that the rules package which the file needs is installed on this very Server: packages are not in the database. */
async function requireRules(home: Home, rulesPackage: string | null): Promise<void> {
  if (rulesPackage === null) return;
  const file = join(home.dir, 'brules/local', rulesPackage);
  await fs.access(file).catch(() => { throw new Error(`the rules package ${rulesPackage} is not installed on this Server (${file})`); });
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path) as AsyncIterable<Buffer>) hash.update(part);
  return hash.digest('hex');
}

/** Puts a copy of `path` into `folder`, whole or not at all; a name that is taken there gets a number, nothing is overwritten. */
async function deliver(path: string, folder: string): Promise<string> {
  await fs.mkdir(folder, { recursive: true });
  const part = join(folder, `.${basename(path)}.part`);
  await fs.copyFile(path, part);
  for (let number = 1; ; number += 1) {
    const target = join(folder, number === 1 ? basename(path) : `${basename(path)}.${number}`);
    try {
      await fs.link(part, target);
      await fs.unlink(part);
      return target;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** The way of a file that came in: mark, check, push. What it returns is to be logged; then `clear` takes mark and source away. */
export async function push(home: Home, task: Task, stopped: Stopped): Promise<{ sha256: string; moved: Moved[]; clear(): Promise<void> }> {
  const marker = markerOf(task.path);
  await requireRules(home, task.rulesPackage);
  await fs.open(marker, constants.O_CREAT | constants.O_EXCL).then((file) => file.close(), (error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? new Error(`it is being processed already (${basename(marker)} lies beside it)`) : error;
  });
  try {
    await takeProductTime(1);
    if (stopped()) throw new Abandoned();
    const { size } = await fs.stat(task.path);
    const sha256 = await sha256Of(task.path);
    const target = await deliver(task.path, partnerFolders(home, task.account).in);
    return {
      sha256,
      moved: [{ direction: 'Outgoing', filename: basename(target), path: target, size, sha256 }],
      async clear() {
        await fs.rm(task.path, { force: true });
        await fs.rm(marker, { force: true });
      },
    };
  } catch (error) {
    if (!(error instanceof Abandoned)) await fs.rm(marker, { force: true });
    throw error;
  }
}

/** Fetches everything that lies in the partner's `out` into the account's folder. */
export async function pull(home: Home, task: Task, stopped: Stopped): Promise<{ moved: Moved[]; clear(): Promise<void> }> {
  const { out } = partnerFolders(home, task.account);
  const names = await fs.readdir(out).catch(() => [] as string[]);
  const moved: Moved[] = [];
  const fetched: string[] = [];
  if (names.length > 0) await takeProductTime(1);
  for (const name of names.filter((one) => !one.startsWith('.'))) {
    if (stopped()) throw new Abandoned();
    const source = join(out, name);
    const target = await deliver(source, task.path);
    const { size } = await fs.stat(target);
    moved.push({ direction: 'Incoming', filename: join(task.filename, basename(target)), path: target, size, sha256: await sha256Of(target) });
    fetched.push(source);
  }
  return { moved, async clear() { for (const source of fetched) await fs.rm(source, { force: true }); } };
}

