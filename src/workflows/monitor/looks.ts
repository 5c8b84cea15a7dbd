/** Looks from a vantage point, with the time-outs by which a watcher that died is missed soon (reference temporal §7, "Monitor"). */
import { ActivityCancellationType, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { Watched, WatchInput } from '../../model/watch';
import { watching } from '../operation/groups';
import type { Task } from '../../model/operation';
import type { Authority } from '../../model/targets';

export interface Post {
  /** The task queue of the workers that stand there. */
  vantage: string;
  key: string;
  authority: Authority;
}

/** It only reads, so a cancelled one is not waited for, and nobody repeats one: the next is begun with what is known by then. */
const common: Pick<ActivityOptions, 'heartbeatTimeout' | 'scheduleToStartTimeout' | 'cancellationType' | 'retry'> = {
  heartbeatTimeout: 4_000, scheduleToStartTimeout: 10_000, cancellationType: ActivityCancellationType.TRY_CANCEL, retry: { maximumAttempts: 1 },
};
/** After so long a post from where nobody looks any more is known as that, in milliseconds. */
export const missedAfterMs = 4_000 + 10_000;
/** Room after the slice for a look that is under way. */
const roomMs = 30_000;

export const watchFrom = (post: Post, input: WatchInput): Promise<Watched> => run(post, watching.watch(input), input.sliceMs + roomMs, `watching ${input.cluster}`);
export const lookFrom = (post: Post, cluster: string): Promise<Watched> => run(post, watching.look({ cluster }), roomMs, `looking again at ${cluster}`);

function run({ vantage, key, authority }: Post, { activity, input }: Task<Watched>, limitMs: number, summary: string): Promise<Watched> {
  const proxy = proxyActivities<Record<string, (input: object, authority: Authority) => Promise<Watched>>>({ ...common, taskQueue: vantage, activityId: key, summary, startToCloseTimeout: limitMs });
  return proxy[activity]!(input, authority);
}
