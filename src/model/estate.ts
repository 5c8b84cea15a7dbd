/** What is found of a cluster that exists, as plain facts: stable over time where they can be, so that they may be part of a plan's fingerprint. */
import type { HostFacts, ServerFacts } from './facts';

/** The cluster as one of its Servers describes it. */
export interface FoundCluster {
  version: string;
  nodes: { address: string; deploymentSite: string | null }[];
  database: { host: string; port: number; name: string; user: string; secure: boolean };
  threshold: number | null;
  zones: { name: string; edges: { title: string; address: string | null; deploymentSite: string }[] }[];
}

/** One Server: its host, and what its own Administration Tool says. */
export interface FoundServer extends Omit<HostFacts, 'node' | 'ours' | 'prepared' | 'epoch'>, Omit<ServerFacts, 'node' | 'threshold' | 'options'> {
  address: string;
  hostName: string;
  timeZone: string;
  /** Whether the host's clock and the worker's are more than a second apart. */
  clockOff: boolean;
  localConfigurationsId: string | null;
  /** As the Administration Tool tells it; null where it does not answer. */
  build: string | null;
  /** Protocols whose daemons run. */
  running: string[];
  /** Who took this host over, and the epoch it has seen. */
  claim: Claim | null;
}

export interface Claim {
  cluster: string;
  epoch: number;
}

/** How one Server differs from the first, or an Edge from the primary: options by their values, files by their content. `here` and `there` are short and never a secret. */
export interface FoundDifferences {
  address: string;
  items: { kind: 'option' | 'file' | 'setting'; name: string; here: string; there: string }[];
  /** How many more there were. */
  left: number;
  /** Why it could not be compared, where it could not. */
  unread?: string;
}

export interface FoundDatabase {
  /** The product's schema is there. */
  schema: boolean;
  /** The orchestrator's own database is there; what it says of this cluster. */
  state: { there: boolean; epoch: number | null };
}

/** What one balancer knows of the Servers. */
export interface FoundBalancer {
  name: string;
  /** Every map, with its entries in memory. */
  maps: Record<string, Record<string, string>>;
  /** Backends all of whose servers are nodes of the cluster: address → the name it has there. */
  backends: Record<string, Record<string, string>>;
  /** Who owns what we know of its things, and the epoch it has seen of this cluster. */
  owners: Record<string, string>;
  epoch: number | null;
}

/** Something that is not the same everywhere: each value with the nodes that have it. */
export interface Difference {
  about: string;
  values: { value: string; nodes: string[] }[];
}
