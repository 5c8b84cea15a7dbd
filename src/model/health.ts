/** How a cluster is, as it was seen: the one answer of `checkHealth` and of the monitor's query `status`. Plain JSON; times are ISO-8601 UTC. */

/**
 * Online: it answers, and its Administration Tool and its Transaction Manager run (an Edge has no Transaction Manager: its daemons run).
 * Offline: it answers and says otherwise, or refuses. Unknown: it does not answer, or what answers can't be trusted. (The product's own page calls both Offline.)
 * None of the three proves that a node is stopped.
 */
export type NodeState = 'Online' | 'Offline' | 'Unknown';

/**
 * What explains a node, or a whole cluster: one word for programs. `database`, `shared files`, `licence`, `credentials` and `our network` are causes that several
 * nodes may share; the others are of one node.
 */
export const causes = [
  'database', 'shared files', 'licence', 'credentials', 'our network',
  'admin stopped', 'TM stopped', 'TM hangs', 'daemons stopped', 'refused', 'silent', 'TLS', 'nonsense',
] as const;
export type Cause = (typeof causes)[number];

export interface NodeHealth {
  node: string;
  site: string;
  role: 'server' | 'edge';
  address: string;
  state: NodeState;
  /** While nobody looks because of a pause: the state in which it was seen last. */
  was?: NodeState;
  /** The sentence people read; absent while all is well. */
  why?: string;
  cause?: Cause;
  /** Since when it is in this state, as far as this watch has seen. */
  since: string;
  /** When it last gave an answer that can be trusted. */
  lastSeen?: string;
  /** Of a Server: Administration Tool, Transaction Manager, Scheduler, FolderMonitor and each of the cluster's protocols. `stopped` by name. */
  services: { running: number; of: number; stopped: string[] };
  /** One for each balancer that names the node; a word HAProxy uses ("UP", "DRAIN", "MAINT", "DOWN"), or "unknown". */
  balancer?: { name: string; wanted: string; runtime: string; file: string }[];
  sessions?: number;
  version?: string;
  /** The streaming connections between Servers and Edges: of a Server the Edges that it dialled, of an Edge the Servers that dialled it. */
  streaming?: { connected: number; of: number; missing: string[] };
  /** Counted as present for the threshold, and no mail: what took it down ("rolling-restart/demo", or the reason of a maintenance window). */
  excused?: string;
}

export type Health = 'ok' | 'degraded' | 'below threshold' | 'unknown';

export interface ClusterHealth {
  apiVersion: 'st-orchestrator/v1';
  kind: 'ClusterHealth';
  cluster: string;
  site: string;
  /** When this was seen; never shown without it. */
  sampledAt: string;
  /** Servers that are Online, or were when it was seen (`sampledAt`) before a pause; and those that belong to the cluster. */
  online: number;
  members: number;
  minimumNodes: number;
  health: Health;
  /** The one thing that explains what is wrong, where one does. */
  cause?: { code: Cause; sentence: string };
  /** Problems first. */
  nodes: NodeHealth[];
  /** Sentences, the worst first. */
  problems: string[];
  /** From the record: what runs, what was left, what is excused, what changed last. */
  record?: RecordView;
  /** Of a monitor: how it watches. Absent in the answer of `checkHealth`. */
  watch?: WatchView;
}

export interface RecordView {
  /** ISO-8601 UTC: when it was read. */
  readAt: string;
  phase: string;
  /** The cluster was set up, or may have been. Not in the histories of earlier releases. */
  complete?: boolean;
  revision: number;
  epoch: number;
  lease?: { workflowId: string; operation: string; since: string };
  unfinished: string[];
  maintenance: { nodes: string[]; until: string; reason: string }[];
  lastOperation?: { operation: string; outcome: string; endedAt: string; summary: string };
}

export interface WatchView {
  /** Milliseconds between two looks, and how many must agree. */
  interval: number;
  failuresToOffline: number;
  /** Task queues that look, and when each last answered; `fresh` is false until the first look of a slice has come in. */
  vantage: { name: string; fresh: boolean; votedAt?: string; trouble?: string }[];
  quorum: number;
  paused?: { until: string; by: string; reason: string };
  /** Since when fewer than `minimumNodes` are Online. */
  belowSince?: string;
  /** `node` names a balancer too; the database has none. */
  incidents: { id: string; node?: string; since: string; count: number }[];
  /** What others said; evidence, never alone a reason. */
  reports: { at: string; from: string; node?: string; what: string }[];
}
