/** What one look at one node found, and how it is judged. Pure. */
import type { Cause } from './health';
import type { Sight } from './healthVotes';

export interface NodeLook {
  sight: Sight;
  why?: string;
  cause?: Cause;
  /** By name; only what was asked and answered. */
  services?: Record<string, boolean>;
}

/** A Server by what its API says: Online is an Administration Tool that answers and a Transaction Manager that runs (reference §6). */
export function judgeServer(services: Record<string, boolean>): NodeLook {
  if (services[transactionManager] === false) return { sight: 'offline', why: 'the Transaction Manager does not run', cause: 'TM stopped', services };
  return { sight: 'online', services };
}

/** Of a Transaction Manager that hangs, as the monitor and operations say it. */
export const hangsText = 'its Transaction Manager hangs: it runs, and the product has heard nothing of it for a while';

/** The same look, of a Server that the product itself hears nothing of. */
export function judgeUnheard(look: NodeLook): NodeLook {
  return { ...look, sight: 'offline', why: hangsText, cause: 'TM hangs' };
}

/** An Edge has no Transaction Manager: its protocol servers are what it is there for. */
export function judgeEdge(services: Record<string, boolean>, protocols: readonly string[]): NodeLook {
  const stopped = protocols.filter((protocol) => services[protocol] !== true);
  if (stopped.length > 0) return { sight: 'offline', why: `${stopped.join(', ')} ${stopped.length === 1 ? 'does' : 'do'} not run`, cause: 'daemons stopped', services };
  return { sight: 'online', services };
}

export const adminService = 'Administration Tool';
export const transactionManager = 'Transaction Manager';

/** How a call to the Administration Tool failed, as our clients tell it. */
export interface FailedCall {
  code: string;
  message: string;
  /** The HTTP status, when it answered. */
  status?: number;
  /** Node's code of the connection's failure. */
  transport?: string;
}

/** Without an answer that can be trusted nothing is known, unless the host itself says that nothing listens there. */
export function judgeFailure({ code, message, status, transport }: FailedCall): NodeLook {
  if (code === 'AuthenticationFailed' || code === 'PermissionDenied' || code === 'SecretUnavailable') return { sight: 'unknown', why: message, cause: 'credentials' };
  if (code === 'TlsRejected' || code === 'FileUnavailable') return { sight: 'unknown', why: message, cause: 'TLS' };
  if (transport === 'ECONNREFUSED') return { sight: 'offline', why: 'the Administration Tool does not run: its port refuses', cause: 'refused', services: { [adminService]: false } };
  if (status !== undefined) return { sight: 'unknown', why: `the Administration Tool answers with ${status}: ${message}`, cause: 'nonsense' };
  if (code === 'Refused') return { sight: 'unknown', why: `the Administration Tool answers what nobody understands: ${message}`, cause: 'nonsense' };
  if (transport !== undefined && hangsUp.has(transport)) return { sight: 'unknown', why: 'the Administration Tool hangs up without an answer', cause: 'nonsense' };
  return { sight: 'unknown', why: 'the Administration Tool does not answer', cause: 'silent' };
}

const hangsUp = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'HPE_INVALID_CONSTANT', 'HPE_INVALID_VERSION']);
/** A connection that was kept is closed by the other side now and then; only a fresh one tells. */
export const mayBeAnOldConnection = ({ transport }: FailedCall): boolean => transport !== undefined && ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(transport);
