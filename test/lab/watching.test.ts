/** The monitor and the single look on real parts: what each fault looks like from outside, and how soon it is told. */
import type { WorkflowHandle } from '@temporalio/client';
import { until } from '../../lab/shell';
import { createClients } from '../../src/clients';
import type { ClusterHealth, NodeHealth } from '../../src/model/health';
import { serverTarget } from '../../src/model/slices';
import type { ClusterSpec } from '../../src/model/spec';
import { startLab, type Lab } from '../helpers/lab';
import { withOperations, type Operations } from '../helpers/operations';
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
  spec = lab.spec();
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
const allWell = () => seen('all is well', ({ health }) => health === 'ok', 40_000);

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

test('a Server whose Administration Tool is dead is Offline: its port refuses', async () => {
  await onHost('st2', 'stop_monitord');
  await onHost('st2', 'stop_admin');
  const { health, took } = await seen('st2 Offline', (one) => nodeIn(one, 'st2')?.state === 'Offline');
  console.log(`admin stopped → Offline after ${took} ms`);
  expect(nodeIn(health, 'st2')).toMatchObject({ why: 'the Administration Tool does not run: its port refuses', cause: 'refused' });
  await onHost('st2', 'start_admin');
  await allWell();
});

test('a Server that is frozen and one that is cut off are Unknown, one whose processes are all dead is Offline, and their hosts tell them apart', async () => {
  for (const [act, back, state, cause, why] of [
    ['freeze', 'thaw', 'Unknown', 'silent', /does not answer, but its host does \(port 22 is open\)/], ['cut', 'heal', 'Unknown', 'silent', /does not answer, nor does anything else of its host/], ['kill', 'start', 'Offline', 'refused', /its port refuses/],
  ] as const) {
    await lab.run(act, 'st3');
    const { health, took } = await seen(`st3 ${state} after ${act}`, (one) => nodeIn(one, 'st3')?.state === state);
    console.log(`${act} → ${state} after ${took} ms`);
    expect(nodeIn(health, 'st3')).toMatchObject({ cause, why: expect.stringMatching(why), lastSeen: expect.any(String) });
    expect(health).toMatchObject({ health: 'degraded', online: 2 });
    await lab.run(back, 'st3');
    if (act === 'kill') await onHost('st3', 'start_all');
    await allWell();
  }
});

test('a Server that is slow stays Online', async () => {
  await lab.run('slow', 'st1', '300ms');
  const changed = await seen('a change', ({ health }) => health !== 'ok', 5_000).then(({ health }) => health.problems, () => []);
  await lab.run('slow', 'st1', '0ms');
  expect(changed).toEqual([]);
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
  await lab.run('kill', 'ed1');
  const { health, took } = await seen('ed1 down', ({ problems }) => problems.includes('No Edge serves: no partner gets in.'));
  console.log(`Edge killed → told after ${took} ms`);
  expect(health).toMatchObject({ health: 'degraded', online: 3 });
  await lab.run('start', 'ed1');
  await onHost('ed1', 'start_all');
  await allWell();
});

test('a database that is gone is named as the one cause', async () => {
  await lab.run('kill', 'db1');
  const { health, took } = await seen('the database as the cause', ({ cause }) => cause?.code === 'database');
  console.log(`database killed → cause named after ${took} ms`);
  expect(took).toBeLessThan(6_000);
  expect(health.problems[0]).toMatch(/^The database does not serve: /);
  await lab.run('start', 'db1');
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
