/** How soon `below-threshold` is told once too few Servers have been Online for the time of the policy, and everybody has looked again. */
import type { WorkflowHandle } from '@temporalio/client';
import { waitFor, type WatchedCluster } from './watched';

export interface ThresholdFigures {
  forMs: number;
  /** Milliseconds from the end of that time to the event in the monitor's history. */
  event: number[];
  /** The same, to the mail at its server. */
  mail: number[];
}

const settings = { interval: 2_000, failuresToOffline: 3, calm: 0, for: 10_000 };

export async function measureThreshold(watched: WatchedCluster, { trials }: { trials: number }): Promise<ThresholdFigures> {
  const ends = await watched.watching(settings, async (monitor) => {
    const found: number[] = [];
    for (let trial = 0; trial < trials; trial += 1) found.push(await oneFall(watched, monitor, watched.nodes[trial % watched.nodes.length]!, trial + 1));
    return { found, told: await toldAt(monitor) };
  });
  const mails = (await watched.mails()).filter(({ subject }) => /has had fewer than/.test(subject)).map(({ at }) => Date.parse(at));
  const after = (end: number, moments: readonly number[]): number => (moments.find((moment) => moment >= end) ?? NaN) - end;
  return { forMs: settings.for, event: ends.found.map((end) => after(end, ends.told)), mail: ends.found.map((end) => after(end, mails)) };
}

/** Answers when the time of the policy was over, in milliseconds since 1970. */
async function oneFall({ estate, nodes }: WatchedCluster, monitor: WorkflowHandle, node: string, count: number): Promise<number> {
  await estate.lab('cut', node);
  const { watch } = await waitFor(monitor, (health) => health.watch?.belowSince !== undefined);
  const end = Date.parse(watch!.belowSince!) + settings.for;
  for (let tries = 0; (await toldAt(monitor)).length < count && tries < 60; tries += 1) await new Promise((done) => setTimeout(done, 500));
  await estate.lab('heal', node);
  await waitFor(monitor, ({ online, watch: now }) => online === nodes.length && now?.belowSince === undefined && now?.incidents.length === 0);
  return end;
}

/** When the monitor told of it, by its own history: the event's workflow is started as its child. */
async function toldAt(monitor: WorkflowHandle): Promise<number[]> {
  const { events } = await monitor.fetchHistory();
  return (events ?? []).filter(({ startChildWorkflowExecutionInitiatedEventAttributes: child }) => child?.workflowId?.includes('.below-threshold'))
    .map(({ eventTime }) => Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1e6);
}
