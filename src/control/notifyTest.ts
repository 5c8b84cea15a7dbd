/** A test of the ways out: the same workflow as for a real event, with an event that says that it is a test. */
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { within } from '../clients/within';
import { StError } from '../model/errors';
import type { ClusterEvent } from '../model/events';
import { notificationWorkflowId } from '../model/ids';
import type { NotificationReport, NotifyInput } from '../model/notifications';
import { askServer, fromFailure } from './calls';
import { AdvisedError } from './advised';
import { readCluster } from './clusters';
import { requirePollers } from './taskQueues';

/** @throws StError UnknownCluster, Unreachable; AdvisedError Refused when the cluster file names nobody, else with the code of what went wrong when nothing arrived in time */
export async function notifyTest(client: Client, cluster: string, { taskQueue, patienceMs }: { taskQueue: string; patienceMs: number }): Promise<NotificationReport> {
  const { spec } = await readCluster(client, cluster);
  if (!spec?.notifications) throw new AdvisedError('Refused', `The spec of "${cluster}" has no notifications: nobody would be told of anything. Nothing was sent.`, ['Say in the cluster file who is told, under "notifications" (docs/notifications.md), and stctl apply -f cluster.yaml.', `Then try it: stctl notify-test ${cluster}`]);
  await requirePollers(client, taskQueue);
  const at = new Date().toISOString();
  const id = `test.${at.replace(/\D/g, '')}`;
  const event: ClusterEvent = {
    id, kind: 'test', cluster, at, severity: 'info', incident: id,
    summary: `A test of the notifications of ${cluster}: this is how you are told.`, now: 'Nothing has happened to the cluster.', next: 'Nothing.',
    youCan: [`See the cluster: stctl status ${cluster}`], facts: { requestedBy: `${client.options.identity ?? 'unknown'} (as claimed)` },
  };
  const input: NotifyInput = { event, notifications: spec.notifications, patience: patienceMs };
  const workflowId = notificationWorkflowId(cluster, id);
  const handle = await askServer(client, `start ${workflowId}`, () => client.workflow.start('notify', { taskQueue, workflowId, args: [input], workflowTaskTimeout: '3s', staticSummary: event.summary.slice(0, 190) }));
  try {
    // Each way may take its time in every try.
    return await within(handle.result() as Promise<NotificationReport>, { timeoutMs: patienceMs * 2 + 60_000 }, () => new StError('NotYet', `${workflowId} still runs; see it with: temporal workflow describe --workflow-id ${workflowId}`));
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { code, message } = fromFailure(error.cause, error);
    throw new AdvisedError(code, message, ['See whether what the message names can be reached from the worker, and takes its login.', 'Correct "notifications" in the cluster file, and stctl apply -f cluster.yaml.', `Try it again, for longer: stctl notify-test ${cluster} --patience 5m`], { cause: error });
  }
}
