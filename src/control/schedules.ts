/** The Schedules of a cluster: the daily and the frequent look, made and changed so often as wanted, with the same result. */
import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy, type Client, type ScheduleDescription, type ScheduleOptions } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { canonicalJson } from '../model/fingerprint';
import { kebabCase } from '../model/ids';
import { askServer } from './calls';
import { readCluster } from './clusters';
import { requirePollers } from './taskQueues';

/** What runs, and how often unless somebody says otherwise, in milliseconds. */
const kinds = {
  health: { workflowType: 'checkHealth', everyMs: 5 * 60_000, what: 'one look at every node' },
  ends: { workflowType: 'checkEnds', everyMs: 24 * 60 * 60_000, what: 'warns of certificates and licences that end' },
} as const;
export type ScheduleKind = keyof typeof kinds;
export const scheduleKinds = Object.keys(kinds) as ScheduleKind[];
export const scheduleId = (kind: ScheduleKind, cluster: string): string => `${kind}/${cluster}`;

export interface ScheduleView {
  id: string;
  cluster: string;
  workflowType: string;
  /** Milliseconds. */
  every: number;
  paused: boolean;
  /** ISO-8601 UTC. */
  next?: string;
  last?: string;
}

/** A missed time is made up for only when the server was away for less than a minute: a look at yesterday helps nobody. */
const catchupWindow = '1m';

function wanted(kind: ScheduleKind, cluster: string, taskQueue: string, everyMs: number): Pick<ScheduleOptions, 'spec' | 'action' | 'policies'> {
  const { workflowType } = kinds[kind];
  return {
    spec: { intervals: [{ every: everyMs }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
    action: {
      type: 'startWorkflow', workflowType, workflowId: `${kebabCase(workflowType)}/${cluster}`, taskQueue, args: [{ cluster }], workflowTaskTimeout: '3s',
      typedSearchAttributes: [{ key: defineSearchAttributeKey('StCluster', 'KEYWORD'), value: cluster }], staticSummary: `${kinds[kind].what} of ${cluster}`,
    },
  };
}

/**
 * Creates the Schedules of a cluster, or changes those that are there; a paused one stays paused.
 * @throws StError UnknownCluster for one that nobody applied: its runs could only fail; Unreachable for a task queue that nobody polls: they would wait for ever
 */
export async function applySchedules(client: Client, cluster: string, { taskQueue, every = {} }: { taskQueue: string; every?: Partial<Record<ScheduleKind, number>> }): Promise<(ScheduleView & { changed: 'created' | 'changed' | 'unchanged' })[]> {
  await readCluster(client, cluster);
  await requirePollers(client, taskQueue);
  const made: (ScheduleView & { changed: 'created' | 'changed' | 'unchanged' })[] = [];
  for (const kind of scheduleKinds) {
    const scheduleId_ = scheduleId(kind, cluster);
    const options = wanted(kind, cluster, taskQueue, every[kind] ?? kinds[kind].everyMs);
    const changed = await askServer(client, `the schedule ${scheduleId_}`, () => applyOne(client, scheduleId_, options, `${kinds[kind].what}; by "stctl schedules apply"`));
    made.push({ ...(await see(client, scheduleId_))!, changed });
  }
  return made;
}

async function applyOne(client: Client, id: string, options: Pick<ScheduleOptions, 'spec' | 'action' | 'policies'>, note: string): Promise<'created' | 'changed' | 'unchanged'> {
  const handle = client.schedule.getHandle(id);
  try {
    await client.schedule.create({ scheduleId: id, ...options, state: { note } });
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const before = essence(await handle.describe());
  await handle.update((previous) => ({ ...previous, ...options, state: { ...previous.state, note } }));
  return before === essence(await handle.describe()) ? 'unchanged' : 'changed';
}

const essence = ({ spec, action, policies }: ScheduleDescription): string =>
  canonicalJson({ spec: JSON.parse(JSON.stringify(spec)) as unknown, policies, type: action.workflowType, id: action.workflowId, taskQueue: action.taskQueue, args: action.args });

/** The Schedules of ours of one cluster, or of all. */
export async function listSchedules(client: Client, cluster?: string): Promise<ScheduleView[]> {
  const ids = cluster === undefined ? await askServer(client, 'the list of schedules', () => ours(client)) : scheduleKinds.map((kind) => scheduleId(kind, cluster));
  return (await Promise.all(ids.map((id) => see(client, id)))).filter((view) => view !== undefined);
}

async function ours(client: Client): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId: id } of client.schedule.list()) if (scheduleKinds.some((kind) => id.startsWith(`${kind}/`))) ids.push(id);
  return ids.sort();
}

async function see(client: Client, id: string): Promise<ScheduleView | undefined> {
  try {
    const { spec, state, info, action } = await askServer(client, `the schedule ${id}`, () => client.schedule.getHandle(id).describe());
    const next = info.nextActionTimes[0]?.toISOString();
    const last = info.recentActions.at(-1)?.takenAt.toISOString();
    return { id, cluster: id.slice(id.indexOf('/') + 1), workflowType: action.workflowType, every: Number(spec.intervals?.[0]?.every ?? 0), paused: state.paused, ...(next !== undefined ? { next } : {}), ...(last !== undefined ? { last } : {}) };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** Removes them; answers the ids of those that were there. What runs goes on. */
export async function removeSchedules(client: Client, cluster: string): Promise<string[]> {
  const removed: string[] = [];
  for (const kind of scheduleKinds) {
    const id = scheduleId(kind, cluster);
    const was = await askServer(client, `the schedule ${id}`, () => client.schedule.getHandle(id).delete().then(() => true, (error: unknown) => {
      if (error instanceof ScheduleNotFoundError) return false;
      throw error;
    }));
    if (was) removed.push(id);
  }
  return removed;
}
