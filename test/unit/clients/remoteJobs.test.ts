import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { awaitJob, forgetJob, runJob, startJob } from '../../../src/clients/remoteJobs';
import { guardedCommand } from '../../../src/clients/guard';
import { script } from '../../../src/clients/quote';
import { createSshPool, type SshPool } from '../../../src/clients/ssh';
import type { Authority, SshAccess } from '../../../src/model/targets';
import { startRelay, until } from './support/ports';
import { startSshd, type TestSshd } from './support/sshd';

jest.setTimeout(30_000);

let sshd: TestSshd;
let pool: SshPool;
beforeAll(async () => {
  sshd = await startSshd();
  pool = createSshPool();
});
afterAll(async () => {
  await pool.close();
  await sshd.remove();
});
const jobs = (): string => join(sshd.home, '.st-orchestrator', 'jobs');
let marks = 0;
let mark: string;
beforeEach(() => {
  rmSync(join(sshd.home, '.st-orchestrator'), { recursive: true, force: true });
  mark = join(sshd.home, `mark-${(marks += 1)}`);
});

const authority = (epoch: number): Authority => ({ cluster: 'demo', epoch, operation: `add-node/demo/st${epoch}` });
const limits = { timeoutMs: 12_000 };
/** Counts its runs in `mark`, waits until `mark.go` exists, then says so. */
const waitsForGo = () => script('echo run >>"$1"; while [ ! -e "$1.go" ]; do sleep 0.05; done; echo finished', [mark]);
const go = (): Promise<unknown> => pool.run(sshd.access, ['touch', `${mark}.go`], limits);
const runs = (): number => readFileSync(mark, 'utf8').trim().split('\n').length;

test('a job runs once and its end is told with its output', async () => {
  const end = await runJob(pool, sshd.access, authority(1), { key: 'hello', command: script('echo out; echo err >&2') }, limits);
  expect(end).toEqual({ code: 0, output: 'out\nerr\n' });
  expect(statSync(join(sshd.home, '.st-orchestrator')).mode & 0o777).toBe(0o700);
  expect(statSync(join(jobs(), 'hello')).mode & 0o777).toBe(0o700);
});

test('a retry of a job that runs re-attaches, and one of a job that succeeded gets its result', async () => {
  expect(await startJob(pool, sshd.access, authority(1), { key: 'once', command: waitsForGo() }, limits)).toBe('started');
  expect(await startJob(pool, sshd.access, authority(1), { key: 'once', command: waitsForGo() }, limits)).toBe('attached');
  await go();
  expect(await awaitJob(pool, sshd.access, 'once', limits)).toEqual({ code: 0, output: 'finished\n' });
  expect(await runJob(pool, sshd.access, authority(1), { key: 'once', command: waitsForGo() }, limits)).toMatchObject({ code: 0 });
  expect(runs()).toBe(1);
});

test('ten starts at the same moment start one job', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => startJob(pool, sshd.access, authority(1), { key: 'crowd', command: waitsForGo() }, limits)));
  expect(answers.filter((answer) => answer === 'started')).toHaveLength(1);
  await go();
  await awaitJob(pool, sshd.access, 'crowd', limits);
  expect(runs()).toBe(1);
});

test('a lost connection does not touch the job', async () => {
  const relay = await startRelay(sshd.access.port);
  const access: SshAccess = { ...sshd.access, port: relay.port, knownHosts: sshd.writeKnownHosts('known_jobs', `[127.0.0.1]:${relay.port} ${sshd.hostKeyLine('ed25519')}\n`) };
  const request = { key: 'survivor', command: waitsForGo() };
  const running = runJob(pool, access, authority(1), request, limits);
  await until('the job runs', () => existsSync(mark));
  // The worker waits on the host by now, or is about to.
  relay.cut();
  await expect(running).rejects.toMatchObject({ code: expect.stringMatching(/ConnectionLost|Unreachable/) });
  await go();
  expect(await runJob(pool, access, authority(1), request, limits)).toMatchObject({ code: 0, output: 'finished\n' });
  expect(runs()).toBe(1);
  await relay.close();
});

test('a job that failed tells why and a retry starts it anew', async () => {
  const request = { key: 'fails', command: script('echo run >>"$1"; echo disk full; exit 4', [mark]) };
  for (const expected of [1, 2]) {
    await expect(runJob(pool, sshd.access, authority(1), request, limits)).rejects.toMatchObject({
      code: 'RemoteCommandFailed', message: expect.stringMatching(/job fails ended with exit code 4\. It wrote: disk full/),
    });
    expect(runs()).toBe(expected);
  }
});

test('a job that was killed by force has no result, and a retry starts it anew', async () => {
  await startJob(pool, sshd.access, authority(1), { key: 'killed', command: waitsForGo() }, limits);
  await until('it runs', () => existsSync(mark));
  const pid = readFileSync(join(jobs(), 'killed', 'pid'), 'utf8').trim();
  process.kill(-Number(pid), 'SIGKILL');
  expect(await awaitJob(pool, sshd.access, 'killed', limits)).toMatchObject({ code: null });
  await expect(runJob(pool, sshd.access, authority(1), { key: 'killed', command: waitsForGo() }, limits)).rejects.toMatchObject({ code: 'ConnectionLost', message: expect.stringContaining('how far it came is unknown') });
  await go();
  expect(await runJob(pool, sshd.access, authority(1), { key: 'killed', command: waitsForGo() }, limits)).toMatchObject({ code: 0 });
});

test('a stale operation starts nothing', async () => {
  await pool.run(sshd.access, guardedCommand(authority(5), ['true']), limits);
  await expect(startJob(pool, sshd.access, authority(4), { key: 'late', command: ['touch', mark] }, limits)).rejects.toMatchObject({ code: 'StaleEpoch' });
  expect(existsSync(mark)).toBe(false);
});

test('a job of an earlier epoch is waited for before another begins, and its marker is removed', async () => {
  await startJob(pool, sshd.access, authority(1), { key: 'old', command: waitsForGo() }, limits);
  await until('it runs', () => existsSync(mark));
  const newer = startJob(pool, sshd.access, authority(2), { key: 'new', command: script('test -e "$1.go"', [mark]) }, limits);
  await go();
  expect(await newer).toBe('started');
  expect(await awaitJob(pool, sshd.access, 'new', limits)).toMatchObject({ code: 0 });
  expect(readdirSync(jobs()).filter((name) => !name.startsWith('.'))).toEqual(['new']);
});

test('whoever takes a host over removes what ended jobs of earlier operations left there, and leaves those that run', async () => {
  await startJob(pool, sshd.access, authority(1), { key: 'runs', command: waitsForGo() }, limits);
  await runJob(pool, sshd.access, authority(1), { key: 'ended', command: ['true'] }, limits);
  await pool.run(sshd.access, guardedCommand(authority(1), ['true']), limits);
  expect(readdirSync(jobs()).sort()).toEqual(expect.arrayContaining(['ended', 'runs']));
  await pool.run(sshd.access, guardedCommand(authority(2), ['true']), limits);
  expect(readdirSync(jobs()).filter((name) => !name.startsWith('.'))).toEqual(['runs']);
  await go();
  await awaitJob(pool, sshd.access, 'runs', limits);
});

test('the same key under a newer epoch is a new job', async () => {
  const request = { key: 'install', command: script('echo run >>"$1"', [mark]) };
  await runJob(pool, sshd.access, authority(1), request, limits);
  await runJob(pool, sshd.access, authority(2), request, limits);
  expect(runs()).toBe(2);
});

test('a foreign job that does not end in time is named', async () => {
  await startJob(pool, sshd.access, authority(1), { key: 'endless', command: waitsForGo() }, limits);
  await expect(startJob(pool, sshd.access, authority(2), { key: 'next', command: ['true'] }, { timeoutMs: 400 })).rejects.toMatchObject({
    code: 'NotYet', message: expect.stringMatching(/endless of add-node\/demo\/st1 .*epoch 1/),
  });
  await go();
  await awaitJob(pool, sshd.access, 'endless', limits);
});

test('a job that somebody terminated is told as ended only when its program has ended', async () => {
  // Stands for a program under sudo: it goes on whatever is sent.
  const command = script('/bin/sh -c \'trap "" TERM; echo run >"$1"; while [ ! -e "$1.go" ]; do sleep 0.05; done\' sh "$1"; touch "$1.next"', [mark]);
  await startJob(pool, sshd.access, authority(1), { key: 'deaf', command }, limits);
  await until('it runs', () => existsSync(mark));
  process.kill(-Number(readFileSync(join(jobs(), 'deaf/pid'), 'utf8')), 'SIGTERM');
  await expect(awaitJob(pool, sshd.access, 'deaf', { timeoutMs: 500 })).rejects.toMatchObject({ code: 'NotYet' });
  await go();
  await awaitJob(pool, sshd.access, 'deaf', limits);
  // What came after it in the same job was not begun any more.
  expect(existsSync(`${mark}.next`)).toBe(false);
});

test('another command under the same key and epoch is a defect, not a re-attach', async () => {
  await runJob(pool, sshd.access, authority(1), { key: 'same', command: ['true'] }, limits);
  await expect(startJob(pool, sshd.access, authority(1), { key: 'same', command: ['false'] }, limits)).rejects.toMatchObject({ code: 'Bug' });
});

test('a marker is forgotten only when its job has ended', async () => {
  await startJob(pool, sshd.access, authority(1), { key: 'keep', command: waitsForGo() }, limits);
  await expect(forgetJob(pool, sshd.access, authority(1), 'keep', limits)).rejects.toMatchObject({ code: 'NotYet' });
  await go();
  await awaitJob(pool, sshd.access, 'keep', limits);
  await forgetJob(pool, sshd.access, authority(1), 'keep', limits);
  expect(existsSync(join(jobs(), 'keep'))).toBe(false);
  await expect(awaitJob(pool, sshd.access, 'keep', limits)).rejects.toMatchObject({ code: 'Refused' });
});

test('waiting is given up when cancelled, and the job goes on', async () => {
  await startJob(pool, sshd.access, authority(1), { key: 'goeson', command: waitsForGo() }, limits);
  const abort = new AbortController();
  const waiting = awaitJob(pool, sshd.access, 'goeson', { ...limits, signal: abort.signal });
  setTimeout(() => abort.abort(new Error('cancelled')), 100);
  await expect(waiting).rejects.toThrow('cancelled');
  await go();
  expect(await awaitJob(pool, sshd.access, 'goeson', limits)).toMatchObject({ code: 0 });
});

test('a long output is brought back by its end', async () => {
  const end = await runJob(pool, sshd.access, authority(1), { key: 'talks', command: ['seq', '1', '100000'] }, limits);
  expect(end.output.endsWith('99999\n100000\n')).toBe(true);
  expect(end.output.length).toBeLessThanOrEqual(4096);
});
