/**
 * What a lab consists of, worked out from its options alone: no effects here.
 */

export type Role = 'server' | 'edge' | 'database' | 'balancer' | 'jump' | 'mail';

export interface LabHost {
  name: string;
  role: Role;
  address: string;
  /** Only Servers and Edges belong to a cluster and a site. */
  cluster?: string;
  site?: string;
  /** Reached over SSH only through the jump host. */
  behindJump?: boolean;
}

export interface LabCluster {
  /** Name of the cluster, its database role and its database (with underscores). */
  name: string;
  /** Cluster file, relative to the lab's folder. */
  file: string;
  servers: string[];
  /** The balancer fronts them when there are any, else the Servers. */
  edges: string[];
  /** Hosts for nodes to be added later: ready, known to the balancer and to every host, and only in a second cluster file. */
  reserve?: { file: string; servers: string[]; edges: string[] };
  database: string;
  /** Ports of the balancer's fronts. */
  ports: { ssh: number; https: number };
}

export interface LabOptions {
  name: string;
  servers: number;
  spare: number;
  /** Edges of the main cluster; none when left out. */
  edges?: number;
  /** Hosts of the main cluster that only its second cluster file names; none when left out. */
  reserve?: number;
  reserveEdges?: number;
  /** Unit of all durations of the stand-in product, milliseconds. */
  productTimeMs: number;
  /** `1` (all), `0` (none), or a list of names. */
  lies: string;
  seed: number;
  /** All hosts have IPv6 addresses only. */
  ipv6?: boolean;
  /** Whether Servers and Edges start the product by themselves at power-on, as an installation as a service of the machine does. */
  autostart?: boolean;
  /** What the features licence allows; undefined = as many as there are Servers, those in reserve included. */
  licensedNodes?: number;
  /** A mail server, which the cluster files then name. */
  mail?: boolean;
  /** HAProxy on how many hosts, all alike; 1 when left out. */
  balancers?: number;
  /** PostgreSQL settings that replace the lab's own, by name. */
  postgres: Record<string, string>;
}

export interface LabPlan {
  name: string;
  index: number;
  options: LabOptions;
  hosts: LabHost[];
  clusters: LabCluster[];
}

/** Users that exist on every host of a lab; ids far from those that distributions give out. */
export const users = {
  ops: { uid: 2001, home: '/home/ops', shell: '/bin/bash', groups: ['haproxy'] },
  axway: { uid: 2002, home: '/home/axway', shell: '/bin/bash', groups: [] as string[] },
  postgres: { uid: 2011, home: '/var/lib/postgresql', shell: '/usr/sbin/nologin', groups: [] as string[] },
  haproxy: { uid: 2012, home: '/nonexistent', shell: '/usr/sbin/nologin', groups: [] as string[] },
  sshd: { uid: 2013, home: '/run/sshd', shell: '/usr/sbin/nologin', groups: [] as string[] },
} as const;

export const fileDriveHome = '/opt/axway/SecureTransport';
export const installPackage = '/opt/install/SecureTransport_5.5';
export const tablespaces = ['st_data', 'st_filetracking', 'st_serverlog'];
export const siteMap = '/etc/haproxy/maps/site.map';
/** Where the mail server listens, for STARTTLS. */
export const mailPort = 2525;
export const balancerSocket = '/run/haproxy/admin.sock';

/** Names become host names, file names, database names and parts of interface names. */
export function checkName(name: string): string {
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name)) {
    throw new Error(`lab name "${name}": expected a lower-case letter, then up to 19 letters, digits or dashes`);
  }
  return name;
}

/** The subnet of a lab: 10.86.<index>.0/24, or with IPv6 fd86:<index + 1>::/64 and no IPv4 at all. */
export function subnet({ index, options }: Pick<LabPlan, 'index'> & { options: Pick<LabOptions, 'ipv6'> }): { cidr: string; prefix: number; at(last: number): string } {
  // As the kernel writes an address: no group of it is 0.
  const six = `fd86:${(index + 1).toString(16)}::`;
  return options.ipv6 === true ? { cidr: `${six}/64`, prefix: 64, at: (last) => `${six}${last}` } : { cidr: `10.86.${index}.0/24`, prefix: 24, at: (last) => `10.86.${index}.${last}` };
}

/** Which machine of its subnet a host is: the end of its address. */
export const hostNumber = ({ address }: LabHost): string => address.split(/[.:]/).at(-1) ?? '';

/** An address and a port, as URLs and most configurations write them. */
export const endpoint = (address: string, port: number): string => `${address.includes(':') ? `[${address}]` : address}:${port}`;

/** Builds the plan of a lab. `index` decides the subnet. */
export function planLab(options: LabOptions, index: number): LabPlan {
  checkName(options.name);
  if (options.servers < 1 || options.servers > 20) throw new Error(`--servers ${options.servers}: expected 1 to 20`);
  if (options.spare < 0 || options.spare > 20) throw new Error(`--spare ${options.spare}: expected 0 to 20`);
  const { edges = 0, reserve = 0, reserveEdges = 0, balancers = 1 } = options;
  if (balancers < 1 || balancers > 3) throw new Error(`--balancers ${balancers}: expected 1 to 3`);
  if (options.servers + reserve > 20) throw new Error(`--reserve ${reserve}: expected at most 20 Servers with those of --servers`);
  if (edges + reserveEdges > 10) throw new Error(`--edges ${edges}: expected 0 to 10, with those of --reserve-edges`);
  if (edges === 0 && reserveEdges > 0) throw new Error('--reserve-edges: expected --edges too, since the balancer fronts the one or the other');
  const { at } = subnet({ index, options });
  const clusters: LabCluster[] = [];
  const hosts: LabHost[] = [
    { name: 'db1', role: 'database', address: at(5) },
    { name: 'lb1', role: 'balancer', address: at(6) },
    { name: 'jump1', role: 'jump', address: at(7) },
  ];
  for (let i = 2; i <= balancers; i++) hosts.push({ name: `lb${i}`, role: 'balancer', address: at(7 + i) });
  if (options.mail === true) hosts.push({ name: 'mail1', role: 'mail', address: at(8) });
  const addCluster = (name: string, file: string, prefix: string, first: number, count: number, ports: LabCluster['ports']): void => {
    const servers: string[] = [];
    for (let i = 1; i <= count; i++) {
      const server = `${prefix}${i}`;
      servers.push(server);
      hosts.push({
        name: server, role: 'server', address: at(first + i - 1), cluster: name, site: 'prod',
        ...(server === 'st2' ? { behindJump: true } : {}),
      });
    }
    clusters.push({ name, file, servers, edges: [], database: name.replaceAll('-', '_'), ports });
  };
  addCluster(options.name, 'cluster.yaml', 'st', 11, options.servers + reserve, { ssh: 2022, https: 8443 });
  for (let i = 1; i <= edges + reserveEdges; i++) {
    hosts.push({ name: `ed${i}`, role: 'edge', address: at(70 + i), cluster: options.name, site: 'prod' });
    clusters[0]?.edges.push(`ed${i}`);
  }
  const [main] = clusters;
  if (main && reserve + reserveEdges > 0) main.reserve = { file: 'cluster-grown.yaml', servers: main.servers.splice(options.servers), edges: main.edges.splice(edges) };
  if (options.spare > 0) addCluster(`${options.name}2`, 'cluster2.yaml', 'sp', 41, options.spare, { ssh: 2122, https: 8543 });
  return { name: options.name, index, options, hosts, clusters };
}

/** A Server or an Edge: the product runs there. */
export const hasProduct = (host: LabHost): boolean => host.role === 'server' || host.role === 'edge';

/** The hosts that the balancer of a cluster sends its clients to. */
export function fronted(cluster: LabCluster): string[] {
  const { servers, edges } = grown(cluster);
  return edges.length > 0 ? edges : servers;
}

/** The cluster with the hosts that it has in reserve. */
export const grown = ({ reserve, ...cluster }: LabCluster): LabCluster =>
  (reserve ? { ...cluster, file: reserve.file, servers: [...cluster.servers, ...reserve.servers], edges: [...cluster.edges, ...reserve.edges] } : cluster);

/** The hosts that run HAProxy. */
export const balancersOf = (plan: LabPlan): LabHost[] => plan.hosts.filter(({ role }) => role === 'balancer');

/** The one host of a role that a lab has once; of balancers the first. */
export function hostOf(plan: LabPlan, role: Exclude<Role, 'server' | 'edge'>): LabHost {
  const host = plan.hosts.find((h) => h.role === role);
  if (host === undefined) throw new Error(`lab ${plan.name} has no ${role} host`);
  return host;
}

/** A host by name, with a failure that lists the names there are. */
export function hostNamed(plan: LabPlan, name: string): LabHost {
  const host = plan.hosts.find((h) => h.name === name);
  if (host === undefined) throw new Error(`lab ${plan.name} has no host "${name}"; it has ${plan.hosts.map((h) => h.name).join(', ')}`);
  return host;
}
