/**
 * Secrets exist as references until the moment of use: `env:NAME`, `file:/absolute/path`, `command:program args`.
 * A resolved secret prints as `***` wherever it may be printed by accident.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { inspect } from 'node:util';
import { StError } from '../model/errors';
import type { SecretRef } from '../model/targets';
import { rememberSecret } from './scrub';

export interface Secret {
  /** The value itself. Keep it in no variable that outlives its use. */
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

export interface SecretOptions {
  env?: NodeJS.ProcessEnv;
  /** For `command:`, in milliseconds; 10 s by default. */
  timeoutMs?: number;
}

const maxSecretBytes = 64 * 1024;
const mask = '***';

/** Wraps a value so that printing, JSON and inspection show `***`. */
export function secret(value: string): Secret {
  return Object.freeze({
    reveal: () => value,
    toString: () => mask,
    toJSON: () => mask,
    [inspect.custom]: () => mask,
  });
}

/**
 * Reads what a reference points to. One trailing newline is not part of the secret. From now on `scrub` takes the value out of any text.
 * @throws StError SecretUnavailable, which names the reference and the reason but never the value.
 */
export async function resolveSecret(ref: SecretRef, options: SecretOptions = {}): Promise<Secret> {
  const [kind, rest] = splitReference(ref);
  const value = kind === 'env' ? fromEnvironment(rest, options.env ?? process.env) : kind === 'file' ? await fromFile(rest) : await fromCommand(rest, options);
  const trimmed = value.replace(/\r?\n$/, '');
  if (trimmed === '') throw unavailable(ref, 'it is empty');
  rememberSecret(trimmed);
  return secret(trimmed);
}

/**
 * Tells one state of a credential from the next without keeping it: a file by its modification, anything else by a digest.
 * Used to try again after a refusal only when the credential has changed.
 */
export async function credentialFingerprint(ref: SecretRef, options: SecretOptions = {}): Promise<string> {
  const [kind, rest] = splitReference(ref);
  if (kind === 'file') {
    const facts = await stat(rest).catch((error: NodeJS.ErrnoException) => { throw unavailable(ref, reasonOf(error)); });
    return `${facts.mtimeMs}:${facts.size}:${facts.ino}`;
  }
  return createHash('sha256').update((await resolveSecret(ref, options)).reveal()).digest('hex');
}

function splitReference(ref: SecretRef): ['env' | 'file' | 'command', string] {
  const match = /^(env|file|command):(.+)$/s.exec(ref);
  // The text is not repeated: it may be a literal secret put where a reference is due.
  if (!match) throw new StError('SecretUnavailable', 'A secret must be a reference: env:NAME, file:/absolute/path or command:program args.');
  return [match[1] as 'env' | 'file' | 'command', match[2]!];
}

function fromEnvironment(name: string, env: NodeJS.ProcessEnv): string {
  const value = env[name];
  if (value === undefined) throw unavailable(`env:${name}`, 'this variable is not set in the worker');
  return value;
}

async function fromFile(path: string): Promise<string> {
  const ref = `file:${path}`;
  if (!isAbsolute(path)) throw unavailable(ref, 'the path must be absolute');
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => { throw unavailable(ref, reasonOf(error)); });
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw unavailable(ref, 'it is not a regular file');
    if (facts.mode & 0o077) throw unavailable(ref, `its mode is ${(facts.mode & 0o777).toString(8)} and others may read it; run: chmod 600 ${path}`);
    if (facts.size > maxSecretBytes) throw unavailable(ref, `it is larger than ${maxSecretBytes} bytes`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Runs the program directly, so that nothing in the reference is shell code. Words are separated by spaces; "…" and '…' group. */
function fromCommand(line: string, options: SecretOptions): Promise<string> {
  const ref = `command:${line}`;
  const [program, ...args] = splitWords(line, ref);
  const limit = options.timeoutMs ?? 10_000;
  return new Promise((resolve, reject) => {
    const child = execFile(program!, args, { timeout: limit, killSignal: 'SIGKILL', maxBuffer: maxSecretBytes, env: options.env ?? process.env, encoding: 'utf8' }, (error, stdout) => {
      if (!error) return resolve(stdout);
      const failure = error as NodeJS.ErrnoException & { killed?: boolean; signal?: string };
      if (failure.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return reject(unavailable(ref, `it wrote more than ${maxSecretBytes} bytes`));
      if (failure.killed) return reject(unavailable(ref, `it did not end within ${limit} ms`));
      // What it printed may hold the secret, so only how it ended is told.
      return reject(unavailable(ref, typeof failure.code === 'number' ? `it ended with exit code ${failure.code}` : reasonOf(failure)));
    });
    child.stdin?.end();
  });
}

function splitWords(line: string, ref: string): string[] {
  const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3]!);
  if (words.length === 0 || words[0] === '') throw unavailable(ref, 'it names no program');
  return words;
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'it does not exist';
  if (error.code === 'EACCES') return 'the worker may not read it';
  return error.code ?? 'it failed';
}

function unavailable(ref: string, why: string): StError {
  return new StError('SecretUnavailable', `Secret ${ref} could not be read: ${why}.`);
}
