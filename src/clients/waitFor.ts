/** Waiting for a state instead of trusting one answer. */
import { setTimeout as delay } from 'node:timers/promises';
import { isSilence, StError } from '../model/errors';
import { shorten } from '../model/shorten';

export interface WaitOptions {
  /** The whole wait, in milliseconds. */
  timeoutMs: number;
  /** Between the end of one look and the next, in milliseconds; left out: short at first, and longer the longer the wait has lasted. */
  intervalMs?: number;
  signal?: AbortSignal;
  /** How a state is told to people when it did not become what was asked for. */
  show?: (state: unknown) => string;
}

/**
 * Reads until `until` accepts what was read, and answers that. Errors that may pass (Unreachable, ConnectionLost, NotYet) count as "not yet";
 * all others end the wait at once.
 * @throws StError NotYet with the last state or error seen; `signal.reason` when aborted.
 */
export async function waitFor<T>(description: string, read: () => Promise<T>, until: (state: T) => boolean, options: WaitOptions): Promise<T> {
  const began = performance.now();
  const deadline = began + options.timeoutMs;
  let last = 'nothing was read';
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const state = await read();
      if (until(state)) return state;
      last = `last seen: ${(options.show ?? shortly)(state)}`;
    } catch (error) {
      if (!isSilence(error)) throw error;
      last = `last error: ${(error as Error).message}`;
    }
    const now = performance.now();
    const left = deadline - now;
    if (left <= 0) throw new StError('NotYet', `${description}: not reached within ${options.timeoutMs} ms; ${last}`);
    await delay(Math.min(options.intervalMs ?? pauseAfter(now - began), left), undefined, { signal: options.signal }).catch(() => options.signal?.throwIfAborted());
  }
}

/** Whether what is waited for came: false when its time was over; any other failure is thrown. */
export const inTime = (wait: Promise<unknown>): Promise<boolean> => wait.then(() => true, (error: unknown) => {
  if (error instanceof StError && error.code === 'NotYet') return false;
  throw error;
});

/** The pause after so long a wait, in milliseconds: what comes soon is seen at once, and a service that takes minutes is not asked ten times a second. */
export function pauseAfter(elapsedMs: number): number {
  return Math.min(1_000, Math.max(50, elapsedMs * 0.03));
}

function shortly(state: unknown): string {
  const text = typeof state === 'string' ? state : (JSON.stringify(state) ?? String(state));
  return shorten(text, 600);
}
