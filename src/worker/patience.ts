/**
 * How long a changing activity keeps trying through faults that may pass. Counted is the time in which a worker tries, from the first failure on: a night
 * without a worker uses up nothing, and an activity that waits five minutes for a state does not wait so a hundred times. What was used up goes with the
 * heartbeat, so that an attempt that was never heard of again counts too.
 */
import type { ErrorCode } from '../model/errors';

/** What a workflow sends behind the input and the authority. */
export interface Limits {
  patienceMs?: number;
}

interface Details {
  triedMs: number;
}

/** As the retry policy of `tasks.ts` has them, in milliseconds. */
const firstPauseMs = 200;
const longestPauseMs = 5_000;
export const pauseBefore = (attempt: number): number => Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(0, attempt - 2));

export interface Patience {
  /** What the next heartbeat is to carry. */
  details(): Details | undefined;
  /** True before an attempt whose predecessors used up everything. */
  over(): boolean;
  /** After a failure that may pass: whether nothing is left. */
  spent(code: ErrorCode | string): boolean;
  /** "tried 4 times in 12 s", for the message of the last failure. */
  told(): string;
}

/** @param now of a clock that never goes back, in milliseconds */
export function patienceOf(limits: unknown, { attempt, heartbeatDetails }: { attempt: number; heartbeatDetails?: unknown }, now: () => number = () => performance.now()): Patience {
  const { patienceMs } = (limits ?? {}) as Limits;
  const began = now();
  const before = attempt > 1 ? ((heartbeatDetails as Details | undefined)?.triedMs ?? 0) + pauseBefore(attempt) : 0;
  // The first attempt may have worked for long before it was cut off; one that only waited for a state has used up its wait.
  const tried = (code?: ErrorCode | string): number => Math.round(before + (attempt > 1 || code === 'NotYet' ? now() - began : 0));
  const bounded = patienceMs !== undefined;
  let total = 0;
  return {
    details: () => (bounded && (attempt > 1 || total > 0) ? { triedMs: Math.max(total, tried()) } : undefined),
    over: () => bounded && attempt > 1 && before >= patienceMs + pauseBefore(attempt),
    spent: (code) => {
      total = tried(code);
      return bounded && total >= patienceMs;
    },
    told: () => `tried ${attempt} ${attempt === 1 ? 'time' : 'times'} in ${total < 10_000 ? `${(total / 1000).toFixed(1)} s` : `${Math.round(total / 1000)} s`}`,
  };
}
