/** Calls to the Temporal server with a deadline each, and what went wrong in our own words. */
import { isGrpcDeadlineError, isGrpcServiceError, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure, NamespaceNotFoundError } from '@temporalio/common';
import { errorCodes, StError, type ErrorCode } from '../model/errors';
import { AdvisedError } from './advised';
import { withinDeadline } from './connect';

/** The server alone answers these at once; longer means that it is gone. */
const serverBudgetMs = 5_000;
/** A worker answers within milliseconds, one that has to read a long history first within a second or two. */
export const workerBudgetMs = 6_000;

/** gRPC's numbers. */
const unauthenticated = 16;
const permissionDenied = 7;
/** No answer: cancelled on the way, past the deadline, too busy, nobody polls the task queue, not there. */
const unanswered: ReadonlySet<number | undefined> = new Set([1, 4, 8, 9, 14]);

/**
 * Makes a call that the server answers by itself.
 * @param what what is asked, for the message: `start set-up-cluster/demo`
 * @throws StError Unreachable, AuthenticationFailed or PermissionDenied; errors about workflows as they are
 */
export async function askServer<R>(client: Client, what: string, call: () => Promise<R>, budgetMs = serverBudgetMs): Promise<R> {
  try {
    return await client.withDeadline(Date.now() + budgetMs, call);
  } catch (error) {
    throw inOurWords(error, what);
  }
}

/**
 * Makes a call that a worker has to answer (query, update).
 * @throws StError Unreachable, whose message tells a dead server from a missing worker; the code of the failure when an update was refused
 */
export async function askWorker<R>(client: Client, workflowId: string, what: string, call: () => Promise<R>, budgetMs = workerBudgetMs): Promise<R> {
  try {
    return await withinDeadline(client, budgetMs, what, call);
  } catch (error) {
    const sorted = inOurWords(error, what);
    if (!(sorted instanceof StError) || sorted.code !== 'Unreachable') throw sorted;
    // Both look alike from here; a dead server does not answer this either, and then that is what is thrown.
    await askServer(client, what, () => client.workflow.getHandle(workflowId).describe());
    throw noWorker(what, budgetMs, error);
  }
}

const noWorker = (what: string, budgetMs: number, cause: unknown): StError =>
  new StError('Unreachable', `No worker answers: the Temporal server is there, but nobody answered within ${budgetMs / 1000} s for ${what}. No worker runs on this task queue, or it is busy.`, { cause });

/** Errors of the connection and refusals become StErrors; what is about the workflow (not found, already started, closed) stays. */
export function inOurWords(error: unknown, what: string): unknown {
  if (error instanceof StError || error instanceof WorkflowNotFoundError || error instanceof WorkflowExecutionAlreadyStartedError) return error;
  if (error instanceof WorkflowUpdateFailedError) return fromFailure(error.cause, error);
  if (error instanceof NamespaceNotFoundError) return noNamespace(error, what);
  const code = grpcCode(error);
  if (code === unauthenticated) return new StError('AuthenticationFailed', `The Temporal server refused the login (${what}): ${detailsOf(error)}. Check TEMPORAL_API_KEY or the certificates of the profile.`, { cause: error });
  if (code === permissionDenied) return new StError('PermissionDenied', `The Temporal server does not allow this (${what}): ${detailsOf(error)}.`, { cause: error });
  if (unanswered.has(code) || isGrpcDeadlineError(error)) return new StError('Unreachable', `The Temporal server does not answer (${what}).`, { cause: error });
  return error;
}

const noNamespace = (error: NamespaceNotFoundError, what: string): StError =>
  new AdvisedError('InvalidInput', `The Temporal server has no namespace "${error.namespace}" (${what}). Nothing was started.`, [
    'Check TEMPORAL_NAMESPACE, or the namespace of the profile.', 'See which there are: temporal operator namespace list',
  ], { cause: error });

/** The failure that a workflow or its handler threw, with its code. */
export function fromFailure(failure: unknown, cause?: unknown): StError {
  if (failure instanceof ApplicationFailure) return new StError(isErrorCode(failure.type) ? failure.type : 'Bug', failure.message, { cause: cause ?? failure });
  return new StError('Bug', failure instanceof Error ? failure.message : String(failure), { cause: cause ?? failure });
}

export const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(errorCodes, code);

function grpcCode(error: unknown): number | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (isGrpcServiceError(at)) return at.code;
  return undefined;
}

function detailsOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) if (isGrpcServiceError(at)) return at.details;
  return error instanceof Error ? error.message : String(error);
}
