/** A program of the operator's on the worker's host: no shell, one JSON text to its standard input, a bounded time. */
import { spawn } from 'node:child_process';
import { StError } from '../model/errors';
import { scrub } from './scrub';

export interface Programs {
  /**
   * Runs it to its end; exit code 0 is success, what it printed last goes into the failure's message. After the time it is killed with all that it started.
   * @throws StError RemoteCommandFailed, NotYet
   */
  run(command: readonly string[], input: unknown, options?: { env?: Record<string, string>; timeoutMs?: number; signal?: AbortSignal }): Promise<void>;
}

const tailLength = 500;
/** Of the worker's own environment: what a program needs to run, and none of the secrets that may stand there. */
const inherited = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];

export function createPrograms({ env = process.env }: { env?: NodeJS.ProcessEnv } = {}): Programs {
  return {
    run([program = '', ...args], input, { env: more = {}, timeoutMs = 30_000, signal } = {}) {
      signal?.throwIfAborted();
      const given = Object.fromEntries(inherited.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
      return new Promise<void>((resolve, reject) => {
        // A group of its own: what it started ends with it.
        const child = spawn(program, args, { cwd: '/', env: { ...given, ...more }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
        let tail = '';
        let end: Error | undefined;
        const stop = (why: Error): void => {
          end ??= why;
          if (child.pid === undefined) return;
          try {
            process.kill(-child.pid, 'SIGKILL');
          } catch {
            // It has just ended by itself.
          }
        };
        const timer = setTimeout(() => stop(new StError('NotYet', `${program}: not finished within ${timeoutMs} ms; it was killed.${said()}`)), timeoutMs);
        const onAbort = (): void => stop(signal!.reason as Error);
        signal?.addEventListener('abort', onAbort, { once: true });
        const settle = (act: () => void): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          act();
        };
        const said = (): string => (tail.trim() === '' ? '' : ` It said: ${scrub(tail.trim())}`);
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (tail = (tail + chunk.toString('utf8')).slice(-tailLength)));
        // A program that does not read its input is free to.
        child.stdin.on('error', () => undefined);
        child.stdin.end(`${JSON.stringify(input)}\n`);
        child.once('error', (error: NodeJS.ErrnoException) => settle(() => reject(new StError('RemoteCommandFailed', `${program} could not be started on the worker's host: ${error.code ?? error.message}.`, { cause: error }))));
        // Not `close`: a descendant that keeps the pipes open must not hold the event up.
        child.once('exit', (code, killedBy) => settle(() => {
          child.stdout.destroy();
          child.stderr.destroy();
          if (end) reject(end);
          else if (code === 0) resolve();
          else reject(new StError('RemoteCommandFailed', `${program} ended with ${code === null ? killedBy : `exit code ${code}`}.${said()}`));
        }));
      });
    },
  };
}
