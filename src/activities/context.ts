/** What the running activity gives: its abort signal, and what it was asked by. Outside of Temporal (tests of one activity) nothing ever aborts. */
import { setMaxListeners } from 'node:events';
import { Context } from '@temporalio/activity';
import type { Waits } from '../model/operation';

const never = new AbortController().signal;
setMaxListeners(0, never);

/** Aborted when the activity is cancelled, timed out or its worker shuts down. */
export function abortSignal(): AbortSignal {
  try {
    const { cancellationSignal } = Context.current();
    // One activity makes many calls, and each listens; the default of 10 is a warning for leaks.
    setMaxListeners(0, cancellationSignal);
    return cancellationSignal;
  } catch {
    return never;
  }
}

/** By running attempt; `until` in milliseconds of `performance.now()`. */
const waits = new WeakMap<Context, Omit<Waits, 'leftMs'> & { until?: number }>();

/** Says what this attempt waits for from now on; its heartbeat tells it. `undefined`: it waits no more. */
export function waitsFor(what: Waits | undefined): void {
  let context: Context;
  try {
    context = Context.current();
  } catch {
    // Outside of Temporal nobody listens.
    return;
  }
  if (what === undefined) {
    waits.delete(context);
    return;
  }
  const { leftMs, ...told } = what;
  waits.set(context, leftMs === undefined ? told : { ...told, until: performance.now() + leftMs });
}

/** What an attempt waits for at this moment. */
export function waitOf(context: Context): Waits | undefined {
  const found = waits.get(context);
  if (!found) return undefined;
  const { until, ...told } = found;
  return until === undefined ? told : { ...told, leftMs: Math.max(0, Math.round(until - performance.now())) };
}

/** Names what asked for this activity: all attempts of it have the same, and a person who decides "retry" makes another. */
export function askedBy(): string {
  try {
    const { workflowExecution, scheduledTimestampMs } = Context.current().info;
    return `${workflowExecution?.runId ?? ''}@${scheduledTimestampMs}`;
  } catch {
    return 'no workflow';
  }
}
