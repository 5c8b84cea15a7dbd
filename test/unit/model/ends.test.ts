import { endEvents, licenceEnd, stepOf, type End } from '../../../src/model/ends';
import { eventId } from '../../../src/model/notifications';

const day = 86_400_000;
const end = '2026-11-30T00:00:00.000Z';
const daysBefore = (days: number): string => new Date(Date.parse(end) - days * day).toISOString();

test.each([[40, undefined], [30.1, undefined], [30, 30], [29, 30], [14.1, 30], [14, 14], [3.5, 14], [3, 3], [0.1, 3], [0, 0], [-5, 0]])('%d days before: the step of %s', (days, step) => expect(stepOf(end, daysBefore(days))).toBe(step));

describe('a warning', () => {
  const cert: End = { what: 'the certificate of the database (10.0.0.5:5432)', ends: end, consequence: 'From then on the cluster stops.', remedy: 'Give it a new one' };
  const at = (days: number) => endEvents('demo', 'prod', [cert], daysBefore(days));

  test('is the same event all the days of one step, another one at the next, and all of one end are one incident', () => {
    expect(at(40)).toEqual([]);
    const ids = [30, 20, 14, 10, 3, 1, 0, -3].map((days) => at(days)[0]!.id);
    expect(new Set(ids).size).toBe(4);
    expect([ids[0] === ids[1], ids[2] === ids[3], ids[4] === ids[5], ids[6] === ids[7]]).toEqual([true, true, true, true]);
    expect(new Set([30, 14, 3, 0].map((days) => at(days)[0]!.incident)).size).toBe(1);
    expect(endEvents('demo', 'prod', [{ ...cert, ends: daysBefore(-365) }], daysBefore(-340))[0]!.id).not.toBe(ids[0]);
    for (const id of ids) expect(eventId.safeParse(id).success).toBe(true);
  });

  test('says when, what then, and when it is told again', () => {
    expect(at(10)[0]).toMatchObject({ severity: 'warning', summary: 'The certificate of the database (10.0.0.5:5432) ends in 10 days, on 2026-11-30.', now: 'It still works.', next: 'From then on the cluster stops. It is told again 3 days before.', youCan: ['Give it a new one'] });
    expect(at(1)[0]).toMatchObject({ severity: 'critical', summary: 'The certificate of the database (10.0.0.5:5432) ends in 1 day, on 2026-11-30.', next: 'From then on the cluster stops. It is told again when it has ended.' });
    expect(at(-1)[0]).toMatchObject({ severity: 'critical', summary: 'It has ended, on 2026-11-30: the certificate of the database (10.0.0.5:5432).', now: 'From then on the cluster stops.' });
  });
});

test.each([
  ['Product=SecureTransport\nExpirationDate=2027-01-31\n', '2027-01-31T00:00:00.000Z'],
  ['Accounts=1000\r\nvalid.until: 31 Jan 2027 00:00 GMT\r\n', '2027-01-31T00:00:00.000Z'],
  ['Expires=never\n', undefined],
  ['Product=SecureTransport\nAccounts=1000\n', undefined],
])('the end of the licence %j is %s', (text, ends) => expect(licenceEnd(text)).toBe(ends));
