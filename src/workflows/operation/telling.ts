/** What operations and the record tell of themselves: where, in one line each, is theirs to say; what and whether, the model's. */
import { workflowInfo } from '@temporalio/workflow';
import type { ClusterRecord, Lease } from '../../model/cluster';
import type { StepRow } from '../../model/operation';
import { endedEvent, interruptedEvent, waitsEvent } from '../../model/operationEvents';
import { tell } from '../parts/tell';
import { now, type Run } from './run';

/** Set by the server on what a Schedule starts. */
const scheduledBy = 'TemporalScheduledById';

export async function tellOfEnd({ report, spec }: Run): Promise<void> {
  const { firstExecutionRunId, searchAttributes } = workflowInfo();
  const event = spec && endedEvent(report, { firstExecutionRunId, scheduled: searchAttributes[scheduledBy] !== undefined });
  if (event) await tell(event, spec);
}

export async function tellOfWait(run: Run, row: StepRow, message: string): Promise<void> {
  run.holds += 1;
  if (run.spec) await tell(waitsEvent(run.report, row, message, { firstExecutionRunId: workflowInfo().firstExecutionRunId, count: run.holds, at: now() }), run.spec);
}

export async function tellOfInterruption(record: ClusterRecord, lease: Lease): Promise<void> {
  if (record.spec) await tell(interruptedEvent(record, lease), record.spec);
}
