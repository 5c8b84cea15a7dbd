/** Operations on a cluster that works, cut at the boundary of their activities, on an estate in memory: the end is the same, or says what is left and a second run completes. */
import type { ClusterRecord } from '../../src/model/cluster';
import { newRecord } from '../../src/model/clusterRecord';
import { membersOf } from '../../src/model/members';
import { parseClusterSpec, type ClusterSpec } from '../../src/model/spec';
import { unfinished } from '../../src/model/unfinished';
import { everywhere, openStage, saying, withStage, type BoundaryFault, type OpenStage, type Played, type Rehearsal } from '../helpers/faults/boundaries';
import { drawing, everyPoint, points } from '../helpers/faults/points';
import { pretendAdopted } from '../helpers/faults/pretendAdopted';
import { pretendRestarted } from '../helpers/faults/pretendRestarted';
import { pretendWorking } from '../helpers/faults/pretendWorking';
import { pretendDirected } from '../helpers/faults/pretendWorkload';
import { connectGround, type Ground } from '../helpers/workflows';
import { changed, demoFile } from '../unit/model/demoFile';

jest.setTimeout(everyPoint ? 3_600_000 : 240_000);

function specOf(cluster: string, last: number, product: object = {}): ClusterSpec {
  const file = changed(['sites', 'prod', 'servers'], [{ name: `st[1:${last}]`, address: `10.86.0.[11:${10 + last}]` }], { ...demoFile(), metadata: { name: cluster } });
  const { spec } = parseClusterSpec({ ...file, product: { ...file.product, ...product } });
  if (!spec) throw new Error('the demo file is no spec');
  return spec;
}

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `st${index + 1}`);

/** `begins` Servers work and are known to the record; the file names `listed`. */
const on = (operation: string, input: object, { begins, listed = begins, product = {} }: { begins: number; listed?: number; product?: object }): Rehearsal => ({
  operation,
  input: (cluster) => ({ cluster, ...input }),
  ground: (cluster) => pretendWorking(specOf(cluster, listed), names(begins)),
  record(cluster): ClusterRecord {
    const spec = specOf(cluster, listed, product);
    return { ...newRecord(cluster), phase: 'active', complete: true, spec, revision: 1, members: membersOf(spec, 'prod', names(begins)), activeSite: 'prod', epoch: 1 };
  },
});

const directed = {
  policy: 'attributeMatchPolicy', assign: { st1: { PUSH: true }, st2: { PGP: true } }, toWholeCluster: ['PULL', 'FM_TRIGGERED', 'MAINTENANCE'], weights: { st1: 5 }, window: '200ms',
};
const build = '5.5-20261126';
const updated = { version: build, update: { command: ['/opt/install/update.sh'], nodeByNode: false } };

/** `from`: key of the first step past the point of no return. */
const rehearsals: [string, Rehearsal, { from?: string }][] = [
  ['addNode', on('addNode', { nodes: ['st3'] }, { begins: 2, listed: 3 }), {}],
  ['removeNode', on('removeNode', { nodes: ['st3'] }, { begins: 3 }), { from: 'unlist/st3' }],
  ['replaceNode', on('replaceNode', { node: 'st3', by: 'st4' }, { begins: 3, listed: 4 }), { from: 'unlist/st3' }],
  ['rollingRestart', { ...on('rollingRestart', {}, { begins: 3 }), ground: (cluster: string) => pretendRestarted(specOf(cluster, 3), names(3), { atOnce: false }) }, {}],
  ['updateCluster', { ...on('updateCluster', { version: build }, { begins: 2, product: updated }), ground: (cluster: string) => pretendRestarted(specOf(cluster, 2), names(2), { atOnce: true }) }, { from: 'update-first/st1' }],
  ['rebalanceWorkload', { ...on('rebalanceWorkload', directed, { begins: 3 }), ground: (cluster: string) => pretendDirected(specOf(cluster, 3), names(3)) }, {}],
  ['adoptCluster', { ...on('adoptCluster', { apply: true }, { begins: 3 }), ground: (cluster: string) => pretendAdopted(specOf(cluster, 3)), record: (cluster) => ({ ...newRecord(cluster), spec: specOf(cluster, 3), revision: 1 }) }, {}],
];

describe.each(rehearsals)('%s', (_, rehearsal, { from }) => {
  let ground: Ground;
  let stage: OpenStage;
  let undisturbed: Played;
  beforeAll(async () => {
    ground = await connectGround();
    undisturbed = await withStage(ground, rehearsal, { everyTaskReplays: true }, ({ play }) => play());
    stage = await openStage(ground, rehearsal, { everyTaskReplays: false });
  });
  afterAll(async () => {
    await stage?.close();
    await ground?.close();
  });

  const isStep = (key: string): boolean => !/^(check|lease)\//.test(key);
  const isForward = (key: string): boolean => from !== undefined && undisturbed.performed.indexOf(key) >= undisturbed.performed.indexOf(from);
  const kinds: BoundaryFault['kind'][] = ['once', 'worker lost', 'for good', 'cancelled', 'terminated'];
  /** CI looks at some boundaries of its steps, others for each kind; `npm run faults` at every one. */
  const at = (kind: BoundaryFault['kind'], look: (played: Awaited<ReturnType<OpenStage['play']>>, key: string) => Promise<void> | void): Promise<string[]> =>
    everywhere(points(undisturbed.performed.filter(isStep), kind === 'once' ? 1 : 2, drawing(rehearsal.operation.length * 10 + kinds.indexOf(kind))), 4, (key) => key, async (key) => look(await stage.play({ at: key, kind }), key));
  const expectSameEnd = ({ failure, report, record, state }: Played): void => {
    expect(failure).toBeUndefined();
    expect(report).toMatchObject({ outcome: expect.stringMatching(/^(completed|nothing to do)$/), unfinished: [] });
    expect(state).toEqual(undisturbed.state);
    expect(record).toMatchObject({ lease: null, phase: 'active', complete: true, unfinished: [], members: undisturbed.record!.members });
  };

  test('undisturbed it performs every activity once', () => {
    expectSameEnd(undisturbed);
    expect(new Set(Object.values(undisturbed.tries))).toEqual(new Set([1]));
    expect(undisturbed.performed.filter(isStep).length).toBeGreaterThan(4);
  });

  test.each(['once', 'worker lost'] as const)('a step that fails once, or whose worker is lost, is performed again and does no harm (%s)', async (kind) => {
    expect(await at(kind, (played, key) => {
      expectSameEnd(played);
      expect(played.tries[key]).toBe(2);
    })).toEqual([]);
  });

  test.each(['for good', 'cancelled'] as const)('a run that ends at a step (%s) says so, leaves the record free, and a second run completes', async (kind) => {
    const groupOf = (key: string): string => key.split('/')[0]!;
    const last = groupOf(undisturbed.performed.filter(isStep).at(-1)!);
    expect(await at(kind, async (played, key) => {
      const { failure, report, record, again } = played;
      // After the last steps there is nothing left that could be cancelled, and past the point of no return a person is waited for.
      if ((groupOf(key) === last && kind === 'cancelled' && report?.outcome === 'completed') || isForward(key)) {
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
    expect(await at('terminated', async ({ report, left, again }, key) => {
      const seen = await left();
      expect(seen).toMatchObject({ phase: 'interrupted', unfinished: unfinished(report!, 'TERMINATED'), operations: [{ operation: rehearsal.operation, outcome: 'interrupted', summary: expect.stringContaining('terminated') }] });
      const { title, node } = report!.steps.find((row) => row.key === key)!;
      if (!report!.steps.find((row) => row.key === key)!.aside) expect(seen.unfinished.join('\n')).toContain(`${title}${node ? ` (${node})` : ''}: was running when the operation was terminated`);
      expectSameEnd(await again());
    })).toEqual([]);
  });
});
