/** Looking at a cluster: for a slice of time on behalf of its monitor, or once. Only reads. */
import { Context } from '@temporalio/activity';
import type { Glimpse, Watched, WatchInput } from '../model/watch';
import { abortSignal } from './context';
import { watchCluster, type LookoutDependencies } from './lookout';

export interface WatchingActivities {
  /** Looks until what is believed differs from `last`, or the slice is over. Its heartbeat tells what it sees meanwhile. */
  watch(input: WatchInput): Promise<Watched>;
  /** One look at every node, and a second where the first does not find it Online. */
  look(input: { cluster: string }): Promise<Watched>;
}

const lookMs = 15_000;
/** Room for the second look, and for what stands around. */
const settleMs = 5_000;
/** And for a Transaction Manager that may hang. */
const unheardMs = 8_000;

export function watchingActivities(dependencies: LookoutDependencies): WatchingActivities {
  return {
    watch: (input) => watchCluster(dependencies, input, { signal: abortSignal(), beat: heartbeat }),
    look: ({ cluster }) => watchCluster(dependencies, { cluster, sliceMs: lookMs, failuresToOffline: 2 }, { signal: abortSignal(), settleMs, unheardMs }),
  };
}

/** Outside of Temporal (tests of one look) nobody listens. */
function heartbeat(glimpse: Glimpse): void {
  try {
    Context.current().heartbeat(glimpse);
  } catch {
    // No activity runs.
  }
}
