import type { ClusterRecord } from '../../../src/model/cluster';
import { newRecord } from '../../../src/model/clusterRecord';
import { parseInput } from '../../../src/model/inputs';
import { endWindow, keepWindows, maintenanceOf, maintenanceRequest, openWindows, startWindow, type MaintenanceAnswer, type ParsedMaintenanceRequest } from '../../../src/model/maintenance';
import { parseClusterSpec } from '../../../src/model/spec';
import { demoFile } from './demoFile';

const record = (): ClusterRecord => ({ ...newRecord('demo'), spec: parseClusterSpec(demoFile()).spec! });
const at = '2026-10-01T20:00:00.000Z';
const later = '2026-10-01T21:30:00.000Z';
const day = 86_400_000;
const asked = (more: object = {}): NonNullable<ParsedMaintenanceRequest['start']> => ({ nodes: ['st2'], for: 3_600_000, reason: 'disks', by: 'ops@desk', ...more });
const started = (of: ClusterRecord, more: object = {}, when = at): MaintenanceAnswer => startWindow(of, asked(more), when) as MaintenanceAnswer;

describe('a maintenance window', () => {
  test('lasts as long as asked for, and the same asked twice is one', () => {
    const of = record();
    const { window } = started(of, { ticket: 'CHG-1' });
    expect(window).toEqual({ id: expect.stringMatching(/^m-[0-9a-f]{12}$/), nodes: ['st2'], since: at, until: '2026-10-01T21:00:00.000Z', reason: 'disks', ticket: 'CHG-1', by: 'ops@desk' });
    expect(started(of, { ticket: 'CHG-1' }).open).toEqual([window]);
    const until = { until: '2026-10-01T23:00:00Z', for: undefined };
    const first = started(of, until).window;
    // Asked again later, with the same end.
    expect(started(of, { ...until, nodes: ['st2', 'st2'] }, '2026-10-01T20:30:00.000Z')).toEqual({ window: first, open: [window, first] });
    expect(started(of, { ...until, ticket: 'CHG-2' }).open).toHaveLength(3);
  });

  test('may overlap another: a node is out of it with the last', () => {
    const of = record();
    started(of);
    started(of, { nodes: [], until: '2026-10-01T23:00:00+01:00', for: undefined });
    expect(maintenanceOf(of.maintenance, 'st2', at)?.nodes).toEqual(['st2']);
    expect(maintenanceOf(of.maintenance, 'st1', at)?.nodes).toEqual([]);
    expect(maintenanceOf(of.maintenance, 'st2', later)?.nodes).toEqual([]);
    expect(maintenanceOf(of.maintenance, 'st2', '2026-10-01T22:00:00Z')).toBeUndefined();
  });

  test('vanishes when it is over, and before that when somebody ends it', () => {
    const of = record();
    const { window } = started(of);
    started(of, { for: 2 * 3_600_000 });
    expect(openWindows(of.maintenance, later)).toHaveLength(1);
    expect(endWindow(of, window.id, at)).toMatchObject({ window, open: [{ reason: 'disks' }] });
    expect(endWindow(of, window.id, at)).toMatchObject({ refused: 'InvalidInput', message: expect.stringContaining('has no open window') });
    expect(keepWindows(of, {}, '2026-10-02T00:00:00Z')).toEqual({ open: [] });
    expect(of.maintenance).toEqual([]);
  });

  test.each([
    ['a node that there is not', { nodes: ['st22'] }, /^nodes: "demo" has no node st22; did you mean "st\d"\? Nothing was changed\.$/],
    ['an end in the past', { until: '2026-10-01T19:00:00Z', for: undefined }, /^until: expected a time after now/],
    ['more than seven days', { until: '2026-10-08T20:00:01Z', for: undefined }, /^until: a window lasts at most 7d/],
  ])('is refused: %s', (_, more, message) => {
    const of = record();
    expect(startWindow(of, asked(more), at)).toEqual({ refused: 'InvalidInput', message: expect.stringMatching(message) });
    expect(of.maintenance).toEqual([]);
  });

  test.each<[object, string | undefined]>([
    [{ start: asked({ for: '2h' }) }, undefined],
    [{ end: 'm-0123456789ab' }, undefined],
    [{}, 'expected one of "start" and "end"'],
    [{ start: asked({ for: undefined, until: '2026-13-01T22:00:00Z' }) }, 'start.until: expected a time with its zone, such as 2026-10-01T22:00:00Z, found "2026-13-01T22:00:00Z"'],
    [{ start: asked({ for: undefined, until: '2027-02-29T22:00:00Z' }) }, 'start.until: expected a time with its zone, such as 2026-10-01T22:00:00Z, found "2027-02-29T22:00:00Z"'],
    [{ start: asked({ for: undefined }) }, 'start.until: expected either "until" or "for": a window always ends'],
    [{ start: asked({ for: 8 * day }) }, 'start.for: expected a duration from 1m to 7d, found 691200000'],
    [{ start: asked({ reason: undefined }) }, 'start.reason: missing; expected text'],
    [{ start: asked({ until: 'tomorrow', for: undefined }) }, 'start.until: expected a time with its zone, such as 2026-10-01T22:00:00Z, found "tomorrow"'],
    [{ end: 'x' }, 'end: expected the id of a window, such as m-0123456789ab, found "x"'],
  ])('as asked for: %j', (request, problem) => {
    const parsed = parseInput(maintenanceRequest(), request);
    expect('problems' in parsed ? parsed.problems : [undefined]).toEqual([problem]);
  });
});

test('how the product\'s own mail was is remembered once, until no window is open', () => {
  const of = record();
  const { window } = started(of);
  expect(keepWindows(of, { remember: true }, at).productMailWasOn).toBe(true);
  expect(keepWindows(of, { remember: false }, at).productMailWasOn).toBe(true);
  expect(keepWindows(of, { remember: null }, at).productMailWasOn).toBe(true);
  endWindow(of, window.id, at);
  expect(keepWindows(of, { remember: null }, at)).toEqual({ open: [] });
});
