/** What went wrong with a call to the Admin API, whatever form the Server told it in. */
import { isNativeError } from 'node:util/types';
import { StError, type ErrorCode } from '../model/errors';
import { shorten } from '../model/shorten';

/** By status: what no retry cures is told apart from what may pass. `what` names method, path and host. */
export function explainStatus(what: string, status: number, text: string): StError {
  return new StError(codeOf(status), `${what}: ${status} ${messageOf(text)}`, { cause: { status } });
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'AuthenticationFailed';
  if (status === 403) return 'PermissionDenied';
  return status === 408 || status === 429 || status >= 500 ? 'Unreachable' : 'Refused';
}

/** The HTTP status behind an error of the Admin API; nothing when the Server did not answer. */
export function statusOf(error: unknown): number | undefined {
  const cause = error instanceof StError ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'status' in cause && typeof cause.status === 'number' ? cause.status : undefined;
}

/** Node's and OpenSSL's codes for a certificate that could not be verified, or no TLS at all on the other side. */
const tlsCodes = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;
/** The request was never sent. */
const notSentCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/**
 * By the error of the connection. A write whose answer is missing may have happened (ConnectionLost); a read has no effect (Unreachable).
 * `passed`: the time limit that ended the call, in milliseconds.
 */
export function explainTransport(what: string, writes: boolean, error: unknown, passed: number | undefined): StError {
  const failure = rootOf(error);
  const code = failure.code ?? '';
  if (tlsCodes.test(code)) return new StError('TlsRejected', `${what}: the certificate could not be verified: ${failure.message} (${code}).`, { cause: error });
  const why = passed !== undefined ? `no answer within ${passed} ms` : failure.message || code;
  if (notSentCodes.has(code)) return new StError('Unreachable', `${what}: ${why}.`, { cause: error });
  if (!writes) return new StError('Unreachable', `${what}: ${why}.`, { cause: error });
  return new StError('ConnectionLost', `${what}: ${why}. It may or may not have happened.`, { cause: error });
}

/** Node's code of the connection's own failure (`ECONNREFUSED`, `ECONNRESET`); nothing when the Server answered, or the limit ended the call. */
export function transportCodeOf(error: unknown): string | undefined {
  const cause = error instanceof StError ? error.cause : undefined;
  return isNativeError(cause) ? rootOf(cause).code : undefined;
}

/** One line for people from a body that may be JSON, plain text, HTML or empty. */
export function messageOf(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '(no message)';
  return shorten((fromJson(trimmed) ?? fromHtml(trimmed) ?? trimmed).replace(/\s+/g, ' ').trim(), 600);
}

function fromJson(text: string): string | undefined {
  try {
    const body = JSON.parse(text) as { message?: unknown; errors?: unknown };
    if (typeof body !== 'object' || body === null) return String(body);
    const parts = [body.message, ...(Array.isArray(body.errors) ? body.errors : [])].filter((part) => part !== undefined && part !== null);
    const words = parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part)));
    return words.length > 0 ? [...new Set(words)].join('; ') : text;
  } catch {
    return undefined;
  }
}

function fromHtml(text: string): string | undefined {
  if (!/^<(!doctype|html|head|body|h\d|p)/i.test(text)) return undefined;
  return text.replace(/<(style|script)[^>]*>.*?<\/\1>/gis, ' ').replace(/<[^>]+>/g, ' ');
}

interface Failure {
  message: string;
  code?: string;
}

/** The innermost cause, and of several tries (IPv4, IPv6) the first. */
function rootOf(error: unknown): Failure {
  let current = error as Failure & { cause?: unknown; errors?: unknown[] };
  while (isNativeError(current.cause) || isNativeError(current.errors?.[0])) current = (current.errors?.[0] ?? current.cause) as typeof current;
  return current;
}
