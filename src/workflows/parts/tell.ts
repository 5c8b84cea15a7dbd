/** Telling of an event from any workflow. What tells is a workflow of its own: a dead mail server holds nobody up and fails nothing. */
import { defineSearchAttributeKey, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { CancellationScope, log, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { ClusterEvent } from '../../model/events';
import { notificationWorkflowId } from '../../model/ids';
import { isTold } from '../../model/notifications';
import type { ClusterSpec } from '../../model/spec';
import type { notify } from '../notify';

/**
 * Starts `notify` and leaves it to itself; returns when the server has it. Does nothing for a cluster without `notifications`, or for an event that was told
 * already. Never throws, and goes on when its caller is being cancelled.
 */
export async function tell(event: ClusterEvent, { notifications }: Pick<ClusterSpec, 'notifications'>): Promise<void> {
  if (!notifications || !isTold(notifications, event.kind)) return;
  try {
    await CancellationScope.nonCancellable(() => startChild<typeof notify>('notify', {
      workflowId: notificationWorkflowId(event.cluster, event.id), args: [{ event, notifications }], parentClosePolicy: ParentClosePolicy.ABANDON, workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowTaskTimeout: '3s', staticSummary: event.summary.slice(0, 190), typedSearchAttributes: [{ key: defineSearchAttributeKey('StCluster', 'KEYWORD'), value: event.cluster }],
    }));
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) log.warn('an event could not be told', { event: event.id, error: String(error) });
  }
}
