/** What every activity gets, whatever it does: a heartbeat, sorted failures, and one line in the log for each attempt. */
import { CompleteAsyncError, type Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInterceptors, ActivityInterceptorsFactory } from '@temporalio/worker';
import { scrub as scrubKnown } from '../clients/scrub';
import { StError, nonRetryable } from '../model/errors';
import { sortError, toFailure } from './failures';

/** Against a heartbeat time-out of 2 s: three may be lost before an attempt is given up. */
const heartbeatEveryMs = 500;

export interface ActivityInterceptorOptions {
  /** Takes secrets out of messages; by default every secret that this process has resolved. */
  scrub?: (text: string) => string;
}

/** The interceptor; it belongs outermost, so that it also sorts what the interceptors of tests throw. */
export function activityInterceptor({ scrub = scrubKnown }: ActivityInterceptorOptions = {}): ActivityInterceptorsFactory {
  return (context): ActivityInterceptors => {
    const labels: Record<string, unknown> = {};
    return {
      inbound: {
        async execute(input, next) {
          Object.assign(labels, labelsOf(input, context));
          const stopHeartbeat = startHeartbeat(context);
          const started = performance.now();
          const report = (level: 'info' | 'warn', outcome: string, more: object = {}): void =>
            context.log[level](`${context.info.activityType} ${outcome}`, { outcome, durationMs: Math.round(performance.now() - started), ...more });
          try {
            const result = await next(input);
            report('info', 'done');
            return result;
          } catch (thrown) {
            if (thrown instanceof CompleteAsyncError) throw thrown;
            const failure = cancellationBehind(thrown, context) ?? toFailure(thrown, scrub);
            if (failure instanceof CancelledFailure) report('info', 'cancelled', { reason: failure.message });
            else {
              const { type, nonRetryable: final, message } = sortError(thrown, scrub);
              const foreseen = thrown instanceof StError && thrown.code !== 'Bug';
              report('warn', 'failed', { code: type, retried: !final, reason: message, ...(!foreseen && thrown instanceof Error && { stack: scrub(thrown.stack ?? '') }) });
            }
            throw failure;
          } finally {
            stopHeartbeat();
          }
        },
      },
      outbound: { getLogAttributes: (attributes, next) => ({ ...next(attributes), ...labels }) },
    };
  };
}

/**
 * Beats by the clock and repeats the last details, which an empty heartbeat would wipe out at the server. Those of the attempt before are sent at once;
 * with none there is nothing to tell that the start has not told, and for a short activity a heartbeat costs the server as much as its end.
 */
function startHeartbeat(context: Context): () => void {
  const send = context.heartbeat;
  let details: unknown = context.info.heartbeatDetails;
  Object.defineProperty(context, 'heartbeat', {
    configurable: true,
    value: (latest?: unknown) => {
      details = latest ?? details;
      send.call(context, details);
    },
  });
  if (details !== undefined) send.call(context, details);
  const timer = setInterval(() => send.call(context, details), heartbeatEveryMs);
  return () => {
    clearInterval(timer);
    Object.defineProperty(context, 'heartbeat', { configurable: true, value: send });
  };
}

/**
 * An activity that was told to stop fails in many ways (a closed channel, an aborted request); all of them mean "cancelled".
 * Only a refusal that no retry can cure stays what it is, so that another worker does not run into it again.
 */
function cancellationBehind(thrown: unknown, { cancellationSignal }: Context): Error | undefined {
  if (!cancellationSignal.aborted || thrown instanceof CancelledFailure) return undefined;
  if (thrown instanceof StError && nonRetryable.has(thrown.code) && thrown.code !== 'Cancelled') return undefined;
  return cancellationSignal.reason instanceof CancelledFailure ? cancellationSignal.reason : new CancelledFailure('CANCELLED');
}

/** Cluster and operation, from the authority that goes with every effect or from the activity's own input. */
function labelsOf({ args: [input, authority] }: ActivityExecuteInput, { info }: Context): Record<string, unknown> {
  const node = textIn(input, 'node') ?? textIn(valueIn(input, 'node'), 'name') ?? textIn(valueIn(input, 'host'), 'node') ?? textIn(valueIn(input, 'node'), 'node');
  return {
    cluster: textIn(authority, 'cluster') ?? textIn(input, 'cluster') ?? textIn(valueIn(input, 'host'), 'cluster'),
    operation: textIn(authority, 'operation') ?? info.workflowExecution?.workflowId,
    ...(node !== undefined && { node }),
  };
}

const valueIn = (holder: unknown, name: string): unknown => (typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[name] : undefined);

function textIn(holder: unknown, name: string): string | undefined {
  const value = valueIn(holder, name);
  return typeof value === 'string' ? value : undefined;
}
