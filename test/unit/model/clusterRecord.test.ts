import type { AcquireRequest, ApplyRequest, ClusterRecord, LeaseHolder, ReleaseRequest } from '../../../src/model/cluster';
import { acquire, apply as applyAt, evict, newRecord, release } from '../../../src/model/clusterRecord';

const at = '2026-01-01T00:00:00.000Z';
const spec = { metadata: { name: 'c' } } as never;
const ann: LeaseHolder = { workflowId: 'ann', firstExecutionRunId: '1' };
const bob: LeaseHolder = { workflowId: 'bob', firstExecutionRunId: '2' };
const ask = (holder: LeaseHolder, more: Partial<AcquireRequest> = {}): AcquireRequest => ({ holder, operation: 'setUpCluster', at, ...more });
const giveBack = (holder: LeaseHolder, outcome = 'completed', more: Partial<ReleaseRequest> = {}): ReleaseRequest =>
  ({ holder, line: { operation: 'setUpCluster', workflowId: holder.workflowId, epoch: 1, startedAt: at, endedAt: at, outcome, summary: '' }, unfinished: [], ...more });

const apply = (to: ClusterRecord, request: ApplyRequest) => applyAt(to, request, at);

let record: ClusterRecord;
beforeEach(() => {
  record = newRecord('c');
});

test('grants nothing to a cluster that has no spec, and keeps nothing of the asking', () => {
  expect(acquire(record, ask(ann))).toEqual({ granted: false, reason: 'no spec' });
  expect(record).toEqual(newRecord('c'));
});

test('a holder that asks twice gets the same grant; the epoch rises only with a new holder', () => {
  const first = acquire(record, ask(ann, { spec }));
  expect(acquire(record, ask(ann, { spec }))).toEqual(first);
  expect(acquire(record, ask(bob))).toMatchObject({ granted: false, reason: 'busy', lease: { workflowId: 'ann' } });
  release(record, giveBack(ann));
  expect(acquire(record, ask(bob))).toMatchObject({ granted: true, epoch: 2, evicted: false, interrupted: false, unfinished: false });
});

test('another first run of the same workflow id is another holder', () => {
  acquire(record, ask(ann, { spec }));
  expect(acquire(record, ask({ ...ann, firstExecutionRunId: '9' }))).toMatchObject({ granted: false, reason: 'busy' });
});

test('only the holder can give the lease back, and only once', () => {
  acquire(record, ask(ann, { spec }));
  expect(release(record, giveBack(bob))).toEqual({ released: false });
  expect(record.lease?.workflowId).toBe('ann');
  expect(release(record, giveBack(ann, 'completed', { complete: true }))).toEqual({ released: true });
  expect(release(record, giveBack(ann))).toEqual({ released: false });
  expect(record).toMatchObject({ phase: 'active', operations: [{ outcome: 'completed' }] });
  expect(record.operations).toHaveLength(1);
});

test('evicts only the holder that was looked up: one that took the lease meanwhile keeps it', () => {
  acquire(record, ask(ann, { spec }));
  const gone = { ...ann, unfinished: ['a step'], because: 'terminated without a report' };
  expect(acquire(record, ask(bob, { evict: { ...gone, firstExecutionRunId: '9' } }))).toMatchObject({ granted: false });
  expect(acquire(record, ask(bob, { evict: gone }))).toMatchObject({ granted: true, epoch: 2, evicted: true, interrupted: true, unfinished: true });
  // Also of one that was evicted before, by the record's own look: what it left may still act.
  expect(acquire(record, ask(bob))).toMatchObject({ granted: true, epoch: 2, evicted: false, interrupted: true, unfinished: true });
  expect(record).toMatchObject({ phase: 'interrupted', unfinished: ['a step'], operations: [{ outcome: 'interrupted', workflowId: 'ann' }] });
});

test('a refused run leaves an interrupted cluster interrupted; a completed one ends that', () => {
  acquire(record, ask(ann, { spec }));
  acquire(record, ask(bob, { evict: { ...ann, unfinished: ['a step'], because: 'gone' } }));
  release(record, giveBack(bob, 'refused'));
  expect(record).toMatchObject({ phase: 'interrupted', unfinished: ['a step'] });
  acquire(record, ask(ann));
  release(record, giveBack(ann, 'completed', { complete: true }));
  expect(record).toMatchObject({ phase: 'active', unfinished: [] });
});

test('what one operation left stays listed until the same has completed, whatever others do meanwhile, or until a set-up has', () => {
  const ends = (operation: string, outcome: string, unfinished: string[] = [], about?: string[]): void => {
    acquire(record, ask(ann, { operation, spec, ...(about ? { about } : {}) }));
    const { line } = giveBack(ann, outcome);
    release(record, { holder: ann, line: { ...line, operation }, unfinished });
  };
  ends('setUpCluster', 'completed');
  record.complete = true;
  ends('rollingRestart', 'failed', ['start st2: failed']);
  ends('removeNode', 'failed', ['stop st3: failed'], ['st3']);
  ends('removeNode', 'completed', [], ['ed2']);
  ends('addNode', 'nothing to do', [], ['st4']);
  ends('removeNode', 'refused', [], ['st3']);
  expect(record).toMatchObject({ phase: 'active', unfinished: ['start st2: failed', 'stop st3: failed'], left: [{ operation: 'rollingRestart', about: [] }, { operation: 'removeNode', about: ['st3'] }] });
  ends('removeNode', 'failed', ['gate st3: failed'], ['st3', 'st4']);
  expect(record.unfinished).toEqual(['start st2: failed', 'gate st3: failed']);
  ends('replaceNode', 'completed', [], ['st4', 'st3']);
  expect(record.unfinished).toEqual(['start st2: failed']);
  ends('rollingRestart', 'completed');
  expect(record.unfinished).toEqual([]);
  ends('removeNode', 'failed', ['stop st3: failed'], ['st3']);
  ends('setUpCluster', 'completed');
  expect(record).toMatchObject({ left: [], unfinished: [] });
  // A set-up says nothing of what the Servers are sent.
  ends('rebalanceWorkload', 'failed', ['options of st3: undo failed']);
  ends('rollingRestart', 'failed', ['start st2: failed']);
  ends('setUpCluster', 'completed');
  expect(record).toMatchObject({ left: [{ operation: 'rebalanceWorkload' }], unfinished: ['options of st3: undo failed'] });
  ends('rebalanceWorkload', 'nothing to do');
  expect(record).toMatchObject({ left: [], unfinished: [] });
});

test('a restart of some nodes ends what restarts of these left, and nothing that was left about others, or by a removal', () => {
  const ends = (operation: string, outcome: string, unfinished: string[], about?: string[]): string[] => {
    acquire(record, ask(ann, { operation, spec, ...(about ? { about } : {}) }));
    release(record, { holder: ann, line: { ...giveBack(ann, outcome).line, operation }, unfinished });
    return record.unfinished;
  };
  record.complete = true;
  ends('rollingRestart', 'failed', ['start st2: undo failed'], []);
  expect(ends('rollingRestart', 'completed', [], ['st1'])).toEqual(['start st2: undo failed']);
  expect(ends('rollingRestart', 'failed', ['drain st1: undo failed'], ['st1'])).toEqual(['start st2: undo failed', 'drain st1: undo failed']);
  expect(ends('removeNode', 'failed', ['gate st3: failed'], ['st3'])).toHaveLength(3);
  expect(ends('rollingRestart', 'completed', [], ['st1', 'st3'])).toEqual(['start st2: undo failed', 'gate st3: failed']);
  expect(ends('rollingRestart', 'completed', [], [])).toEqual(['gate st3: failed']);
});

test('an interrupted operation is one until it has completed: another that completes, or a try of its own that fails, does not end that', () => {
  acquire(record, ask(ann, { spec, operation: 'rollingRestart' }));
  evict(record, { ...ann, unfinished: ['drain st2: running'], because: 'terminated without a report' }, at);
  acquire(record, ask(bob, { operation: 'addNode', about: ['ed2'] }));
  release(record, { ...giveBack(bob, 'completed'), line: { ...giveBack(bob).line, operation: 'addNode' } });
  expect(record).toMatchObject({ phase: 'interrupted', unfinished: ['drain st2: running'] });
  acquire(record, ask(ann, { operation: 'rollingRestart' }));
  release(record, { ...giveBack(ann, 'failed'), line: { ...giveBack(ann, 'failed').line, operation: 'rollingRestart' }, unfinished: ['start st2: failed'] });
  expect(record).toMatchObject({ phase: 'interrupted', unfinished: ['start st2: failed'] });
});

test('a run that was refused is no change: a plan made before it still holds', () => {
  acquire(record, ask(ann, { spec }));
  release(record, giveBack(ann, 'completed'));
  const { changedBy } = record;
  acquire(record, ask(bob));
  release(record, giveBack(bob, 'refused'));
  expect(acquire(record, ask(ann))).toMatchObject({ granted: true, epoch: 3, changedBy });
  release(record, { ...giveBack(ann, 'failed'), line: { ...giveBack(ann, 'failed').line, epoch: 3 } });
  expect(record.changedBy).toBe(3);
});

test('a different inline spec is a conflict, an equal one is not', () => {
  acquire(record, ask(ann, { spec }));
  release(record, giveBack(ann));
  expect(acquire(record, ask(bob, { spec: { metadata: { name: 'other' } } as never }))).toMatchObject({ granted: false, reason: 'spec conflict', revision: 1, differs: expect.stringContaining('metadata') });
  expect(acquire(record, ask(bob, { spec }))).toMatchObject({ granted: true });
});

test('a spec is applied from the revision that was seen, never while an operation runs; the same spec changes nothing', () => {
  expect(apply(record, { spec, expectedRevision: 0 })).toEqual({ revision: 1, changed: true });
  expect(apply(record, { spec, expectedRevision: 0 })).toEqual({ revision: 1, changed: false });
  const next = { metadata: { name: 'c' }, other: 1 } as never;
  expect(apply(record, { spec: next, expectedRevision: 0 })).toMatchObject({ refused: 'SpecConflict' });
  acquire(record, ask(ann));
  expect(apply(record, { spec: next })).toMatchObject({ refused: 'ClusterBusy', message: expect.stringContaining('ann') });
  expect(record.revision).toBe(1);
});

describe('the epoch of a record that was lost', () => {
  test('is raised by apply, also with the spec that stands, and the next grant is above it', () => {
    expect(apply(record, { spec, epochAtLeast: 7, by: 'ops@desk' })).toEqual({ revision: 1, changed: true, epoch: 7 });
    expect(apply(record, { spec, epochAtLeast: 9 })).toEqual({ revision: 1, changed: false, epoch: 9 });
    expect(record.operations).toMatchObject([{ outcome: 'epoch raised', epoch: 9 }, { operation: 'apply', outcome: 'epoch raised', epoch: 7, summary: expect.stringMatching(/from 0, by ops@desk \(as claimed\)/) }]);
    expect(acquire(record, ask(ann))).toMatchObject({ granted: true, epoch: 10 });
  });

  test('is never lowered, and never changed while an operation runs', () => {
    apply(record, { spec, epochAtLeast: 7 });
    expect(apply(record, { spec, epochAtLeast: 3 })).toEqual({ revision: 1, changed: false });
    acquire(record, ask(ann));
    expect(apply(record, { spec, epochAtLeast: 20 })).toMatchObject({ refused: 'ClusterBusy' });
    expect(record.epoch).toBe(8);
  });

  test('makes a cluster that may have worked, until a set-up completes: what runs on its hosts may serve somebody', () => {
    apply(record, { spec, epochAtLeast: 7 });
    expect(acquire(record, ask(ann))).toMatchObject({ complete: true });
    release(record, giveBack(ann, 'refused'));
    expect(record).toMatchObject({ complete: false, recovered: true });
    acquire(record, ask(bob));
    release(record, giveBack(bob, 'completed', { complete: true }));
    expect(record).toMatchObject({ complete: true });
    expect(record).not.toHaveProperty('recovered');
  });
});

test('keeps the last twenty operations', () => {
  for (let n = 0; n < 25; n += 1) {
    acquire(record, ask(ann, { spec }));
    release(record, giveBack(ann, `outcome ${n}`));
  }
  expect(record.operations.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 20 }, (_, n) => `outcome ${24 - n}`));
});

test('runs that changed nothing push out each other, never what changed something', () => {
  apply(record, { spec });
  const runs = (outcomes: string[]): void => outcomes.forEach((outcome) => {
    acquire(record, ask(ann));
    release(record, giveBack(ann, outcome));
  });
  const times = (count: number, outcome: string): string[] => Array.from({ length: count }, () => outcome);
  runs(['completed', 'failed', ...times(12, 'refused'), 'completed', ...times(30, 'nothing to do'), 'refused']);
  expect(record.operations.map(({ outcome }) => outcome)).toEqual(['refused', ...times(4, 'nothing to do'), 'completed', 'failed', 'completed']);
});

test('a spec that came with a refused first run goes again, so that a corrected one can come; one that was begun with stays', () => {
  acquire(record, ask(ann, { spec }));
  release(record, giveBack(ann, 'refused'));
  expect(record).toMatchObject({ spec: null, revision: 0, phase: 'new' });
  const corrected = { metadata: { name: 'c' }, corrected: true } as never;
  expect(acquire(record, ask(bob, { spec: corrected }))).toMatchObject({ granted: true, revision: 1 });
  release(record, giveBack(bob, 'failed', { unfinished: ['a step'] }));
  expect(record).toMatchObject({ spec: corrected, revision: 1, phase: 'setting up' });
});

test('an applied spec stays when an operation is refused', () => {
  apply(record, { spec, expectedRevision: 0 });
  acquire(record, ask(ann, { spec }));
  release(record, giveBack(ann, 'refused'));
  expect(record).toMatchObject({ spec, revision: 1 });
});
