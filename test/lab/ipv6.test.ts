/** A cluster whose hosts have IPv6 addresses and no others: hosts, database, balancer, Servers, the Edge and its partners. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveSecret } from '../../src/clients/secrets';
import { applySpec } from '../../src/control/clusters';
import { serverTarget } from '../../src/model/slices';
import { createClients } from '../../src/worker/clients';
import { startLab, type Lab } from '../helpers/lab';
import { withOperations } from '../helpers/operations';
import { connectGround, type Ground } from '../helpers/workflows';

jest.setTimeout(120_000);

let ground: Ground;
let lab: Lab;
const clients = createClients();
beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 2, edges: 1, reserve: 1, productTime: '20ms', ipv6: true })]);
});
afterAll(async () => {
  await clients.close();
  await lab?.down();
  await ground?.close();
});

const override = (node: string): string => readFileSync(join(lab.dir, 'hosts', node, 'axway/SecureTransport/conf/tangosol-coherence-override.xml'), 'utf8');

test('it is set up over IPv6, each Server\'s cluster cache knows its address, a partner logs in through balancer and Edge, and a third Server is added so', async () => {
  const spec = lab.spec();
  const cluster = spec.metadata.name;
  const addresses = ['st1', 'st2'].map((node) => serverTarget(spec, 'prod', node).address);
  expect(addresses[0]).toMatch(/^fd86:[0-9a-f]+::11$/);
  await withOperations(ground, async ({ run, record, taskQueue }) => {
    const report = await run('setUpCluster', { cluster, spec });
    expect(report).toMatchObject({ outcome: 'completed', unfinished: [], summary: `${cluster} is set up: 2 of 2 Servers are Online, behind 1 Edge.` });
    expect(report.steps.filter(({ key }) => key.startsWith('cache-address/')).map(({ node, note }) => [node, note])).toEqual([['st1', `named ${addresses[0]}`], ['st2', `named ${addresses[1]}`]]);
    for (const [index, node] of ['st1', 'st2'].entries()) {
      const shipped = readFileSync(join(__dirname, '../../lab/standin/package/tree/conf/tangosol-coherence-override.xml'), 'utf8');
      expect(override(node)).toBe(shipped.replace('<cluster-config>', `<cluster-config>\n    <unicast-listener><address>${addresses[index]}</address></unicast-listener>`));
    }
    const { balancer } = await lab.status();
    const password = await resolveSecret(spec.probe!.password);
    await clients.partner.logIn({ host: balancer.address, port: 2022, user: spec.probe!.account, password: password.reveal() }, { timeoutMs: 20_000 });
    expect(await run('setUpCluster', { cluster })).toMatchObject({ outcome: 'nothing to do', steps: [] });

    const grown = lab.spec('cluster-grown.yaml');
    const { address, admin } = serverTarget(grown, 'prod', 'st3');
    await applySpec(ground.client, grown, { taskQueue });
    const added = await run('addNode', { cluster, nodes: ['st3'] });
    expect(added).toMatchObject({ outcome: 'completed', unfinished: [] });
    expect(added.steps.filter(({ key }) => /^(cache-address|connected)\/st3/.test(key)).map(({ note }) => note)).toEqual([`named ${address}`, expect.stringMatching(/^connected to ed1/)]);
    expect(override('st3')).toContain(`<unicast-listener><address>${address}</address></unicast-listener>`);
    expect((await clients.admin.server(admin).clusterNodes()).map((node) => node.serverAddress)).toEqual([...addresses, address]);
    expect((await record(cluster)).members).toContainEqual({ site: 'prod', node: 'st3', address, role: 'server' });
    expect(await run('addNode', { cluster, nodes: ['st3'] })).toMatchObject({ outcome: 'nothing to do', steps: [] });
  }, { maxCachedWorkflows: 10 });
});
