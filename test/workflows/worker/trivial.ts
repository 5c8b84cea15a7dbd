/** The smallest workflow that goes the whole way: one activity of ours, asked for with the time-outs of every activity. */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';

export async function look(input: { cluster: string; note?: string; maximumAttempts?: number }): Promise<{ found: unknown; note?: string }> {
  const activities = proxyActivities<Record<string, (input: object) => Promise<unknown>>>({
    activityId: 'look',
    startToCloseTimeout: 60_000,
    heartbeatTimeout: '2s',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: 100, maximumInterval: 200, maximumAttempts: input.maximumAttempts ?? 5 },
  });
  return { found: await activities['leases.read']!({ cluster: input.cluster }), note: input.note };
}
