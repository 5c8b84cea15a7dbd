import type { Lease } from '../../../src/model/cluster';
import { newRecord } from '../../../src/model/clusterRecord';
import { eventId } from '../../../src/model/notifications';
import type { OperationReport, StepRow } from '../../../src/model/operation';
import { endedEvent, interruptedEvent, waitsEvent } from '../../../src/model/operationEvents';

const step = (state: StepRow['state'], changed?: boolean): StepRow => ({ key: 'servers.ensureOnline/st2', title: 'Start the Server', node: 'st2', state, ...(changed !== undefined && { changed }) });
const report = (outcome: OperationReport['outcome'], steps: StepRow[], more: Partial<OperationReport> = {}): OperationReport => ({
  apiVersion: 'st-orchestrator/v1', kind: 'OperationReport', operation: 'setUpCluster', cluster: 'demo', workflowId: 'set-up-cluster/demo', dryRun: false, phase: 'ended', outcome, summary: 'What happened.', now: 'As it is.', next: 'Nothing.',
  startedAt: '2026-11-01T03:00:00Z', endedAt: '2026-11-01T03:10:00Z', checks: [], steps, unfinished: [], decisions: [], ...more,
});
const run = { firstExecutionRunId: '01890a5d-ac96-774b-bcce-b302099a8057', scheduled: false };

test.each<[string, OperationReport, boolean, string | undefined]>([
  ['completed, and changed something', report('completed', [step('done', false), step('done', true)]), false, 'info'],
  ['completed, and found all as it should be', report('completed', [step('done', false)]), false, undefined],
  ['had nothing to do', report('nothing to do', []), false, undefined],
  ['a dry run', report('completed', [step('done', true)], { dryRun: true }), true, undefined],
  ['failed', report('failed', [step('failed')], { failure: { code: 'NotYet', message: 'x' } }), false, 'critical'],
  ['failed before its first step', report('failed', [step('planned')]), false, undefined],
  ['cancelled in the middle', report('cancelled', [step('undone'), step('planned')]), false, 'warning'],
  ['cancelled while it checked', report('cancelled', []), false, undefined],
  ['refused, before somebody\'s eyes', report('refused', []), false, undefined],
  ['refused, started by a Schedule', report('refused', []), true, 'warning'],
])('an operation that %s', (_, ended, scheduled, severity) => {
  const event = endedEvent(ended, { ...run, scheduled });
  expect(event?.severity).toBe(severity);
  if (event) expect([eventId.safeParse(event.id).success, event.incident]).toEqual([true, `set-up-cluster.${run.firstExecutionRunId}`]);
});

test.each([
  ['cancelled', 'cancelled: wrong database', 'setUpCluster was cancelled: wrong database'],
  ['cancelled', 'cancelled', 'setUpCluster was cancelled'],
  ['failed', 'st2: refused.', 'setUpCluster has failed: st2: refused.'],
] as const)('the mail of one that %s says why (%s)', (outcome, summary, told) => {
  expect(endedEvent(report(outcome, [step('undone')], { summary }), run)).toMatchObject({ summary: told });
});

test('the mail counts the steps as the report does, and lists what is left for a person line by line, whole', () => {
  const line = (node: string): string => `${node}: import the certificate of the Edge into the trusted authorities of each Server, which the product lets only a person do: ${'x'.repeat(150)}`;
  const told = (byHand: string[]): Record<string, string> => endedEvent(report('completed', [step('done', true), step('done', false), step('skipped')], { byHand }), run)!.facts;
  expect(told([])).toMatchObject({ steps: '3: 1 done, 1 already as wanted, 1 skipped' });
  expect(told(['ed1', 'ed2'].map(line))['byHand']!.split('\n')).toEqual(['ed1', 'ed2'].map(line));
  const many = told(Array.from({ length: 40 }, (_, n) => line(`ed${n}`)))['byHand']!.split('\n');
  expect(many.slice(0, -1)).toEqual(many.slice(0, -1).map((_, n) => line(`ed${n}`)));
  expect(many.at(-1)).toBe(`and ${40 - (many.length - 1)} more: stctl report set-up-cluster/demo`);
  expect(many.join('\n').length).toBeLessThanOrEqual(2_000);
  expect(told(['x'.repeat(5_000), 'second'])['byHand']!).toMatch(/^x+ … x+\nand 1 more: stctl report set-up-cluster\/demo$/);
});

test('a wait says what to do, word by word, and each one of a run is an event of its own', () => {
  const at = '2026-11-01T03:05:00Z';
  const first = waitsEvent(report('running', [step('waiting')]), step('waiting'), 'st2: refused.', { ...run, count: 1, at });
  expect(first).toMatchObject({ kind: 'operation-waits', node: 'st2', summary: 'setUpCluster waits for a person: "Start the Server (st2)" can\'t go on.', at });
  expect(first.youCan[0]).toBe('Cure the cause, and have it tried again: stctl decide set-up-cluster/demo --step \'servers.ensureOnline/st2\' --do retry --reason \'…\'');
  expect(waitsEvent(report('running', []), step('waiting'), '', { ...run, count: 2, at }).id).not.toBe(first.id);
});

test('an interruption says what is left, in the thread of its operation', () => {
  const lease: Lease = { workflowId: 'set-up-cluster/demo', firstExecutionRunId: run.firstExecutionRunId, operation: 'setUpCluster', epoch: 3, since: '2026-11-01T03:00:00Z' };
  const record = { ...newRecord('demo'), unfinished: ['Start the Server (st2): running'], operations: [{ operation: 'setUpCluster', workflowId: 'set-up-cluster/demo', epoch: 3, startedAt: lease.since, endedAt: '2026-11-01T03:09:00Z', outcome: 'interrupted', summary: 'it was terminated' }] };
  expect(interruptedEvent(record, lease)).toMatchObject({ kind: 'operation-interrupted', at: '2026-11-01T03:09:00Z', incident: endedEvent(report('failed', [step('failed')]), run)!.incident, summary: 'setUpCluster was interrupted: it was terminated', now: 'Begun and neither done nor undone: Start the Server (st2): running.' });
  expect(interruptedEvent(record, lease).youCan).toEqual(['See what is left: stctl status demo', 'See what was done, step by step: stctl report set-up-cluster/demo', 'Run it again with what it was given, which completes the rest', 'Read what it means: stctl explain Interrupted']);
  expect(interruptedEvent(record, { ...lease, operation: 'rollingRestart' }).youCan[2]).toContain(`with "startedBefore": "${lease.since}" (stctl: --started-before)`);
});
