/** What the running activity gives: its abort signal, and what it was asked by. Outside of Temporal (tests of one activity) nothing ever aborts. */
import { setMaxListeners } from 'node:events';
import { Context } from '@temporalio/activity';

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

/** Names what asked for this activity: all attempts of it have the same, and a person who decides "retry" makes another. */
export function askedBy(): string {
  try {
    const { workflowExecution, scheduledTimestampMs } = Context.current().info;
    return `${workflowExecution?.runId ?? ''}@${scheduledTimestampMs}`;
  } catch {
    return 'no workflow';
  }
}
