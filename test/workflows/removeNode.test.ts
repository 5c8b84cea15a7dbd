/** removeNode on an estate in memory, cut at each of its steps: undone up to the table of nodes, forward only from there, completed by a second run, and honest about what it owes. */
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { newRecord } from '../../src/model/clusterRecord';
import type { ClusterRecord } from '../../src/model/cluster';
import { StError } from '../../src/model/errors';
import { membersOf } from '../../src/model/members';
import type { OperationReport, StepRow } from '../../src/model/operation';
import { parseClusterSpec, type ClusterSpec } from '../../src/model/spec';
import { until } from '../../lab/shell';
import { bundleOf, connectGround, unique, withWorker, type Fakes, type Ground } from '../helpers/workflows';
import { changed, demoFile } from '../unit/model/demoFile';

jest.setTimeout(240_000);

let ground: Ground;
let bundle: WorkflowBundleOption;
beforeAll(async () => {
  ground = await connectGround();
  bundle = await bundleOf(require.resolve('../../src/workflows'));
});
afterAll(() => ground?.close());

function specOf(name: string, more: object): ClusterSpec {
  const file = changed(['sites', 'prod', 'edges'], [{ name: 'ed[1:2]', address: '10.86.0.[71:72]' }], { ...demoFile(), ...more, metadata: { name }, probe: { account: 'probe', password: 'env:PROBE' } });
  const { spec, problems } = parseClusterSpec(changed(['notifications'], undefined, changed(['sites', 'prod', 'loadBalancer', 'fronts'], 'edges', file)));
  if (!spec) throw new Error(JSON.stringify(problems));
  return spec;
}

/** What a removal changes; `cut` is called at the begin of each changing activity. */
function estate(names: string[]) {
  const state = { serving: ['ed1', 'ed2'], table: ['st1', 'st2', 'st3'], zones: ['ed1', 'ed2'], up: [...names], gated: [] as string[], dead: [] as string[] };
  let cut: (activity: string, node: string) => Promise<void> | void = () => undefined;
  const performed: string[] = [];
  const proofs: unknown[] = [];
  type Input = Record<string, any>;
  const nodeOf = ({ server, edge, host, node, address }: Input): string => {
    if (typeof node === 'string') return node;
    const at = { '10.86.0.11': 'st1', '10.86.0.12': 'st2', '10.86.0.13': 'st3' }[address as string];
    return at ?? node?.node ?? edge?.node ?? host?.node ?? server?.node ?? '';
  };
  const act = (name: string, change: (node: string) => void) => async (input: Input) => {
    const node = nodeOf(input);
    performed.push(`${name} ${node}`);
    if (name === 'loadBalancer.ensureServing') proofs.push(input['proof']);
    await cut(name, node);
    change(node);
    return { changed: true, note: 'done', ...(name === 'gates.ensureGated' ? { value: true } : {}) };
  };
  const without = (key: 'serving' | 'table' | 'zones' | 'up' | 'gated') => (node: string) => { state[key] = state[key].filter((one) => one !== node); };
  const within = (key: 'serving' | 'table' | 'zones' | 'up' | 'gated') => (node: string) => { state[key] = [...new Set([...state[key], node])].sort(); };
  const nothing = (): void => undefined;
  const changing = Object.fromEntries(Object.entries({
    'backups.ensureFiles': nothing, 'backups.ensureEdge': nothing, 'backups.ensureDatabase': nothing, 'backups.ensureMap': nothing, 'database.ensureEpoch': nothing, 'stops.ensureRoom': nothing, 'stops.ensureSwept': nothing,
    'loadBalancer.ensureOutOfService': without('serving'), 'loadBalancer.ensureServing': within('serving'), 'stops.ensureDrained': without('up'), 'stops.ensureEdgeDrained': without('up'),
    'servers.ensureOnline': within('up'), 'edges.ensureOnline': within('up'), 'servers.ensureNotMember': without('table'), 'edges.ensureOutOfZones': without('zones'),
    'gates.ensureStopped': without('up'), 'gates.ensureGated': within('gated'),
  }).map(([name, change]) => [name, act(name, change)]));
  const found = (facts: object) => ({ facts, problems: [] });
  const reading = {
    'gates.checkGate': async ({ host: { node } }: Input) => found(state.dead.includes(node) ? { node, gate: 'unknown', why: 'no answer', runs: false, ours: false, epoch: null } : { node, gate: state.gated.includes(node) ? 'closed' : 'open', why: '', runs: state.up.includes(node), ours: true, epoch: null }),
    'servers.checkServer': async ({ server: { node } }: Input) => found({ node, admin: state.up.includes(node) ? 'running' : 'not running', tm: state.up.includes(node), daemons: state.up.includes(node), members: null, threshold: null, options: null }),
    'edges.checkEdge': async ({ edge: { node } }: Input) => found({ node, admin: state.up.includes(node), daemons: state.up.includes(node), ca: null, trusted: [], ports: {} }),
    'loadBalancer.checkBalancer': async ({ balancer: { name } }: Input) => found({ name, active: 'demo_prod', persisted: 'demo_prod', serving: state.serving, saved: null, epoch: null }),
    'stops.checkWork': async ({ node: { node } }: Input) => found({ node, blocked: [] }),
    'backups.checkFiles': async ({ server: { node } }: Input) => found({ node }),
    'backups.checkExportPassword': async () => found({ by: 'system_export' }),
    'backups.checkEdge': async ({ edge: { node } }: Input) => found({ node, exports: state.up.includes(node) }),
    'backups.checkDatabase': async () => found({ by: 'pg_dump' }),
  };
  return { state, performed, proofs, fakes: { ...changing, ...reading } as Fakes, at: (act: typeof cut) => { cut = act; } };
}

interface Stage extends ReturnType<typeof estate> {
  cluster: string;
  spec: ClusterSpec;
  taskQueue: string;
  start(nodes: string[], more?: object): Promise<WorkflowHandle>;
  record(): Promise<ClusterRecord>;
}

/** A cluster of three Servers and two Edges that works, and a worker. */
async function onStage(play: (stage: Stage) => Promise<void>, more: object = {}): Promise<void> {
  const cluster = unique('c');
  const spec = specOf(cluster, more);
  const members = membersOf(spec, 'prod');
  const made = estate(members.map(({ node }) => node));
  await withWorker(ground, bundle, made.fakes, async (taskQueue) => {
    const record: ClusterRecord = { ...newRecord(cluster), phase: 'active', complete: true, spec, revision: 1, members, activeSite: 'prod', epoch: 1 };
    const entity = await ground.client.workflow.start('cluster', { taskQueue, workflowId: `cluster/${cluster}`, args: [{ name: cluster, record, lookUpEvery: 1_000 }] });
    const start = (nodes: string[], more: object = {}): Promise<WorkflowHandle> => ground.client.workflow.start('removeNode', { taskQueue, workflowId: unique('removeNode'), args: [{ cluster, nodes, ...more }], workflowTaskTimeout: '3s' });
    await play({ ...made, cluster, spec, taskQueue, start, record: () => entity.query<ClusterRecord>('status') });
    await entity.terminate();
  });
}

const both = ['st3', 'ed2'];
const end = { serving: ['ed1'], table: ['st1', 'st2'], zones: ['ed1'], up: ['st1', 'st2', 'ed1'], gated: ['ed2', 'st3'], dead: [] };
const names = async (stage: Stage): Promise<string[]> => (await stage.record()).members.map(({ node }) => node);
const failureOf = (handle: WorkflowHandle): Promise<string> => handle.result().then(() => 'completed', (error: unknown) => (error instanceof WorkflowFailedError ? String(error.cause?.message) : String(error)));
const waiting = (handle: WorkflowHandle): Promise<StepRow> => until('a step to wait for a person', async () => (await handle.query<OperationReport>('report')).steps.find(({ state }) => state === 'waiting'), 20_000);

test('undisturbed: the order of the product, and the record afterwards', async () => {
  await onStage(async (stage) => {
    expect(await (await stage.start(both)).result()).toMatchObject({ outcome: 'completed', unfinished: [], summary: `st3 and ed2 were removed from ${stage.cluster}: 2 Servers and 1 Edge are left.` });
    expect(stage.performed.filter((line) => !line.startsWith('backups'))).toEqual([
      'database.ensureEpoch ', 'stops.ensureRoom st3', 'stops.ensureRoom ed2', 'loadBalancer.ensureOutOfService ed2', 'stops.ensureEdgeDrained ed2', 'stops.ensureDrained st3', 'stops.ensureSwept st3',
      'servers.ensureNotMember st3', 'edges.ensureOutOfZones ed2', 'gates.ensureStopped st3', 'gates.ensureStopped ed2', 'gates.ensureGated st3', 'gates.ensureGated ed2',
    ]);
    expect({ ...stage.state, up: stage.state.up.sort(), }).toEqual({ ...end, up: end.up.sort() });
    expect(await names(stage)).toEqual(['st1', 'st2', 'ed1']);
    expect(await stage.record()).toMatchObject({ debts: [], unfinished: [], lease: null });
  });
});

const exported = { backups: { edges: { by: 'system_export', password: 'env:EXPORTS' } } };
const warnings = ({ checks }: OperationReport): string[] => checks.flatMap(({ problems }) => problems.map(({ what }) => what));

test('every Edge is exported before anything is changed, each once; one that does not answer is named, and nobody asks it', async () => {
  await onStage(async (stage) => {
    const report = await (await stage.start(both)).result() as OperationReport;
    expect(stage.performed.slice(0, 7).sort()).toEqual(['backups.ensureDatabase st1', 'backups.ensureEdge ed1', 'backups.ensureEdge ed2', 'backups.ensureFiles st1', 'backups.ensureFiles st3', 'backups.ensureMap ', 'database.ensureEpoch ']);
    expect(warnings(report)).toEqual([]);
  }, exported);
  await onStage(async (stage) => {
    Object.assign(stage.state, { dead: ['ed2'], up: stage.state.up.filter((node) => node !== 'ed2') });
    const report = await (await stage.start(['ed2'])).result() as OperationReport;
    expect(report.steps.filter(({ key }) => key.startsWith('backup-edges')).map(({ node }) => node)).toEqual(['ed1']);
    expect(report.checks.filter(({ key }) => key.startsWith('check/backupEdges')).map(({ node }) => node)).toEqual(['ed1']);
    expect(warnings(report)).toEqual([expect.stringMatching(/^ed2 does not answer \(no answer\): it is removed without being drained/), 'ed2 does not answer: its embedded database is not backed up']);
  }, exported);
});

test('an export that comes to nothing stops the operation with nothing changed', async () => {
  await onStage(async (stage) => {
    const before = structuredClone(stage.state);
    stage.at((activity, node) => { if (`${activity} ${node}` === 'backups.ensureEdge ed2') throw new StError('Refused', 'ed2: bin/system_export: it asked for something'); });
    expect(await failureOf(await stage.start(both))).toContain('it asked for something');
    expect(stage.performed.filter((line) => !line.startsWith('backups'))).toEqual([]);
    expect(stage.state).toEqual(before);
    expect(await stage.record()).toMatchObject({ lease: null });
  }, exported);
});

test('without a word on Edges in the cluster file, plan and report say that they are not backed up; told that it is meant so, they say nothing', async () => {
  await onStage(async (stage) => {
    for (const dryRun of [true, false]) expect(warnings(await (await stage.start(both, { dryRun })).result() as OperationReport)).toEqual(['the embedded database of ed1, ed2 is not backed up']);
  });
  await onStage(async (stage) => {
    expect(warnings(await (await stage.start(both, { dryRun: true })).result() as OperationReport)).toEqual([]);
  }, { backups: { edges: { by: 'none' } } });
});

test.each(['stops.ensureEdgeDrained ed2', 'stops.ensureDrained st3'])('refused at %s, all is as it was: started, served by a proof, a member', async (where) => {
  await onStage(async (stage) => {
    const before = structuredClone(stage.state);
    stage.at((activity, node) => { if (`${activity} ${node}` === where) throw new StError('Refused', 'not here'); });
    expect(await failureOf(await stage.start(both))).toContain('not here');
    expect(stage.proofs).toEqual([expect.objectContaining({ role: 'edge', protocols: stage.spec.product.protocols, target: expect.objectContaining({ node: 'ed2' }), probe: stage.spec.probe })]);
    expect({ ...stage.state, up: stage.state.up.sort() }).toEqual({ ...before, up: before.up.sort() });
    expect(await names(stage)).toEqual(['st1', 'st2', 'st3', 'ed1', 'ed2']);
    expect(await stage.record()).toMatchObject({ lease: null, unfinished: [] });
  });
});

test.each(['servers.ensureNotMember st3', 'gates.ensureStopped st3'])('refused at %s, it holds, refuses a cancel, and goes on when a person says so', async (where) => {
  await onStage(async (stage) => {
    let refuse = true;
    stage.at((activity, node) => { if (refuse && `${activity} ${node}` === where) throw new StError('Refused', 'not here'); });
    const handle = await stage.start(both);
    const step = await waiting(handle);
    await handle.cancel();
    refuse = false;
    await handle.executeUpdate('decide', { args: [{ step: step.key, do: 'retry', by: 'the test', reason: 'mended' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'completed', unfinished: [] });
    expect(stage.state).toMatchObject({ table: end.table, zones: end.zones, gated: end.gated });
  });
});

test('a host that dies at the end is skipped by a person, and owes its gate; the run that pays it does not ask for more', async () => {
  await onStage(async (stage) => {
    stage.at((activity, node) => { if (activity === 'gates.ensureGated' && node === 'st3') throw new StError('Refused', 'gone'); });
    const handle = await stage.start(both);
    const step = await waiting(handle);
    await handle.executeUpdate('decide', { args: [{ step: step.key, do: 'skip', by: 'the test', reason: 'its power failed' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'completed' });
    expect(await stage.record()).toMatchObject({ debts: [{ node: 'st3', what: 'gate', because: 'stopping or gating it was skipped by a person' }] });
    expect(await names(stage)).toEqual(['st1', 'st2', 'ed1']);
    stage.at(() => undefined);
    expect(await (await stage.start(['st3'])).result()).toMatchObject({ outcome: 'completed', summary: 'st3 answers now, is stopped and gated.' });
    expect((await stage.record()).debts).toEqual([]);
    expect(await (await stage.start(both)).result()).toMatchObject({ outcome: 'nothing to do' });
  });
});

test('nothing is claimed of a dead node: not drained, stopped or gated, and not put back into the balancer by an undo', async () => {
  await onStage(async (stage) => {
    stage.state.dead.push('ed2');
    stage.state.up = stage.state.up.filter((node) => node !== 'ed2');
    stage.state.serving = ['ed1'];
    let refuse = true;
    stage.at((activity) => { if (refuse && activity === 'stops.ensureDrained') throw new StError('Refused', 'not here'); });
    await failureOf(await stage.start(both));
    expect(stage.performed).not.toContain('loadBalancer.ensureServing ed2');
    refuse = false;
    expect(await (await stage.start(both)).result()).toMatchObject({ outcome: 'completed' });
    expect(stage.performed.filter((line) => line.endsWith('ed2') && !line.startsWith('loadBalancer'))).toEqual(['edges.ensureOutOfZones ed2']);
    expect((await stage.record()).debts).toEqual([expect.objectContaining({ node: 'ed2', because: 'it did not answer when it was removed (no answer)' })]);
  });
});

test.each(['stops.ensureDrained st3', 'edges.ensureOutOfZones ed2'])('terminated at %s, it shows as interrupted, and a second run comes to the same end', async (where) => {
  await onStage(async (stage) => {
    let reached: () => void = () => undefined;
    const there = new Promise<void>((done) => { reached = done; });
    let first = true;
    stage.at(async (activity, node) => {
      if (!first || `${activity} ${node}` !== where) return;
      first = false;
      reached();
      await new Promise<void>((later) => void setTimeout(later, 500));
      throw new StError('Refused', 'its worker has gone');
    });
    const handle = await stage.start(both);
    await there;
    await handle.terminate('by the test');
    expect(await (await stage.start(both, { waitForLease: '20s' })).result()).toMatchObject({ outcome: 'completed', unfinished: [] });
    expect({ ...stage.state, up: stage.state.up.sort() }).toEqual({ ...end, up: end.up.sort() });
    expect(await names(stage)).toEqual(['st1', 'st2', 'ed1']);
  });
});

test('the last Servers: the plan says what force means and how one comes back, the report keeps it, and what needs a Server names that way', async () => {
  await onStage(async (stage) => {
    const all = { force: true, reason: 'the test', gracefulTimeout: '1s' };
    const plan = (await (await stage.start(['st1', 'st2', 'st3'], { ...all, dryRun: true })).result()) as OperationReport;
    const told = { what: 'no Server would be left without st1, st2, st3', level: 'warning', remedy: expect.stringContaining('"stctl set-up-cluster" brings one back, alone') };
    expect(plan.checks.flatMap(({ problems }) => problems)).toContainEqual(told);
    const report = (await (await stage.start(['st1', 'st2', 'st3'], all)).result()) as OperationReport;
    expect(report).toMatchObject({ outcome: 'completed', byHand: [expect.stringContaining(`"stctl set-up-cluster ${stage.cluster}" starts one of them, alone`)] });
    expect(report.checks.flatMap(({ problems }) => problems)).toContainEqual(told);
    expect(await names(stage)).toEqual(['ed1', 'ed2']);
    expect(await failureOf(await stage.start(['ed2'], all))).toContain(`no Server answers through which they could be taken out of the cluster. Remedy: none is left: "stctl set-up-cluster ${stage.cluster}" brings one back`);
    for (const [operation, input] of [['addNode', { nodes: ['st1'] }], ['replaceNode', { node: 'st1', by: 'st2' }], ['rebalanceWorkload', { policy: 'attributeMatchPolicy', assign: { st1: { PUSH: true } } }]] as const) {
      const refused = await ground.client.workflow.start(operation, { taskQueue: stage.taskQueue, workflowId: unique(operation), args: [{ cluster: stage.cluster, ...input }], workflowTaskTimeout: '3s' });
      expect(await failureOf(refused)).toBe(`${stage.cluster} has no Server left. Bring one back first: "stctl set-up-cluster ${stage.cluster}"; "stctl add-node" adds the others to it. Nothing was changed.`);
    }
  });
});
