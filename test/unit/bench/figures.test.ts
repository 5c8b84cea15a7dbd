/** What a history is read as, and where the table goes. */
import { fanOutTable } from '../../../bench/fanout/fanout';
import { withSection } from '../../../bench/document';
import { activitiesOf, checksMs, stepsOf, typesOf } from '../../../bench/history';
import { figureOf } from '../../../bench/figure';
import { detailsText, nodesTable, setUpTable } from '../../../bench/tables';
import { trialsTable } from '../../../bench/watch/tables';
import { momentOf } from '../../../bench/watch/watched';
import type { SetUpFigures } from '../../../bench/setup';

const time = (ms: number) => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 });

/** Events of activities: id, then scheduled, started and completed in milliseconds. */
function history(...activities: [string, number, number, number][]) {
  const events = activities.flatMap(([activityId, scheduled, started, completed], index) => {
    const first = index * 3 + 1;
    return [
      { eventId: first, eventTime: time(scheduled), activityTaskScheduledEventAttributes: { activityId, activityType: { name: `type of ${activityId.split('/')[0]}` } } },
      { eventId: first + 1, eventTime: time(started), activityTaskStartedEventAttributes: { scheduledEventId: first, attempt: 1 } },
      { eventId: first + 2, eventTime: time(completed), activityTaskCompletedEventAttributes: { scheduledEventId: first, startedEventId: first + 1 } },
    ];
  });
  return { events } as never;
}

const operation = history(
  ['lease/acquire/1', 0, 1, 20],
  ['check/hosts/st1', 30, 31, 90], ['check/database', 30, 31, 130],
  ['install/st1', 140, 150, 400], ['install/st2', 140, 145, 500],
  ['add/st1', 510, 511, 530], ['add/st2', 535, 536, 560],
  ['lease/release', 570, 571, 590],
);

test('nodes at once are one step, nodes one after the other are steps of their own, and a step lasts from the end of the one before', () => {
  expect(stepsOf(activitiesOf(operation))).toEqual([{ key: 'install', nodes: 2, ms: 370 }, { key: 'add', nodes: 1, ms: 30 }, { key: 'add', nodes: 1, ms: 30 }]);
  expect(checksMs(activitiesOf(operation))).toBe(100);
});

test('of each activity type it is told how long it waited and ran', () => {
  expect(typesOf(activitiesOf(operation)).find(({ type }) => type === 'type of install')).toEqual({ type: 'type of install', count: 2, waited: 7.5, ran: 302.5, longest: 355, retried: 0 });
});

const figures = (servers: number, total: number): SetUpFigures => ({
  servers, edges: 0, productTimeMs: 3_000, total, product: 40_000, checks: 500, activities: 100, events: 420, bytes: 90 * 1024,
  steps: [{ key: 'install-first', nodes: 1, took: 150, product: 100, added: 50 }, { key: 'add', nodes: 1, took: 30, product: 20, added: 10 }, { key: 'online', nodes: servers, took: 900, product: 700, added: 200 }],
  types: [{ type: 'servers.ensureOnline', count: 1, waited: 1, ran: 2, longest: 3, retried: 0 }],
});

test('the table tells the addition a step for one node and for many, and how the time grows', () => {
  const table = setUpTable([figures(3, 42_000), figures(20, 52_500)]);
  expect(table).toContain('| 3 | 0 | 3000 ms | 42.00 | 40.00 | 2.00 | 0.50 | 30 (50: install-first) | 200 (200: online) | 100 | 420 | 4.2 | 90 |');
  expect(table).toContain('20 Servers take 1.25 times as long as 3 at 3000 ms');
  expect(detailsText(figures(3, 42_000))).toMatch(/online +3 +900 +700 +200/);
});

test('a measurement replaces its own section of the document and leaves the others', () => {
  const section = { command: 'npm run bench -- setup', date: new Date('2026-01-02T03:04:05Z'), machine: '2 cores, 24 GB of memory' };
  const one = withSection('', { ...section, title: 'setUpCluster', body: 'old' });
  const two = withSection(one, { ...section, title: 'addNode', body: 'other' });
  const three = withSection(two, { ...section, title: 'setUpCluster', body: 'new' });
  expect(three).toMatch(/^# Benchmarks\n[^]*\n## setUpCluster\n\n`npm run bench -- setup`, 2026-01-02, 2 cores, 24 GB of memory\.\n\nnew\n\n## addNode\n[^]*other\n$/);
  expect(three).not.toContain('old');
});

test('the table of the fan-out tells the median with least and most, and multiples of our first row', () => {
  const row = (name: string, cold: number[], open: number[]) => ({ name, times: { cold, open } });
  const table = fanOutTable({ hosts: 20, rows: [row('ours', [0.5, 0.4, 0.9], [0.2]), row('other', [1, 2, 1.5], [])] });
  expect(table.split('\n').slice(-2)).toEqual([
    '| ours | 0.50 (0.40–0.90) | 1.0 | 0.20 (0.20–0.20) | 1.0 |',
    '| other | 1.50 (1.00–2.00) | 3.0 |  |  |',
  ]);
});

test('operations on nodes have a table of their own, and the product alone may have done nothing that the operation did not', () => {
  const { activities, events, bytes, total } = { activities: activitiesOf(operation), events: 40, bytes: 10 * 1024, total: 700 };
  const one = figureOf({ total, activities, events, bytes }, [{ key: 'install', nodes: 2, ms: 300 }, { key: 'add', nodes: 1, ms: 10 }]);
  expect(one.steps.map(({ key, added }) => [key, added])).toEqual([['install', 70], ['add', 20], ['add', 30]]);
  expect(nodesTable([{ ...one, operation: 'addNode', servers: 3, productTimeMs: 0 }])).toContain('| addNode | 3 | 0 ms | 3 | 0.70 | 0.31 | 0.39 | 0.10 | 25 (30: add) | 70 (70: install) | 8 | 40 | 5.0 | 10 |');
  expect(() => figureOf({ total, activities, events, bytes }, [{ key: 'drain', nodes: 1, ms: 1 }])).toThrow('the product alone did steps that the operation did not: drain (1)');
});

test('a mail that never came is worse than any that came late', () => {
  const trial = (way: 'kill' | 'cut', status: number, mail: number) => ({ node: 'st1', way, at: 0, status, mail });
  const rows = trialsTable([{ name: 'defaults', settings: { interval: 2_000, failuresToOffline: 3 }, trials: [trial('kill', 3_000, 3_200), trial('cut', 4_500, NaN), trial('kill', 2_500, 2_600)] }]).split('\n').slice(-3);
  expect(rows).toEqual([
    '| defaults: 2000 ms, 3 looks | power | 2 | 2500 | 3000 | 3000 | 2600 | 3200 | 3200 |  |',
    '| defaults: 2000 ms, 3 looks | cable | 1 | 4500 | 4500 | 4500 | none | none | none |  |',
    '| defaults: 2000 ms, 3 looks | all | 3 | 3000 | 4500 | 4500 | 3200 | none | none | 6000 |',
  ]);
});

test('the lab says when it did something', () => {
  expect(momentOf('st1 lost its power at 2026-11-30T12:00:00.250Z\n')).toBe(Date.parse('2026-11-30T12:00:00.250Z'));
  expect(() => momentOf('st1 lost its power\n')).toThrow('did not say when');
});
