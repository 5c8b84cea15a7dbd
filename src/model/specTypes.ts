/** The parts of a normalised spec: defaults merged, ranges expanded, durations in milliseconds, plain JSON. */
import type { protocols } from './clusterFileSchema';
import type { EventKind } from './events';

export type Protocol = (typeof protocols)[number];

/** How to log in to a host; `address` only when SSH answers elsewhere than at the node's address. */
export interface SshSpec {
  user: string;
  key: string;
  passphrase?: string;
  knownHosts: string;
  port: number;
  address?: string;
  jump?: JumpSpec;
}

export interface JumpSpec {
  address: string;
  port: number;
  user: string;
  key: string;
  passphrase?: string;
  knownHosts: string;
}

export interface AdminSpec {
  user: string;
  password: string;
  port: number;
  ca: string;
  address?: string;
}

export interface LicenceFiles {
  /** Paths on the worker's host. */
  core: string;
  features: string;
  /** Of the Edges, where they have others than the Servers. */
  edge?: { core: string; features: string };
}

/** A Server or an Edge. */
export interface NodeSpec {
  name: string;
  address: string;
  ssh: SshSpec;
  admin: AdminSpec;
}
export type ServerSpec = NodeSpec;
export interface EdgeSpec extends NodeSpec {
  /** The network zone by which the Servers know it. */
  zone: string;
}

export interface DatabaseSpec {
  kind: 'postgresql';
  host: string;
  port: number;
  name: string;
  user: string;
  password: string;
  ca?: string;
  tablespaces: string[];
  stateDatabase: string;
}

export interface BalancerInstanceSpec {
  name: string;
  address: string;
  socket: string;
  ssh: SshSpec;
}

export interface LoadBalancerSpec {
  kind: 'haproxy';
  fronts: 'servers' | 'edges';
  map: string;
  mapKey: string;
  stateFile?: string;
  siteBackend: string;
  healthBackend: string;
  instances: BalancerInstanceSpec[];
}

export interface SiteSpec {
  label?: string;
  deploymentSite: 'Prod' | 'DR';
  servers: ServerSpec[];
  edges: EdgeSpec[];
  database: DatabaseSpec;
  sharedFiles: { path: string };
  loadBalancer?: LoadBalancerSpec;
}

/** Where events go: by mail (`smtp`, `from` and `to` together), webhook and program, any of them. */
export interface NotificationSpec {
  smtp?: { host: string; port: number; user?: string; password?: string; tls: 'starttls' | 'tls' | 'none'; ca?: string };
  from?: string;
  to?: string[];
  /** Texts with {{variables}} of mailTemplates.ts. */
  templates?: { subject?: string; body?: string };
  webhook?: { url: string; secret: string; ca?: string };
  /** A program on the worker's host, and its arguments. */
  command?: string[];
  /** Kinds of events that are told; all when left out. */
  events?: EventKind[];
  /** Whether the product's own threshold and its mail are set as ours, and kept still in a maintenance window; `keep-equal` when left out. */
  productThreshold?: 'keep-equal' | 'leave';
}

export interface BackupSpec {
  /** On every Server's host. */
  path: string;
  /** Operations of which backups are kept. */
  keep: number;
  /** Bytes, of each archive and of the dump. */
  maximumSize: number;
  /** `program` is a path on the worker's host. */
  database: { by: 'pg_dump' | 'attested'; program?: string };
  /** Left out where nobody has said how: then every plan and report says that it is left to a person. */
  edges?: EdgeBackupSpec;
}

/** `password`: of the product's own export, as a reference. */
export type EdgeBackupSpec = { by: 'system_export'; password: string } | { by: 'none' };

export interface ClusterSpec {
  apiVersion: 'st-orchestrator/v1';
  kind: 'Cluster';
  metadata: { name: string };
  product: {
    version: string;
    fileDriveHome: string;
    user: string;
    installer: { package: string; properties: Record<string, string>; autoRegister: boolean };
    /** Shared server options of a new cluster, by name. */
    options: Record<string, string[]>;
    protocols: Protocol[];
    /** The operator's own program that updates one node; whether the update at hand may go from node to node. */
    update?: { command: string[]; nodeByNode: boolean };
  };
  licences: LicenceFiles;
  /** The account that a partner's way is tried with. */
  probe?: { account: string; password: string };
  sites: Record<string, SiteSpec>;
  notifications?: NotificationSpec;
  backups: BackupSpec;
  policies: {
    minimumNodes: number;
    /** Between two Servers of a site, in milliseconds. */
    maximumRoundTrip: number;
    /** `for` in milliseconds, `maximumDataLoss` in bytes. */
    failover: { mode: 'observe'; for: number; maximumDataLoss: number };
  };
  /** `interval` in milliseconds. */
  monitoring: { interval: number; failuresToOffline: number };
}
