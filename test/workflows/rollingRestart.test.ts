/** rollingRestart where the way through a restarted Edge does not work: it stays out of the balancer and is left for a person. An estate in memory. */
import type { WorkflowBundleOption } from '@temporalio/worker';
import { newRecord } from '../../src/model/clusterRecord';
import type { ClusterRecord } from '../../src/model/cluster';
import { StError } from '../../src/model/errors';
import { membersOf } from '../../src/model/members';
import type { OperationReport } from '../../src/model/operation';
import { parseClusterSpec } from '../../src/model/spec';
import { bundleOf, connectGround, unique, withWorker, type Fakes, type Ground } from '../helpers/workflows';
import { changed, demoFile } from '../unit/model/demoFile';

jest.setTimeout(120_000);

let ground: Ground;
let bundle: WorkflowBundleOption;
beforeAll(async () => {
  ground = await connectGround();
  bundle = await bundleOf(require.resolve('../../src/workflows'));
});
afterAll(() => ground?.close());

const probe = { account: 'probe', password: 'env:PROBE' };

type Input = Record<string, any>;

/** Restarts both Edges of a cluster that works; `fails` says with what a step of a node ends. Answers the report and what was performed. */
async function restart(fails: (step: string) => StError | undefined): Promise<{ report: OperationReport; performed: string[]; inputs: Map<string, Input> }> {
  const cluster = unique('c');
  const file = changed(['sites', 'prod', 'edges'], [{ name: 'ed[1:2]', address: '10.86.0.[71:72]' }], { ...demoFile(), metadata: { name: cluster }, probe });
  const { spec, problems } = parseClusterSpec(changed(['notifications'], undefined, changed(['sites', 'prod', 'loadBalancer', 'fronts'], 'edges', file)));
  if (!spec) throw new Error(JSON.stringify(problems));
  const performed: string[] = [];
  const inputs = new Map<string, Input>();
  const act = (name: string) => async (input: Input) => {
    const node: string = typeof input['node'] === 'string' ? input['node'] : (input['edge'] ?? input['server'] ?? input['node']).node;
    const step = `${name} ${node}`;
    performed.push(step);
    inputs.set(step, input);
    const failure = fails(step);
    if (failure) throw failure;
    return { changed: true, note: 'done' };
  };
  const found = (facts: object) => ({ facts, problems: [] });
  const fakes = {
    'restarts.checkNode': async ({ node: { node }, role }: Input) => found({ node, role, version: '5.5', build: '5.5', online: true, answers: true, runs: true, fresh: false }),
    'loadBalancer.checkBalancer': async ({ balancer: { name } }: Input) => found({ name, active: 'demo_prod', persisted: 'demo_prod', serving: ['ed1', 'ed2'], saved: null, epoch: null }),
    'stops.checkWork': async ({ node: { node } }: Input) => found({ node, blocked: [] }),
    ...Object.fromEntries(['stops.ensureRoom', 'stops.ensureEdgeDrained', 'servers.ensureAllStopped', 'edges.ensureOnline', 'edges.ensureConnected', 'edges.ensureLogin', 'loadBalancer.ensureOutOfService', 'loadBalancer.ensureServing'].map((name) => [name, act(name)])),
  };
  const report = await withWorker(ground, bundle, fakes as unknown as Fakes, async (taskQueue) => {
    const record: ClusterRecord = { ...newRecord(cluster), phase: 'active', complete: true, spec, revision: 1, members: membersOf(spec, 'prod'), activeSite: 'prod', epoch: 1 };
    const entity = await ground.client.workflow.start('cluster', { taskQueue, workflowId: `cluster/${cluster}`, args: [{ name: cluster, record, lookUpEvery: 1_000 }] });
    const handle = await ground.client.workflow.start('rollingRestart', { taskQueue, workflowId: unique('rollingRestart'), args: [{ cluster, nodes: ['ed1', 'ed2'] }], workflowTaskTimeout: '3s' });
    await handle.result().catch(() => undefined);
    const ended = await handle.query<OperationReport>('report');
    await entity.terminate();
    return ended;
  });
  return { report, performed, inputs };
}

const refused = new StError('AuthenticationFailed', 'ed1: the login was refused.');

test('an Edge through which nobody can log in after its restart stays out, its login is not tried again, and both are listed as left', async () => {
  const { report, performed } = await restart((step) => (step === 'edges.ensureLogin ed1' ? refused : undefined));
  expect(report.outcome).toBe('failed');
  expect(performed).not.toContainEqual(expect.stringMatching(/^loadBalancer\.ensureServing/));
  expect(performed.filter((step) => step === 'edges.ensureLogin ed1')).toHaveLength(1);
  expect(performed).not.toContain('loadBalancer.ensureOutOfService ed2');
  expect(report.unfinished).toEqual(expect.arrayContaining(['Log in as a partner does (ed1): failed, ed1: the login was refused.', 'Let the balancer send to the node again (ed1 at lb1): not begun']));
});

test('one that fails before its way was tried goes back only by a proof, and is listed when that fails', async () => {
  const { report, inputs } = await restart((step) => (step.startsWith('edges.ensureConnected') ? new StError('Refused', 'no connection') : step === 'loadBalancer.ensureServing ed1' ? refused : undefined));
  expect(inputs.get('loadBalancer.ensureServing ed1')).toMatchObject({ proof: { role: 'edge', probe, target: { node: 'ed1' } } });
  expect(report.unfinished).toContainEqual(expect.stringMatching(/^Take the node out of the balancer and wait for its sessions \(ed1 at lb1\): undo failed, ed1: the login was refused\./));
});

test('undisturbed every Edge goes back after a login through it', async () => {
  const { report, performed } = await restart(() => undefined);
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(performed.filter((step) => /Login|ensureServing/.test(step))).toEqual(['edges.ensureLogin ed1', 'loadBalancer.ensureServing ed1', 'edges.ensureLogin ed2', 'loadBalancer.ensureServing ed2']);
});

test('a look at the others that was made, and nothing after it, leaves nothing half-done', async () => {
  const { report } = await restart((step) => (step === 'loadBalancer.ensureOutOfService ed1' ? new StError('Refused', 'no such server') : undefined));
  expect(report.steps.find(({ key }) => key === 'room/ed1')).toMatchObject({ state: 'done', aside: true });
  expect(report.steps.find(({ key }) => key === 'out/ed1 at lb1')).toMatchObject({ state: 'undone' });
  expect(report.unfinished).toEqual([]);
});
