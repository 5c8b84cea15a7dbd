/** Whom an operation of ours took out of the balancer, told from whom a person did: a real HAProxy, through a real sshd. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { loadBalancerActivities } from '../../../src/activities/loadBalancer';
import { haproxyOverSsh, type Haproxy } from '../../../src/clients/haproxy';
import { writeOutMark } from '../../../src/clients/outMarks';
import { createSshPool, type SshPool } from '../../../src/clients/ssh';
import { waitFor } from '../../../src/clients/waitFor';
import { StError } from '../../../src/model/errors';
import { takenOutByUs, type HeldOut, type OutMark } from '../../../src/model/outMark';
import type { Protocol } from '../../../src/model/spec';
import type { BalancerTarget } from '../../../src/model/targets';
import { startHaproxy, type TestHaproxy } from '../clients/support/haproxy';
import { freePort } from '../clients/support/ports';
import { startSshd, type TestSshd } from '../clients/support/sshd';

jest.setTimeout(60_000);

let sshd: TestSshd;
let pool: SshPool;
let node: Server;
let balancer: TestHaproxy;
let target: BalancerTarget;
let haproxy: Haproxy;
const limits = { timeoutMs: 5_000 };
const authority = { cluster: 'demo', epoch: 4, operation: 'rolling-restart/demo' };
beforeAll(async () => {
  sshd = await startSshd();
  pool = createSshPool();
  node = createServer((socket) => socket.on('error', () => undefined).end());
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
  const { port } = node.address() as { port: number };
  const front = await freePort();
  balancer = await startHaproxy(sshd, (folder) => [
    `  server-state-file ${folder}/states`,
    'defaults', '  mode tcp', '  timeout connect 1s', '  timeout client 1s', '  timeout server 1s', '  load-server-state-from-file global',
    'frontend ssh', `  bind 127.0.0.1:${front}`, `  use_backend %[str(demo),map(${folder}/site.map,none)]_ssh`,
    'backend demo_hc', `  server st1 127.0.0.1:${port} check inter 100`, `  server st2 127.0.0.1:${port} check inter 100`, '  server st3 127.0.0.1:1 check inter 100',
    'backend demo_prod_ssh', '  server st1 127.0.0.1:1 track demo_hc/st1', '  server st2 127.0.0.1:1 track demo_hc/st2',
  ], { states: '', 'site.map': 'demo demo_prod\n' });
  target = { cluster: 'demo', site: 'prod', name: 'lb1', ssh: sshd.access, socket: balancer.socket, map: `${balancer.folder}/site.map`, mapKey: 'demo', stateFile: `${balancer.folder}/states`, healthBackend: 'demo_hc', siteBackends: { prod: 'demo_prod' } };
  haproxy = haproxyOverSsh(pool, sshd.access, balancer.socket);
});
afterAll(async () => {
  await pool?.close();
  await balancer?.end();
  node?.close();
  await sshd?.remove();
});

const activities = () => loadBalancerActivities({ clients: { ssh: pool } as never });
const takeOut = (name: string) => activities().ensureOutOfService({ balancer: target, node: name, waitMs: 0 }, authority);
const putBack = (name: string) => activities().ensureServing({ balancer: target, node: name }, authority);
const byHand = (name: string, state: 'ready' | 'drain' | 'maint') => haproxy.setServerState('demo_hc', name, state, limits);
/** Who is out, as an operation hears of it that looks now. */
async function out(): Promise<{ byUs: string[]; byOthers: string[] }> {
  const { facts } = await activities().checkBalancer({ balancer: target, nodes: [] });
  return { byUs: (facts.takenOut ?? []).map(({ node: name, operation, epoch }) => `${name} by ${operation} (epoch ${epoch})`), byOthers: facts.heldOut ?? [] };
}

const marks = (): string => join(sshd.home, '.st-orchestrator/clusters/demo/out');
/** As if the marks had been written so long ago. */
function age(seconds: number): void {
  for (const name of readdirSync(marks())) {
    const [at = '', ...rest] = readFileSync(join(marks(), name), 'utf8').split('\n');
    writeFileSync(join(marks(), name), [String(Number(at) - seconds), ...rest].join('\n'));
  }
}
/** What is changed in HAProxy's first seconds can't be told from its start. */
const started = () => waitFor('HAProxy runs for a while', () => haproxy.uptime(limits), (seconds) => seconds >= 3, { timeoutMs: 20_000 });
const ours = (name: string): string => `${name} by rolling-restart/demo (epoch 4)`;
afterEach(async () => {
  for (const name of ['st1', 'st2']) await putBack(name);
  await byHand('st3', 'ready');
  expect(await out()).toEqual({ byUs: [], byOthers: [] });
});

test('what an operation took out is known as its own until it is put back, also where the health check had failed before', async () => {
  await takeOut('st1');
  await takeOut('st3');
  expect(await takeOut('st1')).toMatchObject({ changed: false });
  expect(await out()).toEqual({ byUs: [ours('st1'), ours('st3')], byOthers: [] });
  expect(await activities().ensureServing({ balancer: target, node: 'st1', ifOurs: true }, authority)).toMatchObject({ changed: true });
  expect(await out()).toEqual({ byUs: [ours('st3')], byOthers: [] });
  expect(readdirSync(marks())).toHaveLength(1);
});

test('what a person took out is a person\'s, and stays so when an operation takes it out too', async () => {
  await byHand('st1', 'maint');
  await byHand('st2', 'drain');
  expect(await out()).toEqual({ byUs: [], byOthers: ['st1', 'st2'] });
  await takeOut('st1');
  await takeOut('st2');
  expect(await out()).toEqual({ byUs: [], byOthers: ['st1', 'st2'] });
  expect(await activities().ensureServing({ balancer: target, node: 'st1', ifOurs: true }, authority)).toEqual({ changed: false, note: 'left out of lb1: no operation of this cluster took it out there' });
  expect((await haproxy.showServersState('demo_hc', limits)).find(({ server }) => server === 'st2')?.admin).toMatchObject({ forcedMaint: true });
});

test('one that was cut off while sessions ended is ours; made maintenance by a person it is the person\'s', async () => {
  await writeOutMark(pool, sshd.access, authority, { backend: 'demo_hc', node: 'st1', how: 'drain' }, { ...limits, purpose: 'marking' });
  expect(await out()).toEqual({ byUs: [], byOthers: [] });
  await byHand('st1', 'drain');
  expect(await out()).toEqual({ byUs: [ours('st1')], byOthers: [] });
  await byHand('st1', 'maint');
  expect(await out()).toEqual({ byUs: [], byOthers: ['st1'] });
});

test('a mark that was left behind makes no later maintenance ours', async () => {
  await takeOut('st1');
  await byHand('st1', 'ready');
  age(100);
  await started();
  await byHand('st1', 'maint');
  expect(await out()).toEqual({ byUs: [], byOthers: ['st1'] });
});

test('a start of HAProxy, which reads the states from its file, changes nothing of that', async () => {
  await takeOut('st1');
  age(100);
  await balancer.restart();
  expect(await out()).toEqual({ byUs: [ours('st1')], byOthers: [] });
  await started();
  expect(await out()).toEqual({ byUs: [ours('st1')], byOthers: [] });
  await byHand('st1', 'ready');
  await byHand('st1', 'maint');
  expect(await out()).toEqual({ byUs: [], byOthers: ['st1'] });
});

test('another cluster\'s marks are its own, and an operation that is over marks nothing', async () => {
  await expect(writeOutMark(pool, sshd.access, { ...authority, epoch: 3 }, { backend: 'demo_hc', node: 'st1', how: 'maint' }, { ...limits, purpose: 'marking' })).rejects.toMatchObject({ code: 'StaleEpoch' });
  await writeOutMark(pool, sshd.access, { ...authority, cluster: 'other' }, { backend: 'demo_hc', node: 'st1', how: 'maint' }, { ...limits, purpose: 'marking' });
  await byHand('st1', 'maint');
  expect(await out()).toEqual({ byUs: [], byOthers: ['st1'] });
});

describe('put back only when it is shown to serve', () => {
  const far = { tm: true, protocols: ['ssh'] as Protocol[], login: undefined as Error | undefined, tried: 0 };
  beforeEach(() => Object.assign(far, { tm: true, protocols: ['ssh'], login: undefined, tried: 0 }));
  const admin = {
    daemons: async () => ({ ssh: true }), transactionManager: async () => ({ running: far.tm }), listeners: async () => [{ isActive: true, port: 22 }],
    // The way to the test's sshd is open: a connection at this port is established.
    zones: async () => [{ name: 'Private', edges: [{ title: 'x', protocols: [{ protocol: 'ssh', port: sshd.access.port }] }] }],
  };
  const partner = { logIn: async () => {
    far.tried += 1;
    if (far.login) throw far.login;
    return { hostKey: 'SHA256:x' };
  } };
  const proven = (role: 'server' | 'edge', probe = true) => loadBalancerActivities({ clients: { ssh: pool, partner, admin: { server: () => admin } } as never }).ensureServing({
    balancer: target, node: 'st1', proof: { target: { node: 'st1', ssh: sshd.access, admin: {} } as never, role, protocols: far.protocols, ...(probe ? { probe: { account: 'probe', password: `file:${secret}` } } : {}) },
  }, authority);
  let secret: string;
  beforeAll(() => {
    secret = join(sshd.dir, 'password');
    writeFileSync(secret, 'x', { mode: 0o600 });
  });

  test.each(['server', 'edge'] as const)('%s: a login that is refused leaves it out, as ours; one that works puts it back', async (role) => {
    await takeOut('st1');
    far.login = new StError('AuthenticationFailed', 'the login was refused.');
    await expect(proven(role)).rejects.toMatchObject({ code: 'AuthenticationFailed', message: expect.stringMatching(/^st1 stays out of lb1, since it is not shown to serve: st1: the login was refused\..*"stctl set-up-cluster" puts it back/) });
    expect(await out()).toEqual({ byUs: [ours('st1')], byOthers: [] });
    far.login = undefined;
    expect(await proven(role)).toMatchObject({ changed: true });
    expect(far.tried).toBe(2);
  });
  test('one that is not Online stays out untried, also where there is no login to try', async () => {
    await takeOut('st1');
    far.tm = false;
    await expect(proven('server')).rejects.toMatchObject({ code: 'NotYet' });
    await expect(proven('server', false)).rejects.toMatchObject({ code: 'NotYet' });
    far.tm = true;
    expect(await proven('server', false)).toMatchObject({ changed: true });
    expect(far.tried).toBe(0);
  });
  test('an Edge of which one daemon does not run stays out', async () => {
    await takeOut('st1');
    far.protocols = ['ssh', 'http'];
    await expect(proven('edge', false)).rejects.toMatchObject({ code: 'NotYet', message: expect.stringContaining('st1 is not Online.') });
  });
  test('one that serves was never out, and needs no proof', async () => {
    far.tm = false;
    expect(await proven('server')).toMatchObject({ changed: false });
  });
});

const mark: Pick<OutMark, 'at' | 'how'> = { at: 1_000, how: 'maint' };
test.each<[string, HeldOut, typeof mark | undefined, boolean]>([
  ['no mark', { how: 'maint', sinceChange: 200, sinceStart: 900 }, undefined, false],
  ['in maintenance since the mark', { how: 'maint', sinceChange: 199, sinceStart: 900 }, mark, true],
  ['in maintenance since later', { how: 'maint', sinceChange: 100, sinceStart: 900 }, mark, false],
  ['in maintenance since HAProxy was started', { how: 'maint', sinceChange: 60, sinceStart: 60 }, mark, true],
  ['drained, and its health has changed since', { how: 'drain', sinceChange: 1, sinceStart: 900 }, { ...mark, how: 'drain' }, true],
  ['drained, the maintenance to come', { how: 'drain', sinceChange: 1, sinceStart: 900 }, mark, true],
  ['in maintenance, though we had only drained it', { how: 'maint', sinceChange: 199, sinceStart: 900 }, { ...mark, how: 'drain' }, false],
])('%s: ours or not', (_, held, about, expected) => {
  expect(takenOutByUs(held, about, 1_200)).toBe(expected);
});
