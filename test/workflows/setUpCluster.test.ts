/** setUpCluster cut at the boundary of each of its activities, on an estate in memory: it goes on, or says what and where and is completed by a second run. */
import { parseClusterSpec, type ClusterSpec } from '../../src/model/spec';
import { everywhere, saying, withStage, type Played, type Rehearsal } from '../helpers/faults/boundaries';
import { everyPoint, points } from '../helpers/faults/points';
import { newRecord } from '../../src/model/clusterRecord';
import { pretendEstate } from '../helpers/faults/pretendEstate';
import { pretendWorking } from '../helpers/faults/pretendWorking';
import { connectGround, type Ground } from '../helpers/workflows';
import { changed, demoFile } from '../unit/model/demoFile';

jest.setTimeout(everyPoint ? 3_600_000 : 240_000);

/** Two Servers: every step of the order, and fan-outs with a sibling. */
function specOf(cluster: string): ClusterSpec {
  const { spec } = parseClusterSpec(changed(['sites', 'prod', 'servers'], [{ name: 'st[1:2]', address: '10.86.0.[11:12]' }], { ...demoFile(), metadata: { name: cluster } }));
  if (!spec) throw new Error('the demo file is no spec');
  return spec;
}

const setUp: Rehearsal = {
  operation: 'setUpCluster',
  input: (cluster) => ({ cluster, spec: specOf(cluster) }),
  ground: (cluster) => pretendEstate(specOf(cluster)),
};

/** Lost workers are waited for, the others cost time of the processor. */
const parallel = { once: 4, 'for good': 4, 'worker lost': 12 };
let ground: Ground;
let undisturbed: Played;
beforeAll(async () => {
  ground = await connectGround();
  undisturbed = await withStage(ground, setUp, { everyTaskReplays: true }, ({ play }) => play());
});
afterAll(() => ground?.close());

/** Plays with a fault at every activity, and at some once more with every task replayed; answers what was not as `look` says. */
async function atEvery(kind: keyof typeof parallel, look: (played: Played & { again(): Promise<Played> }, at: string) => Promise<void>): Promise<string[]> {
  const cut = (everyTaskReplays: boolean, where: string[]): Promise<string[]> =>
    withStage(ground, setUp, { everyTaskReplays }, ({ play }) => everywhere(where, parallel[kind], (at) => at, async (at) => look(await play({ at, kind }), at)));
  return [...(await cut(false, undisturbed.performed)), ...(await cut(true, points(undisturbed.performed, 3)))];
}

function expectCompleted({ report, failure, record, state }: Played): void {
  expect(failure).toBeUndefined();
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(state).toEqual(undisturbed.state);
  expect(record).toMatchObject({ lease: null, phase: 'active', complete: true, unfinished: [] });
}

test('undisturbed it performs every activity once and leaves a cluster that is Online and served', () => {
  expectCompleted(undisturbed);
  expect(new Set(Object.values(undisturbed.tries))).toEqual(new Set([1]));
  expect(undisturbed.performed.length).toBeGreaterThan(25);
  expect(undisturbed.state).toMatchObject({ active: 'demo_prod', serving: ['st1', 'st2'], threshold: 2, machines: { st1: { tm: true }, st2: { tm: true } } });
});

test('an activity that fails once is tried again, wherever it is', async () => {
  expect(await atEvery('once', async (played, at) => {
    expectCompleted(played);
    expect(played.tries[at]).toBe(2);
  })).toEqual([]);
});

test('an activity whose worker was lost is performed again and does no harm, wherever it is', async () => {
  expect(await atEvery('worker lost', async (played, at) => {
    expectCompleted(played);
    expect(played.tries[at]).toBe(2);
  })).toEqual([]);
});

test('an activity that fails for good ends the run with what and where, leaves the record free, and a second run completes, wherever it is', async () => {
  expect(await atEvery('for good', async ({ failure, report, record, again }, at) => {
    expect(failure?.message).toContain(saying);
    if (!at.startsWith('lease/')) {
      const row = [...report!.checks, ...report!.steps].find(({ key }) => key === at)!;
      const where = `${row.title}${row.node ? ` (${row.node})` : ''}`;
      expect([row.state, row.node]).toEqual(['failed', /\/(.*)$/.exec(at.replace('check/', ''))?.[1]]);
      expect(record?.lease).toBeNull();
      if (at.startsWith('check/')) {
        expect(failure).toMatchObject({ type: 'PreconditionFailed', message: expect.stringContaining('nothing was changed') });
        expect(report).toMatchObject({ outcome: 'refused', steps: [], unfinished: [] });
        expect(record).toMatchObject({ phase: 'new', complete: false });
      } else {
        expect(failure).toMatchObject({ type: 'Refused', message: expect.stringContaining(`${where}: `) });
        expect(report!.outcome).toBe('failed');
        expect(report!.unfinished.filter((line) => !line.endsWith(': not begun'))).toEqual([expect.stringContaining(`${where}: failed`)]);
        expect(record).toMatchObject({ phase: 'setting up', unfinished: report!.unfinished, operations: [{ outcome: 'failed' }] });
      }
    }
    const second = await again();
    expect(second.failure).toBeUndefined();
    expect(second.report).toMatchObject({ outcome: expect.stringMatching(/^(completed|nothing to do)$/), unfinished: [] });
    expect(second.state).toEqual(undisturbed.state);
    expect(second.record).toMatchObject({ lease: null, phase: 'active', complete: true, unfinished: [] });
  })).toEqual([]);
});

/** All of its Servers were removed; those that `owe` their gates, while they did not answer. */
const comeBack = (owe: string[]): Rehearsal => ({
  operation: 'setUpCluster',
  input: (cluster) => ({ cluster }),
  ground: (cluster) => pretendWorking(specOf(cluster), ['st1', 'st2'], { removed: true }),
  record: (cluster) => ({
    ...newRecord(cluster), phase: 'active', complete: true, spec: specOf(cluster), revision: 1, members: [], activeSite: 'prod', epoch: 1,
    debts: owe.map((node) => ({ site: 'prod', node, address: node, what: 'gate', since: '2026-11-30T12:00:00Z', because: 'it did not answer when it was removed' })),
  }),
});

function expectBack({ failure, record, state }: Played): void {
  expect(failure).toBeUndefined();
  expect(record).toMatchObject({ phase: 'active', complete: true, unfinished: [], members: [{ node: 'st1', role: 'server' }], debts: [{ node: 'st2' }] });
  expect(record!.debts).toHaveLength(1);
  expect(state).toMatchObject({ machines: { st1: { admin: 'up', tm: true, daemons: true }, st2: { admin: 'off', tm: false } }, table: ['10.86.0.11'], serving: ['st1'], sshPort: '2222', gated: ['st2'], active: 'demo_prod' });
}

test('a cluster all of whose Servers were removed comes back with the first of them, which owes nothing then', async () => {
  const back = await withStage(ground, comeBack(['st1', 'st2']), { everyTaskReplays: true }, ({ play }) => play());
  expectBack(back);
  expect(back.report!.summary).toMatch(/ has a Server again: st1 is Online\. st2 is in the cluster file and no member: "stctl add-node"\.$/);
});

test('its come-back is completed by a second run, wherever the first was cut off', async () => {
  await withStage(ground, comeBack(['st2']), { everyTaskReplays: false }, async ({ play }) => {
    const steps = (await play()).performed.filter((key) => !/^(check|lease)\//.test(key));
    expect(steps.map((key) => key.replace(/\/(st1|lb1).*$/, ''))).toEqual(['backup-files', 'backup-database', 'backup-map', 'database.ensureEpoch', 'open', 'start-first-admin', 'stop-services', 'settings-before', 'add', 'stop-all', 'online', 'serving']);
    expect(await everywhere(points(steps.slice(4), 2), 2, (at) => at, async (at) => {
      const cut = await play({ at, kind: 'for good' });
      expect(cut.report).toMatchObject({ outcome: 'failed' });
      expectBack(await cut.again());
    })).toEqual([]);
  });
});
