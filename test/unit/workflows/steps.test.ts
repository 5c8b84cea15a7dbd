import type { OperationReport, StepRow } from '../../../src/model/operation';
import { firstLines } from '../../../src/model/unfinished';
import { details, visible } from '../../../src/workflows/operation/report';
import * as steps from '../../../src/workflows/operation/steps';

const row = (key: string, state: StepRow['state'], more: Partial<StepRow> = {}): StepRow => ({ key, title: key, state, ...more });

test('two steps of one key are refused before they can wedge a run', () => {
  const book = steps.newBook();
  expect(steps.plan(book, { key: 'a', title: 'A' })).toBeUndefined();
  expect(steps.plan(book, { key: 'a', title: 'B' })).toBe('two steps share the key "a"');
  expect(book.steps).toHaveLength(1);
});

test('undo goes backwards, and takes what one fan-out began together', () => {
  const book = steps.newBook();
  for (const [key, group] of [['a', 'a'], ['b/st1', 'b'], ['b/st2', 'b'], ['c', 'c']] as const) book.undo.push({ key, title: key, task: { activity: 'x.y', input: {} }, group, parallel: 2 });
  expect(steps.undoGroups(book).map((group) => group.map(({ key }) => key))).toEqual([['c'], ['b/st2', 'b/st1'], ['a']]);
});

test('unfinished is what failed or was left, and what was never begun once others were', () => {
  const book = { ...steps.newBook(), steps: [row('a', 'done'), row('b', 'failed', { node: 'st1', note: 'no' }), row('c', 'planned'), row('d', 'undone'), row('e', 'skipped'), row('f', 'running')] };
  expect(steps.unfinished(book)).toEqual(['b (st1): failed, no', 'c: not begun', 'e: skipped', 'f: running']);
  expect(steps.unfinished({ steps: [row('f', 'running'), row('g', 'undoing')] }, 'TIMED_OUT')).toEqual(['f: was running when the operation timed out', 'g: was being undone when the operation timed out']);
  expect(steps.unfinished({ steps: [row('a', 'undone'), row('b', 'planned')] })).toEqual([]);
  expect(steps.unfinished({ steps: [row('backup', 'done', { aside: true }), row('a', 'undone'), row('b', 'planned')] })).toEqual([]);
  expect(steps.unfinished({ steps: [row('backup', 'failed', { aside: true }), row('b', 'planned')] })).toEqual(['backup: failed', 'b: not begun']);
});

test('a node that a restart has not come to goes on as before: nothing of it is unfinished', () => {
  const begun = [row('down', 'done', { node: 'st1' }), row('up', 'done', { node: 'st1' }), row('down', 'done', { node: 'st2' }), row('out', 'failed', { node: 'st2 at lb1' }), row('up', 'planned', { node: 'st2' }), row('down', 'planned', { node: 'st3' })];
  expect(steps.unfinished({ operation: 'rollingRestart', steps: begun })).toEqual(['out (st2 at lb1): failed', 'up (st2): not begun']);
  expect(steps.unfinished({ operation: 'setUpCluster', steps: begun })).toContain('down (st3): not begun');
});

test('what is being undone is unfinished, and of a long note its beginning and its end are told', () => {
  const undoing = row('a', 'done', { startedAt: '2026-01-01T00:00:00.000Z', took: 9_000 });
  steps.beginUndo(undoing, '2026-01-01T00:01:00.000Z');
  expect(steps.unfinished({ steps: [undoing, row('b', 'failed', { note: `st1: ${'x'.repeat(2_000)}: disk full` })] })).toEqual(['a: undoing', expect.stringMatching(/^b: failed, st1: x{144} … x{137}: disk full$/)]);
  steps.end(undoing, 'undone', '2026-01-01T00:01:02.000Z');
  expect(undoing).toMatchObject({ state: 'undone', took: 2_000 });
});

test('of many lines as many as there is room for are told, and the others counted', () => {
  expect(firstLines(['a', 'b'], 2)).toEqual(['a', 'b']);
  expect(firstLines(['a', 'b', 'c'], 1)).toEqual(['a', 'and 2 more']);
});

test('how long a step took is counted from its last begin', () => {
  const step = row('a', 'planned');
  steps.begin(step, '2026-01-01T00:00:00.000Z');
  steps.begin(step, '2026-01-01T00:00:05.000Z');
  steps.end(step, 'done', '2026-01-01T00:00:06.500Z', { changed: true, note: 'it is so' });
  expect(step).toMatchObject({ state: 'done', took: 1_500, changed: true, note: 'it is so' });
});

test('all failed checks are told with their remedies, and what does not fit is counted', () => {
  const problems = Array.from({ length: 100 }, (_, n) => ({ what: `st${n}: ${'x'.repeat(60)}`, remedy: 'do it' }));
  const text = steps.problemsText(problems);
  expect(text).toContain('100 prerequisites do not hold; nothing was changed:');
  expect(text).toContain('Remedy: do it');
  expect(text).toMatch(/and \d+ more/);
  expect(text.length).toBeLessThan(2_000);
  expect(steps.problemsText(problems.slice(0, 1))).toContain('1 prerequisite does not hold');
});

test('of many steps those around the present are shown', () => {
  const many = [...Array.from({ length: 150 }, (_, n) => row(`done${n}`, 'done')), ...Array.from({ length: 80 }, (_, n) => row(`next${n}`, 'planned'))];
  const { rows, left } = visible(many, 100);
  expect(rows).toHaveLength(100);
  expect(left).toBe(130);
  expect(rows.some(({ key }) => key === 'next0')).toBe(true);
});

test('the details stay below what Temporal takes, name the next step, and no text breaks the table', () => {
  const report: OperationReport = {
    apiVersion: 'st-orchestrator/v1', kind: 'OperationReport', operation: 'setUpCluster', cluster: 'demo', workflowId: 'w', dryRun: false, phase: 'working', outcome: 'running',
    summary: 'Working.', now: 'now', next: '', startedAt: '2026-01-01T00:00:00.000Z', unfinished: [], decisions: [],
    checks: [{ key: 'c', title: 'A check', state: 'passed', problems: [] }],
    steps: [row('first', 'done', { note: 'a|b\nc' }), ...Array.from({ length: 200 }, (_, n) => row(`step${n}`, 'planned', { title: 'T'.repeat(150), note: 'N'.repeat(300), node: `st${n}` }))],
  };
  const text = details(report);
  expect(text.length).toBeLessThanOrEqual(18_000);
  expect(text).toContain(`**Next:** ${'T'.repeat(150)} (st0).`);
  expect(text).toContain('a\\|b c');
  expect(text).toContain('1 of 201 steps done');
});

test('a warning is shown in its check and refuses nothing', () => {
  const warning = { what: 'st1: shared_buffers is small', remedy: 'raise it', level: 'warning' as const };
  const refusal = { what: 'st1: no installer', remedy: 'put it there' };
  const book = { ...steps.newBook(), checks: [{ key: 'a', title: 'A', state: 'passed' as const, problems: [warning] }, { key: 'b', title: 'B', state: 'failed' as const, problems: [warning, refusal] }] };
  expect(steps.problemsOf(book)).toEqual([refusal]);
  const text = details({ checks: book.checks.slice(0, 1), steps: [] as StepRow[], phase: 'working' } as OperationReport);
  expect(text).toContain('| ⚠ | A |  | warning | | st1: shared_buffers is small |');
  expect(text).toContain('1 check');
});

test('only where the far side gives no answer is it told what to do about one that is gone; what answers tells its own remedy', () => {
  const silent = 'take it out';
  const read = (code: string) => steps.unread({ code, message: 'lb1: no' }, { node: 'lb1', silent });
  for (const code of ['Unreachable', 'ConnectionLost', 'NotYet']) expect(read(code)).toEqual({ what: `lb1: no [${code}]`, remedy: silent, code });
  for (const code of ['AuthenticationFailed', 'HostKeyMismatch', 'SecretUnavailable', 'Refused']) expect(read(code)).toEqual({ what: `lb1: no [${code}]`, remedy: '', code });
  expect(steps.unread({ code: 'Unreachable', message: 'no' }, { node: 'st1' })).toEqual({ what: 'st1: no [Unreachable]', remedy: '', code: 'Unreachable' });
});
