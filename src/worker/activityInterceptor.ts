/** What every activity gets, whatever it does: a heartbeat, sorted failures, and one line in the log for each attempt. */
import { CompleteAsyncError, type Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInterceptors, ActivityInterceptorsFactory } from '@temporalio/worker';
import { waitOf } from '../activities/context';
import { scrub as scrubKnown } from '../clients/scrub';
import { StError, nonRetryable } from '../model/errors';
import { oneLine, sortError, toFailure } from './failures';
import { patienceOf, type Patience } from './patience';

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
          const patience = patienceOf(input.args[2], context.info);
          const stopHeartbeat = startHeartbeat(context, patience);
          const started = performance.now();
          let failed = false;
          const report = (level: 'info' | 'warn', outcome: string, more: object = {}): void =>
            context.log[level](`${context.info.activityType} ${outcome}`, { outcome, durationMs: Math.round(performance.now() - started), ...more });
          try {
            if (patience.over()) throw new StError('NotYet', `the last of ${context.info.attempt - 1} attempts was never heard of again; whether it had an effect is unknown`);
            const result = await next(input);
            report('info', 'done');
            return result;
          } catch (thrown) {
            if (thrown instanceof CompleteAsyncError) throw thrown;
            failed = true;
            const failure = cancellationBehind(thrown, context) ?? impatient(toFailure(thrown, scrub), patience);
            if (failure instanceof CancelledFailure) report('info', 'cancelled', { reason: failure.message });
            else {
              const { type, message } = sortError(thrown, scrub);
              const final = failure instanceof ApplicationFailure && failure.nonRetryable === true;
              const foreseen = thrown instanceof StError && thrown.code !== 'Bug';
              report('warn', 'failed', { code: type, retried: !final, reason: message, ...(!foreseen && thrown instanceof Error && { stack: scrub(thrown.stack ?? '') }) });
            }
            throw failure;
          } finally {
            stopHeartbeat(failed);
          }
        },
      },
      outbound: { getLogAttributes: (attributes, next) => ({ ...next(attributes), ...labels }) },
    };
  };
}

/**
 * Beats by the clock, and tells what of its patience is used up and what it waits for. At the begin of a first attempt there is nothing to tell that the start has not
 * told, and for a short activity a heartbeat costs the server as much as its end.
 */
function startHeartbeat(context: Context, patience: Patience): (failed: boolean) => void {
  const beat = (): void => {
    const waits = waitOf(context);
    context.heartbeat(waits ? { ...patience.details(), waits } : patience.details());
  };
  if (context.info.attempt > 1) beat();
  const timer = setInterval(beat, heartbeatEveryMs);
  return (failed) => {
    clearInterval(timer);
    // The server keeps the last one for the next attempt.
    if (failed && patience.details()) beat();
  };
}

/** The same failure, made final when its patience is used up. */
function impatient(failure: Error, patience: Patience): Error {
  if (!(failure instanceof ApplicationFailure) || failure.nonRetryable || !patience.spent(failure.type ?? '')) return failure;
  const last = ApplicationFailure.create({ type: failure.type ?? 'Error', message: oneLine(`${failure.message} (${patience.told()})`), nonRetryable: true });
  last.stack = '';
  return last;
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
