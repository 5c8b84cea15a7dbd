/**
 * Long commands on a host, detached from the connection that started them: a lost connection or a dead worker loses nothing, a retry re-attaches.
 * Each job has a folder `$HOME/.st-orchestrator/jobs/<key>/` with `meta` (cluster, epoch, operation, hash of the command), `pid`, `output`, `result`
 * (the exit code) and `alive`, a file that the job's wrapper keeps locked for its whole life: "still running" is asked of the kernel, not of a pid.
 * A host whose logind ends a user's processes at logout (KillUserProcesses=yes) needs lingering for the login user (loginctl enable-linger).
 */
import { endpoint } from '../model/fields';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { StError } from '../model/errors';
import type { Authority, SshAccess } from '../model/targets';
import { guardedCommand } from './guard';
import { awaitScript, findScript, forgetScript, listScript, startScript, tellScript } from './remoteJobScripts';
import { commandLine, script } from './quote';
import type { Command, SshPool } from './ssh';

export interface JobRequest {
  /** Names the job on this host (`install-st2`): the step's key. Letters, digits, `.`, `_`, `-`. */
  key: string;
  command: Command;
}

export interface JobOptions {
  /** The whole call, in milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface JobEnd {
  /** `null`: it ended without leaving a result (host restarted, or killed by force). */
  code: number | null;
  /** The last part of what it wrote, stdout and stderr together. */
  output: string;
}

export interface JobMarker {
  key: string;
  cluster: string;
  epoch: number;
  operation: string;
  state: 'running' | 'ended';
}

/** A job of which its host knows. */
export interface JobFound {
  cluster: string;
  epoch: number;
  running: boolean;
  /** Of one that has ended; null: without leaving a result. */
  code: number | null;
  /** To whom its failure was told (`tellOfJob`); empty: to nobody. */
  told: string;
}

/** Bytes of a job's output that are brought back. */
const tailBytes = 4096;
/** One look waits on the host at most so long for the end, in seconds: short enough for a cancel, long enough to cost nothing. */
const lookSeconds = 5;

/**
 * Starts the job, unless it was started before under this key and epoch: then nothing is started.
 * Running jobs of other epochs are waited for first, and what they left is removed.
 * @throws StError StaleEpoch, ForeignCluster, NotYet (a foreign job still runs at the time-out), Bug (another command under the same key), and as `SshPool.run`.
 */
export async function startJob(pool: SshPool, access: SshAccess, authority: Authority, job: JobRequest, options: JobOptions): Promise<'started' | 'attached'> {
  const key = checkedKey(job.key);
  const command = commandLine(job.command);
  const deadline = performance.now() + options.timeoutMs;
  const hash = createHash('sha256').update(command).digest('hex');
  const start = script(startScript, [key, authority.cluster, String(authority.epoch), authority.operation, hash, command]);
  for (;;) {
    const { stdout } = await pool.run(access, guardedCommand(authority, start), { timeoutMs: left(deadline), signal: options.signal, purpose: `starting job ${key}` });
    const [answer, detail] = stdout.trim().split(' ');
    if (answer === 'started' || answer === 'attached') return answer;
    if (answer === 'differs') throw new StError('Bug', `${place(access)}: job ${key} of epoch ${authority.epoch} was started with another command.`);
    if (answer !== 'foreign') throw new StError('RemoteCommandFailed', `${place(access)}: starting job ${key}: unexpected answer: ${stdout.slice(0, 200)}`);
    if (performance.now() > deadline) throw new StError('NotYet', `${place(access)}: job ${detail} of an earlier operation still runs.`);
    await awaitForeignJobs(pool, access, authority, { ...options, timeoutMs: left(deadline) });
  }
}

/**
 * Waits until the job has ended.
 * @throws StError NotYet when it still runs at the time-out, Refused when there is no such job, and as `SshPool.run`.
 */
export async function awaitJob(pool: SshPool, access: SshAccess, key: string, options: JobOptions): Promise<JobEnd> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const seconds = Math.max(0, Math.min(lookSeconds, Math.floor(left(deadline) / 1000)));
    const { stdout } = await pool.run(access, script(awaitScript, [checkedKey(key), String(seconds), String(tailBytes)]), {
      timeoutMs: (seconds + 20) * 1000, signal: options.signal, purpose: `waiting for job ${key}`,
    });
    const newline = stdout.indexOf('\n');
    const state = stdout.slice(0, newline);
    const output = stdout.slice(newline + 1);
    if (state === 'missing') throw new StError('Refused', `${place(access)}: there is no job ${key}.`);
    if (state === 'vanished') return { code: null, output };
    if (state !== 'running') return { code: Number(state), output };
    if (performance.now() >= deadline) {
      throw new StError('NotYet', `${place(access)}: job ${key} still runs after ${options.timeoutMs} ms.${output.trim() === '' ? '' : ` Last output: ${output.trim().slice(-600)}`}`);
    }
    // Less than a second is left: the host's own wait counts whole seconds.
    if (seconds === 0) await delay(Math.min(100, left(deadline)), undefined, { signal: options.signal }).catch(() => options.signal?.throwIfAborted());
  }
}

/**
 * Starts the job or re-attaches, waits for its end and wants exit code 0. A failed one is forgotten, so that the next try starts it anew;
 * a successful one keeps its marker until `forgetJob`, so that a retry whose answer was lost does not run it again.
 * @throws StError RemoteCommandFailed with the end of the output, ConnectionLost when it ended without a result, and as `startJob`, `awaitJob`.
 */
export async function runJob(pool: SshPool, access: SshAccess, authority: Authority, job: JobRequest, options: JobOptions): Promise<JobEnd> {
  const deadline = performance.now() + options.timeoutMs;
  await startJob(pool, access, authority, job, options);
  const end = await awaitJob(pool, access, job.key, { ...options, timeoutMs: left(deadline) });
  if (end.code === 0) return end;
  await forgetJob(pool, access, authority, job.key, { timeoutMs: 10_000, signal: options.signal });
  const wrote = end.output.trim() === '' ? 'It wrote nothing.' : `It wrote: ${end.output.trim().slice(-1200)}`;
  if (end.code === null) throw new StError('ConnectionLost', `${place(access)}: job ${job.key} ended without a result (the host was restarted, or it was killed); how far it came is unknown. ${wrote}`);
  throw new StError('RemoteCommandFailed', `${place(access)}: job ${job.key} ended with exit code ${end.code}. ${wrote}`);
}

/** Removes the marker of an ended job; call it when the job's effect has been verified. A running one is left and told as NotYet. */
export async function forgetJob(pool: SshPool, access: SshAccess, authority: Authority, key: string, options: JobOptions): Promise<void> {
  const { stdout } = await pool.run(access, guardedCommand(authority, script(forgetScript, [checkedKey(key)])), { ...options, purpose: `removing the marker of job ${key}` });
  if (stdout.trim() === 'running') throw new StError('NotYet', `${place(access)}: job ${key} still runs, so its marker stays.`);
}

/** One look at a job, of whichever operation; undefined where the host knows none under this key. */
export async function findJob(pool: SshPool, access: SshAccess, key: string, options: JobOptions): Promise<JobFound | undefined> {
  const { stdout } = await pool.run(access, script(findScript, [checkedKey(key)]), { ...options, purpose: `looking for job ${key}` });
  const [state = '', cluster = '', epoch, told = ''] = stdout.trimEnd().split('\t');
  return state === 'missing' ? undefined : { cluster, epoch: Number(epoch), running: state === 'running', code: /^\d+$/.test(state) ? Number(state) : null, told };
}

/** Notes beside an ended job to whom its failure is about to be told, for what must not run twice: who has not heard of it yet reads the outcome, and does not start it again. */
export async function tellOfJob(pool: SshPool, access: SshAccess, authority: Authority, key: string, told: string, options: JobOptions): Promise<void> {
  await pool.run(access, guardedCommand(authority, script(tellScript, [checkedKey(key), told])), { ...options, purpose: `noting that the end of job ${key} is told` });
}

/** Every job that has a folder on the host. */
export async function listJobs(pool: SshPool, access: SshAccess, options: JobOptions): Promise<JobMarker[]> {
  const { stdout } = await pool.run(access, script(listScript), { ...options, purpose: 'listing the jobs on the host' });
  return stdout.split('\n').filter((line) => line !== '').map((line) => {
    const [key = '', state, cluster = '', epoch, operation = ''] = line.split('\t');
    return { key, state: state === 'running' ? 'running' : 'ended', cluster, epoch: Number(epoch), operation };
  });
}

/**
 * Waits for every running job of another epoch or cluster; a command that sudo runs for another user could not be ended by us.
 * @throws StError NotYet naming what still runs at the time-out.
 */
async function awaitForeignJobs(pool: SshPool, access: SshAccess, authority: Authority, options: JobOptions): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  for (const job of await listJobs(pool, access, options)) {
    if (job.state !== 'running' || (job.cluster === authority.cluster && job.epoch === authority.epoch)) continue;
    await awaitJob(pool, access, job.key, { ...options, timeoutMs: left(deadline) }).catch((error: unknown) => {
      // Removed by its owner meanwhile: it has ended, too.
      if (error instanceof StError && error.code === 'Refused') return;
      if (!(error instanceof StError) || error.code !== 'NotYet') throw error;
      throw new StError('NotYet', `${place(access)}: job ${job.key} of ${job.operation} (cluster ${job.cluster}, epoch ${job.epoch}) still runs after ${options.timeoutMs} ms.`);
    });
  }
}

function checkedKey(key: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(key)) return key;
  throw new StError('InvalidInput', `"${key.slice(0, 120)}" is no key of a job: letters, digits, ".", "_" and "-", at most 100.`);
}

const left = (deadline: number): number => Math.max(1, deadline - performance.now());
const place = (access: SshAccess): string => `${access.user}@${endpoint(access.address, access.port)}`;
