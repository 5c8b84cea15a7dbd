/** What happened to a cluster and is worth telling somebody: one shape for mail, webhook and program. Plain JSON. */

export const eventKinds = [
  // The monitor's.
  'node-failed', 'node-recovered', 'threshold-lost', 'threshold-restored', 'below-threshold', 'no-edge', 'balancer-down', 'balancer-up', 'database-down', 'database-up', 'watching-ended',
  // The operations'.
  'operation-ended', 'operation-interrupted', 'operation-waits',
  // What ends by itself: a certificate, a licence, a password, a pause.
  'ends-soon',
  // From outside, as evidence.
  'reported',
  // Sent by a person who wants to see whether it arrives.
  'test',
] as const;
export type EventKind = (typeof eventKinds)[number];

export interface ClusterEvent {
  /** The same for one event however often it is told: at most 150 letters, digits, `.`, `_` and `-`. */
  id: string;
  kind: EventKind;
  cluster: string;
  site?: string;
  /** A Server, an Edge or a load balancer. */
  node?: string;
  /** ISO-8601 UTC. */
  at: string;
  severity: 'info' | 'warning' | 'critical';
  /** Events of one incident share it, and make one thread of mails. */
  incident: string;
  /** One sentence: what happened. */
  summary: string;
  /** What the state is now, what will happen by itself, what a person can do; a sentence each. */
  now: string;
  next: string;
  youCan: string[];
  /** Figures and names that templates and programs may use, at most 2 KB together. */
  facts: Record<string, string>;
}
