import { pauseBefore, patienceOf } from '../../../src/worker/patience';

/** One attempt that takes so long, in milliseconds. */
function attempt(patienceMs: number | undefined, number: number, tookMs: number, code: string, heartbeatDetails?: unknown) {
  let clock = 0;
  const patience = patienceOf(patienceMs === undefined ? {} : { patienceMs }, { attempt: number, heartbeatDetails }, () => clock);
  const over = patience.over();
  clock = tookMs;
  const spent = patience.spent(code);
  return { over, spent, details: patience.details(), told: patience.told() };
}

test('a first attempt that was cut off after long work uses up nothing', () => {
  expect(attempt(1_000, 1, 1_200_000, 'ConnectionLost')).toMatchObject({ over: false, spent: false, details: { triedMs: 0, allMs: 1_200_000 } });
});

test('a first attempt that waited for a state has used up its wait', () => {
  expect(attempt(1_000, 1, 300_000, 'NotYet')).toMatchObject({ spent: true, details: { triedMs: 300_000 }, told: 'tried 1 time in 300 s' });
});

test('later attempts count with the pauses before them, whoever made them', () => {
  const second = attempt(1_000, 2, 300, 'Unreachable');
  expect(second).toMatchObject({ over: false, spent: false, details: { triedMs: 500 } });
  expect(attempt(1_000, 3, 300, 'Unreachable', second.details)).toMatchObject({ over: false, spent: true, told: 'tried 3 times in 1.2 s' });
});

test('what is told begins with the first attempt, and a long one is told apart from the patience', () => {
  const first = attempt(20_000, 1, 47_000, 'RemoteCommandFailed');
  expect(first.spent).toBe(false);
  expect(attempt(20_000, 2, 20_000, 'RemoteCommandFailed', first.details)).toMatchObject({ spent: true, details: { triedMs: 20_200, allMs: 67_200, patienceMs: 20_000 }, told: 'tried 2 times in 67 s, 20 s of that after the first failure' });
});

test('an attempt that was never heard of again counts as far as its heartbeats told', () => {
  expect(attempt(1_000, 3, 0, 'Unreachable', { triedMs: 400 })).toMatchObject({ over: false });
  expect(attempt(1_000, 3, 0, 'Unreachable', { triedMs: 600_000 })).toMatchObject({ over: true });
});

test('without patience nothing ends the tries', () => {
  expect(attempt(undefined, 400, 600_000, 'Unreachable', { triedMs: 9e9 })).toMatchObject({ over: false, spent: false, details: undefined });
});

test('pauses grow as the retry policy has them', () => {
  expect([2, 3, 4, 5, 6, 7, 8].map(pauseBefore)).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
});
