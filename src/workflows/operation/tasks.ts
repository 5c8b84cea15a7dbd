/**
 * Activities as seen by workflows. `tasks<HostActivities>('hosts').ensureStopped({…})` builds a Task, plain data; only `perform` runs one.
 * So no promise can be forgotten, and every activity gets the rules of reference §7 (id, time-outs, heartbeat, cancellation) in one place.
 */
import { ActivityCancellationType, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { Task } from '../../model/operation';
import type { Authority } from '../../model/targets';

type AnyActivity = (input: never, ...rest: never[]) => Promise<unknown>;

export type Tasks<A> = {
  [K in keyof A]: A[K] extends (input: infer I extends object, ...rest: never[]) => Promise<infer R> ? (input: I, limits?: { limitMs?: number }) => Task<R> : never;
};

/** Builders of tasks for one group of activities, typed by the group's own signatures. */
export function tasks<A extends { [K in keyof A]: AnyActivity }>(group: string): Tasks<A> {
  const build = (method: string) => (input: object, limits?: { limitMs?: number }): Task<unknown> => ({ activity: `${group}.${method}`, input, ...limits });
  return new Proxy({}, { get: (_target, method) => build(String(method)) }) as Tasks<A>;
}

export type TaskKind = 'check' | 'change' | 'undo' | 'record';

export interface PerformOptions {
  /** Activity id: unique among the pending ones, stable over releases. */
  key: string;
  summary: string;
  kind: TaskKind;
  authority: Authority;
  /** How long a changing step keeps trying through faults that may pass, in milliseconds. */
  patienceMs: number;
}

const minute = 60_000;
const heartbeatTimeout = 2_000;
const longestPause = 5_000;

/** Counted in attempts, not in time: a night without a worker must not use up the patience of a step. */
const attempts = (patienceMs: number): number => Math.max(2, 6 + Math.ceil(patienceMs / longestPause));

function optionsFor({ kind, key, summary, patienceMs }: PerformOptions, limitMs?: number): ActivityOptions {
  const common = { activityId: key, summary: summary.slice(0, 190), heartbeatTimeout };
  switch (kind) {
    case 'check':
      return { ...common, startToCloseTimeout: limitMs ?? 30_000, cancellationType: ActivityCancellationType.TRY_CANCEL, retry: { initialInterval: 200, maximumInterval: 2_000, maximumAttempts: 4 } };
    case 'change':
    case 'undo':
      return {
        ...common,
        startToCloseTimeout: limitMs ?? 10 * minute,
        cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        retry: { initialInterval: 200, maximumInterval: longestPause, maximumAttempts: kind === 'undo' ? 12 : attempts(patienceMs) },
      };
    case 'record':
      // The record is kept by the Temporal server itself: as long as there is a workflow there is a record to write to.
      return { ...common, startToCloseTimeout: 20_000, cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED, retry: { initialInterval: 200, maximumInterval: longestPause } };
  }
}

/** Runs one task as one activity. */
export function perform<R>(task: Task<R>, options: PerformOptions): Promise<R> {
  const proxy = proxyActivities<Record<string, (input: object, authority: Authority) => Promise<R>>>(optionsFor(options, task.limitMs));
  return proxy[task.activity]!(task.input, options.authority);
}

/** The longest a worker's orphaned activity may still act after its workflow was terminated, with a margin, in milliseconds. */
export const orphanSettleMs = heartbeatTimeout + 1_000;
