/** From a seed and what was found to a cluster file. Pure: what is not known yet stands as a placeholder, which nobody is ever sent to. */
import { apiVersion, protocols } from './clusterFileSchema';
import type { ClusterSeed } from './clusterSeed';
import { nodeNamePattern } from './fields';
import type { FoundBalancer, FoundCluster, FoundServer } from './estate';
import { parseClusterSpec, type ClusterSpec, type InputProblem, type Protocol } from './spec';

/** What was found so far. */
export interface Known {
  cluster?: FoundCluster;
  servers?: readonly FoundServer[];
  balancers?: readonly FoundBalancer[];
}

const unknown = 'unknown';

/** The cluster file, as plain JSON in the order in which people write one. */
export function clusterFile(seed: ClusterSeed, { cluster, servers = [], balancers = [] }: Known = {}): Record<string, unknown> {
  const addresses = cluster ? cluster.nodes.map(({ address }) => address) : [seed.server];
  const names = nodeNames(seed, addresses, servers, balancers);
  const entry = (address: string, name: string): object => {
    const { ssh, admin } = seed.reach?.[address] ?? {};
    return { name, address, ...(ssh ? { ssh } : {}), ...(admin ? { admin } : {}) };
  };
  const { product, database } = seed;
  const threshold = cluster?.threshold ?? 0;
  return {
    apiVersion,
    kind: 'Cluster',
    metadata: seed.metadata,
    ...(seed.defaults ? { defaults: seed.defaults } : {}),
    product: { version: cluster?.version ?? '0.0', ...product, protocols: runningEverywhere(servers) },
    licences: { ...seed.licences, ...(edgesOf(cluster).length > 0 && !seed.licences.edge ? { edge: { core: `/${unknown}`, features: `/${unknown}` } } : {}) },
    sites: {
      [seed.site ?? 'prod']: {
        deploymentSite: 'Prod',
        servers: addresses.map((address) => entry(address, names[address]!)),
        edges: edgesOf(cluster).map(({ address, name }) => entry(address, seed.reach?.[address]?.name ?? name)),
        database: { kind: 'postgresql', host: unknown, name: unknown, user: unknown, ...located(cluster), ...database },
        sharedFiles: seed.sharedFiles,
        ...(seed.loadBalancer ? { loadBalancer: balancerOf(seed, balancers, edgesOf(cluster).length > 0) } : {}),
      },
    },
    ...(seed.notifications ? { notifications: seed.notifications } : {}),
    ...(threshold >= 1 && threshold <= addresses.length ? { policies: { minimumNodes: threshold } } : {}),
    ...(seed.monitoring ? { monitoring: seed.monitoring } : {}),
  };
}

/** The same as a spec, or why it is none: two nodes of one name, an address that can't be right, more than 20 Servers. */
export function seedSpec(seed: ClusterSeed, known: Known = {}): { spec: ClusterSpec; problems?: undefined } | { spec?: undefined; problems: InputProblem[] } {
  return parseClusterSpec(clusterFile(seed, known));
}

function located(cluster: FoundCluster | undefined): object {
  if (!cluster) return {};
  const { host, port, name, user } = cluster.database;
  return { host, port, name, user };
}

/** The Edges of the production zones that have an address of their own. */
export function edgesOf(cluster: FoundCluster | undefined): { name: string; address: string }[] {
  const edges = (cluster?.zones ?? []).flatMap((zone) => zone.edges).filter(({ deploymentSite }) => deploymentSite !== 'DR');
  const seen = new Set<string>();
  return edges.flatMap(({ title, address }) => {
    if (address === null || seen.has(address)) return [];
    seen.add(address);
    return [{ name: nodeNamePattern.test(title) ? title : plainName(address), address }];
  });
}

/** Nodes are called as the seed says, else as the balancer calls them (it must, so that they can be drained by name), else as their host is called. */
function nodeNames(seed: ClusterSeed, addresses: readonly string[], servers: readonly FoundServer[], balancers: readonly FoundBalancer[]): Record<string, string> {
  const health = balancers.map((balancer) => balancer.backends[balancerFacts(seed, [balancer]).healthBackend] ?? {});
  const taken = new Set<string>();
  return Object.fromEntries(addresses.map((address) => {
    const host = servers.find((server) => server.address === address)?.hostName.split('.')[0];
    const wanted = seed.reach?.[address]?.name ?? health.find((backend) => backend[address] !== undefined)?.[address] ?? host;
    const name = wanted !== undefined && nodeNamePattern.test(wanted) && !taken.has(wanted.toLowerCase()) ? wanted : plainName(address);
    taken.add(name.toLowerCase());
    return [address, name];
  }));
}

/** A name that can always be made of an address. */
const plainName = (address: string): string => address.replace(/[^A-Za-z0-9.-]/g, '-').replace(/^-+/, 'n').slice(0, 63);

/** What is asked for later is what runs on every Server now; ssh while nothing is known. */
function runningEverywhere(servers: readonly FoundServer[]): Protocol[] {
  const asked = servers.filter(({ admin }) => admin === 'running');
  const common = protocols.filter((protocol) => asked.length > 0 && asked.every(({ running }) => running.includes(protocol)));
  return common.length > 0 ? common : ['ssh'];
}

export interface BalancerNames {
  map: string;
  mapKey: string | undefined;
  siteBackend: string;
  healthBackend: string;
}

/**
 * Map, key and backends of the cluster: the key whose value, with an underscore and a protocol behind it, names backends of its nodes; the backend of its nodes
 * that is none of those is the one with the health checks. What the seed says stands; what can't be told is a placeholder.
 */
export function balancerFacts(seed: ClusterSeed, balancers: readonly FoundBalancer[]): BalancerNames {
  const { map, mapKey, siteBackend, healthBackend } = seed.loadBalancer ?? {};
  const found = balancers.map((balancer) => told(balancer, seed)).find((names) => names !== undefined);
  return {
    map: map ?? found?.map ?? `/${unknown}`,
    mapKey: mapKey ?? found?.mapKey,
    siteBackend: siteBackend ?? found?.siteBackend ?? unknown,
    healthBackend: healthBackend ?? found?.healthBackend ?? `${unknown}_hc`,
  };
}

export const isPlaceholder = (name: string): boolean => name === unknown || name === `/${unknown}` || name === `${unknown}_hc`;

/** A file says nothing where nothing is known: `stctl validate` then names the place. */
export function withoutPlaceholders(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPlaceholders);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => !(typeof entry === 'string' && isPlaceholder(entry))).map(([key, entry]) => [key, withoutPlaceholders(entry)]));
}

function told({ maps, backends }: FoundBalancer, seed: ClusterSeed): BalancerNames | undefined {
  const names = Object.keys(backends);
  const behind = (value: string): string[] => names.filter((name) => name.startsWith(`${value}_`));
  for (const [map, entries] of Object.entries(maps)) {
    if (seed.loadBalancer?.map !== undefined && seed.loadBalancer.map !== map) continue;
    for (const [mapKey, value] of Object.entries(entries)) {
      const fronts = behind(value);
      const rest = names.filter((name) => !fronts.includes(name));
      if (fronts.length > 0 && rest.length === 1) return { map, mapKey, siteBackend: value, healthBackend: rest[0]! };
    }
  }
  return undefined;
}

function balancerOf(seed: ClusterSeed, balancers: readonly FoundBalancer[], edges: boolean): object {
  const { instances, stateFile } = seed.loadBalancer!;
  const { map, mapKey, siteBackend, healthBackend } = balancerFacts(seed, balancers);
  return { kind: 'haproxy', fronts: edges ? 'edges' : 'servers', map, ...(mapKey === undefined ? {} : { mapKey }), ...(stateFile === undefined ? {} : { stateFile }), siteBackend, healthBackend, instances };
}
