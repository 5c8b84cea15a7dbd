/** One operation of the product, started and awaited, with its history. */
import type { Client } from '@temporalio/client';
import { startOperation } from '../src/control/operations';
import { operationWorkflowId, type OperationName } from '../src/model/ids';
import type { OperationReport } from '../src/model/operation';
import { activitiesOf, type ActivityTimes } from './history';

export interface Operated {
  /** Milliseconds, from the order to the report. */
  total: number;
  report: OperationReport;
  activities: ActivityTimes[];
  events: number;
  bytes: number;
}

/** @throws Error when it does not complete */
export async function operate(client: Client, { operation, cluster, taskQueue, input }: { operation: OperationName; cluster: string; taskQueue: string; input: object }): Promise<Operated> {
  const workflowId = operationWorkflowId(operation, cluster);
  const began = performance.now();
  await startOperation(client, { operation, workflowId, taskQueue, summary: `${operation} of ${cluster}`, input: { cluster, ...input } });
  const handle = client.workflow.getHandle(workflowId);
  const report = (await handle.result()) as OperationReport;
  const total = performance.now() - began;
  if (report.outcome !== 'completed') throw new Error(`${operation} ended as "${report.outcome}": ${report.summary}`);
  const [history, described] = await Promise.all([handle.fetchHistory(), handle.describe()]);
  return { total, report, activities: activitiesOf(history), events: described.historyLength, bytes: described.historySize ?? 0 };
}
