/** Sorts whatever an activity threw, once: into a code that people and workflows know, and into "try again" or "never again". */
import { isGrpcServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import { nonRetryable, StError, type ErrorCode } from '../model/errors';
import { shorten } from '../model/shorten';

const maxMessageBytes = 2_000;

const networkCodes = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EPIPE', 'EAI_AGAIN', 'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_SOCKET',
]);

const tlsCodes = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'CERT_REVOKED', 'CERT_UNTRUSTED', 'CERT_SIGNATURE_FAILURE', 'ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH', 'INVALID_CA',
]);

/** gRPC: deadline exceeded, resource exhausted, aborted, unavailable. */
const passingGrpc = new Set([4, 8, 10, 14]);

export interface Sorted {
  /** One of our codes, or the name of an error nobody foresaw. */
  type: string;
  nonRetryable: boolean;
  message: string;
}

/**
 * The code, the way on and one line of message for any error. What nobody foresaw is retried under its own name:
 * an activity may run twice without harm, and a step ends after its tries anyway.
 * @param scrub takes secrets out of the message
 */
export function sortError(thrown: unknown, scrub: (text: string) => string = (text) => text): Sorted {
  const chain = causesOf(thrown);
  for (const error of chain) {
    // Only an error of ours, or what a workflow answered, speaks for itself; the outermost one knows best.
    if (error instanceof StError) return sorted(error.code, error.message);
    if (error instanceof ApplicationFailure) return { type: error.type ?? 'Error', nonRetryable: error.nonRetryable ?? false, message: oneLine(scrub(error.message)) };
    if (!(error instanceof WorkflowUpdateFailedError)) break;
  }
  const message = messageOf(chain);
  for (const error of chain) {
    const code = codeOf(error);
    if (code) return sorted(code, message);
  }
  const [first] = chain;
  return { type: first?.name || 'Error', nonRetryable: false, message: oneLine(scrub(message)) };

  function sorted(code: ErrorCode, text: string): Sorted {
    return { type: code, nonRetryable: nonRetryable.has(code), message: oneLine(scrub(text)) };
  }
}

/**
 * What the activity reports to Temporal: cancellation and Temporal's own failures as they are, everything else sorted, with no stack and no cause,
 * both of which could carry secrets and would spread over many lines of every tool.
 */
export function toFailure(thrown: unknown, scrub?: (text: string) => string): Error {
  if (thrown instanceof CancelledFailure || (thrown instanceof TemporalFailure && !(thrown instanceof ApplicationFailure))) return thrown;
  const { type, nonRetryable: final, message } = sortError(thrown, scrub);
  const given = thrown instanceof ApplicationFailure ? thrown : undefined;
  const failure = ApplicationFailure.create({ type, message, nonRetryable: final, details: given?.details ?? undefined, nextRetryDelay: given?.nextRetryDelay, category: given?.category ?? undefined });
  failure.stack = '';
  return failure;
}

/** One line of at most 2 KB: Temporal keeps and shows messages only, so what happened stays at the beginning, and why at the end. */
export function oneLine(text: string): string {
  const line = text.trim().replace(/\s*[\r\n]+\s*/g, ' | ').replace(/[\p{Cc}]/gu, ' ');
  let most = maxMessageBytes;
  let cut = shorten(line, most);
  // Of letters that take several bytes fewer fit.
  while (Buffer.byteLength(cut) > maxMessageBytes) cut = shorten(line, most = Math.floor(most * 0.9));
  return cut;
}

/** The error and what caused it, outermost first. */
function causesOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  const seen = new Set<unknown>();
  const visit = (error: unknown): void => {
    if (seen.has(error) || chain.length >= 20) return;
    seen.add(error);
    if (error instanceof Error) chain.push(error);
    else if (chain.length === 0) chain.push(new Error(textOf(error)));
    if (error instanceof AggregateError) error.errors.forEach(visit);
    if (error instanceof Error && error.cause !== undefined) visit(error.cause);
  };
  visit(thrown);
  return chain;
}

function codeOf(error: Error): ErrorCode | undefined {
  if (error instanceof StError) return error.code;
  const { code } = error as { code?: unknown };
  if (typeof code === 'number' && isGrpcServiceError(error)) return passingGrpc.has(code) ? 'Unreachable' : undefined;
  if (typeof code !== 'string') return undefined;
  if (networkCodes.has(code)) return 'Unreachable';
  if (tlsCodes.has(code)) return 'TlsRejected';
  return /^[0-9A-Z]{5}$/.test(code) ? codeOfSqlState(code, error) : undefined;
}

/** PostgreSQL, appendix A. Only errors of the database carry a severity, so that Node's five-letter codes (EBUSY) stay apart. */
function codeOfSqlState(state: string, error: Error): ErrorCode | undefined {
  const ofDatabase = 'severity' in error || /^\d/.test(state) || state.startsWith('57P');
  if (!ofDatabase) return undefined;
  if (state.startsWith('08') || state.startsWith('57P') || state === '53300') return 'Unreachable';
  if (state.startsWith('28')) return 'AuthenticationFailed';
  if (state === '42501') return 'PermissionDenied';
  return undefined;
}

/** Outer errors are often empty ("fetch failed"): what caused them is added once. */
function messageOf(chain: Error[]): string {
  const parts: string[] = [];
  for (const { message } of chain) {
    const text = message.trim();
    if (text && !parts.some((part) => part.includes(text))) parts.push(text);
  }
  return parts.join(': ') || chain[0]?.name || 'an error without a message';
}

function textOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return String(thrown);
  }
}
