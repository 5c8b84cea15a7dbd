/** Turns whatever was thrown into one code and one sentence, and builds the failures that end an operation. */
import { ActivityFailure, ApplicationFailure, CancelledFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import type { ErrorCode } from '../../model/errors';

export interface Described {
  code: ErrorCode | string;
  message: string;
}

const longest = 2_000;
export const cap = (text: string, limit = longest): string => (text.length <= limit ? text : `${text.slice(0, limit - 12)} … (cut)`);

export function describe(error: unknown): Described {
  if (isCancellation(error)) return { code: 'Cancelled', message: 'cancelled' };
  if (error instanceof ActivityFailure) return describe(error.cause);
  if (error instanceof ApplicationFailure) return { code: error.type ?? 'Bug', message: cap(error.message) };
  if (error instanceof TimeoutFailure) return { code: 'NotYet', message: `did not end in time (${error.timeoutType}); whether it had an effect is unknown` };
  if (error instanceof Error) return { code: 'Bug', message: cap(`${error.name}: ${error.message}`) };
  return { code: 'Bug', message: cap(String(error)) };
}

/** A failure that ends the run; one line in every tool, with no stack. */
export function failure(code: ErrorCode | string, message: string, ...details: unknown[]): ApplicationFailure {
  const made = ApplicationFailure.create({ type: code, message: cap(message), nonRetryable: true, details });
  made.stack = '';
  return made;
}

export const bug = (message: string): ApplicationFailure => failure('Bug', `This is a defect of st-orchestrator: ${message}`);

export { CancelledFailure, isCancellation };
