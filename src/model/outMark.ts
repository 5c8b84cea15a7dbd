/** Whether a node that is out of a balancer was taken out by an operation of ours or by a person. Pure. */

/** What an operation writes on the balancer's host before it takes a node out. */
export interface OutMark {
  /** Seconds since 1970 by the clock of the balancer's host. */
  at: number;
  /** What HAProxy was about to be told. */
  how: 'drain' | 'maint';
  backend: string;
  node: string;
  epoch: number;
  operation: string;
}

/** How a balancer holds a node out, as it tells itself. */
export interface HeldOut {
  how: 'drain' | 'maint';
  /** Seconds since the node's state changed the last time, and since HAProxy was started. */
  sinceChange: number;
  sinceStart: number;
}

/** From a mark on HAProxy is told within this many seconds: the time-out of one call, and clocks of whole seconds. */
const lateSeconds = 15;

/**
 * True when the mark is about this: the state is the one that we asked for, and has not changed since, but for a start of HAProxy, which gives every state it finds in its
 * file the time of the start. So a person's maintenance is not taken for ours, though a mark of ours was left behind before it: at worst ours is taken for a person's.
 */
export function takenOutByUs({ how, sinceChange, sinceStart }: HeldOut, mark: Pick<OutMark, 'at' | 'how'> | undefined, now: number): boolean {
  if (mark === undefined) return false;
  // While it drains, its health goes on to change; a drain that became maintenance without us is somebody's.
  if (how === 'drain') return true;
  return mark.how === 'maint' && (now - sinceChange <= mark.at + lateSeconds || sinceChange >= sinceStart - 1);
}
