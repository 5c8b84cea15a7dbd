/** Nodes restarted one after the other while partners send: nothing lost, nothing doubled, and the cluster safe whatever fails meanwhile. */
import type { Client } from 'ssh2';
import { until } from '../../lab/shell';
import { edgeActivities } from '../../src/activities/edges';
import { serverActivities } from '../../src/activities/servers';
import { stopActivities } from '../../src/activities/stops';
import { askStops } from '../../src/activities/stopMarkers';
import { createClients } from '../../src/clients';
import { haproxyOverSsh } from '../../src/clients/haproxy';
import { look } from '../../src/control/operations';
import type { OperationReport } from '../../src/model/operation';
import { balancerTargets, serverTarget } from '../../src/model/slices';
import type { ClusterSpec } from '../../src/model/spec';
import { enoughPartners, hangAtWork } from '../helpers/hangAtWork';
import { servingWorker, type ServingWorker } from '../helpers/servingWorker';
import { startLab, type Lab } from '../helpers/lab';
import { activeOn, clusterDatabase, ledger, settledLedger } from '../helpers/partnersFiles';
import { keepSending, logInAsPartner } from '../helpers/retryingPartner';
import { startWorkerProcess } from '../helpers/faults/workerProcess';
import { connectGround, unique, type Ground } from '../helpers/workflows';

jest.setTimeout(180_000);

let ground: Ground;
let lab: Lab;
let spec: ClusterSpec;
let cluster: string;
let worker: ServingWorker;
const clients = createClients();

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 3, edges: 2 })]);
  spec = lab.spec();
  cluster = spec.metadata.name;
  worker = await servingWorker(ground);
  await worker.run('setUpCluster', { cluster, spec });
});
afterAll(async () => {
  await worker?.end();
  await clients.close();
  await lab?.down();
  await ground?.close();
});

const target = (node: string) => serverTarget(spec, 'prod', node);
const pidOf = async (node: string, service: string): Promise<number | undefined> => (await lab.status()).hosts.find(({ name }) => name === node)!.pids[service];
const stateOf = async (node: string): Promise<{ tm: boolean; ssh: boolean | undefined }> => {
  const admin = clients.admin.server(target(node).admin);
  const [tm, daemons] = await Promise.all([admin.transactionManager(), admin.daemons()]);
  return { tm: tm.running, ssh: daemons.ssh };
};
/** As the product's user, on the shared files. */
const onShared = (program: string, path: string) => clients.ssh.run(target('st1').ssh, ['env', 'LC_ALL=C', 'sudo', '-n', '-u', 'axway', program, path], { timeoutMs: 10_000, purpose: program });
const stepsOf = (report: OperationReport) => report.steps.map(({ key }) => key);

test('a rolling restart under load goes node by node, takes one Edge at a time out of the balancer, and no acknowledged file is lost or doubled', async () => {
  const before = Object.fromEntries(await Promise.all(['st1', 'st2', 'st3'].map(async (node) => [node, await pidOf(node, 'tm')])));
  const plan = await worker.run('rollingRestart', { cluster, dryRun: true });
  expect(plan.steps.filter(({ node }) => node === 'st2').map(({ key }) => key)).toEqual(['room/st2', 'drain/st2', 'stop/st2', 'online/st2', 'connected/st2', 'sweep/st2', 'connected/ed1/st2', 'connected/ed2/st2']);
  expect(plan.steps.filter(({ node }) => node?.startsWith('ed1')).map(({ key }) => key).slice(-8)).toEqual(['login/st3/ed1', 'room/ed1', 'out/ed1 at lb1', 'drain/ed1', 'stop/ed1', 'online/ed1', 'login/ed1', 'serving/ed1 at lb1']);

  const load = lab.run('load', '--partners', '6', '--rate', '8', '--for', '30s');
  await until('files to be processed', async () => (await ledger(lab)).processed > 5, 20_000, 250);
  const retrying = keepSending(spec, (await lab.status()).balancer.address);
  const began = Date.now();
  const report = await worker.run('rollingRestart', { cluster, gracefulTimeout: '4s' });
  const { sent, again, failed } = await retrying.end();
  process.stderr.write(`a partner that tries twice: ${sent} sent, ${again} of them at the second try\n`);
  expect(failed).toEqual([]);
  expect(sent).toBeGreaterThan(20);
  process.stderr.write(`rolling restart of 3 Servers and 2 Edges: ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [], summary: `5 nodes of ${cluster} restarted (st1, st2, st3, ed1, ed2).` });
  expect(stepsOf(report)).toEqual(stepsOf(plan));
  for (const node of ['st1', 'st2', 'st3']) {
    expect(await pidOf(node, 'tm')).not.toBe(before[node]);
    expect(await stateOf(node)).toEqual({ tm: true, ssh: true });
  }
  process.stderr.write(`${await load}`);
  const end = await settledLedger(lab);
  process.stderr.write(`${JSON.stringify(end)}\n`);
  expect(end).toMatchObject({ lost: [], doubled: [], failed: [], stranded: [] });
  expect(end.processed).toBe(end.acknowledged);
  expect(end.acknowledged).toBeGreaterThan(50);
  expect((await lab.snapshot()).balancer?.servers).toMatchObject({ [`${cluster}_hc/ed1`]: 'ready', [`${cluster}_hc/ed2`]: 'ready' });
});

test('what would go below the threshold, close the front door, or was named as blocking is refused before anything is stopped', async () => {
  const { message } = await worker.fail('rollingRestart', { cluster, parallel: 2, nodes: ['st1', 'st2', 'ed1', 'ed2'] });
  expect(message).toContain('while st1 and st2 are down, 1 other Server would be Online, and 2 must stay');
  expect(message).toContain('while ed1 and ed2 are down, 0 other Edges would be Online, and 1 must stay');
  expect((await worker.fail('rollingRestart', { cluster, nodes: ['st9'] })).message).toContain('st9 is no member of the cluster');
});

test('run again with the time of the first run it restarts only what has not been restarted', async () => {
  const since = new Date(Date.now() - 1_000).toISOString();
  await worker.run('rollingRestart', { cluster, nodes: ['st2'], gracefulTimeout: '2s' });
  const plan = await worker.run('rollingRestart', { cluster, nodes: ['st1', 'st2'], startedBefore: since, dryRun: true });
  expect([...new Set(plan.steps.map(({ node }) => node))]).toEqual(['st1', 'ed1', 'ed2']);
});

test('a node that dies while another is being restarted stops it: the one under way comes back, and no third goes down', async () => {
  const handle = await worker.start('rollingRestart', { cluster, nodes: ['st1', 'st2'], gracefulTimeout: '2s' });
  await until('st1 to be down', async () => ((await handle.query<OperationReport>('status')).steps.find(({ key }) => key === 'stop/st1')?.state === 'done'), 60_000, 100);
  await lab.run('kill', 'st3');
  const failure = await worker.failureOf(handle);
  expect(failure.message).toMatch(/st2 is not taken down: of the other Servers 1 is Online and 2 must stay \(st3 does not answer\)/);
  expect(failure.message).toContain('Nodes before it stay restarted. To restart the others, run it again with "startedBefore"');
  expect(await Promise.all(['st1', 'st2'].map(stateOf))).toEqual([{ tm: true, ssh: true }, { tm: true, ssh: true }]);
  await lab.run('start', 'st3');
  await worker.run('setUpCluster', { cluster });
});

test('a graceful stop that somebody abandoned lands late, and a start waits for it', async () => {
  const authority = { cluster, epoch: (await worker.record(cluster)).epoch, operation: 'this test' };
  const session = await logIn();
  await askStops(clients, target('st2'), authority, ['sshd'], 4);
  // A second try asks for no second stop.
  expect(await askStops(clients, target('st2'), authority, ['sshd'], 4)).toEqual([{ service: 'sshd', remembered: true, left: expect.any(Number) }]);
  const began = Date.now();
  const outcome = await serverActivities({ clients }).ensureOnline({ server: target('st2'), protocols: spec.product.protocols }, authority);
  expect(outcome.note).toMatch(/^waited for the graceful stop of sshd; Online after/);
  expect(Date.now() - began).toBeGreaterThan(2_000);
  session.destroy();
  await new Promise((resolve) => void setTimeout(resolve, 3_000));
  expect(await stateOf('st2')).toEqual({ tm: true, ssh: true });
});

test('a stop that is only remembered, of a service that was started since, is asked for anew and not made a hard one', async () => {
  const authority = { cluster, epoch: (await worker.record(cluster)).epoch, operation: 'this test' };
  const since = async (): Promise<number> => Number((await clients.ssh.run(target('st2').ssh, ['cat', '.st-orchestrator/stops/sshd'], { timeoutMs: 5_000, purpose: 'reading' })).stdout.split(' ')[2]);
  const stopped = (): Promise<boolean> => stateOf('st2').then(({ ssh }) => !ssh);
  await askStops(clients, target('st2'), authority, ['sshd'], 8);
  const asked = await since();
  await until('sshd to end unseen', stopped, 20_000, 100);
  await clients.ssh.run(target('st2').ssh, ['sudo', '-n', '-u', 'axway', '/opt/axway/SecureTransport/bin/start_sshd'], { timeoutMs: 10_000, purpose: 'a person' });
  await until('sshd to run again', async () => !(await stopped()), 20_000, 100);
  await stopActivities({ clients }).ensureDrained({ server: target('st2'), protocols: spec.product.protocols, gracefulSeconds: 2, acceptActive: false }, authority);
  expect(await since()).toBeGreaterThan(asked);
  await serverActivities({ clients }).ensureOnline({ server: target('st2'), protocols: spec.product.protocols }, authority);
});

test('what is still in process after its time is refused by name, with everything running again; accepted, its mark is found and released', async () => {
  const { account } = spec.probe!;
  const mark = `/srv/st/shared/home/${account}/stuck.dat.m_inproc`;
  const database = await clusterDatabase(lab);
  await database.query(`insert into event (id, account, kind, attributes, status, node, filename, path)
    select 'stuck', $1, 'PUSH', '{}', 'active', localconfigurationsid, '/stuck.dat', $2 from clusternode where address = $3`, [account, `/srv/st/shared/home/${account}/stuck.dat`, target('st2').address]);
  await onShared('/usr/bin/touch', mark);
  const before = await pidOf('st2', 'tm');
  const { message } = await worker.fail('rollingRestart', { cluster, nodes: ['st2'], gracefulTimeout: '2s' });
  expect(message).toContain(`st2: its Transaction Manager is not stopped: after 2 s it still works on ${account}/stuck.dat`);
  expect(message).toContain('What had been stopped for it (Monitor, Scheduler, FolderMonitor, daemons) runs again.');
  expect(await pidOf('st2', 'tm')).toBe(before);
  const services = await Promise.all((['Scheduler', 'FolderMonitor'] as const).map((name) => clients.admin.server(target('st2').admin).clusterService(name)));
  expect([await stateOf('st2'), ...services.map(({ running }) => running)]).toEqual([{ tm: true, ssh: true }, true, true]);

  const report = await worker.run('rollingRestart', { cluster, nodes: ['st2'], gracefulTimeout: '2s', acceptActive: true, sweep: true });
  const note = (key: string): string | undefined => report.steps.find((step) => step.key === key)?.note;
  expect(note('drain/st2')).toContain(`accepted as still in process: ${account}/stuck.dat`);
  expect(note('sweep/st2')).toBe(`released for resubmission: /home/${account}/stuck.dat.m_inproc`);
  // A person reads the report, not the notes.
  expect(report.now).toContain('something was left behind that a person must put right');
  expect(report.byHand).toEqual([
    expect.stringContaining(`st2: its Transaction Manager ended while it worked on ${account}/stuck.dat`),
    expect.stringContaining(`st2: released by removing their marks, and to be submitted again: /home/${account}/stuck.dat.m_inproc`),
  ]);
  await expect(onShared('/usr/bin/cat', mark)).rejects.toThrow(/No such file/);
  await database.query(`delete from event where id = 'stuck'`);
  await database.end();
});

test('a worker that is killed while it waits for a graceful stop has a successor that goes on', async () => {
  const address = process.env['TEMPORAL_ADDRESS']!;
  const taskQueue = unique('killed');
  const first = startWorkerProcess({ address, taskQueue });
  const session = await logIn();
  const handle = await ground.client.workflow.start('rollingRestart', { taskQueue, workflowId: unique('rollingRestart'), args: [{ cluster, nodes: ['st2'], gracefulTimeout: '6s' }], workflowTaskTimeout: '3s' });
  await until('sshd to be asked to stop', async () => (await clients.ssh.run(target('st2').ssh, ['cat', '.st-orchestrator/stops/sshd'], { timeoutMs: 5_000, ok: [0, 1], purpose: 'reading' })).stdout.startsWith('asked'), 60_000, 100);
  // Whoever looks meanwhile sees for what, and how long at most: its own time, that of the events and that of the Transaction Manager.
  const waits = async () => (await look(ground.client, handle.workflowId)).report?.steps.find(({ key }) => key === 'drain/st2')?.waits;
  await until('the step to say that it waits for the session', async () => (await waits())?.for === '1 session', 5_000, 100);
  expect(await waits()).toEqual({ for: '1 session', names: spec.probe!.account, leftMs: expect.any(Number) });
  await first.kill();
  const successor = startWorkerProcess({ address, taskQueue });
  const report = (await handle.result()) as OperationReport;
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(report.steps.find(({ key }) => key === 'drain/st2')?.note).toContain('Transaction Manager ended as its Administration Tool says, nothing stranded');
  expect(await stateOf('st2')).toEqual({ tm: true, ssh: true });
  session.destroy();
  await successor.kill();
});

test('cancelled while a node is down it brings that node back and leaves the record free', async () => {
  const handle = await worker.start('rollingRestart', { cluster, nodes: ['st1', 'ed1'], gracefulTimeout: '2s' });
  await until('st1 to be down', async () => ((await handle.query<OperationReport>('status')).steps.find(({ key }) => key === 'stop/st1')?.state === 'done'), 60_000, 100);
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow(/cancel/i);
  expect(await stateOf('st1')).toEqual({ tm: true, ssh: true });
  const record = await worker.record(cluster);
  expect({ lease: record.lease, last: record.operations[0] }).toMatchObject({ lease: null, last: { operation: 'rollingRestart', outcome: 'cancelled' } });
});

test('a node that a terminated restart left out of the balancer is put back by the next operation; one that a person took out meanwhile stays out', async () => {
  const handle = await worker.start('rollingRestart', { cluster, nodes: ['ed1'], gracefulTimeout: '2s' });
  await until('ed1 to be stopped', async () => ((await handle.query<OperationReport>('status')).steps.find(({ key }) => key === 'stop/ed1')?.state === 'done'), 60_000, 100);
  await handle.terminate('as by a person');
  const [balancer] = balancerTargets(spec, 'prod');
  const byHand = (state: 'ready' | 'maint') => haproxyOverSsh(clients.ssh, balancer!.ssh, balancer!.socket).setServerState(balancer!.healthBackend, 'ed2', state, { timeoutMs: 10_000 });
  await byHand('maint');
  const report = await worker.run('setUpCluster', { cluster });
  expect(report.checks.flatMap(({ problems }) => problems.map(({ what }) => what)).filter((what) => what.startsWith('lb1: '))).toEqual([
    'lb1: ed2 is in maintenance or draining there, and by no operation of this cluster; it is left so',
    expect.stringMatching(/^lb1: ed1 was taken out there by rollingRestart-\S+ \(epoch \d+\), which did not put it back$/),
  ]);
  expect((await lab.snapshot()).balancer?.servers).toMatchObject({ [`${cluster}_hc/ed1`]: 'ready', [`${cluster}_hc/ed2`]: 'maint' });
  await byHand('ready');
});

test('terminated while an Edge is down it leaves the cluster interrupted, and the next run starts that Edge and puts it back into the balancer', async () => {
  const handle = await worker.start('rollingRestart', { cluster, nodes: ['ed1'], gracefulTimeout: '2s' });
  await until('ed1 to be down', async () => ((await handle.query<OperationReport>('status')).steps.find(({ key }) => key === 'stop/ed1')?.state === 'done'), 60_000, 100);
  await handle.terminate('by this test');
  const atBalancer = async (): Promise<string | undefined> => (await lab.snapshot()).balancer?.servers[`${cluster}_hc/ed1`];
  expect(await atBalancer()).toBe('maint');
  const report = await worker.run('rollingRestart', { cluster, nodes: ['ed1'], gracefulTimeout: '2s' });
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [], summary: `1 node of ${cluster} restarted (ed1); 4 others left as they are.` });
  expect(stepsOf(report)).toContain('first/online/ed1');
  expect(await atBalancer()).toBe('ready');
  const record = await worker.record(cluster);
  expect([record.phase, record.operations[1]?.outcome]).toEqual(['active', 'interrupted']);
});

test('the only Edge that serves is neither restarted nor removed while the other runs with no Transaction Manager behind it', async () => {
  const servers = ['st1', 'st2', 'st3'];
  const authority = { cluster, epoch: (await worker.record(cluster)).epoch, operation: 'this test' };
  const { ensureOnline, ensureConnected } = edgeActivities({ clients });
  const { protocols } = spec.product;
  for (const name of servers) await lab.run('block', name, 'ed2');
  await lab.run('kill', 'ed2');
  await lab.run('start', 'ed2');
  await ensureOnline({ edge: target('ed2'), protocols }, authority);
  const before = await lab.snapshot();
  expect((await worker.fail('rollingRestart', { cluster, nodes: ['ed1'] })).message).toContain('while ed1 is down, 0 other Edges would be Online, and 1 must stay (ed2: not every daemon runs with a Transaction Manager connected to it)');
  expect((await worker.fail('removeNode', { cluster, nodes: ['ed1'] })).message).toContain('none of the Edges that stay serves (ed2 runs, and no Transaction Manager is connected to it): ed1 can\'t be spared');
  expect(await lab.snapshot()).toEqual(before);
  for (const name of servers) await lab.run('unblock', name, 'ed2');
  await ensureConnected({ server: target('st1'), edges: [{ node: 'ed2', address: target('ed2').address }], protocols }, authority);
  expect(await worker.run('rollingRestart', { cluster, nodes: ['ed1'], gracefulTimeout: '2s' })).toMatchObject({ outcome: 'completed' });
});

test('a Server that was started again since its drain is drained again before it is stopped at once: nothing is stranded', async () => {
  const authority = { cluster, epoch: (await worker.record(cluster)).epoch, operation: 'this test' };
  const { protocols } = spec.product;
  const { ensureAllStopped, ensureOnline } = serverActivities({ clients });
  const database = await clusterDatabase(lab);
  const load = lab.run('load', '--partners', enoughPartners, '--rate', '20', '--for', '5s');
  await until('st2 to work on files', async () => (await activeOn(database, target('st2').address)).length > 0, 20_000, 5);
  await database.end();
  const { note } = await ensureAllStopped({ server: target('st2'), drained: { protocols, gracefulSeconds: 2, acceptActive: false } }, authority);
  expect(note).toMatch(/^it had been started again since it was drained, and was drained again: .*, nothing stranded; stopped/);
  await ensureOnline({ server: target('st2'), protocols }, authority);
  await load;
  expect(await settledLedger(lab)).toMatchObject({ lost: [], doubled: [], stranded: [] });
});

test('a Transaction Manager that hangs with files at work is not stopped before they are accepted, and no other Server is taken down beside it; when it goes on nothing is lost', async () => {
  const load = lab.run('load', '--partners', enoughPartners, '--rate', '20', '--for', '4s');
  const hung = await hangAtWork(lab, spec, 'st2');
  const before = await pidOf('st2', 'tm');
  for (const operation of ['rollingRestart', 'removeNode']) {
    const { message, type } = await worker.fail(operation, { cluster, nodes: ['st2'], gracefulTimeout: '2s' });
    expect(message).toContain('st2: its Transaction Manager hangs: it runs, and the product has heard nothing of it for a while. It holds ');
    expect([type, hung.namedIn(message)]).toEqual(['PreconditionFailed', hung.files]);
  }
  expect((await worker.fail('rollingRestart', { cluster, nodes: ['st1'], keepOnline: 2 })).message).toContain('st1 is not taken down: of the other Servers 1 is Online and 2 must stay (st2 is not Online)');
  expect([await pidOf('st2', 'tm'), await stateOf('st2')]).toEqual([before, { tm: true, ssh: true }]);
  await hung.goOn();
  await load;
  expect(await settledLedger(lab)).toMatchObject({ lost: [], doubled: [], stranded: [] });
});

/** A session with st2's own daemon, which keeps a graceful stop from ending. */
const logIn = (): Promise<Client> => logInAsPartner(spec, target('st2').address, 8022);
