/** The Temporal client of `stctl` and the web page. */
import { hostname, userInfo } from 'node:os';
import { Client, Connection, isGrpcCancelledError, isGrpcDeadlineError, isGrpcServiceError } from '@temporalio/client';
import { StError } from '../model/errors';
import { dataConverterFor, type ConnectionConfig } from './connectionConfig';

export interface ConnectOptions {
  /** How long to wait for the server, in milliseconds; 5 s by default. */
  timeoutMs?: number;
  /** Who asks, as Temporal shows it; `user@host` by default. It is a claim, not a proof. */
  identity?: string;
}

/**
 * Connects, waiting at most the time given. Close with `client.connection.close()`.
 * @throws StError Unreachable when the server does not answer; SecretUnavailable or InvalidInput when the encryption key can't be read
 */
export async function connectClient(config: ConnectionConfig, { timeoutMs = 5_000, identity = claimedIdentity() }: ConnectOptions = {}): Promise<Client> {
  const dataConverter = await dataConverterFor(config);
  const { address } = config.connectionOptions;
  let connection: Connection;
  try {
    connection = await Connection.connect({ ...connectionOptionsForClient(config), connectTimeout: timeoutMs });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StError('Unreachable', `The Temporal server at ${address} did not answer within ${timeoutMs / 1000} s (${why}). Is it running? TEMPORAL_ADDRESS or a profile of the temporal CLI names it.`, { cause: error });
  }
  return new Client({ connection, namespace: config.namespace, dataConverter, identity });
}

/**
 * Makes a call that needs a worker's answer (update, query): without a worker these wait for a minute or more.
 * @param what what is awaited, for the message: `the status of cluster demo`
 * @throws StError Unreachable when no answer came in time
 */
export async function withinDeadline<R>(client: Client, timeoutMs: number, what: string, call: () => Promise<R>): Promise<R> {
  try {
    return await client.withDeadline(Date.now() + timeoutMs, call);
  } catch (error) {
    if (!nobodyAnswered(error)) throw error;
    throw new StError('Unreachable', `No answer within ${timeoutMs / 1000} s for ${what}: no worker seems to be running on this task queue, or it is busy.`, { cause: error });
  }
}

/** gRPC's FAILED_PRECONDITION: the server gave up first, since no worker has taken the workflow's first task. */
const notReady = 9;

function nobodyAnswered(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isGrpcServiceError(error) && Number(error.code) === notReady) return true;
  // A deadline that passes before the call's own timer has fired drops the call: CANCELLED. Nobody else cancels one here.
  return error.name === 'WorkflowUpdateRPCTimeoutOrCancelledError' || nobodyAnswered(error.cause) || isGrpcDeadlineError(error) || isGrpcCancelledError(error);
}

function claimedIdentity(): string {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    // A container's arbitrary user id has no name.
    user = `uid-${process.getuid?.() ?? 'unknown'}`;
  }
  return `${process.env.SUDO_USER ?? user}@${hostname()}`;
}

function connectionOptionsForClient({ connectionOptions: { address, tls, apiKey, metadata } }: ConnectionConfig) {
  return { address, tls, apiKey, metadata };
}
