/**
 * Stable codes of every failure a person or a script may meet. The code is the `type` of the ApplicationFailure and is the contract;
 * the message says everything else (Temporal's text output never shows types or details).
 */
export const errorCodes = {
  // Bad input: nothing was started.
  InvalidInput: 'The input or cluster file is wrong; the message names the place and what was expected.',
  SecretUnavailable: 'A secret reference could not be resolved where it is used.',
  FileUnavailable: 'A known_hosts or CA file that the spec names could not be read where it is used.',
  UnknownCluster: 'No cluster of this name was applied or set up.',
  SpecConflict: 'A different spec of this cluster exists.',
  // Refused before anything changed.
  PreconditionFailed: 'One or more checks failed; nothing was changed.',
  PlanChanged: 'What was planned no longer holds: the fingerprint differs.',
  ClusterBusy: 'Another operation holds the lease of this cluster.',
  // The far side says no: never retried.
  AuthenticationFailed: 'A login was refused; one refusal stops all further tries with that credential.',
  HostKeyMismatch: 'The host key is unknown, changed or revoked.',
  PermissionDenied: 'The login works but may not do this (sudo, file mode, database privilege).',
  CannotSeeProcesses: 'Whether the product runs on a host can\'t be seen, so it is not known to be stopped.',
  TlsRejected: 'The certificate could not be verified.',
  StaleEpoch: 'A newer operation has taken over: this effect was refused by its target.',
  ForeignCluster: 'The target belongs to another cluster.',
  Refused: 'The target refused the request.',
  // May pass: retried.
  Unreachable: 'The target did not answer.',
  ConnectionLost: 'The connection ended before an answer; the effect may or may not have happened.',
  NotYet: 'The state asked for was not reached in time.',
  RemoteCommandFailed: 'A command on the host ended with an error.',
  // A look that was asked to fail on what it saw.
  Degraded: 'The cluster works, and something of it does not; the message says what.',
  BelowThreshold: 'Fewer Servers are Online than policies.minimumNodes asks for.',
  // Ends of operations.
  Cancelled: 'A person cancelled the operation.',
  Aborted: 'A person decided to abort the operation.',
  Interrupted: 'The operation ended without a report (terminated or lost).',
  Bug: 'A defect of st-orchestrator; please report it with the message.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Codes of a far side that gave no answer: how it is, is unknown. */
const silent: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['Unreachable', 'ConnectionLost', 'NotYet']);

/** Codes that no retry can cure. */
export const nonRetryable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'InvalidInput', 'SecretUnavailable', 'FileUnavailable', 'UnknownCluster', 'SpecConflict', 'PreconditionFailed', 'PlanChanged', 'ClusterBusy',
  'AuthenticationFailed', 'HostKeyMismatch', 'PermissionDenied', 'CannotSeeProcesses', 'TlsRejected', 'StaleEpoch', 'ForeignCluster', 'Refused',
  'Degraded', 'BelowThreshold', 'Cancelled', 'Aborted', 'Interrupted', 'Bug',
]);

/**
 * The one error that clients and activities throw on purpose. The worker's interceptor turns it into an ApplicationFailure of type `code`.
 * `message` must say what, where (host, path, address), what was expected and, where one is known, the remedy; at most 2 KB.
 */
export class StError extends Error {
  constructor(readonly code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StError';
  }
}

/** Whether a failure says nothing of the far side but that it gave no answer. */
export const isSilence = (error: unknown): error is StError => error instanceof StError && isSilent(error.code);

/** The same of a code alone, as workflows know failures. */
export const isSilent = (code: string): boolean => silent.has(code as ErrorCode);

/** What was asked, or `instead` where nobody answers; any other failure, such as a login that is refused, is thrown. */
export const unlessSilent = <T, I>(asked: Promise<T>, instead: I): Promise<T | I> => asked.catch((error: unknown) => {
  if (isSilence(error)) return instead;
  throw error;
});
