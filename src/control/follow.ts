/** Follows an operation to its end, through workers and servers that die meanwhile. */
import type { Client } from '@temporalio/client';
import { StError } from '../model/errors';
import type { OperationReport } from '../model/operation';
import { look, type Attempt } from './operations';

export type Seen =
  | { kind: 'report'; report: OperationReport; attempts: Attempt[] }
  /** The server, or a worker behind it, stopped answering; the operation itself may well go on. */
  | { kind: 'lost'; what: 'server' | 'worker'; message: string }
  | { kind: 'back'; what: 'server' | 'worker' }
  /** The run was reset; its successor is followed. */
  | { kind: 'reset'; runId: string }
  | { kind: 'ended'; report: OperationReport };

export interface FollowOptions {
  /** Between two looks, in milliseconds. */
  everyMs?: number;
  /** Between two looks while nobody answers, in milliseconds. */
  retryMs?: number;
  /** Ends the following. */
  signal?: AbortSignal;
}

/** Tells what changes until the run has ended. Leaving the loop ends the following, never the operation. */
export async function* follow(client: Client, workflowId: string, runId: string, { everyMs = 250, retryMs = 1_000, signal }: FollowOptions = {}): AsyncGenerator<Seen, void, void> {
  let lost: 'server' | 'worker' | undefined;
  let run = runId;
  while (!signal?.aborted) {
    const sighting = await look(client, workflowId, run).catch((error: unknown) => unlessGone(error, signal));
    if (!('status' in sighting)) {
      if (lost !== 'server') yield { kind: 'lost', what: 'server', message: sighting.message };
      lost = 'server';
      await pause(retryMs, signal);
      continue;
    }
    if (lost === 'server' || (lost === 'worker' && sighting.report)) {
      yield { kind: 'back', what: lost };
      lost = undefined;
    }
    if (sighting.successor !== undefined) {
      run = sighting.successor;
      yield { kind: 'reset', runId: run };
      continue;
    }
    if (sighting.status !== 'RUNNING' && sighting.report) {
      yield { kind: 'ended', report: sighting.report };
      return;
    }
    if (sighting.report) yield { kind: 'report', report: sighting.report, attempts: sighting.attempts };
    else if (lost !== 'worker') {
      lost = 'worker';
      yield { kind: 'lost', what: 'worker', message: sighting.silence ?? '' };
    }
    await pause(everyMs, signal);
  }
}

/** A server that is away for a moment is no failure of the operation. */
function unlessGone(error: unknown, signal?: AbortSignal): StError {
  if (error instanceof StError && error.code === 'Unreachable') return error;
  // Whoever stopped us has closed the connection too.
  if (signal?.aborted) return new StError('Unreachable', 'no longer followed');
  throw error;
}

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
  });
