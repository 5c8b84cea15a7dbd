import { chmodSync, readFileSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createHaproxy, haproxyOverSsh, persistMap, readMapFile, type Haproxy } from '../../../src/clients/haproxy';
import { createSshPool, type SshPool } from '../../../src/clients/ssh';
import type { Authority } from '../../../src/model/targets';
import { startHaproxy, type TestHaproxy } from './support/haproxy';
import { freePort } from './support/ports';
import { startSshd, type TestSshd } from './support/sshd';

jest.setTimeout(30_000);

let sshd: TestSshd;
let pool: SshPool;
let balancer: TestHaproxy;
let haproxy: Haproxy;
let folder: string;
let map: string;
const limits = { timeoutMs: 5000 };
const authority = (epoch: number, cluster = 'demo'): Authority => ({ cluster, epoch, operation: `set-up-cluster/${cluster}` });

beforeAll(async () => {
  sshd = await startSshd();
  pool = createSshPool();
  const port = await freePort();
  balancer = await startHaproxy(sshd, (at) => [
    'defaults', '  mode tcp', '  timeout connect 1s', '  timeout client 1s', '  timeout server 1s',
    'frontend ssh', `  bind 127.0.0.1:${port}`, `  use_backend %[str(demo),map(${at}/site.map,none)]_ssh`,
    'backend demo_hc', '  server st1 127.0.0.1:1 check', '  server st2 127.0.0.1:1 check disabled',
    'backend demo_prod_ssh', '  server st1 127.0.0.1:1 track demo_hc/st1',
    'backend none_ssh', '  tcp-request content reject',
  ], { 'site.map': '# cluster, site\ndemo none\nother none\n' });
  folder = balancer.folder;
  map = join(folder, 'site.map');
  haproxy = haproxyOverSsh(pool, sshd.access, balancer.socket);
});
afterAll(async () => {
  await pool?.close();
  await balancer?.end();
  await sshd?.remove();
});

test('backends, the map and the figures are read through SSH', async () => {
  expect((await haproxy.showBackends(limits)).sort()).toEqual(['demo_hc', 'demo_prod_ssh', 'none_ssh']);
  expect(await haproxy.showMap(map, limits)).toEqual({ demo: 'none', other: 'none' });
  const figures = await haproxy.showStat(limits);
  expect(figures.find((row) => row['pxname'] === 'demo_hc' && row['svname'] === 'st1')).toMatchObject({ scur: '0', type: '2', status: expect.stringMatching(/^(UP|DOWN)/) });
});

test('the site is switched in memory, read back, and only to backends that exist', async () => {
  await haproxy.setMap(map, 'demo', 'demo_prod', ['demo_prod_ssh'], limits);
  expect(await haproxy.showMap(map, limits)).toEqual({ demo: 'demo_prod', other: 'none' });
  await expect(haproxy.setMap(map, 'demo', 'demo_prdo', ['demo_prdo_ssh'], limits)).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('demo_prdo_ssh') });
  await expect(haproxy.setMap(map, 'demo', 'x', [], limits)).rejects.toMatchObject({ code: 'Refused' });
  expect(await haproxy.showMap(map, limits)).toEqual({ demo: 'demo_prod', other: 'none' });
  await haproxy.setMap(map, 'third', 'none', ['none_ssh'], limits);
  expect(await haproxy.showMap(map, limits)).toMatchObject({ third: 'none' });
  await expect(haproxy.showMap('/no/such.map', limits)).rejects.toMatchObject({ code: 'Refused' });
});

test('one command on the health backend moves every backend that tracks it', async () => {
  const adminOf = async (backend: string): Promise<unknown> => (await haproxy.showServersState(backend, limits)).find(({ server }) => server === 'st1')?.admin;
  for (const [state, own, tracked] of [
    ['maint', { forcedMaint: true, forcedDrain: false }, { inheritedMaint: true, forcedMaint: false }],
    ['drain', { forcedMaint: false, forcedDrain: true }, { inheritedMaint: false, inheritedDrain: true }],
    ['ready', { forcedMaint: false, forcedDrain: false }, { inheritedMaint: false, inheritedDrain: false }],
  ] as const) {
    await haproxy.setServerState('demo_hc', 'st1', state, limits);
    expect(await adminOf('demo_hc')).toMatchObject(own);
    expect(await adminOf('demo_prod_ssh')).toMatchObject(tracked);
  }
});

test('a weight is set in one backend and read back, also of a server that tracks another', async () => {
  const weights = async (): Promise<unknown> => (await haproxy.showServersState(undefined, limits)).filter(({ server }) => server === 'st1').map(({ backend, weight }) => `${backend} ${weight}`);
  await haproxy.setServerWeight('demo_prod_ssh', 'st1', 7, limits);
  expect(await weights()).toEqual(expect.arrayContaining(['demo_hc 1', 'demo_prod_ssh 7']));
  await expect(haproxy.setServerWeight('demo_prod_ssh', 'st9', 7, limits)).rejects.toMatchObject({ code: 'Refused' });
  await haproxy.setServerWeight('demo_prod_ssh', 'st1', 1, limits);
});

test('a server that the configuration disables is ready when told so, and is still known as disabled there', async () => {
  await haproxy.setServerState('demo_hc', 'st2', 'ready', limits);
  expect((await haproxy.showServersState('demo_hc', limits)).find(({ server }) => server === 'st2')?.admin).toMatchObject({ configMaint: true, forcedMaint: false });
});

test('an unknown server or backend, and two commands in one, are refused', async () => {
  await expect(haproxy.setServerState('demo_hc', 'st9', 'ready', limits)).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('No such server') });
  await expect(haproxy.showServersState('nope', limits)).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining("Can't find backend") });
  await expect(haproxy.setServerState('demo_hc', 'st1 state maint; show info', 'ready', limits)).rejects.toMatchObject({ code: 'InvalidInput' });
});

test('an answer that broke off is a lost connection, and silence has its limit', async () => {
  const answers = ['', 'demo_hc\ndemo_pr', undefined];
  const server = createServer((socket) => {
    const answer = answers.shift();
    socket.once('data', () => { if (answer !== undefined) socket.end(answer); });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const far = createHaproxy(async () => connect(port, '127.0.0.1'));
  await expect(far.showBackends(limits)).rejects.toMatchObject({ code: 'ConnectionLost' });
  await expect(far.showBackends(limits)).rejects.toMatchObject({ code: 'ConnectionLost' });
  await expect(far.showBackends({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'NotYet' });
  server.close();
});

describe('the map file', () => {
  const write = (who: Authority, key: string, value: string): Promise<boolean> => persistMap(pool, sshd.access, who, { path: map, key, value }, { timeoutMs: 20_000 });

  test('is changed in one line, and only when it must be', async () => {
    expect(await write(authority(1), 'demo', 'demo_prod')).toBe(true);
    expect(await write(authority(1), 'demo', 'demo_prod')).toBe(false);
    expect(await write(authority(1), 'new', 'none')).toBe(true);
    expect(readFileSync(map, 'utf8')).toBe('# cluster, site\ndemo demo_prod\nother none\nnew none\n');
    expect(await readMapFile(pool, sshd.access, map, limits)).toEqual({ demo: 'demo_prod', other: 'none', new: 'none' });
    expect(readdirSync(folder).filter((name) => name.startsWith('site.map'))).toEqual(['site.map']);
  });

  test('is kept from an older operation of the same cluster, not from another cluster', async () => {
    await write(authority(7), 'demo', 'a');
    await expect(write(authority(6), 'demo', 'b')).rejects.toMatchObject({ code: 'StaleEpoch' });
    await write(authority(1, 'other'), 'other', 'c');
    expect(await readMapFile(pool, sshd.access, map, limits)).toMatchObject({ demo: 'a', other: 'c' });
  });

  test('keeps every line when several clusters write at once', async () => {
    const clusters = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'];
    await Promise.all(clusters.map((cluster) => write(authority(1, cluster), cluster, `${cluster}_prod`)));
    const content = await readMapFile(pool, sshd.access, map, limits);
    for (const cluster of clusters) expect(content[cluster]).toBe(`${cluster}_prod`);
  });

  test('is written also where its folder may not be', async () => {
    chmodSync(folder, 0o555);
    try {
      expect(await write(authority(8), 'demo', 'in_place')).toBe(true);
      expect(await readMapFile(pool, sshd.access, map, limits)).toMatchObject({ demo: 'in_place' });
    } finally {
      chmodSync(folder, 0o755);
    }
  });

  test('takes no value that would be more than a word', async () => {
    await expect(write(authority(8), 'demo', 'a b')).rejects.toMatchObject({ code: 'InvalidInput' });
    await expect(write(authority(8), 'demo', 'a\nevil x')).rejects.toMatchObject({ code: 'InvalidInput' });
  });
});
