/** A worker that serves from the first test of a file to its last: the record of a cluster needs one between them too. */
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { withOperations, type Operations, type WorkerOptions } from './operations';
import type { Ground } from './workflows';

export interface ServingWorker extends Operations {
  /** The failure that an operation must end with. */
  failureOf(handle: WorkflowHandle): Promise<ApplicationFailure>;
  end(): Promise<void>;
}

export function servingWorker(ground: Ground, options: WorkerOptions = {}): Promise<ServingWorker> {
  return new Promise((ready, failed) => {
    const worker = withOperations(ground, (operations) => new Promise<void>((end) => {
      ready({
        ...operations,
        async failureOf(handle) {
          const error: unknown = await handle.result().then((report) => report, (thrown: unknown) => thrown);
          if (!(error instanceof WorkflowFailedError)) throw new Error(`expected a failure, got ${JSON.stringify(error)}`);
          return error.cause as ApplicationFailure;
        },
        end: () => { end(); return worker; },
      });
    }), options);
    worker.catch(failed);
  });
}
