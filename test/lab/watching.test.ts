/** The monitor and the single look on real parts: what each fault looks like from outside, and how soon it is told. */
import type { WorkflowHandle } from '@temporalio/client';
import { until } from '../../lab/shell';
import { createClients } from '../../src/clients';
import type { ClusterEvent } from '../../src/model/events';
import type { ClusterHealth, NodeHealth } from '../../src/model/health';
import { serverTarget } from '../../src/model/slices';
import type { ClusterSpec } from '../../src/model/spec';
import { deadMount, mendMount, onHost as asRoot } from '../helpers/breaking';
import { startLab, type Lab } from '../helpers/lab';
import { withOperations, type Operations } from '../helpers/operations';
import { keepingProgram, kindsOf, toldEvents } from '../helpers/toldEvents';
import { connectGround, unique, type Ground } from '../helpers/workflows';

jest.setTimeout(240_000);

let ground: Ground;
let lab: Lab;
let spec: ClusterSpec;
let operations: Operations;
let monitor: WorkflowHandle;
let endWorker: () => Promise<void>;
const clients = createClients();
const taskQueue = unique('watching');

/** Quick looks: 500 ms between two, two must agree. What is told of silence comes within 0.5 + 2 x 0.5 s and what the test itself takes. */
const watched = { interval: 500, failuresToOffline: 2, calm: 1_000, for: 3_000 };

/** The first, or the successor of one that has ended, on the same queue. */
const startWorker = (): Promise<void> => new Promise<void>((ready, failed) => {
  const worker = withOperations(ground, (made) => new Promise<void>((end) => {
    operations = made;
    endWorker = () => { end(); return worker; };
    ready();
  }), { maxCachedWorkflows: 100, taskQueue });
  worker.catch(failed);
});

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 3, edges: 1 })]);
  spec = { ...lab.spec(), notifications: { command: keepingProgram(lab) } };
  await startWorker();
  await operations.run('setUpCluster', { cluster: lab.name, spec });
  monitor = await operations.start('monitorCluster', { cluster: lab.name, ...watched }, `monitor/${lab.name}`);
});
afterAll(async () => {
  await monitor?.terminate().catch(() => undefined);
  await endWorker?.();
  await clients.close();
  await lab?.down();
  await ground?.close();
});

const status = (): Promise<ClusterHealth> => monitor.query<ClusterHealth>('status');
/** Events of the monitor, oldest first. */
const told = (): ClusterEvent[] => toldEvents(lab).filter(({ kind }) => kind !== 'operation-ended').sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
/** Waits until as many events as these have been told since `before`; answers them. */
async function toldSince(before: number, wanted: readonly string[], withinMs = 15_000): Promise<ClusterEvent[]> {
  await until(`the events ${wanted.join(', ')}`, () => told().length - before >= wanted.length, withinMs).catch(() => undefined);
  const events = told().slice(before);
  expect(kindsOf(events)).toEqual([...wanted].sort());
  return events;
}
const all = <T>(names: readonly string[], act: (name: string) => Promise<T>): Promise<T[]> => Promise.all(names.map(act));
const servers = ['st1', 'st2', 'st3'];
const nodeIn = (health: ClusterHealth, name: string): NodeHealth | undefined => health.nodes.find(({ node }) => node === name);
const onHost = (node: string, command: string) => clients.ssh.run(serverTarget(spec, 'prod', node).ssh, ['sudo', '-n', '-u', 'axway', `/opt/axway/SecureTransport/bin/${command}`], { timeoutMs: 30_000, purpose: command });

/** Waits until the status says so; answers it, and how long it took in milliseconds. */
async function seen(what: string, test: (health: ClusterHealth) => boolean, withinMs = 15_000): Promise<{ health: ClusterHealth; took: number }> {
  const began = Date.now();
  let health = await status();
  await until(what, async () => test(health = await status()), withinMs).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(health, null, 1)}`);
  });
  return { health, took: Date.now() - began };
}
/** And has been for as long as it takes until nobody is told of anything any more. */
const allWell = () => seen('all is well', ({ health, watch }) => health === 'ok' && watch!.incidents.length === 0, 40_000);

test('a cluster that works is ok: every node Online with its services, version, balancer and streaming connections', async () => {
  const { health, took } = await allWell();
  console.log(`first ok after ${took} ms`);
  expect(health).toMatchObject({ kind: 'ClusterHealth', cluster: lab.name, site: 'prod', online: 3, members: 3, minimumNodes: 2, problems: [] });
  expect(nodeIn(health, 'st2')).toMatchObject({ role: 'server', state: 'Online', services: { running: 5, of: 5, stopped: [] }, version: expect.stringMatching(/^5\.5/), streaming: { connected: 1, of: 1, missing: [] } });
  expect(nodeIn(health, 'ed1')).toMatchObject({ role: 'edge', state: 'Online', streaming: { connected: 3, of: 3 }, balancer: [{ name: 'lb1', wanted: 'UP', runtime: 'UP', file: 'UP' }] });
  expect(health.watch).toMatchObject({ interval: 500, failuresToOffline: 2, quorum: 1, incidents: [], vantage: [{ fresh: true }] });
});

test('a Server whose Transaction Manager is dead is Offline, and says that only that is', async () => {
  await onHost('st2', 'stop_monitord');
  await onHost('st2', 'stop_tm');
  const { health, took } = await seen('st2 Offline', (one) => nodeIn(one, 'st2')?.state === 'Offline');
  console.log(`TM stopped → Offline after ${took} ms`);
  expect(nodeIn(health, 'st2')).toMatchObject({ why: 'the Transaction Manager does not run', cause: 'TM stopped', services: { stopped: expect.arrayContaining(['Transaction Manager']) } });
  expect(health).toMatchObject({ health: 'degraded', online: 2 });
  await onHost('st2', 'start_tm');
  await allWell();
});

test('a Server whose Transaction Manager hangs is Offline with that cause, once for as long as it hangs, and Online again when it goes on', async () => {
  // One that has not been down a moment ago: such a one is given a minute to be heard of.
  await onHost('st3', 'stop_monitord');
  const estate = await lab.status();
  const signal = (name: string): Promise<unknown> => asRoot(estate, 'st3', `kill -${name} "$(cat /opt/axway/SecureTransport/var/run/tm.pid)"`);
  const before = told().length;
  await signal('STOP');
  try {
    const { health, took } = await seen('st3 Offline', (one) => nodeIn(one, 'st3')?.state === 'Offline', 40_000);
    console.log(`TM hangs → Offline after ${took} ms`);
    const why = 'its Transaction Manager hangs: it runs, and the product has heard nothing of it for a while';
    expect(nodeIn(health, 'st3')).toMatchObject({ cause: 'TM hangs', why, services: { stopped: [] } });
    expect(health).toMatchObject({ health: 'degraded', online: 2, problems: [`st3 is Offline: ${why}`] });
    const look = await operations.start('checkHealth', { cluster: lab.name });
    expect(nodeIn((await look.result()) as ClusterHealth, 'st3')).toMatchObject({ state: 'Offline', cause: 'TM hangs' });
    expect(nodeIn(await status(), 'st3')).toMatchObject({ state: 'Offline', since: nodeIn(health, 'st3')!.since });
  } finally {
    await signal('CONT');
  }
  await allWell();
  // Enough are left: nobody is told.
  expect(told()).toHaveLength(before);
  await onHost('st3', 'start_monitord');
});

test('a Server whose Administration Tool is dead is Offline: its port refuses', async () => {
  await onHost('st2', 'stop_monitord');
  await onHost('st2', 'stop_admin');
  const { health, took } = await seen('st2 Offline', (one) => nodeIn(one, 'st2')?.state === 'Offline');
  console.log(`admin stopped → Offline after ${took} ms`);
  expect(nodeIn(health, 'st2')).toMatchObject({ why: 'the Administration Tool does not run: its port refuses', cause: 'refused' });
  await onHost('st2', 'start_admin');
  await allWell();
});

test('a Server and an Edge that are frozen or cut off are Unknown, with all their processes dead they are Offline, and their hosts tell them apart', async () => {
  const broken = ['st3', 'ed1'];
  for (const [act, back, state, cause, why] of [
    ['freeze', 'thaw', 'Unknown', 'silent', /does not answer, but its host does \(port 22 is open\)/], ['cut', 'heal', 'Unknown', 'silent', /does not answer, nor does anything else of its host/], ['kill', 'start', 'Offline', 'refused', /its port refuses/],
  ] as const) {
    await all(broken, (node) => lab.run(act, node));
    const { health, took } = await seen(`${broken.join(' and ')} ${state} after ${act}`, (one) => broken.every((node) => nodeIn(one, node)?.state === state));
    console.log(`${act} → ${state} after ${took} ms`);
    for (const node of broken) expect(nodeIn(health, node)).toMatchObject({ cause, why: expect.stringMatching(why), lastSeen: expect.any(String) });
    expect(health).toMatchObject({ health: 'degraded', online: 2 });
    await all(broken, (node) => lab.run(back, node));
    if (act === 'kill') await all(broken, (node) => onHost(node, 'start_all'));
    await allWell();
  }
});

test('Servers and an Edge that are slow, and a Server whose clock is an hour off, stay Online', async () => {
  const slow = ['st1', 'st2', 'ed1'];
  await Promise.all([...slow.map((node) => lab.run('slow', node, '300ms')), lab.run('skew', 'st3', '3600s')]);
  const changed = await seen('a change', ({ health }) => health !== 'ok', 5_000).then(({ health }) => health.problems, () => []);
  await Promise.all([...slow.map((node) => lab.run('slow', node, '0ms')), lab.run('skew', 'st3', '0s')]);
  expect(changed).toEqual([]);
});

test('Administration Tools that hang after the headers, answer nonsense, 500 or with a reset are Unknown, each in its words; that these are too few is told, and told again when it has lasted', async () => {
  await allWell();
  const before = told().length;
  const ways = { st1: 'hang', st2: 'nonsense', st3: '500', ed1: 'reset' };
  const began = Date.now();
  await Promise.all(Object.entries(ways).map(([node, how]) => lab.run('answers', node, how)));
  const { health } = await seen('all Unknown', ({ nodes }) => nodes.every(({ state }) => state === 'Unknown'));
  console.log(`four that answer wrongly → Unknown ${Date.now() - began} ms after the first order`);
  expect(Date.now() - began).toBeLessThan(6_000);
  const why = Object.fromEntries(health.nodes.map(({ node, cause, why: words }) => [node, `${cause}: ${words}`]));
  expect(why).toEqual({
    st1: expect.stringMatching(/^silent: the Administration Tool does not answer, but its host does/), st2: expect.stringMatching(/^nonsense: .*answers what nobody understands/),
    st3: expect.stringMatching(/^nonsense: .*answers with 500: /), ed1: 'nonsense: the Administration Tool hangs up without an answer',
  });
  expect(health).toMatchObject({ health: 'below threshold', online: 0 });
  const events = await toldSince(before, ['threshold-lost', 'no-edge', ...servers.map((name) => `node-failed ${name}`), 'below-threshold']);
  const at = (kind: string): number => Date.parse(events.find((event) => event.kind === kind)!.at);
  console.log(`threshold lost → below-threshold after ${at('below-threshold') - at('threshold-lost')} ms`);
  expect(at('below-threshold') - at('threshold-lost')).toBeGreaterThanOrEqual(watched.for);
  expect(at('below-threshold') - at('threshold-lost')).toBeLessThan(watched.for + 2_500);
  await all(Object.keys(ways), (node) => lab.run('answers', node, 'well'));
  await allWell();
  expect(new Set((await toldSince(before + events.length, ['threshold-restored', 'node-recovered', ...servers.map((name) => `node-recovered ${name}`)])).map(({ incident }) => incident))).toEqual(new Set([events[0]!.incident]));
});

test('when no node answers the threshold is lost; when nothing of the site does, our own network is named and nothing more is claimed', async () => {
  const before = told().length;
  await all([...servers, 'ed1'], (node) => lab.run('cut', node));
  const lost = await seen('all Unknown', ({ health, nodes }) => health === 'below threshold' && nodes.every(({ state }) => state === 'Unknown'));
  console.log(`all nodes cut off → told after ${lost.took} ms`);
  expect(lost.health.cause).toBeUndefined();
  await all(['db1', 'lb1'], (host) => lab.run('cut', host));
  const { took, health } = await seen('our network', ({ cause }) => cause?.code === 'our network', 30_000);
  console.log(`all else too → our network after ${took} ms`);
  expect(health).toMatchObject({ health: 'unknown', problems: [expect.stringMatching(/^Nothing of this site answers from here/)] });
  await all([...servers, 'ed1', 'db1', 'lb1'], (host) => lab.run('heal', host));
  await allWell();
  const back = ['threshold-restored', 'node-recovered', ...servers.map((name) => `node-recovered ${name}`)];
  await toldSince(before, ['threshold-lost', 'no-edge', ...servers.map((name) => `node-failed ${name}`), 'below-threshold', ...back]);
});

test('shared files that hang on every Server are one cause, named once', async () => {
  const before = told().length;
  const status = await lab.status();
  await all(servers, (node) => deadMount(status, node));
  const { health, took } = await seen('the shared files as the cause', ({ cause }) => cause?.code === 'shared files', 20_000);
  console.log(`shared files hang → cause named after ${took} ms`);
  expect(health).toMatchObject({ online: 3, problems: [expect.stringMatching(/^The shared files do not serve: \/srv\/st\/shared hangs on st/)] });
  await all(servers, (node) => mendMount(status, node));
  await allWell();
  expect(told().slice(before)).toEqual([]);
});

test('the only balancer that is gone is named and told, and is no failure of a node', async () => {
  const before = told().length;
  await lab.run('kill', 'lb1');
  const killed = Date.now();
  const { health, took } = await seen('the balancer', ({ problems }) => problems.length > 0);
  console.log(`balancer killed → named after ${took} ms`);
  expect(took).toBeLessThan(6_000);
  expect(health).toMatchObject({ health: 'degraded', online: 3, problems: [expect.stringMatching(/^lb1 can't be asked: /)] });
  const [down] = await toldSince(before, ['balancer-down lb1']);
  console.log(`balancer killed → told after ${Date.parse(down!.at) - killed} ms`);
  expect(Date.parse(down!.at) - killed).toBeLessThan(8_000);
  expect(down).toMatchObject({ severity: 'critical', summary: expect.stringMatching(/^No load balancer of .* serves, .*: lb1 can't be asked: /), now: expect.stringMatching(/^3 of 3 Servers are Online/) });
  await lab.run('start', 'lb1');
  await allWell();
  const [, up] = await toldSince(before, ['balancer-down lb1', 'balancer-up lb1']);
  expect(up!.incident).toBe(down!.incident);
});

test('a Server that flaps beside one that is down is one incident: a mail for each at the begin, one at its end with the count, and no threshold event', async () => {
  const before = told().length;
  await monitor.executeUpdate('configure', { args: [{ ...watched, for: 60_000, calm: 4_000 }] });
  await allWell();
  await onHost('st2', 'stop_monitord');
  await onHost('st2', 'stop_tm');
  await seen('st2 Offline', (one) => nodeIn(one, 'st2')?.state === 'Offline');
  for (let flap = 0; flap < 3; flap += 1) {
    await lab.run('freeze', 'st3');
    await seen('st3 away', (one) => nodeIn(one, 'st3')?.state !== 'Online');
    await lab.run('thaw', 'st3');
    // One that flaps is believed only after some good looks.
    if (flap < 2) await seen('st3 back', (one) => nodeIn(one, 'st3')?.state === 'Online');
  }
  await onHost('st2', 'start_tm');
  await allWell();
  const events = await toldSince(before, ['threshold-lost', 'node-failed st2', 'node-failed st3', 'threshold-restored', 'node-recovered st2', 'node-recovered st3']);
  expect(new Set(events.map(({ incident }) => incident)).size).toBe(1);
  expect(events.find(({ kind, node }) => kind === 'node-recovered' && node === 'st3')!.summary).toMatch(/is Online again, after it failed [23] times\.$/);
  await monitor.executeUpdate('configure', { args: [watched] });
});

test('one look answers the same, and fails on what it was asked to fail on', async () => {
  await allWell();
  const look = (input: object = {}): Promise<ClusterHealth> => operations.run('checkHealth', { cluster: lab.name, ...input }) as unknown as Promise<ClusterHealth>;
  expect(await look({ failWhen: 'degraded' })).toMatchObject({ kind: 'ClusterHealth', cluster: lab.name, health: 'ok', online: 3, members: 3, problems: [] });
  await onHost('st2', 'stop_monitord');
  await onHost('st2', 'stop_tm');
  expect(await look()).toMatchObject({ health: 'degraded', online: 2 });
  expect(await operations.fail('checkHealth', { cluster: lab.name, failWhen: 'degraded' })).toMatchObject({ type: 'Degraded', message: expect.stringContaining('2 of 3 Servers are Online') });
  await onHost('st2', 'start_tm');
  await allWell();
});

test('when the only Edge is dead it is said that no partner gets in', async () => {
  const before = told().length;
  await lab.run('kill', 'ed1');
  const { health, took } = await seen('ed1 down', ({ problems }) => problems.includes('No Edge serves: no partner gets in.'));
  console.log(`Edge killed → told after ${took} ms`);
  expect(health).toMatchObject({ health: 'degraded', online: 3 });
  await lab.run('start', 'ed1');
  await onHost('ed1', 'start_all');
  await allWell();
  await toldSince(before, ['no-edge', 'node-recovered']);
});

test('a database that is gone is named as the one cause and told, though every node goes on', async () => {
  const before = told().length;
  await lab.run('kill', 'db1');
  const killed = Date.now();
  const { health, took } = await seen('the database as the cause', ({ cause }) => cause?.code === 'database');
  console.log(`database killed → cause named after ${took} ms`);
  expect(took).toBeLessThan(6_000);
  expect(health.problems[0]).toMatch(/^The database does not serve: /);
  const [down] = await toldSince(before, ['database-down']);
  console.log(`database killed → told after ${Date.parse(down!.at) - killed} ms`);
  expect(Date.parse(down!.at) - killed).toBeLessThan(8_000);
  await lab.run('start', 'db1');
  await allWell();
  await toldSince(before, ['database-down', 'database-up']);
});

test('a refused login is the one cause, and what others answer counts on', async () => {
  await lab.run('answers', 'st3', '401');
  const { health, took } = await seen('the login as the cause', ({ cause }) => cause?.code === 'credentials');
  console.log(`401 → cause named after ${took} ms`);
  expect(nodeIn(health, 'st3')).toMatchObject({ state: 'Unknown', cause: 'credentials' });
  expect(health).toMatchObject({ health: 'degraded', online: 2, problems: [expect.stringMatching(/^The login is refused \(st3\): nothing more is tried/)] });
  await lab.run('answers', 'st3', 'well');
  // Only a worker that knows nothing of the refusal tries again.
  await endWorker();
  await startWorker();
  await allWell();
});

test('a change while the worker is away is seen within 10 s of its successor', async () => {
  await endWorker();
  await onHost('st2', 'stop_monitord');
  await onHost('st2', 'stop_tm');
  await startWorker();
  const { health, took } = await seen('st2 Offline', (one) => nodeIn(one, 'st2')?.state === 'Offline', 20_000);
  console.log(`worker back → Offline after ${took} ms`);
  expect(took).toBeLessThan(10_000);
  expect(nodeIn(health, 'st2')).toMatchObject({ cause: 'TM stopped' });
  await onHost('st2', 'start_tm');
  await allWell();
});
