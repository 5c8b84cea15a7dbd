/** When a cluster was seen last, while nothing about it changes. */
import { seenLast } from '../../../src/control/watching';
import { health } from '../cli/samples';

const at = '2026-10-01T12:01:58.000Z';
const later = Date.parse('2026-10-01T12:09:00.000Z');
const two = health({ watch: { ...health().watch!, vantage: [{ name: 'a', fresh: true, votedAt: at }, { name: 'b', fresh: true, votedAt: at }] } });

test('is told by the signs of life of those who look', () => {
  expect(seenLast(health(), [later])).toEqual({ ...health(), sampledAt: '2026-10-01T12:09:00.000Z' });
});

test('is as late as the slowest of them', () => {
  expect(seenLast(two, [later, later - 60_000]).sampledAt).toBe('2026-10-01T12:08:00.000Z');
});

test.each([
  ['one of them gives no sign', two, [later]],
  ['nobody looks', health({ watch: { ...health().watch!, vantage: [{ name: 'a', fresh: false }] } }), [later]],
  ['the signs are older', health(), [Date.parse(at) - 1_000]],
])('stays what it was when %s', (_, seen, looks) => {
  expect(seenLast(seen, looks).sampledAt).toBe(seen.sampledAt);
});
