/** A dump of a PostgreSQL database by the program that PostgreSQL has for it, on the worker's host. */
import { execFile, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StError } from '../model/errors';
import type { DatabaseTarget } from '../model/targets';
import { scrub } from './scrub';
import { resolveSecret, type SecretOptions } from './secrets';

export interface Dump {
  /** The dump in PostgreSQL's custom format, compressed. */
  stream: Readable;
  /** Settles when the program has ended. @throws StError RemoteCommandFailed with what it said. */
  ended: Promise<void>;
}

/** The major version of a pg_dump; undefined where there is none that runs. */
export function dumpVersion(program: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile(program, ['--version'], { timeout: 10_000, env: environment() }, (error, stdout) => {
      const found = error ? undefined : / (\d+)(\.|\s|$|devel|beta|rc)/.exec(stdout)?.[1];
      resolve(found === undefined ? undefined : Number(found));
    });
  });
}

/**
 * Begins a dump. The password reaches the program by its own environment, never by a command line; the database is verified as by every other connection.
 * Ended when the signal aborts.
 */
export async function startDump(program: string, target: DatabaseTarget, { signal, ...secrets }: SecretOptions & { signal?: AbortSignal }): Promise<Dump> {
  const password = await resolveSecret(target.password, secrets);
  const tls: NodeJS.ProcessEnv = target.ca === undefined ? { PGSSLMODE: 'require' } : { PGSSLMODE: 'verify-full', PGSSLROOTCERT: target.ca };
  const child = spawn(program, ['--format=custom', '--no-password', `--host=${target.host}`, `--port=${target.port}`, `--username=${target.user}`, `--dbname=${target.name}`], {
    env: { ...environment(), ...tls, PGPASSWORD: password.reveal(), PGCONNECT_TIMEOUT: '10', PGAPPNAME: 'st-orchestrator' }, stdio: ['ignore', 'pipe', 'pipe'], ...(signal ? { signal } : {}),
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => { said = `${said}${chunk.toString()}`.slice(-2_000); });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(signal?.aborted ? error : new StError('RemoteCommandFailed', `${program} on the worker's host: ${error.message}`, { cause: error })));
    child.once('close', (code) => (code === 0 ? resolve() : reject(new StError('RemoteCommandFailed', `${program} on the worker's host ended with ${code ?? 'a signal'}: ${scrub(said).trim().slice(-1_000) || 'it said nothing'}`))));
  });
  // Awaited later; until then its failure is nobody's unhandled one.
  ended.catch(() => undefined);
  return { stream: child.stdout, ended };
}

/** What the program needs of the worker's environment, and nothing of what else the worker knows. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', HOME: process.env['HOME'] ?? '/' };
}
