/**
 * Running programs and waiting for states: the two things every part of the lab does.
 */
import { execFile } from 'node:child_process';

export interface RunOptions {
  input?: string;
  /** Exit codes that are an answer, not a failure; 0 always is. */
  accept?: number[];
  /** Milliseconds; 60 s when left out. */
  timeout?: number;
}

/**
 * Runs a program without a shell and gives its standard output.
 * @throws Error with the command, its exit code and the end of its standard error.
 */
export function run(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { timeout: options.timeout ?? 60_000, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error === null || (typeof error.code === 'number' && options.accept?.includes(error.code))) return resolve(stdout);
      const why = stderr.trim() || stdout.trim() || error.message;
      reject(new Error(`${command} ${args.join(' ')} failed (${String(error.code ?? error.signal)}): ${why.slice(-1500)}`));
    });
    child.stdin?.on('error', () => undefined); // a program that does not read its input is free to
    child.stdin?.end(options.input ?? '');
  });
}

/** Milliseconds to wait before the next look at a state. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

/**
 * Looks every `every` ms until `look` answers something other than undefined or false.
 * @throws Error that names what was waited for, and what the last look threw, after `within` ms.
 */
export async function until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false, within = 10_000, every = 20): Promise<T> {
  const deadline = Date.now() + within;
  for (;;) {
    let last = '';
    try {
      const answer = await look();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = `: ${(error as Error).message}`;
    }
    if (Date.now() > deadline) throw new Error(`waited ${within} ms in vain for ${what}${last}`);
    await pause(every);
  }
}

/** Waits for all, failed or not, and then fails with the first failure: nothing is left running behind a failure's back. */
export async function all<T>(work: Promise<T>[]): Promise<T[]> {
  const ended = await Promise.allSettled(work);
  const failed = ended.find((e) => e.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return ended.map((e) => (e as PromiseFulfilledResult<T>).value);
}
