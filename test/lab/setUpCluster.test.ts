/** The main job on real parts: Temporal server, SSH hosts, PostgreSQL, HAProxy and stand-in Servers that lie as the product does. */
import { connect } from 'node:net';
import type { OperationReport } from '../../src/model/operation';
import { until } from '../../lab/shell';
import { reloadBalancer } from '../helpers/breaking';
import { startLab, type Lab } from '../helpers/lab';
import { activeOn, clusterDatabase, ledger, settledLedger } from '../helpers/partnersFiles';
import { withOperations } from '../helpers/operations';
import { connectGround, type Ground } from '../helpers/workflows';

jest.setTimeout(180_000);

let ground: Ground;
let lab: Lab;
beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 3, autostart: true })]);
});
afterAll(async () => {
  await lab?.down();
  await ground?.close();
});

/** What a partner's SSH client would be greeted with through the balancer. */
function greeting(address: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, timeout: 5_000 });
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
    socket.once('timeout', () => socket.destroy(new Error('no greeting')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without a greeting')));
  });
}

test('sets a cluster of three Servers up, then has nothing to do, and partners reach it through the balancer', async () => {
  const spec = lab.spec();
  const cluster = spec.metadata.name;
  await withOperations(ground, async ({ run, record }) => {
    const plan = await run('setUpCluster', { cluster, spec, dryRun: true });
    expect(plan.outcome).toBe('planned');
    const titles = [...new Set(plan.steps.map(({ title }) => title))];
    expect(titles).toEqual([
      'Record the epoch beside the database',
      'Install the first Server with a new schema',
      'Install its licences',
      'Start its Administration Tool',
      'Set the shared options of the cluster',
      'Install the other Servers on that schema',
      'Stop the Administration Tool of the new Servers',
      'Stop every protocol server and service',
      'Add the node to the cluster',
      'Put back what that changed in the settings of the daemons',
      'Start the Administration Tool of the new Servers',
      'Install the licences of the new Servers',
      'Stop everything, for the restart',
      'Start the first Server and wait until it is Online',
      'Start the Servers and wait until they are Online',
      'Let the product notify below the node threshold',
      'Let the balancer send to the Server',
      'Let the balancer send to the site',
      'Try once whether an administrator still has the password it was shipped with',
    ]);

    const report: OperationReport = await run('setUpCluster', { cluster, spec, fingerprint: plan.fingerprint });
    expect(report).toMatchObject({ outcome: 'completed', unfinished: [], epoch: 1 });
    expect(report.steps.map(({ key }) => key)).toEqual(plan.steps.map(({ key }) => key));
    expect(report.steps.every(({ state }) => state === 'done')).toBe(true);
    expect(await record(cluster)).toMatchObject({ phase: 'active', complete: true, activeSite: 'prod', lease: null, members: [{ node: 'st1' }, { node: 'st2' }, { node: 'st3' }] });

    const { balancer } = await lab.status();
    expect(balancer.address).toBeTruthy();
    expect(await greeting(balancer.address, 2022)).toMatch(/^SSH-2\.0-/);

    await reloadBalancer(await lab.status(), '');
    await until('the balancer to let partners in after a reload', async () => (await greeting(balancer.address, 2022)).startsWith('SSH-2.0-'), 20_000, 200);
    await lab.run('kill', 'lb1');
    await lab.run('start', 'lb1');
    await until('the balancer to let partners in after a power cut', async () => (await greeting(balancer.address, 2022)).startsWith('SSH-2.0-'), 20_000, 200);

    const before = await lab.snapshot();
    const replan = await run('setUpCluster', { cluster, dryRun: true });
    expect(replan.steps).toEqual([]);
    const again = await run('setUpCluster', { cluster });
    expect(again).toMatchObject({ outcome: 'nothing to do', steps: [], epoch: 2 });
    expect(await lab.snapshot()).toEqual(before);
  });
});

test('a cluster of one is set up, and has nothing to do', async () => {
  await lab.run('reset');
  const spec = lab.spec();
  spec.metadata.name += '-one';
  spec.policies.minimumNodes = 1;
  spec.sites['prod']!.servers.splice(1);
  const cluster = spec.metadata.name;
  await withOperations(ground, async ({ run, record }) => {
    expect(await run('setUpCluster', { cluster, spec })).toMatchObject({ outcome: 'completed', unfinished: [], summary: `${cluster} is set up: 1 of 1 Servers are Online.` });
    expect(await run('setUpCluster', { cluster })).toMatchObject({ outcome: 'nothing to do', steps: [] });
    expect((await record(cluster)).members.map(({ node }) => node)).toEqual(['st1']);
  });
  const { hosts } = await lab.snapshot();
  expect([hosts['st1']!.services.includes('tm'), hosts['st2']!.services]).toEqual([true, []]);
});

test('one whose Servers register themselves, with an option of its own, is set up without being added by hand', async () => {
  await lab.run('reset');
  const spec = lab.spec();
  spec.metadata.name += '-auto';
  spec.product.installer.autoRegister = true;
  spec.product.options['EventQueue.DispatchPolicy.name'] = ['roundRobinPolicy'];
  const cluster = spec.metadata.name;
  await withOperations(ground, async ({ run }) => {
    const report = await run('setUpCluster', { cluster, spec });
    expect(report).toMatchObject({ outcome: 'completed', unfinished: [] });
    expect(report.steps.map(({ key, node, note }) => [key, node, note])).toEqual(expect.arrayContaining([
      ['servers.ensureOptions', undefined, 'set EventQueue.DispatchPolicy.name'],
      ...lab.spec().sites['prod']!.servers.map(({ name, address }) => [`registered/${name}`, name, `${address} registered itself`]),
    ]));
    expect(report.steps.filter(({ key }) => /^(add|stop-admin|stop-services|start-admin)\//.test(key))).toEqual([]);
    expect(await run('setUpCluster', { cluster })).toMatchObject({ outcome: 'nothing to do', steps: [] });
  });
});

describe('the files that partners send to it', () => {
  test('are neither lost nor doubled when a Server and then the database go off while they come in: the others go on, and what the Server was processing is stranded, by name', async () => {
    const load = lab.run('load', '--partners', '12', '--rate', '25', '--for', '7s');
    await until('files to be processed', async () => (await ledger(lab)).processed > 20, 20_000, 250);
    await lab.run('kill', 'st3');
    await lab.run('kill', 'db1');
    await lab.run('start', 'db1');
    await load;
    const report = await settledLedger(lab);
    expect(report).toMatchObject({ lost: [], doubled: [], failed: [] });
    expect(report.processed + report.stranded.length).toBe(report.acknowledged);
    expect(report.acknowledged).toBeGreaterThan(50);
    const database = await clusterDatabase(lab);
    const { address } = (await lab.status()).hosts.find(({ name }) => name === 'st3')!;
    // The others waited for the database and went on with what they had.
    expect([...report.stranded].sort()).toEqual(await activeOn(database, address));
    await database.end();
  });

  test('go on being processed by a Server whose host starts the product at power-on, but for what is stranded', async () => {
    const { stranded } = await ledger(lab);
    await lab.run('start', 'st3');
    await until('its services', async () => Object.keys((await lab.status()).hosts.find(({ name }) => name === 'st3')!.pids).includes('tm'), 20_000, 250);
    expect((await ledger(lab)).stranded).toEqual(stranded);
  });

  test('are stranded exactly where a Transaction Manager that was killed was processing them', async () => {
    const before = (await ledger(lab)).stranded;
    const fresh = (files: string[]): string[] => files.filter((file) => !before.includes(file));
    const { address, pids } = (await lab.status()).hosts.find(({ name }) => name === 'st1')!;
    const database = await clusterDatabase(lab);
    const load = lab.run('load', '--partners', '12', '--rate', '30', '--for', '6s', '--seed', '2');
    // Frozen first: what it is processing can then be read without a race.
    const active = await until('files that st1 is processing', async () => {
      if (fresh(await activeOn(database, address)).length === 0) return false;
      await lab.run('freeze', 'st1');
      const found = fresh(await activeOn(database, address));
      if (found.length > 0) return found;
      await lab.run('thaw', 'st1');
      return false;
    }, 20_000, 20);
    process.kill(pids['tm']!, 'SIGKILL');
    await lab.run('thaw', 'st1');
    await load;
    const report = await settledLedger(lab);
    expect(report).toMatchObject({ lost: [], doubled: [], failed: [] });
    expect(fresh(report.stranded).sort()).toEqual(active);
    await database.end();
  });
});
