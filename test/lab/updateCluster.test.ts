/** A new version on every node: everything stopped, each node updated by the operator's program, held while versions differ, and only then started. */
import { until } from '../../lab/shell';
import { createClients } from '../../src/clients';
import type { OperationReport } from '../../src/model/operation';
import { serverTarget } from '../../src/model/slices';
import type { ClusterSpec } from '../../src/model/spec';
import { startLab, type Lab } from '../helpers/lab';
import { ledger, settledLedger } from '../helpers/partnersFiles';
import { servingWorker, type ServingWorker } from '../helpers/servingWorker';
import { connectGround, type Ground } from '../helpers/workflows';

jest.setTimeout(180_000);

const command = ['/opt/install/SecureTransport_5.5/update.sh'];
let ground: Ground;
let lab: Lab;
let spec: ClusterSpec;
let cluster: string;
let worker: ServingWorker;
const clients = createClients();

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 2, edges: 1 })]);
  spec = lab.spec();
  cluster = spec.metadata.name;
  worker = await servingWorker(ground, { maxCachedWorkflows: 50 });
  await worker.run('setUpCluster', { cluster, spec });
});
afterAll(async () => {
  await worker?.end();
  await clients.close();
  await lab?.down();
  await ground?.close();
});

const target = (node: string) => serverTarget(spec, 'prod', node);
const buildOf = async (node: string): Promise<unknown> => (await clients.admin.server(target(node).admin).version()).raw['build'];
const apply = (version: string, nodeByNode = false): Promise<unknown> =>
  ground.client.workflow.getHandle(`cluster/${cluster}`).executeUpdate('apply', { args: [{ spec: { ...spec, product: { ...spec.product, version, update: { command, nodeByNode } } } }] });
/** What the lab's program is told to do on a node. */
const tell = (node: string, text: string) => clients.ssh.run(target(node).ssh, ['tee', 'update.env'], { timeoutMs: 10_000, stdin: text, purpose: 'telling the update' });

test('asks for the cluster file to say the new version first, and changes nothing', async () => {
  const { message } = await worker.fail('updateCluster', { cluster, version: '5.5-20261126' });
  expect(message).toContain('the cluster file says product.version 5.5, and 5.5-20261126 was asked for');
  expect(message).toContain('the cluster file names no product.update.command');
  expect(message).toContain('nothing was changed');
});

test('stops everything, updates each node, holds and asks a person while the versions differ, and starts only then', async () => {
  await apply('5.5-20261126');
  await tell('st2', 'UPDATE_WRONG=st2\n');
  const load = lab.run('load', '--partners', '3', '--rate', '5', '--for', '15s');
  await until('files to be processed', async () => (await ledger(lab)).processed > 3, 20_000, 250);
  const handle = await worker.start('updateCluster', { cluster, version: '5.5-20261126', gracefulTimeout: '3s' });
  const held = await until('a person to be asked', async () => {
    const report = await handle.query<OperationReport>('status');
    return report.phase === 'held' && report;
  }, 90_000, 250);
  expect(held.summary).toMatch(/^"See that version 5\.5-20261126 is installed \(st2\)" can't go on: st2: 5\.5-20990101 is installed, expected 5\.5-20261126\./);
  const { hosts } = await lab.status();
  expect(hosts.filter(({ name }) => ['st1', 'st2', 'ed1'].includes(name)).map(({ pids }) => Object.keys(pids).filter((service) => service !== 'sshd.real' && ['admin', 'tm'].includes(service)))).toEqual([[], [], []]);
  await expect(handle.executeUpdate('decide', { args: [{ step: 'update/version/st2', do: 'retry', by: 'nobody', reason: 'too early' }] })).resolves.toMatch(/^recorded/);
  const asked = (step: string) => until(`${step} to wait for a person`, async () => {
    const { phase, steps } = await handle.query<OperationReport>('status');
    return phase === 'held' && steps.find(({ key, state }) => key === step && state === 'waiting');
  }, 60_000, 250);
  await asked('update/version/st2');

  // To skip the question is no way to two versions on one schema.
  await handle.executeUpdate('decide', { args: [{ step: 'update/version/st2', do: 'skip', by: 'nobody', reason: 'in a hurry' }] });
  expect((await asked('online/st2')).note).toMatch(/^st2: 5\.5-20990101 is installed, expected 5\.5-20261126\. Two versions never run on one schema, so it is not started\./);

  // A person puts it right by hand.
  const file = '/opt/axway/SecureTransport/lib/version.properties';
  const byHand = (argv: string[], stdin?: string) => clients.ssh.run(target('st2').ssh, ['sudo', '-n', '-u', 'axway', ...argv], { timeoutMs: 10_000, purpose: 'by hand', ...(stdin === undefined ? {} : { stdin }) });
  // Read whole before it is written: in one pipe the writer may empty it first.
  const { stdout: found } = await byHand(['/usr/bin/cat', file]);
  await byHand(['/usr/bin/tee', file], found.replaceAll('20990101', '20261126'));
  await handle.executeUpdate('decide', { args: [{ step: 'online/st2', do: 'done-by-hand', by: 'somebody', reason: 'installed by hand' }] });
  const report = (await handle.result()) as OperationReport;
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [expect.stringMatching(/^See that version .* \(st2\): skipped/)], summary: `${cluster} is at version 5.5-20261126: 3 nodes updated (st1, st2, ed1).` });
  expect(report.steps.map(({ key }) => key).filter((key) => /^(online|serving|login)/.test(key))).toEqual(['online/st1', 'online/st2', 'online/ed1', 'login/ed1', 'serving/ed1 at lb1']);
  expect(await Promise.all(['st1', 'st2', 'ed1'].map(buildOf))).toEqual(['5.5-20261126', '5.5-20261126', '5.5-20261126']);

  await load;
  const end = await settledLedger(lab);
  process.stderr.write(`${JSON.stringify(end)}\n`);
  expect(end).toMatchObject({ lost: [], doubled: [], failed: [], stranded: [] });
  expect(await worker.run('updateCluster', { cluster, version: '5.5-20261126' })).toMatchObject({ outcome: 'nothing to do' });
});

test('goes from node to node only where the cluster file allows it', async () => {
  await apply('5.5-20261127');
  const { message } = await worker.fail('updateCluster', { cluster, version: '5.5-20261127', nodeByNode: true });
  expect(message).toContain('node by node was asked for, and the cluster file does not allow it');
});

test('a program that fails is not run again before a person says so, and its node is not started', async () => {
  await tell('st1', 'UPDATE_FAILS=st1\n');
  const handle = await worker.start('updateCluster', { cluster, version: '5.5-20261127', gracefulTimeout: '2s' });
  const held = await until('a person to be asked', async () => {
    const report = await handle.query<OperationReport>('status');
    return report.phase === 'held' && report;
  }, 90_000, 250);
  expect(held.summary).toMatch(/st1: .*update\.sh ended with exit code 3; how far it came is unknown.*The update of st1 failed, as it was told to/);
  await tell('st1', '');
  await tell('st2', '');
  await handle.executeUpdate('decide', { args: [{ step: 'update-first/st1', do: 'retry', by: 'somebody', reason: 'cured' }] });
  expect(await handle.result()).toMatchObject({ outcome: 'completed' });
  expect(await Promise.all(['st1', 'st2', 'ed1'].map(buildOf))).toEqual(['5.5-20261127', '5.5-20261127', '5.5-20261127']);
});
