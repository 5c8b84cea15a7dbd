/**
 * A site with two balancers, worked on under a load of partners: several nodes added at once, what a restart does at both balancers, what the monitor and a maintenance window
 * make of it, a Server that is replaced while it is watched, and an update from node to node.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { until } from '../../lab/shell';
import { haproxyOverSsh } from '../../src/clients/haproxy';
import { applySpec } from '../../src/control/clusters';
import type { ClusterHealth } from '../../src/model/health';
import type { OperationReport } from '../../src/model/operation';
import { balancerTargets, serverTarget } from '../../src/model/slices';
import type { ClusterSpec } from '../../src/model/spec';
import { createClients } from '../../src/worker/clients';
import { documentedStarts } from '../helpers/documentedStarts';
import { startLab, type Lab } from '../helpers/lab';
import { settledLedger } from '../helpers/partnersFiles';
import { servingWorker, type ServingWorker } from '../helpers/servingWorker';
import { connectGround, type Ground } from '../helpers/workflows';

jest.setTimeout(240_000);

let ground: Ground;
let lab: Lab;
let cluster: string;
let worker: ServingWorker;
let monitor: WorkflowHandle;
/** As it was applied last. */
let spec: ClusterSpec;
const clients = createClients();
const build = '5.5-20261126';

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 2, edges: 1, reserve: 3, reserveEdges: 1, balancers: 2, mail: true })]);
  cluster = lab.name;
  worker = await servingWorker(ground, { maxCachedWorkflows: 100 });
  await worker.run('setUpCluster', { cluster, spec: lab.spec() });
  spec = lab.spec('cluster-grown.yaml');
  await apply({});
});
afterAll(async () => {
  await monitor?.terminate().catch(() => undefined);
  await worker?.end();
  await clients.close();
  await lab?.down();
  await ground?.close();
});

function apply({ product = {}, policies = {} }: { product?: Partial<ClusterSpec['product']>; policies?: Partial<ClusterSpec['policies']> }): Promise<unknown> {
  spec = { ...spec, product: { ...spec.product, ...product }, policies: { ...spec.policies, ...policies } };
  return applySpec(ground.client, spec, { taskQueue: worker.taskQueue });
}
const target = (node: string) => serverTarget(spec, 'prod', node);
const status = (): Promise<ClusterHealth> => monitor.query<ClusterHealth>('status');
const stepOf = ({ steps }: OperationReport, key: string) => steps.find((step) => step.key === key);
const reportOf = (handle: WorkflowHandle): Promise<OperationReport> => handle.query<OperationReport>('status');

/** Of a node, at both: `ready` or `maint`. Asked of themselves, since a snapshot of the estate takes longer than a restart under load. */
const atBalancers = (node: string): Promise<(string | undefined)[]> => Promise.all(balancerTargets(spec, 'prod').map(async ({ ssh, socket, healthBackend }) => {
  const found = (await haproxyOverSsh(clients.ssh, ssh, socket).showServersState(healthBackend, { timeoutMs: 20_000 })).find(({ server }) => server === node);
  return found && (found.admin.forcedMaint ? 'maint' : 'ready');
}));

/** What the monitor shows until it is over, each 100 ms. */
async function seenUntil(what: string, over: () => Promise<boolean>, withinMs: number): Promise<ClusterHealth[]> {
  const seen: ClusterHealth[] = [];
  await until(what, async () => {
    seen.push(await status());
    return over();
  }, withinMs, 100);
  return seen;
}
/** Views in which something is to be told. */
const alarming = (seen: readonly ClusterHealth[]): ClusterHealth[] => seen.filter(({ health, watch }) => health === 'below threshold' || watch!.incidents.length > 0 || watch!.belowSince !== undefined);
const notOnline = (seen: readonly ClusterHealth[]) => seen.flatMap(({ nodes }) => nodes).filter(({ state }) => state !== 'Online');
/** Subjects of the mails that tell of more than an operation's end. */
const mailed = async (): Promise<string[]> => (await lab.mails()).map(({ subject }) => subject).filter((subject) => !/has completed/.test(subject));

/** Partners send while `work` goes on, in runs of a few seconds. */
async function underLoad<T>(work: () => Promise<T>): Promise<T> {
  let ended = false;
  const sending = (async () => { while (!ended) await lab.run('load', '--partners', '4', '--rate', '6', '--for', '4s'); })();
  try {
    return await work();
  } finally {
    ended = true;
    await sending;
  }
}

test('two Servers and an Edge are added in one run, two at a time, while partners send through both balancers', async () => {
  const nodes = ['st3', 'st5', 'ed2'];
  const report = await underLoad(() => worker.run('addNode', { cluster, nodes, parallel: 2 }));
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect((await worker.record(cluster)).members.map(({ node }) => node).sort()).toEqual(['ed1', 'ed2', 'st1', 'st2', 'st3', 'st5']);
  expect(await Promise.all(['ed1', 'ed2'].map(atBalancers))).toEqual([['ready', 'ready'], ['ready', 'ready']]);
  expect(await clients.admin.server(target('st1').admin).clusterNodes()).toHaveLength(4);
  expect(await settledLedger(lab)).toMatchObject({ lost: [], doubled: [], failed: [], stranded: [] });
  expect(await worker.run('addNode', { cluster, nodes })).toMatchObject({ outcome: 'nothing to do', steps: [] });
});

// As dry runs, and for this cluster.
test('every line of the documents that starts an operation on a working cluster is taken by the temporal CLI, and plans', async () => {
  const temporal = process.env['TEMPORAL_CLI_PATH'] ?? execFileSync(join(__dirname, '../../scripts/temporal-cli'), { encoding: 'utf8', env: { ...process.env, TEMPORAL_ADDRESS: '' } }).trim();
  const onWorking = documentedStarts().filter(({ type }) => !['setUpCluster', 'adoptCluster'].includes(type));
  await Promise.all(onWorking.map(async ({ line, workflowId, file }) => {
    const input = join(lab.dir, file.replace('examples/', ''));
    writeFileSync(input, JSON.stringify({ ...JSON.parse(readFileSync(join(__dirname, '../..', file), 'utf8')) as object, cluster, dryRun: true }));
    const id = workflowId.replace('/demo', `/${cluster}`);
    const [program, ...words] = line.replace(workflowId, id).replace(file, input).replace('st-orchestrator', worker.taskQueue).split(' ');
    expect(program).toBe('temporal');
    await new Promise<void>((done, failed) => void execFile(temporal, words, (error, _, stderr) => (error ? failed(new Error(stderr)) : done())));
    const ended = await ground.client.workflow.getHandle(id).result().then((report) => (report as OperationReport).outcome, (error: { cause?: Error }) => error.cause?.message);
    expect([id, ended]).toEqual([id, id.startsWith('update-cluster') ? expect.stringContaining('the cluster file says product.version 5.5, and 5.5-20261126 was asked for') : 'planned']);
  }));
});

test('a restart takes a node out of both balancers and back; the monitor excuses what it took down, and beside it what a maintenance window covers, and nobody is mailed', async () => {
  // Each of the four counts.
  await apply({ policies: { minimumNodes: 4 } });
  monitor = await worker.start('monitorCluster', { cluster, interval: 500, failuresToOffline: 2, calm: 1_000, for: 3_000 }, `monitor/${cluster}`);
  await until('all to be well', async () => (await status()).health === 'ok', 40_000);
  const record = ground.client.workflow.getHandle(`cluster/${cluster}`);
  const { window } = await record.executeUpdate<{ window: { id: string } }, [object]>('maintenance', { args: [{ start: { nodes: ['st3'], for: '1h', reason: 'new disks', by: 'test' } }] });
  let seen: ClusterHealth[] = [];
  const report = await underLoad(async () => {
    const handle = await worker.start('rollingRestart', { cluster, nodes: ['st1', 'ed1'], keepOnline: 3, gracefulTimeout: '2s' });
    let out: Awaited<ReturnType<typeof atBalancers>> | undefined;
    seen = await seenUntil('the restart to end', async () => {
      const under = await reportOf(handle);
      if (!['planned', undefined].includes(stepOf(under, 'stop/ed1')?.state)) out ??= await atBalancers('ed1');
      return under.phase === 'ended';
    }, 90_000);
    expect(out).toEqual(['maint', 'maint']);
    return (await handle.result()) as OperationReport;
  });
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(await Promise.all(['ed1', 'ed2'].map(atBalancers))).toEqual([['ready', 'ready'], ['ready', 'ready']]);

  // Three of the four that are asked for were Online meanwhile.
  const down = notOnline(seen);
  expect([...new Set(down.map(({ node }) => node))].sort()).toEqual(['ed1', 'st1']);
  expect(down.filter(({ excused }) => excused !== report.workflowId)).toEqual([]);
  expect(alarming(seen)).toEqual([]);
  const ended = Date.now();
  await until('the excuse to end with the operation', async () => (await status()).nodes.every(({ excused }) => excused === undefined || excused.startsWith('maintenance until')), 8_000, 100);
  console.log(`no excuse ${Date.now() - ended} ms after the operation`);

  await lab.run('freeze', 'st3');
  await until('st3 to be missed', async () => (await status()).nodes.some(({ node, state }) => node === 'st3' && state !== 'Online'), 20_000, 200);
  expect([await mailed(), (await status()).watch!.incidents]).toEqual([[], []]);
  await record.executeUpdate('maintenance', { args: [{ end: window.id }] });
  const over = Date.now();
  await until('the mail about st3', async () => (await mailed()).some((subject) => subject.includes('st3')), 15_000, 200);
  console.log(`mailed ${Date.now() - over} ms after the end of the window`);
  await lab.run('thaw', 'st3');
  await until('all to be well again', async () => (await status()).health === 'ok', 30_000);
});

test('a Server is replaced by another one: neither the one that goes nor the one that comes is an incident', async () => {
  // One can be spared.
  await apply({ policies: { minimumNodes: 3 } });
  await until('nothing to be told', async () => alarming([await status()]).length === 0, 20_000, 100);
  const handle = await worker.start('replaceNode', { cluster, node: 'st5', by: 'st4', gracefulTimeout: '2s' });
  const seen = await seenUntil('the replacement to end', async () => (await reportOf(handle)).phase === 'ended', 90_000);
  expect(await handle.result()).toMatchObject({ outcome: 'completed', unfinished: [] });
  seen.push(...await seenUntil('st4 to be watched in the place of st5', async () => {
    const names = (await status()).nodes.map(({ node }) => node);
    return names.includes('st4') && !names.includes('st5');
  }, 10_000));
  expect([...new Set(notOnline(seen).map(({ node, excused }) => `${node}: ${excused}`))]).toEqual([`st5: ${handle.workflowId}`]);
  expect(alarming([...seen, ...await seenUntil('all to be well', async () => (await status()).health === 'ok', 20_000)])).toEqual([]);
  expect((await mailed()).filter((subject) => /st[45]/.test(subject))).toEqual([]);
});

test('where a balancer can\'t be asked nothing is stopped, and the way out is told', async () => {
  await lab.run('kill', 'lb2');
  for (const [type, input] of [['rollingRestart', { nodes: ['ed1'] }], ['removeNode', { nodes: ['ed2'] }]] as const) {
    expect((await worker.fail(type, { cluster, ...input })).message).toMatch(/1 prerequisite does not hold; nothing was changed:\n- lb2: .*\[Unreachable\]\. Remedy: see that its host answers/);
  }
  expect((await lab.snapshot()).balancer?.servers).toMatchObject({ [`${cluster}_hc/ed1`]: 'ready', [`${cluster}_hc/ed2`]: 'ready' });
  await lab.run('start', 'lb2');
  expect(await atBalancers('ed1')).toEqual(['ready', 'ready']);
});

test('an update goes from node to node where its notes allow it, with partners served all the time: nothing is lost or doubled', async () => {
  const nodes = ['st1', 'st2', 'st3', 'st4', 'ed1', 'ed2'];
  const update = { command: ['/opt/install/SecureTransport_5.5/update.sh'], nodeByNode: false };
  await Promise.all(nodes.map((node) => clients.ssh.run(target(node).ssh, ['tee', 'update.env'], { timeoutMs: 10_000, stdin: 'UPDATE_BESIDE_OLDER=yes\n', purpose: 'the notes of this update' })));
  await apply({ product: { version: build, update } });
  expect((await worker.fail('updateCluster', { cluster, version: build, nodeByNode: true, keepOnline: 3 })).message).toContain('the cluster file does not allow it');
  await apply({ product: { update: { ...update, nodeByNode: true } } });
  const report = await underLoad(() => worker.run('updateCluster', { cluster, version: build, nodeByNode: true, keepOnline: 3, gracefulTimeout: '1s' }));
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [], summary: `${cluster} is at version ${build}: 6 nodes updated (${nodes.join(', ')}).` });
  // One is back before the next goes down.
  const keys = report.steps.map(({ key }) => key);
  for (const [index, node] of nodes.slice(1).entries()) expect(keys.indexOf(`online/${nodes[index]}`)).toBeLessThan(keys.indexOf(`drain/${node}`));
  expect(await Promise.all(nodes.map(async (node) => (await clients.admin.server(target(node).admin).version()).raw['build']))).toEqual(nodes.map(() => build));
  expect(await Promise.all(['ed1', 'ed2'].map(atBalancers))).toEqual([['ready', 'ready'], ['ready', 'ready']]);
  const end = await settledLedger(lab);
  console.log(JSON.stringify(end));
  expect(end).toMatchObject({ lost: [], doubled: [], failed: [], stranded: [] });
});
