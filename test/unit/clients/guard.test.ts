import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { guardedCommand, readSharedEpoch } from '../../../src/clients/guard';
import { script } from '../../../src/clients/quote';
import { createSshPool, type Command, type SshPool } from '../../../src/clients/ssh';
import type { Authority } from '../../../src/model/targets';
import { until } from './support/ports';
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
const state = (): string => join(sshd.home, '.st-orchestrator');
beforeEach(() => rmSync(state(), { recursive: true, force: true }));

const authority = (epoch: number, cluster = 'demo'): Authority => ({ cluster, epoch, operation: `set-up-cluster/${cluster}` });
const run = (who: Authority, command: Command, timeoutMs = 30_000) => pool.run(sshd.access, guardedCommand(who, command), { timeoutMs });

test('the first effect on a host writes cluster and epoch, readable by the login only', async () => {
  expect((await run(authority(3), ['echo', 'did it'])).stdout).toBe('did it\n');
  expect(readFileSync(join(state(), 'epoch'), 'utf8')).toBe('demo 3\n');
  expect(statSync(state()).mode & 0o777).toBe(0o700);
});

test('a lower epoch is refused and its command does not run', async () => {
  await run(authority(10), ['true']);
  const mark = join(sshd.home, 'stale');
  await expect(run(authority(9), ['touch', mark])).rejects.toMatchObject({ code: 'StaleEpoch', message: expect.stringContaining('has seen epoch 10') });
  expect(existsSync(mark)).toBe(false);
  expect(readFileSync(join(state(), 'epoch'), 'utf8')).toBe('demo 10\n');
});

test('another cluster is refused, whatever its epoch', async () => {
  await run(authority(2), ['true']);
  await expect(run(authority(99, 'other'), ['true'])).rejects.toMatchObject({ code: 'ForeignCluster', message: expect.stringContaining('belongs to cluster demo') });
});

test('a damaged epoch file stops everything instead of counting as zero', async () => {
  await run(authority(7), ['true']);
  for (const content of ['demo x7\n', 'demo\n', '', '7\n']) {
    writeFileSync(join(state(), 'epoch'), content);
    await expect(run(authority(8), ['true'])).rejects.toMatchObject({ code: 'RemoteCommandFailed', message: expect.stringContaining('damaged') });
  }
});

test('the code, the output and the input of the command are its own', async () => {
  await expect(run(authority(1), script('echo bad >&2; exit 42'))).rejects.toMatchObject({ code: 'RemoteCommandFailed', message: expect.stringContaining('42') });
  const { stdout } = await pool.run(sshd.access, guardedCommand(authority(1), ['cat']), { timeoutMs: 10_000, stdin: "it's $HOME `x`\n" });
  expect(stdout).toBe("it's $HOME `x`\n");
  expect((await run(authority(1), script('umask; printf "%s" "$1"', ["a'b $(c)"]))).stdout).toMatch(/^0022\na'b \$\(c\)$/);
});

test('effects of one epoch run side by side', async () => {
  const file = join(sshd.home, 'meet');
  // Each waits for the other's mark: they end only when both run at once.
  const meet = (mine: string, other: string) => script('touch "$1$2"; i=0; until [ -e "$1$3" ]; do i=$((i+1)); [ $i -lt 100 ] || exit 1; sleep 0.05; done', [file, mine, other]);
  await Promise.all([run(authority(1), meet('a', 'b')), run(authority(1), meet('b', 'a'))]);
});

test('a newer operation waits for the command of the older one to end, and then the older can begin nothing', async () => {
  const begun = join(sshd.home, 'older-begun');
  const ended = join(sshd.home, 'older-ended');
  const older = run(authority(1), script('touch "$1"; sleep 1; touch "$2"', [begun, ended]));
  await until('the older runs', () => existsSync(begun));
  await run(authority(2), script('test -e "$1"', [ended]));
  await older;
  await expect(run(authority(1), ['true'])).rejects.toMatchObject({ code: 'StaleEpoch' });
});

test('a daemon that a command left behind holds up nobody', async () => {
  const { stdout } = await run(authority(1), script('setsid sleep 30 </dev/null >/dev/null 2>&1 & echo $!'));
  await run(authority(2), ['true'], 5000);
  await pool.run(sshd.access, ['kill', stdout.trim()], { timeoutMs: 5000 });
  expect(readFileSync(join(state(), 'epoch'), 'utf8')).toBe('demo 2\n');
});

test('of many newcomers at once the highest epoch stands at the end', async () => {
  await Promise.allSettled([5, 3, 9, 7, 1].map((epoch) => run(authority(epoch), ['true'])));
  expect(readFileSync(join(state(), 'epoch'), 'utf8')).toBe('demo 9\n');
});

test('on a host that clusters share each has an epoch of its own, which can be read; a damaged one is no epoch', async () => {
  const shared = (who: Authority) => pool.run(sshd.access, guardedCommand(who, ['true'], { sharedHost: true }), { timeoutMs: 10_000 });
  const seen = (cluster: string): Promise<number | null> => readSharedEpoch(pool, sshd.access, cluster, { timeoutMs: 10_000 });
  expect(await seen('demo')).toBeNull();
  await shared(authority(4));
  await shared(authority(2, 'other'));
  expect([await seen('demo'), await seen('other'), await seen('third')]).toEqual([4, 2, null]);
  writeFileSync(join(state(), 'clusters/demo/epoch'), 'demo\n');
  await expect(seen('demo')).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('damaged') });
});
