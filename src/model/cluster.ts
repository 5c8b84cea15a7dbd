/** The record that the `cluster` entity keeps, and the messages that change it. Plain JSON. */
import type { ClusterSpec } from './specTypes';

export interface LeaseHolder {
  workflowId: string;
  /** The chain's first run: a reset keeps it. */
  firstExecutionRunId: string;
}

export interface Lease extends LeaseHolder {
  operation: string;
  /** As in the request. */
  about?: string[];
  epoch: number;
  since: string;
  /** The spec came with this very operation; it goes again when the operation is refused. */
  broughtSpec?: boolean;
}

export interface Member {
  site: string;
  node: string;
  address: string;
  role: 'server' | 'edge';
}

/** What a host still owes that could not be reached when it was due: paid at first contact, by the next operation about that node. */
export interface Debt {
  site: string;
  node: string;
  address: string;
  /** `gate`: it was removed, and nothing keeps its product from being started yet. */
  what: 'gate';
  since: string;
  because: string;
}

/** A time in which the failures of some nodes are expected: no mail, no trigger. Always ends. */
export interface Maintenance {
  id: string;
  /** Names of nodes; empty: the whole cluster. */
  nodes: string[];
  /** ISO-8601 UTC. */
  since: string;
  until: string;
  reason: string;
  ticket?: string;
  /** As claimed. */
  by: string;
}

/** `new`: applied, never set up. `interrupted`: an operation ended without a report. */
export type ClusterPhase = 'new' | 'setting up' | 'active' | 'interrupted';

/** One line of the history of operations. */
export interface OperationLine {
  operation: string;
  workflowId: string;
  epoch: number;
  startedAt: string;
  endedAt: string;
  outcome: string;
  summary: string;
}

/** What a run has left undone. */
export interface LeftBehind {
  operation: string;
  workflowId: string;
  /** The nodes that it was to add, to remove or to restart; empty: the whole cluster. */
  about: string[];
  unfinished: string[];
  /** It closed without a report. */
  interrupted: boolean;
}

export interface ClusterRecord {
  apiVersion: 'st-orchestrator/v1';
  kind: 'ClusterStatus';
  name: string;
  phase: ClusterPhase;
  /** True once a set-up has completed. */
  complete: boolean;
  /** The record was lost and made anew; whether its cluster ever worked is not known to it. Gone with the next set-up that completes. */
  recovered?: boolean;
  spec: ClusterSpec | null;
  revision: number;
  members: Member[];
  activeSite: string | null;
  epoch: number;
  /** Epoch of the last run that changed something or tried to: a plan that was made since then still holds. */
  changedBy: number;
  lease: Lease | null;
  /** What runs have left, each until one about the same nodes completes, or a set-up does. */
  left: LeftBehind[];
  /** All lines of `left`. */
  unfinished: string[];
  debts: Debt[];
  maintenance: Maintenance[];
  /** Whether the product's own threshold mail was on before the first open window kept it still. */
  productMailWasOn?: boolean;
  /** Newest first, at most 20, of which at most 5 tell of a run that changed nothing. */
  operations: OperationLine[];
}

export interface AcquireRequest {
  holder: LeaseHolder;
  operation: string;
  /** The nodes that it is to add, to remove or to restart; left out: the whole cluster. */
  about?: string[];
  /** Set by the asker after it looked the holder up and found it closed or gone; ignored unless it still holds. */
  evict?: LeaseHolder & { unfinished: string[]; because: string };
  /** Inline spec of setUpCluster and adoptCluster: becomes revision 1, or must equal the applied one. */
  spec?: ClusterSpec;
  at: string;
}

/** `interrupted`: an operation closed without a report. `unfinished`: one has left work undone. `changedBy`: the epoch of the last run that changed something. `recovered`: as in the record. */
export type AcquireAnswer =
  | { granted: true; epoch: number; changedBy?: number; revision: number; spec: ClusterSpec; members: Member[]; debts?: Debt[]; activeSite: string | null; complete: boolean; recovered?: boolean; evicted: boolean; interrupted?: boolean; unfinished?: boolean }
  /** `ending`: the holder was asked to cancel. */
  | { granted: false; reason: 'busy'; lease: Lease; ending?: true }
  | { granted: false; reason: 'no spec' }
  /** `differs`: the places, as a part of a sentence. */
  | { granted: false; reason: 'spec conflict'; revision: number; differs: string };

export interface ReleaseRequest {
  holder: LeaseHolder;
  line: OperationLine;
  unfinished: string[];
  members?: Member[];
  debts?: Debt[];
  activeSite?: string;
  complete?: boolean;
}

export interface ApplyRequest {
  spec: ClusterSpec;
  /** 0 for a cluster that was never applied. Left out: whatever stands. */
  expectedRevision?: number;
  /** Raises the epoch to this, when it is lower: what the targets have seen when the record was lost. */
  epochAtLeast?: number;
  /** Who raises it, as claimed. */
  by?: string;
}

/** Far above any epoch, and far below where numbers lose their units. */
export const highestEpoch = 1_000_000_000;

export interface ApplyAnswer {
  revision: number;
  /** The spec; an epoch that was raised is told by itself. */
  changed: boolean;
  epoch?: number;
}
