/**
 * A day of looks at a Server that works and is never down, played through what makes votes of looks (src/model/healthVotes.ts): answers with a long tail, lost packets
 * that are sent again after a second, pauses of the whole Server of up to 2.5 s every few minutes. No change may come of it. Pure: a seed gives a day.
 */
import { neverSeen, sighted, watchTimes, type Sight } from '../../src/model/healthVotes';

export interface JitterDay {
  /** Looks that ended with an answer, and misses: looks without an answer in time. */
  looks: number;
  misses: number;
  /** Of the state that is believed; each of them is false. */
  changes: number;
}

export interface JitterOptions {
  seed: number;
  /** Milliseconds between two looks, and how many in a row call a node something else. */
  interval: number;
  failures: number;
  /** The longest pause, in milliseconds. */
  longestPauseMs: number;
}

const day = 24 * 3_600_000;
const start = Date.UTC(2026, 0, 1);
/** Of a packet that is lost, TCP's second try comes a second later at the latest. */
const lost = { share: 0.01, ms: 1_000 };

export function jitterDay({ seed, interval, failures, longestPauseMs }: JitterOptions): JitterDay {
  const random = seeded(seed);
  const times = watchTimes(interval);
  const counted: JitterDay = { looks: 0, misses: 0, changes: 0 };
  const at = (ms: number): string => new Date(start + ms).toISOString();
  let vote = sighted(neverSeen('st1', at(0)), 'online', { at: at(0), failures });
  const look = (sight: Sight, ms: number): void => {
    const after = sighted(vote, sight, { at: at(ms), failures });
    if (after.state !== vote.state) counted.changes += 1;
    vote = after;
  };
  let pauseFrom = 60_000;
  let pauseTo = pauseFrom + 1_000;
  const answered = (from: number): number => {
    if (from >= pauseTo) {
      pauseFrom = pauseTo + 120_000 + random() * 240_000;
      pauseTo = pauseFrom + random() * longestPauseMs;
    }
    const took = 15 * Math.exp(random() * random() * 3.5) + (random() < lost.share ? lost.ms : 0);
    const end = (from >= pauseFrom && from < pauseTo ? pauseTo : from) + took;
    return end - from > times.giveUpAfter ? Infinity : end;
  };
  for (let ms = interval; ms < day;) {
    // The next look begins beside one that is late: the answer of any of them counts.
    let begun = ms;
    let first = answered(begun);
    while (first - begun > times.missAfter) {
      begun += times.missAfter;
      counted.misses += 1;
      look('unknown', begun);
      first = Math.min(first, answered(begun));
    }
    counted.looks += 1;
    look('online', first);
    ms = Math.max(first, begun) + times.interval;
  }
  return counted;
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** The defaults, and the tuned settings, which bear shorter pauses and are for networks that have them. */
export const jitterKinds: (Omit<JitterOptions, 'seed'> & { name: string })[] = [
  { name: 'defaults', interval: 2_000, failures: 3, longestPauseMs: 2_500 },
  { name: 'tuned', interval: 500, failures: 2, longestPauseMs: 500 },
  { name: 'tuned', interval: 500, failures: 2, longestPauseMs: 2_500 },
];
