/**
 * From single looks to what is believed of a node. One look proves little (a packet is lost, a service pauses), and one that flaps must not make a new story
 * every few seconds. Pure: the same sights in the same order give the same votes, wherever and however often they are played.
 */
import type { NodeState } from './health';

/** What one look at one node said. `unknown`: no answer, or none that can be trusted. */
export type Sight = 'online' | 'offline' | 'unknown';

export interface NodeVote {
  node: string;
  state: NodeState;
  /** ISO-8601 UTC; so is `lastSeen`, when it last gave an answer that can be trusted. */
  since: string;
  lastSeen?: string;
  /** Looks in a row that say something else than `state`; `offline` of them said so outright. */
  against: { sight: Sight; count: number; offline: number };
  /** It has been down and came back. */
  recovered: boolean;
  /** How often it fell soon after it had come back. */
  flaps: number;
  /** Nobody looked for a while: the state is what it was, and the next look decides whether it is still. */
  stale?: boolean;
}

/** A node that falls within this time after it came back flaps, in milliseconds. */
export const steadyMs = 60_000;
/** Looks in a row, at most, that call it down again meanwhile: a Server that is away for three seconds at a time would mostly not be missed, and told as well in between. */
const unsteadyFailures = 2;
/** Looks in a row that bring back a node that flaps: so many for each time, at most. */
const looksPerFlap = 3;
const mostLooks = 15;

const none = { sight: 'unknown', count: 0, offline: 0 } as const;
const stateOf: Record<Sight, NodeState> = { online: 'Online', offline: 'Offline', unknown: 'Unknown' };

export const neverSeen = (node: string, at: string): NodeVote => ({ node, state: 'Unknown', since: at, against: none, recovered: false, flaps: 0 });

/** Carried over a time in which nobody looked. */
export const stale = (vote: NodeVote): NodeVote => ({ ...vote, against: none, stale: true });

/** What is believed after one more look. `failures`: looks in a row that it takes to call a node that was Online something else, unless it has just come back. */
export function sighted(vote: NodeVote, sight: Sight, { at, failures }: { at: string; failures: number }): NodeVote {
  const { stale: wasStale, ...known } = vote;
  const seen: NodeVote = sight === 'unknown' ? known : { ...known, lastSeen: at };
  if (stateOf[sight] === vote.state) return { ...seen, against: none };
  if (wasStale && vote.state !== 'Unknown') {
    // What was believed is not confirmed, and nobody saw when it ended.
    const unknown: NodeVote = { ...seen, state: 'Unknown', since: at, against: none };
    return sight === 'unknown' ? unknown : sighted(unknown, sight, { at, failures });
  }
  const against = added(vote, sight);
  if (against.count < needed(vote, sight, { at, failures })) return { ...seen, against };
  const state = sight === 'online' ? 'Online' : vote.state !== 'Online' ? stateOf[sight] : against.offline * 2 > against.count ? 'Offline' : 'Unknown';
  const fell = vote.state === 'Online';
  const flaps = !fell ? vote.flaps : isUnsteady(vote, at) ? vote.flaps + 1 : 0;
  return { ...seen, state, since: at, against: none, flaps, recovered: state === 'Online' ? vote.lastSeen !== undefined : vote.recovered };
}

/** Of a node that was Online a refusal and a silence count together: both say that it serves nobody. */
function added({ state, against }: NodeVote, sight: Sight): NodeVote['against'] {
  const same = against.count > 0 && (against.sight === sight || (state === 'Online' && sight !== 'online'));
  const offline = sight === 'offline' ? 1 : 0;
  return same ? { sight, count: against.count + 1, offline: against.offline + offline } : { sight, count: 1, offline };
}

/** It has come back a short while ago, so a fall now is one more of the same. */
const isUnsteady = ({ state, recovered, since }: NodeVote, at: string): boolean => state === 'Online' && recovered && Date.parse(at) - Date.parse(since) < steadyMs;

function needed(vote: NodeVote, sight: Sight, { at, failures }: { at: string; failures: number }): number {
  if (sight === 'online') return Math.max(1, Math.min(mostLooks, looksPerFlap * vote.flaps));
  return isUnsteady(vote, at) ? Math.min(failures, unsteadyFailures) : failures;
}

/** Whether the looks so far leave open what the next ones will make of it. */
export const inDoubt = ({ against }: NodeVote): boolean => against.count > 0;

export interface WatchTimes {
  /** Between two looks at a node of which all is known, in milliseconds; the others too. */
  interval: number;
  /** A look without an answer counts as a miss after this; its answer counts still when it comes late. */
  missAfter: number;
  /** A look is given up after this. */
  giveUpAfter: number;
  /** Between the begin of a look that disagreed and the next. */
  again: number;
  /** Between two looks at what changes slowly: version, sessions, cluster services. */
  details: number;
  /** Between two looks at what stands around the nodes: balancer, database, shared files, streaming connections; sooner when something is wrong. */
  around: number;
  aroundInTrouble: number;
}

/**
 * Silence is told after `interval` + `failures` x `missAfter` at most: 2 + 3 x 1 s at the defaults. Waiting for a whole interval after each miss, with the usual
 * ten seconds for an answer, would take half a minute.
 */
export function watchTimes(interval: number): WatchTimes {
  const missAfter = Math.min(1_000, interval);
  const slow = Math.max(interval, Math.min(30_000, 15 * interval));
  return {
    interval, missAfter, giveUpAfter: 3_000, again: missAfter,
    details: slow, around: slow, aroundInTrouble: Math.max(interval, Math.min(5_000, 2.5 * interval)),
  };
}
