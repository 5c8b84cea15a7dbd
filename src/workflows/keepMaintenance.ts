/** Stands beside the record while a maintenance window is open: ends it in time, and gives the product its own threshold mail back, also after a night without a worker. */
import { condition, continueAsNew, defineSignal, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { MaintenanceActivities } from '../activities/maintenance';
import { describe, isCancellation } from './operation/failures';

/** Sent by the record when a window was started or ended. */
export const windowsChanged = defineSignal('windowsChanged');

/** What refuses is asked again so often: perhaps somebody has changed a password. In milliseconds. */
const againMs = 10 * 60_000;

const { 'maintenance.keep': keep } = proxyActivities<{ 'maintenance.keep': MaintenanceActivities['keep'] }>({
  startToCloseTimeout: '2m', heartbeatTimeout: '5s', retry: { initialInterval: '1s', maximumInterval: '1m' },
});

export async function keepMaintenance(input: { cluster: string }): Promise<string> {
  let changes = 0;
  setHandler(windowsChanged, () => { changes += 1; });
  while (!workflowInfo().continueAsNewSuggested) {
    const seen = changes;
    const { nextInMs, note } = await keep(input).catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      return { nextInMs: againMs, note: describe(error).message };
    });
    setCurrentDetails(note);
    if (nextInMs === null && changes === seen) return note;
    if (nextInMs !== null) await condition(() => changes > seen, nextInMs);
  }
  return continueAsNew<typeof keepMaintenance>(input);
}
