/** The main job on real parts: Temporal server, SSH hosts, PostgreSQL, HAProxy and stand-in Servers that lie as the product does. */
import { connect } from 'node:net';
import type { OperationReport } from '../../src/model/operation';
import { startLab, type Lab } from '../helpers/lab';
import { withOperations } from '../helpers/operations';
import { connectGround, type Ground } from '../helpers/workflows';

jest.setTimeout(180_000);

let ground: Ground;
let lab: Lab;
beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 3 })]);
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
      'Install the other Servers on that schema',
      'Stop the Administration Tool of the new Servers',
      'Stop every protocol server and service',
      'Add the node to the cluster',
      'Start the Administration Tool of the new Servers',
      'Install the licences of the new Servers',
      'Stop everything, for the restart',
      'Start the first Server and wait until it is Online',
      'Start the Servers and wait until they are Online',
      'Let the product notify below the node threshold',
      'Let the balancer send to the Server',
      'Let the balancer send to the site',
    ]);

    const report: OperationReport = await run('setUpCluster', { cluster, spec, fingerprint: plan.fingerprint });
    expect(report).toMatchObject({ outcome: 'completed', unfinished: [], epoch: 1 });
    expect(report.steps.map(({ key }) => key)).toEqual(plan.steps.map(({ key }) => key));
    expect(report.steps.every(({ state }) => state === 'done')).toBe(true);
    expect(await record(cluster)).toMatchObject({ phase: 'active', complete: true, activeSite: 'prod', lease: null, members: [{ node: 'st1' }, { node: 'st2' }, { node: 'st3' }] });

    const { balancer } = await lab.status();
    expect(balancer.address).toBeTruthy();
    expect(await greeting(balancer.address, 2022)).toMatch(/^SSH-2\.0-/);

    const before = await lab.snapshot();
    const replan = await run('setUpCluster', { cluster, dryRun: true });
    expect(replan.steps).toEqual([]);
    const again = await run('setUpCluster', { cluster });
    expect(again).toMatchObject({ outcome: 'nothing to do', steps: [], epoch: 2 });
    expect(await lab.snapshot()).toEqual(before);
  });
});
