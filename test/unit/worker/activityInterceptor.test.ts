import { Context } from '@temporalio/activity';
import { CancelledFailure, type ApplicationFailure, type LogLevel, type LogMetadata, type Logger } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { setTimeout as pause } from 'node:timers/promises';
import { waitsFor } from '../../../src/activities/context';
import { rememberSecret } from '../../../src/clients/scrub';
import { StError } from '../../../src/model/errors';
import { activityInterceptor } from '../../../src/worker/activityInterceptor';

interface Line { level: LogLevel; message: string; meta: LogMetadata }

function environment(info: ConstructorParameters<typeof MockActivityEnvironment>[0] = {}, more: { inner?: Error } = {}) {
  const lines: Line[] = [];
  const log = (level: LogLevel, message: string, meta: LogMetadata = {}): void => void lines.push({ level, message, meta });
  const logger: Logger = { log, trace: (m, x) => log('TRACE', m, x), debug: (m, x) => log('DEBUG', m, x), info: (m, x) => log('INFO', m, x), warn: (m, x) => log('WARN', m, x), error: (m, x) => log('ERROR', m, x) };
  const interceptors = [activityInterceptor(), ...(more.inner ? [() => ({ inbound: { execute: async () => { throw more.inner; } } })] : [])];
  const env = new MockActivityEnvironment({ activityType: 'hosts.ensureStopped', activityId: 'stop/st2', workflowExecution: { workflowId: 'add-node/demo/st4', runId: 'r' }, ...info }, { interceptors, logger });
  const beats: unknown[] = [];
  env.on('heartbeat', (details: unknown) => beats.push(details));
  const ours = (): Line[] => lines.filter(({ meta }) => 'outcome' in meta);
  return { env, beats, ours };
}

const unreachable = async (_input: object, _authority: object, _limits: object): Promise<never> => { throw new StError('Unreachable', 'no answer'); };
const failureOf = (run: Promise<unknown>): Promise<ApplicationFailure> => run.then(() => { throw new Error('it did not fail'); }, (error: ApplicationFailure) => error);
const spent = { triedMs: expect.any(Number), allMs: expect.any(Number), patienceMs: expect.any(Number) };
const authority = { cluster: 'demo', epoch: 3, operation: 'add-node/demo/st4' };

describe('every activity', () => {
  it('sends a heartbeat every 500 ms, and none after its end', async () => {
    const { env, beats } = environment();
    await env.run(async () => void (await pause(1_250)));
    expect(beats).toHaveLength(2);
    await pause(700);
    expect(beats).toHaveLength(2);
  });

  it('hands what is used up of its patience to the next attempt', async () => {
    const { env, beats } = environment({ heartbeatDetails: { triedMs: 5_000 }, attempt: 3 });
    expect(await failureOf(env.run(unreachable, {}, authority, { patienceMs: 60_000 }))).toMatchObject({ type: 'Unreachable', nonRetryable: false });
    expect(beats.at(-1)).toEqual(spent);
    expect((beats.at(-1) as { triedMs: number }).triedMs).toBeGreaterThanOrEqual(5_400);
  });

  it('hands over how long its first attempt took, which is no part of the patience, and nothing where it succeeds', async () => {
    const failing = environment();
    await failureOf(failing.env.run(async (...given) => (await pause(20), unreachable(...given)), {}, authority, { patienceMs: 60_000 }));
    expect(failing.beats).toEqual([{ triedMs: 0, allMs: expect.any(Number), patienceMs: 60_000 }]);
    expect((failing.beats[0] as { allMs: number }).allMs).toBeGreaterThanOrEqual(19);
    const succeeding = environment();
    await succeeding.env.run(async (_input: object, _authority: object, _limits: object) => undefined, {}, authority, { patienceMs: 60_000 });
    expect(succeeding.beats).toEqual([]);
  });

  it('tells with its heartbeat what it waits for and how long at most, while it does', async () => {
    const { env, beats } = environment({ attempt: 2 });
    await env.run(async (_input: object, _authority: object, _limits: object) => {
      waitsFor({ for: '2 sessions', names: 'alice, bob', leftMs: 60_000 });
      await pause(600);
      waitsFor(undefined);
      await pause(500);
    }, {}, authority, { patienceMs: 600_000 });
    const waiting = beats.filter((beat) => (beat as { waits?: unknown }).waits);
    expect(waiting).toEqual([{ ...spent, waits: { for: '2 sessions', names: 'alice, bob', leftMs: expect.any(Number) } }]);
    const { leftMs } = (waiting[0] as { waits: { leftMs: number } }).waits;
    expect(leftMs).toBeLessThanOrEqual(59_600);
    expect(leftMs).toBeGreaterThan(50_000);
    expect(beats.at(-1)).toEqual(spent);
  });

  it('fails for good when its patience is used up, and says how often it tried', async () => {
    const { env } = environment({ heartbeatDetails: { triedMs: 59_900 }, attempt: 14 });
    expect(await failureOf(env.run(unreachable, {}, authority, { patienceMs: 60_000 })))
      .toMatchObject({ type: 'Unreachable', nonRetryable: true, message: expect.stringMatching(/^no answer \(tried 14 times in 65 s\)$/) });
  });

  it('does not act at all when its last attempt used up everything and was never heard of again', async () => {
    const { env } = environment({ heartbeatDetails: { triedMs: 600_000 }, attempt: 3 });
    let acted = false;
    expect(await failureOf(env.run(async (_input: object, _authority: object, _limits: object) => void (acted = true), {}, authority, { patienceMs: 60_000 }))).toMatchObject({ type: 'NotYet', nonRetryable: true });
    expect(acted).toBe(false);
  });

  it('stops its heartbeat when it fails', async () => {
    const { env, beats } = environment();
    await failureOf(env.run(async () => { throw new Error('no'); }));
    await pause(600);
    expect(beats).toEqual([]);
  });

  it('fails with a code, one line and no stack', async () => {
    const { env } = environment();
    expect(await failureOf(env.run(async () => { throw new StError('HostKeyMismatch', 'st2: the key changed\nremove it'); })))
      .toMatchObject({ type: 'HostKeyMismatch', nonRetryable: true, message: 'st2: the key changed | remove it', stack: '' });
  });

  it('has the failures of inner interceptors sorted too', async () => {
    const { env } = environment({}, { inner: Object.assign(new Error('down'), { code: 'ECONNREFUSED' }) });
    expect(await failureOf(env.run(async () => undefined))).toMatchObject({ type: 'Unreachable', nonRetryable: false });
  });

  it('never reports a secret that was resolved in this process, nor logs it', async () => {
    rememberSecret('correct-horse-battery');
    const { env, ours } = environment();
    const failure = await failureOf(env.run(async () => { throw new Error('login with correct-horse-battery failed'); }));
    expect(failure.message).toBe('login with *** failed');
    expect(JSON.stringify(ours())).not.toContain('horse');
  });

  it('writes one line for each attempt, with cluster, operation, activity, duration and outcome', async () => {
    const { env, ours } = environment();
    await env.run(async (_input: object, _authority: object) => undefined, { host: { node: 'st2' } }, authority);
    expect(ours()).toEqual([{
      level: 'INFO', message: 'hosts.ensureStopped done',
      meta: expect.objectContaining({ cluster: 'demo', operation: 'add-node/demo/st4', node: 'st2', activityId: 'stop/st2', activityType: 'hosts.ensureStopped', attempt: 1, outcome: 'done', durationMs: expect.any(Number) }),
    }]);
  });

  it('writes a failed attempt as a warning with the sorted code, and a stack only when nobody foresaw it', async () => {
    const foreseen = environment();
    await failureOf(foreseen.env.run(async () => { throw new StError('Unreachable', 'no answer'); }));
    expect(foreseen.ours()[0]).toMatchObject({ level: 'WARN', meta: { outcome: 'failed', code: 'Unreachable', retried: true, reason: 'no answer' } });
    expect(foreseen.ours()[0]!.meta).not.toHaveProperty('stack');
    const surprise = environment();
    await failureOf(surprise.env.run(async () => { throw new TypeError('x is not a function'); }));
    expect(surprise.ours()[0]!.meta).toMatchObject({ code: 'TypeError', stack: expect.stringContaining('activityInterceptor.test') });
  });
});

describe('an activity that is told to stop', () => {
  const stopped = async (reason: 'CANCELLED' | 'WORKER_SHUTDOWN', thrown: Error) => {
    const made = environment();
    const run = made.env.run(async () => {
      await new Promise<void>((resolve) => Context.current().cancellationSignal.addEventListener('abort', () => resolve()));
      throw thrown;
    });
    made.env.cancel(reason);
    return { failure: await failureOf(run), ours: made.ours() };
  };

  it.each(['CANCELLED', 'WORKER_SHUTDOWN'] as const)('passes the cancellation on untouched (%s)', async (reason) => {
    const thrown = new CancelledFailure(reason);
    const { failure, ours } = await stopped(reason, thrown);
    expect(failure).toBe(thrown);
    expect(ours).toMatchObject([{ level: 'INFO', meta: { outcome: 'cancelled', reason } }]);
  });

  it.each([new StError('ConnectionLost', 'the channel closed'), new DOMException('aborted', 'AbortError'), new Error('socket hang up')])('is cancelled, whatever broke by stopping: %s', async (thrown) => {
    const { failure } = await stopped('WORKER_SHUTDOWN', thrown as Error);
    expect(failure).toBeInstanceOf(CancelledFailure);
    expect(failure.message).toBe('WORKER_SHUTDOWN');
  });

  it('still reports a refusal that no retry can cure', async () => {
    const { failure } = await stopped('CANCELLED', new StError('AuthenticationFailed', 'the password was refused'));
    expect(failure).toMatchObject({ type: 'AuthenticationFailed', nonRetryable: true });
  });
});
