/** Operations on a cluster that works, cut at the boundary of their activities, on an estate in memory: the end is the same, or says what is left and a second run completes. */
import { parseClusterSpec, type ClusterSpec } from '../../src/model/spec';
import { applySpec } from '../../src/control/clusters';
import { everywhere, saying, withStage, type BoundaryFault, type Played, type Rehearsal } from '../helpers/faults/boundaries';
import { points } from '../helpers/faults/points';
import { pretendWorking } from '../helpers/faults/pretendWorking';
import { pretendDirected } from '../helpers/faults/pretendWorkload';
import { connectGround, type Ground } from '../helpers/workflows';
import { changed, demoFile } from '../unit/model/demoFile';

jest.setTimeout(240_000);

function specOf(cluster: string, last: number): ClusterSpec {
  const { spec } = parseClusterSpec(changed(['sites', 'prod', 'servers'], [{ name: `st[1:${last}]`, address: `10.86.0.[11:${10 + last}]` }], { ...demoFile(), metadata: { name: cluster } }));
  if (!spec) throw new Error('the demo file is no spec');
  return spec;
}

/** `begins` Servers work and are known to the record; the file names `listed`. */
const on = (operation: string, input: object, { begins, listed }: { begins: number; listed: number }): Rehearsal => ({
  operation,
  input: (cluster) => ({ cluster, ...input }),
  ground: (cluster) => pretendWorking(specOf(cluster, listed), Array.from({ length: begins }, (_, index) => `st${index + 1}`)),
  async before(cluster, play, { client, taskQueue }) {
    await play('setUpCluster', { cluster, spec: specOf(cluster, begins) });
    if (listed !== begins) await applySpec(client, specOf(cluster, listed), { taskQueue });
  },
});

const directed = {
  policy: 'attributeMatchPolicy', assign: { st1: { PUSH: true }, st2: { PGP: true } }, toWholeCluster: ['PULL', 'FM_TRIGGERED', 'MAINTENANCE'], weights: { st1: 5 }, window: '200ms',
};

/** `from`: key of the first step past the point of no return. */
const rehearsals: [string, Rehearsal, { from?: string }][] = [
  ['addNode', on('addNode', { nodes: ['st3'] }, { begins: 2, listed: 3 }), {}],
  ['rebalanceWorkload', { ...on('rebalanceWorkload', directed, { begins: 3, listed: 3 }), ground: (cluster: string) => pretendDirected(specOf(cluster, 3), ['st1', 'st2', 'st3']) }, {}],
  ['removeNode', on('removeNode', { nodes: ['st3'] }, { begins: 3, listed: 3 }), { from: 'unlist/st3' }],
];

describe.each(rehearsals)('%s', (_, rehearsal, { from }) => {
  let ground: Ground;
  let undisturbed: Played;
  beforeAll(async () => {
    ground = await connectGround();
    undisturbed = await withStage(ground, rehearsal, { everyTaskReplays: true }, ({ play }) => play());
  });
  afterAll(() => ground?.close());

  const isStep = (key: string): boolean => !/^(check|lease)\//.test(key);
  const isForward = (key: string): boolean => from !== undefined && undisturbed.performed.indexOf(key) >= undisturbed.performed.indexOf(from);
  /** CI looks at some boundaries of its steps, `npm run faults` at every one and at the checks. */
  const at = (kind: BoundaryFault['kind'], look: (played: Played & { again(): Promise<Played> }, key: string) => Promise<void> | void): Promise<string[]> =>
    withStage(ground, rehearsal, { everyTaskReplays: false }, ({ play }) =>
      everywhere(points(undisturbed.performed.filter(isStep), 3), 3, (key) => key, async (key) => look(await play({ at: key, kind }), key)));
  const expectSameEnd = ({ failure, report, record, state }: Played): void => {
    expect(failure).toBeUndefined();
    expect(report).toMatchObject({ outcome: expect.stringMatching(/^(completed|nothing to do)$/), unfinished: [] });
    expect(state).toEqual(undisturbed.state);
    expect(record).toMatchObject({ lease: null, phase: 'active', complete: true, unfinished: [], members: undisturbed.record!.members });
  };

  test('undisturbed it performs every activity once', () => {
    expectSameEnd(undisturbed);
    expect(new Set(Object.values(undisturbed.tries))).toEqual(new Set([1]));
    expect(undisturbed.performed.filter(isStep).length).toBeGreaterThan(5);
  });

  test.each(['once', 'worker lost'] as const)('a step that fails once, or whose worker is lost, is performed again and does no harm (%s)', async (kind) => {
    expect(await at(kind, (played, key) => {
      expectSameEnd(played);
      expect(played.tries[key]).toBe(2);
    })).toEqual([]);
  });

  test.each(['for good', 'cancelled'] as const)('a run that ends at a step (%s) says so, leaves the record free, and a second run completes', async (kind) => {
    const last = undisturbed.performed.filter(isStep).at(-1);
    expect(await at(kind, async (played, key) => {
      const { failure, report, record, again } = played;
      // After the last step there is nothing left that could be cancelled, and past the point of no return a person is waited for.
      if ((key === last && kind === 'cancelled' && report?.outcome === 'completed') || isForward(key)) {
        expect(report!.decisions.length).toBe(kind === 'for good' ? 1 : 0);
        return expectSameEnd(played);
      }
      if (kind === 'for good') expect(failure?.message).toContain(saying);
      expect(report!.outcome).toBe(kind === 'for good' ? 'failed' : 'cancelled');
      expect(report!.steps.find((row) => row.key === key)?.state).toMatch(/^(failed|undone|undo failed|done)$/);
      expect(record).toMatchObject({ lease: null, unfinished: report!.unfinished });
      expectSameEnd(await again());
    })).toEqual([]);
  });

  test('a run that is terminated at a step leaves the cluster interrupted with what it left, and a second run completes', async () => {
    expect(await at('terminated', async ({ again }) => {
      const second = await again();
      expectSameEnd(second);
      expect(second.record!.operations[1]).toMatchObject({ operation: rehearsal.operation, outcome: 'interrupted', summary: expect.stringContaining('terminated') });
    })).toEqual([]);
  });
});
