/**
 * What activities get: the slice of the spec that one effect needs (at most 2 KB), never the whole spec. Plain JSON.
 */

/** `env:NAME`, `file:/absolute/path` or `command:program args`: resolved only inside the activity that uses it. */
export type SecretRef = string;

/** How to log in to one host over SSH. `knownHosts` is an absolute path on the worker's host. */
export interface SshAccess {
  address: string;
  port: number;
  user: string;
  /** Private key (OpenSSH or PEM). */
  key: SecretRef;
  passphrase?: SecretRef;
  knownHosts: string;
  /** A host the connection goes through. */
  jump?: Omit<SshAccess, 'jump'>;
}

/** One machine of the cluster: a Server's or Edge's host, or the balancer's. */
export interface HostTarget {
  cluster: string;
  site: string;
  /** The node's name in the spec (`st1`). */
  node: string;
  ssh: SshAccess;
  /** The user that owns the product's files; commands run as this user by `sudo -n -u`. */
  productUser: string;
  /** The installation directory, the same on every Server. */
  fileDriveHome: string;
}

/** The Administration Tool of one Server. `ca` is an absolute path on the worker's host. */
export interface AdminAccess {
  address: string;
  port: number;
  user: string;
  password: SecretRef;
  ca: string;
}

export interface ServerTarget extends HostTarget {
  /** The address by which the cluster knows this Server. */
  address: string;
  admin: AdminAccess;
}

/** The cluster's external database as the product uses it. `ca` is an absolute path on the worker's host. */
export interface DatabaseTarget {
  cluster: string;
  kind: 'postgresql';
  host: string;
  port: number;
  name: string;
  user: string;
  password: SecretRef;
  ca?: string;
  tablespaces: string[];
  /** The small database of our own, beside the product's; same host and role. */
  stateDatabase?: string;
}

/** The balancer: HAProxy reached over SSH by its admin socket. */
export interface BalancerTarget {
  cluster: string;
  site: string;
  name: string;
  ssh: SshAccess;
  /** Path of the admin socket on that host. */
  socket: string;
  /** Path of the site map on that host, and the key of this cluster in it. */
  map: string;
  mapKey: string;
  /** Path of the file from which HAProxy takes its servers' states at a reload. */
  stateFile?: string;
  /** The backend whose health checks all others track. */
  healthBackend: string;
  /** Backend that the map names for each site. */
  siteBackends: Record<string, string>;
}

/** Who acts: goes with every effect, and a target that saw a higher epoch, or another cluster, refuses it. */
export interface Authority {
  cluster: string;
  epoch: number;
  /** Workflow id of the operation. */
  operation: string;
}
