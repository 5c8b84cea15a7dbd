/** The worker's life with a server that comes and goes: wait for it, look at the namespace, work, and start over when the connection is lost for good. */
import { setTimeout as pause } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import { GracefulShutdownPeriodExpiredError, NativeConnection, TransportError, type Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Clients } from './clients';
import type { WorkerConfig } from './config';
import { createWorker } from './createWorker';
import { searchAttributeProblems, searchAttributeRemedy } from './searchAttributes';

/** How often a server that does not answer is asked again, in milliseconds. */
const askAgainAfterMs = 1_000;

/** gRPC: invalid argument for old servers, permission denied, unimplemented, unauthenticated: this server does not let us look. */
const mayNotLook = new Set([3, 7, 12, 16]);
/** gRPC: deadline exceeded, not found (the namespace, until somebody makes it), resource exhausted, aborted, internal, unavailable. */
const passing = new Set([4, 5, 8, 10, 13, 14]);

export interface ServeOptions {
  config: WorkerConfig;
  clients: Clients;
  logger: Logger;
  /** Aborted when the process is told to end; the worker itself hears of it from the SDK's signal handlers. */
  stop: AbortSignal;
  /** Called each time a worker has begun to poll. */
  onReady(): void;
}

/** What `serve` ended with: told to stop, or the namespace lacks something and these are the words that say what to do. */
export type Served = { end: 'stopped' } | { end: 'refused'; remedy: string };

/**
 * Works until told to stop.
 * @throws what can't pass by waiting (a bundle that does not load, a defect)
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { config, logger, stop } = options;
  const address = config.connectionOptions.address ?? '';
  let told: string | undefined;
  const tell = (state: string, reason?: string): void => {
    if (told === state) return;
    told = state;
    if (reason === undefined) logger.info({ address }, state);
    else logger.warn({ address, reason }, state);
  };
  while (!stop.aborted) {
    let connection: NativeConnection | undefined;
    try {
      connection = await NativeConnection.connect(config.connectionOptions);
      const remedy = await remedyFor(connection, options);
      if (remedy !== undefined) return { end: 'refused', remedy };
      const worker = await createWorker({ config, clients: options.clients, connection });
      tell('connected to the Temporal server');
      if (await work(worker, options)) return { end: 'stopped' };
    } catch (error) {
      if (!isPassing(error)) throw error;
      tell('no Temporal server to work for: waiting until it answers', error instanceof Error ? error.message : String(error));
    } finally {
      await connection?.close().catch((error: unknown) => logger.debug({ error }, 'the connection did not close cleanly'));
    }
    await pause(askAgainAfterMs, undefined, { signal: stop }).catch(() => undefined);
  }
  return { end: 'stopped' };
}

/** Runs the worker; true when it was told to stop, false when it must be started over. */
async function work(worker: Worker, { logger, stop, onReady }: ServeOptions): Promise<boolean> {
  try {
    const running = worker.run();
    onReady();
    await running;
    return true;
  } catch (error) {
    if (error instanceof GracefulShutdownPeriodExpiredError) {
      logger.warn('the time to end is over: what still ran is left to its next try');
      return true;
    }
    logger.error({ error }, 'the worker ended: starting over');
    return stop.aborted;
  }
}

async function remedyFor(connection: NativeConnection, { config, logger }: ServeOptions): Promise<string | undefined> {
  try {
    return searchAttributeRemedy(await searchAttributeProblems(connection, config.namespace), config.namespace, config.connectionOptions.address ?? '');
  } catch (error) {
    if (!isGrpcServiceError(error) || !mayNotLook.has(error.code)) throw error;
    logger.warn({ reason: error.message }, 'the server does not let us look at its search attributes: going on without that check');
    return undefined;
  }
}

const isPassing = (error: unknown): boolean => error instanceof TransportError || (isGrpcServiceError(error) && passing.has(error.code));
