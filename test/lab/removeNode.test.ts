/** Nodes taken out on real parts: partners notice nothing, the removed host can't be started by anybody, a dead one is removed and owes its gate until it answers. */
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../lab/shell';
import { createClients } from '../../src/clients';
import { daemonSettings } from '../../src/model/daemonSettings';
import { serverTarget } from '../../src/model/slices';
import type { ClusterSpec } from '../../src/model/spec';
import { onHost } from '../helpers/breaking';
import { startLab, type Lab } from '../helpers/lab';
import { settledLedger } from '../helpers/partnersFiles';
import { servingWorker, type ServingWorker } from '../helpers/servingWorker';
import { connectGround, type Ground } from '../helpers/workflows';

jest.setTimeout(180_000);

let ground: Ground;
let lab: Lab;
let spec: ClusterSpec;
let operations: ServingWorker;
let cluster: string;
const clients = createClients();

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 3, edges: 2, reserve: 1, licensedNodes: 4, autostart: true })]);
  spec = lab.spec();
  cluster = spec.metadata.name;
  spec.policies.minimumNodes = 1;
  operations = await servingWorker(ground);
  expect(await operations.run('setUpCluster', { cluster, spec })).toMatchObject({ outcome: 'completed' });
});
afterAll(async () => {
  await operations?.end();
  await clients.close();
  await lab?.down();
  await ground?.close();
});

const home = '/opt/axway/SecureTransport';
const table = async (): Promise<string[]> => (await clients.admin.server(serverTarget(spec, 'prod', 'st1').admin).clusterNodes()).map(({ serverAddress }) => serverAddress).sort();
const addresses = (...names: string[]): string[] => names.map((name) => serverTarget(spec, 'prod', name).address).sort();
const members = async (): Promise<string[]> => (await operations.record(cluster)).members.map(({ node }) => node);
const services = async (node: string): Promise<string[]> => (await lab.snapshot()).hosts[node]!.services;
const asRoot = async (node: string, command: string): Promise<string> => onHost(await lab.status(), node, command);

test('what refuses a removal changes nothing, on the estate and in the record', async () => {
  const before = await lab.snapshot();
  const record = await members();
  const refused = async (input: object): Promise<string> => (await operations.fail('removeNode', { cluster, ...input })).message;
  expect(await refused({ nodes: ['st1', 'st2', 'st3'] })).toContain('no Server would be left without st1, st2, st3. Remedy: add another one first');
  expect(await refused({ nodes: ['ed1', 'ed2'] })).toContain('no Edge would be left without ed1, ed2');
  expect(await refused({ nodes: ['st9'] })).toContain('st9 is not in the cluster file of');
  expect(await refused({ nodes: ['st2'], force: true })).toContain('reason: expected the reason');
  expect(await refused({ nodes: ['st2', 'st2'] })).toContain('nodes: "st2" is there twice');
  expect(await lab.snapshot()).toEqual(before);
  expect(await members()).toEqual(record);
});

test('a Server is removed while partners send: nothing is lost, doubled or stranded; then nothing can start it, not the power-on either', async () => {
  const load = lab.run('load', '--partners', '6', '--rate', '12', '--for', '10s');
  await delay(1_000);
  const report = await operations.run('removeNode', { cluster, nodes: ['st2'], gracefulTimeout: '8s' });
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [], summary: `st2 was removed from ${cluster}: 2 Servers and 2 Edges are left.` });
  expect(report.steps.map(({ key, node }) => (node === undefined ? key : key.replace(`/${node}`, '')))).toEqual([
    'backup-files', 'backup-files', 'backup-database', 'backup-edges', 'backup-edges', 'backup-map', 'removal-epoch', 'room', 'drain', 'sweep', 'unlist', 'stop-all', 'gate',
  ]);
  await load;
  const ledger = await settledLedger(lab);
  expect(ledger).toMatchObject({ lost: [], doubled: [], stranded: [], failed: [] });
  expect(ledger.processed).toBe(ledger.acknowledged);
  expect(ledger.acknowledged).toBeGreaterThan(40);
  console.log(`removed under load in ${(Date.parse(report.endedAt!) - Date.parse(report.startedAt)) / 1_000} s: ${ledger.acknowledged} acknowledged, ${ledger.processed} processed, 0 lost, 0 doubled, 0 stranded`);
  expect(await table()).toEqual(addresses('st1', 'st3'));
  expect(await members()).toEqual(['st1', 'st3', 'ed1', 'ed2']);
  expect(await services('st2')).toEqual([]);

  const gated = (await lab.snapshot()).hosts['st2']!;
  await lab.run('kill', 'st2');
  await lab.run('start', 'st2');
  const init = await until('its init to be refused', async () => (await asRoot('st2', 'cat /var/log/init.log')).trim(), 10_000);
  expect(init).toMatch(new RegExp(`^start_all was not run: this host was removed from cluster ${cluster} by .*"stctl add-node -c ${cluster} st2" adds it back`));
  for (const command of ['start_all', 'start_monitord', 'start_tm', 'start_admin']) {
    expect(await asRoot('st2', `${home}/bin/${command} 2>&1 || echo "code $?"`)).toMatch(new RegExp(`^${command} was not run[^]*code 1\n$`));
  }
  await delay(1_500); // monitord looks every second: had it run, something would be back by now
  expect(await lab.snapshot()).toMatchObject({ hosts: { st2: gated } });

  const before = await lab.snapshot();
  expect(await operations.run('removeNode', { cluster, nodes: ['st2'] })).toMatchObject({ outcome: 'nothing to do', steps: [], summary: `st2 is no member of ${cluster}, and nothing can be started there.` });
  expect(await lab.snapshot()).toEqual(before);
});

test('a gate that an update opened is closed again by a run of the same removal', async () => {
  await asRoot('st2', `cd ${home}/bin && cp -p start_all.gated start_all`);
  expect(await operations.run('removeNode', { cluster, nodes: ['st2'] })).toMatchObject({ outcome: 'completed' });
  await expect(asRoot('st2', `${home}/bin/start_all`)).rejects.toThrow('start_all was not run');
});

test('a dead Server is removed and owes its gate; when it is back, and its init has started the product, a run pays', async () => {
  await lab.run('kill', 'st3');
  const report = await operations.run('removeNode', { cluster, nodes: ['st3'] });
  expect(report).toMatchObject({ outcome: 'completed', summary: `st3 was removed from ${cluster}: 1 Server and 2 Edges are left. st3 does not answer: not known to be stopped, and not gated yet.` });
  expect(report.byHand?.[0]).toContain('keep st3 off');
  expect(report.steps.filter(({ node }) => node === 'st3').map(({ key }) => key)).toEqual(['unlist/st3']);
  expect(await table()).toEqual(addresses('st1'));
  expect((await operations.record(cluster)).debts).toEqual([expect.objectContaining({ node: 'st3', what: 'gate', because: expect.stringContaining('it did not answer when it was removed') })]);
  expect(await operations.run('removeNode', { cluster, nodes: ['st3'] })).toMatchObject({ outcome: 'nothing to do', summary: 'st3 still does not answer: not known to be stopped, and not gated.' });

  await lab.run('start', 'st3');
  // Its Transaction Manager starts and ends: it is no longer in the table of nodes.
  await until('the product to be started by the init', async () => (await services('st3')).includes('monitord'), 20_000);
  expect(await operations.run('removeNode', { cluster, nodes: ['st3'], gracefulTimeout: '5s' })).toMatchObject({ outcome: 'completed', summary: 'st3 answers now, is stopped and gated.' });
  expect((await operations.record(cluster)).debts).toEqual([]);
  expect(await services('st3')).toEqual([]);
  expect(await table()).toEqual(addresses('st1'));
  await expect(asRoot('st3', `${home}/bin/start_tm`)).rejects.toThrow('start_tm was not run');
});

test('an Edge leaves the balancer and the zones, is stopped and gated, and partners go on through the other', async () => {
  const load = lab.run('load', '--partners', '4', '--rate', '8', '--for', '8s', '--seed', '2');
  await delay(500);
  const report = await operations.run('removeNode', { cluster, nodes: ['ed2'], gracefulTimeout: '8s' });
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [], summary: `ed2 was removed from ${cluster}: 1 Server and 1 Edge are left.` });
  await load;
  const ledger = await settledLedger(lab);
  expect(ledger).toMatchObject({ lost: [], doubled: [], stranded: [], failed: [] });
  const zones = await clients.admin.server(serverTarget(spec, 'prod', 'st1').admin).zones();
  expect(zones.filter(({ name }) => name !== 'Private').flatMap(({ edges = [] }) => edges.map(({ title }) => title))).toEqual(['ed1']);
  const after = await lab.snapshot();
  expect(after.balancer?.servers).toMatchObject({ [`${cluster}_hc/ed1`]: 'ready', [`${cluster}_hc/ed2`]: 'maint' });
  expect(after.hosts['ed2']?.services).toEqual([]);
  expect(await members()).toEqual(['st1', 'ed1']);
  await expect(asRoot('ed2', `${home}/bin/start_all`)).rejects.toThrow('start_all was not run');
});

test('a removed Server is added back: its gate opens, and it serves', async () => {
  expect(await operations.run('addNode', { cluster, nodes: ['st2'] })).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(await table()).toEqual(addresses('st1', 'st2'));
  expect(await services('st2')).toContain('tm');
  expect(Object.keys((await lab.snapshot()).hosts['st2']!.files).filter((path) => path.includes('gate'))).toEqual([]);
});

test('a Server that was killed is replaced in one run; what is wrong with the new one refuses it before anything is removed', async () => {
  spec = lab.spec('cluster-grown.yaml');
  spec.policies.minimumNodes = 1;
  await ground.client.workflow.getHandle(`cluster/${cluster}`).executeUpdate('apply', { args: [{ spec }] });
  await lab.run('kill', 'st2');
  const refused = async (input: object): Promise<string> => (await operations.fail('replaceNode', { cluster, ...input })).message;
  expect(await refused({ node: 'st2', by: 'st1' })).toContain(`st1 is a member of ${cluster} already and can't take the place of st2`);
  expect(await refused({ node: 'st2', by: 'ed2' })).toContain('ed2 is an Edge and st2 is a Server');
  await lab.run('kill', 'st4');
  expect(await refused({ node: 'st2', by: 'st4' })).toMatch(/st4.*Nothing was changed|nothing was changed[^]*st4/);
  await lab.run('start', 'st4');
  expect(await table()).toEqual(addresses('st1', 'st2'));

  expect(await operations.run('replaceNode', { cluster, node: 'st2', by: 'st4' })).toMatchObject({
    outcome: 'completed', unfinished: [], summary: `st4 took the place of st2 in ${cluster}. st2 does not answer: not known to be stopped, and not gated yet.`,
  });
  expect(await table()).toEqual(addresses('st1', 'st4'));
  expect(await members()).toEqual(['st1', 'ed1', 'st4']);
  await lab.run('start', 'st2');
  expect(await operations.run('replaceNode', { cluster, node: 'st2', by: 'st4', gracefulTimeout: '5s' })).toMatchObject({ outcome: 'completed', summary: `st4 has taken the place of st2 in ${cluster} before.` });
  expect((await operations.record(cluster)).debts).toEqual([]);
  expect(await services('st2')).toEqual([]);
});

test('all Servers were removed by force: a set-up brings one back behind the Edge that stayed, and what an addition changes is as before', async () => {
  const settings = async (): Promise<unknown> => daemonSettings(await clients.admin.server(serverTarget(spec, 'prod', 'st1').admin).options());
  const before = await settings();
  const removed = await operations.run('removeNode', { cluster, nodes: ['st1', 'st4'], force: true, reason: 'the test', gracefulTimeout: '5s' });
  expect(removed).toMatchObject({ outcome: 'completed', unfinished: [], summary: `st1 and st4 were removed from ${cluster}: 0 Servers and 1 Edge are left.` });
  expect([await services('st1'), await services('st4'), await members()]).toEqual([[], [], ['ed1']]);
  expect((await operations.fail('addNode', { cluster, nodes: ['st1'] })).message).toContain(`${cluster} has no Server left. Bring one back first: "stctl set-up-cluster ${cluster}"`);

  const back = await operations.run('setUpCluster', { cluster });
  expect(back).toMatchObject({ outcome: 'completed', unfinished: [], summary: expect.stringMatching(new RegExp(`^${cluster} has a Server again: st1 is Online, behind 1 Edge`)) });
  expect(back.steps.map(({ key }) => key)).toEqual(expect.arrayContaining(['open/st1', 'add/st1', 'online/st1', 'connected/st1', 'login/ed1']));
  expect([await table(), await members(), await settings()]).toEqual([addresses('st1'), ['st1', 'ed1'], before]);
  expect([await services('st1'), await services('st4')]).toEqual([expect.arrayContaining(['tm', 'admin']), []]);
  expect(await operations.run('setUpCluster', { cluster })).toMatchObject({ outcome: 'nothing to do' });
});
