/** What passes between the monitor and those who look for it: one vantage point's vote, and what it is asked. Plain JSON. */
import type { Cause, NodeHealth, RecordView } from './health';
import type { NodeVote } from './healthVotes';

/** What one vantage point saw of a cluster. */
export interface Vote {
  /** ISO-8601 UTC, of the youngest look in it. */
  at: string;
  site: string;
  nodes: NodeHealth[];
  votes: NodeVote[];
  around: Around;
  cause?: { code: Cause; sentence: string };
  /** Of the cluster file; milliseconds. */
  policies: { minimumNodes: number; forMs: number; interval?: number; failuresToOffline?: number };
  record: RecordView;
}

/** What stands around the nodes and explains what happens to them. A sentence for each thing that is wrong; what could not be asked says nothing. */
export interface Around {
  database?: string;
  sharedFiles?: string;
  balancers: string[];
  /** What serves nobody, and is believed not to: worth telling somebody. Left out when there is none. */
  down?: Down[];
  /** Something of the site answered that is no node: the way there is open. */
  reached: boolean;
}

/** The database, or a balancer, that serves nobody as far as is seen from here. */
export interface Down {
  what: 'database' | 'balancer';
  name: string;
  /** A sentence. */
  why: string;
  /** Of a balancer: those of the site that serve. */
  left?: string[];
}

/** What was found, or that it could not be asked. */
export type Found = { well: true } | { well: false; why: string } | undefined;

/** `out`: it gives no answer at all; a refused login is one. */
export interface DatabaseSight {
  well: boolean;
  /** When it is not well. */
  why?: string;
  out?: boolean;
  gone?: Gone;
}

/** Of what is out: since when (ISO-8601 UTC), and whether it has been for long enough, with others answering meanwhile, to be believed. */
export interface Gone {
  since: string;
  believed: boolean;
}

/** Of a Server that the product's table of nodes calls Offline though its services run: since when (ISO-8601 UTC), in how many tables, and whether that is enough to be believed. */
export interface Unheard {
  since: string;
  tables: number;
  believed: boolean;
}

export interface BalancerSight {
  name: string;
  /** By node, as HAProxy says it; undefined where it was not asked or did not answer. */
  runtime?: Record<string, string>;
  file?: Record<string, string>;
  /** A sentence when it does not answer, or does not as it should. */
  trouble?: string;
  /** It gives no answer at all, or sends nobody to this site; undefined where it can't be asked for a reason of our own. */
  out?: boolean;
  gone?: Gone;
}

/** What the looks around found; the next slice begins with it. */
export interface AroundLook {
  database?: DatabaseSight;
  /** By Server; the last thing each said. */
  sharedFiles: Record<string, Found>;
  balancers: BalancerSight[];
  /** By Server: the Edges that it is connected to. */
  streaming: Record<string, string[]>;
  /** By Server; left out when there is none. */
  unheard?: Record<string, Unheard>;
  /** Of an earlier slice: something of the site answered that is no node. */
  reached?: boolean;
}

export interface WatchSettings {
  /** Milliseconds; those of the spec when left out. */
  interval?: number;
  failuresToOffline?: number;
}

export interface WatchInput extends WatchSettings {
  cluster: string;
  /** How long to look when nothing changes, in milliseconds. */
  sliceMs: number;
  /** The last vote from here; `fresh` is false when nobody looked since, `excused` says by node what excused it then. */
  last?: { fresh: boolean; votes: NodeVote[]; signature: string; around?: AroundLook; excused?: Record<string, string> };
}

export interface Watched {
  vote: Vote;
  /** What the monitor is told of: two votes with the same signature tell the same story. */
  signature: string;
  around?: AroundLook;
}

/** Of a running look, as its heartbeat tells it: younger than the last vote. */
export interface Glimpse {
  at: string;
  nodes: { node: string; state: NodeVote['state']; sessions?: number }[];
}

/** The same for two votes that tell the same story: no times, no numbers that grow, no wording of errors, and nothing that one look may miss. */
export function signatureOf({ votes, around, cause, nodes, record, policies }: Vote): string {
  const story = ({ node, services: { stopped }, streaming, balancer = [], excused }: NodeHealth): unknown[] => [
    node, stopped, streaming?.missing, excused !== undefined, balancer.map(({ runtime, file }) => [runtime.split(' ')[0], file]),
  ];
  return JSON.stringify([
    votes.map(({ node, state }) => `${node} ${state}`).sort(), nodes.map(story), cause?.code,
    around.database !== undefined, around.sharedFiles !== undefined, around.balancers.length, around.down?.map(({ what, name, left }) => [what, name, left]),
    record.revision, record.lease?.workflowId, record.phase, record.maintenance, policies,
  ]);
}
