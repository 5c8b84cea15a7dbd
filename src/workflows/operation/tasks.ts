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
  /** How long a changing task keeps trying through faults that may pass, in milliseconds: of a step by default 10 minutes, of an undo one. */
  patienceMs?: number;
  /** A person says that it was done by hand: it is looked at, and what runs once for each time that somebody asks is not begun. */
  byHand?: boolean;
}

const minute = 60_000;
const heartbeatTimeout = 2_000;
const longestPause = 5_000;

/** The longest run of one attempt where a task says nothing else, in milliseconds. */
const defaultLimits: Record<TaskKind, number> = { check: 30_000, change: 10 * minute, undo: 5 * minute, record: 20_000 };
const defaultPatience: Partial<Record<TaskKind, number>> = { change: 10 * minute, undo: minute };
const checkAttempts = 4;

/** The longest that one task may take as far as it is known: one attempt that began well and ran to its limit after all patience was used up, in milliseconds. */
export const worstCase = (task: Task<unknown>, kind: TaskKind, patienceMs = defaultPatience[kind] ?? 0): number => (task.limitMs ?? defaultLimits[kind]) + patienceMs;

function optionsFor({ kind, key, summary }: PerformOptions, limitMs = defaultLimits[kind]): ActivityOptions {
  const common = { activityId: key, summary: summary.slice(0, 190), heartbeatTimeout };
  switch (kind) {
    case 'check':
      return { ...common, startToCloseTimeout: limitMs, cancellationType: ActivityCancellationType.TRY_CANCEL, retry: { initialInterval: 200, maximumInterval: 2_000, maximumAttempts: checkAttempts } };
    case 'change':
    case 'undo':
      return {
        ...common,
        startToCloseTimeout: limitMs,
        cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        // The worker ends the tries: it counts the time in which it tries, and a night without a worker uses up nothing.
        retry: { initialInterval: 200, maximumInterval: longestPause },
      };
    case 'record':
      // The record is kept by the Temporal server itself: as long as there is a workflow there is a record to write to.
      return { ...common, startToCloseTimeout: limitMs, cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED, retry: { initialInterval: 200, maximumInterval: longestPause } };
  }
}

/** Runs one task as one activity. */
export function perform<R>(task: Task<R>, options: PerformOptions): Promise<R> {
  const proxy = proxyActivities<Record<string, (input: object, authority: Authority, limits: { patienceMs?: number; byHand?: boolean }) => Promise<R>>>(optionsFor(options, task.limitMs));
  const patienceMs = options.patienceMs ?? defaultPatience[options.kind];
  return proxy[task.activity]!(task.input, options.authority, { ...(patienceMs === undefined ? {} : { patienceMs }), ...(options.byHand ? { byHand: true } : {}) });
}

/** The longest a worker's orphaned activity may still act after its workflow was terminated, with a margin, in milliseconds. */
export const orphanSettleMs = heartbeatTimeout + 1_000;
