/**
 * How long a changing activity keeps trying through faults that may pass. Counted is the time in which a worker tries, from the first failure on: a night
 * without a worker uses up nothing, and an activity that waits five minutes for a state does not wait so a hundred times. What was used up goes with the
 * heartbeat, so that an attempt that was never heard of again counts too; and so does how long all of it takes, which is what people are told.
 */
import type { ErrorCode } from '../model/errors';

/** What a workflow sends behind the input and the authority. */
export interface Limits {
  patienceMs?: number;
}

/** What goes with the heartbeat, in milliseconds. */
export interface Spent {
  /** Of the patience. */
  triedMs: number;
  /** Since the begin of the first attempt, as far as a worker was at it. */
  allMs: number;
  patienceMs: number;
}

/** As the retry policy of `tasks.ts` has them, in milliseconds. */
const firstPauseMs = 200;
const longestPauseMs = 5_000;
export const pauseBefore = (attempt: number): number => Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(0, attempt - 2));

export interface Patience {
  /** What the next heartbeat is to carry. */
  details(): Spent | undefined;
  /** True before an attempt whose predecessors used up everything. */
  over(): boolean;
  /** After a failure that may pass: whether nothing is left. */
  spent(code: ErrorCode | string): boolean;
  /** "tried 4 times in 12 s", for the message of the last failure; a first attempt that worked for long is no part of the patience. */
  told(): string;
}

/** @param now of a clock that never goes back, in milliseconds */
export function patienceOf(limits: unknown, { attempt, heartbeatDetails }: { attempt: number; heartbeatDetails?: unknown }, now: () => number = () => performance.now()): Patience {
  const { patienceMs } = (limits ?? {}) as Limits;
  const began = now();
  const { triedMs = 0, allMs = triedMs } = (heartbeatDetails ?? {}) as Partial<Spent>;
  const pauseMs = attempt > 1 ? pauseBefore(attempt) : 0;
  const before = attempt > 1 ? triedMs + pauseMs : 0;
  const all = (): number => Math.round((attempt > 1 ? allMs + pauseMs : 0) + now() - began);
  // The first attempt may have worked for long before it was cut off; one that only waited for a state has used up its wait.
  const tried = (code?: ErrorCode | string): number => Math.round(before + (attempt > 1 || code === 'NotYet' ? now() - began : 0));
  const bounded = patienceMs !== undefined;
  let total = 0;
  let allInAll = 0;
  return {
    details: () => (bounded ? { triedMs: Math.max(total, tried()), allMs: all(), patienceMs } : undefined),
    over: () => bounded && attempt > 1 && before >= patienceMs + pauseBefore(attempt),
    spent: (code) => {
      total = tried(code);
      allInAll = all();
      return bounded && total >= patienceMs;
    },
    told: () => `tried ${attempt} ${attempt === 1 ? 'time' : 'times'} in ${seconds(allInAll)}${allInAll - total < toldFromMs ? '' : `, ${seconds(total)} of that after the first failure`}`,
  };
}

/** So much more than the patience is told beside it. */
const toldFromMs = 1_000;
const seconds = (ms: number): string => `${ms < 10_000 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)} s`;
