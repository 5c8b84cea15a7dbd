/** Refusals that a door makes by itself, with advice of their own: what the explanation of the code says is about operations and the product. */
import { StError, type ErrorCode } from '../model/errors';

export class AdvisedError extends StError {
  /** @param youCan what a person can do, in the order in which to try it */
  constructor(code: ErrorCode, message: string, readonly youCan: string[], options?: { cause?: unknown }) {
    super(code, message, options);
  }
}
