/** The record's updates about maintenance windows, and waking what keeps them. */
import { CancellationScope, defineUpdate, getExternalWorkflowHandle, log, ParentClosePolicy, setHandler, startChild } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ClusterRecord } from '../../model/cluster';
import { maintenanceWorkflowId } from '../../model/ids';
import { parseInput } from '../../model/inputs';
import { endWindow, keepWindows, maintenanceRequest, startWindow, type KeepAnswer, type KeepRequest, type MaintenanceAnswer, type MaintenanceRequest } from '../../model/maintenance';
import { listProblems } from '../../model/problems';
import { windowsChanged, type keepMaintenance } from '../keepMaintenance';
import { failure } from '../operation/failures';

export const maintenanceUpdate = defineUpdate<MaintenanceAnswer, [MaintenanceRequest]>('maintenance');
export const keepMaintenanceUpdate = defineUpdate<KeepAnswer, [KeepRequest]>('keepMaintenance');

/** @param answer runs a change of the record and shows it; the record's own */
export function listenForWindows(record: ClusterRecord, answer: <T>(act: () => T) => T): void {
  setHandler(maintenanceUpdate, async (request) => {
    const parsed = parseInput(maintenanceRequest(), request);
    if ('problems' in parsed) throw refusal(parsed.problems);
    const { start, end } = parsed.value;
    const at = new Date().toISOString();
    const answered = answer(() => (start ? startWindow(record, start, at) : endWindow(record, end!, at)));
    if ('refused' in answered) throw failure(answered.refused, answered.message);
    // Also when somebody has cancelled the record, which goes on.
    await CancellationScope.nonCancellable(() => wakeKeeper(record.name));
    return answered;
  }, {
    description: 'Maintenance windows: {start: {nodes, until or for, reason, ticket?, by}} or {end: id}; empty nodes: the whole cluster; at most 7 days',
    validator: (request) => {
      const parsed = parseInput(maintenanceRequest(), request);
      if ('problems' in parsed) throw refusal(parsed.problems);
    },
  });
  setHandler(keepMaintenanceUpdate, (request) => answer(() => keepWindows(record, request, new Date().toISOString())), {
    description: 'Used by keepMaintenance: what is open, and how the product\'s own mail was',
    validator: (request: Partial<KeepRequest> | undefined) => {
      if (typeof request !== 'object' || request === null || ![undefined, null, true, false].includes(request.remember)) throw refusal(['expected {remember?: true, false or null}; keepMaintenance sends this update itself']);
    },
  });
}

const refusal = (problems: string[]): Error => failure('InvalidInput', `maintenance: ${listProblems(problems)}. Nothing was changed.`);

/** The keeper runs while a window is open. One that is just ending is followed by another: it has perhaps not seen this window. */
async function wakeKeeper(cluster: string): Promise<void> {
  const workflowId = maintenanceWorkflowId(cluster);
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    try {
      await startChild<typeof keepMaintenance>('keepMaintenance', { workflowId, args: [{ cluster }], parentClosePolicy: ParentClosePolicy.ABANDON, workflowTaskTimeout: '3s', staticSummary: `Maintenance windows of ${cluster}` });
      return;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) {
        log.warn('maintenance windows are not kept', { cluster, error: String(error) });
        return;
      }
    }
    const woken = await getExternalWorkflowHandle(workflowId).signal(windowsChanged).then(() => true, () => false);
    if (woken) return;
  }
}
