/** What adopting a cluster comes to: the cluster file, what differs, what a person should know, and what is in the way. Pure. */
import { endpoint } from './fields';
import { balancerFacts, clusterFile, edgesOf, isPlaceholder, seedSpec, withoutPlaceholders } from './adoptionFile';
import type { ClusterSeed } from './clusterSeed';
import { claimProblems, comparedWith, differencesOf } from './differences';
import type { Difference, FoundBalancer, FoundCluster, FoundDatabase, FoundDifferences, FoundServer } from './estate';
import { compareHosts } from './facts';
import type { Problem } from './operation';
import { formatProblem, type ClusterSpec } from './spec';
import { siteOf } from './slices';

/** Everything that was looked at. */
export interface FoundEstate {
  cluster: FoundCluster;
  servers: readonly FoundServer[];
  others: readonly FoundDifferences[];
  /** Of the Edges but the first, where they were looked at. */
  edges?: readonly FoundDifferences[];
  balancers: readonly FoundBalancer[];
  database: FoundDatabase;
  /** SHA-256 of the licence files on the worker's host; null where they can't be read. */
  licences: { core: string | null; features: string | null };
}

/** What discovery answers. */
export interface Adoption {
  /** The cluster file, ready for `stctl validate`; left out where one was given. */
  file?: Record<string, unknown>;
  differences: Difference[];
  /** Differences beyond those that are listed. */
  left: number;
  /** What a person should know; nothing of it is in the way. */
  notes: Problem[];
  /** What has to be cured before the cluster can be adopted. */
  obstacles: Problem[];
}

export interface AdoptionOf {
  cluster: string;
  /** The epoch of the record before this operation; 0 where there is none. */
  epoch: number;
  /** What was given: a seed to be completed, or the cluster file itself. */
  given: { seed: ClusterSeed } | { spec: ClusterSpec; site: string };
}

export function adoption({ cluster, epoch, given }: AdoptionOf, found: FoundEstate): Adoption {
  const file = 'seed' in given ? clusterFile(given.seed, found) : undefined;
  const parsed = 'seed' in given ? seedSpec(given.seed, found) : { spec: given.spec };
  const site = 'seed' in given ? (given.seed.site ?? 'prod') : given.site;
  const places = parsed.spec ? [...siteOf(parsed.spec, site).servers, ...siteOf(parsed.spec, site).edges] : [];
  const nameOf = (address: string): string => places.find((node) => node.address === address)?.name ?? address;
  const between = differencesOf(found.servers, found.others, nameOf);
  const primary = parsed.spec && siteOf(parsed.spec, site).edges[0];
  const edges = primary ? comparedWith(primary.name, found.edges ?? [], nameOf) : { differences: [], left: 0 };
  const [differences, left] = [[...between.differences, ...edges.differences], between.left + edges.left];
  const claims = [
    ...found.servers.flatMap(({ address, claim }) => (claim ? [{ where: nameOf(address), claim }] : [])),
    ...found.balancers.flatMap(({ name, epoch: seen }) => (seen === null ? [] : [{ where: name, claim: { cluster, epoch: seen } }])),
    ...(found.database.state.epoch === null ? [] : [{ where: 'the database', claim: { cluster, epoch: found.database.state.epoch } }]),
  ];
  const obstacles = [
    ...(parsed.problems ?? []).map((problem): Problem => ({ what: `the cluster file would be wrong: ${formatProblem(problem)}`, remedy: 'say it in the seed' })),
    ...compareHosts(found.servers.map((server) => ({ ...server, node: nameOf(server.address), ours: false, prepared: false, epoch: null }))),
    ...claimProblems({ name: cluster, epoch }, claims),
    ...found.balancers.flatMap(({ name, owners }) => Object.entries(owners).filter(([, owner]) => owner !== cluster).map(([thing, owner]): Problem => ({ what: `${name}: ${thing} belongs to cluster "${owner}"`, remedy: `when "${owner}" is gone for good, remove ~/.st-orchestrator/owners there` }))),
    ...databaseObstacles(found, parsed.spec, site),
    ...('spec' in given ? contradictions(given.spec, site, found) : undetermined(given.seed, found)),
  ];
  return { ...(file ? { file: withoutPlaceholders(file) as Record<string, unknown> } : {}), differences, left, notes: notesOf(found, parsed.spec, site, nameOf), obstacles };
}

function databaseObstacles({ database, cluster }: FoundEstate, spec: ClusterSpec | undefined, site: string): Problem[] {
  const { host, port, name, user } = cluster.database;
  const where = `database ${name} at ${endpoint(host, port)}`;
  const state = spec ? siteOf(spec, site).database.stateDatabase : undefined;
  return [
    ...(database.schema ? [] : [{ what: `${where} holds no schema of the product`, remedy: 'is it the right database?' }]),
    ...(database.state.there || state === undefined ? [] : [{ what: `the small database ${state} of the orchestrator's own, at ${endpoint(host, port)}, is missing`, remedy: `CREATE DATABASE ${state} OWNER ${user}, or name another one (stateDatabase)` }]),
  ];
}

/** Without a word on them, the next set-up would install the Servers' licences on Edges that have their own. */
const edgeLicences = (place: string): Problem => ({
  what: `the cluster has Edges, and ${place} names no licences of theirs (licences.edge): a set-up would install those of the Servers there`,
  remedy: 'copy FILEDRIVEHOME/conf/filedrive.license and st.license of an Edge to the worker\'s host and name the copies under licences.edge; where they are those of the Servers, name these',
});

/** What the seed must say because nobody else does. */
function undetermined(seed: ClusterSeed, found: FoundEstate): Problem[] {
  return [...(edgesOf(found.cluster).length > 0 && !seed.licences.edge ? [edgeLicences('the seed')] : []), ...undeterminedBalancer(seed, found)];
}

function undeterminedBalancer(seed: ClusterSeed, { balancers }: FoundEstate): Problem[] {
  if (!seed.loadBalancer) return [];
  const names = balancerFacts(seed, balancers);
  const missing = (['map', 'siteBackend', 'healthBackend'] as const).filter((key) => isPlaceholder(names[key]));
  if (missing.length === 0) return [];
  return [{ what: `what the balancer sends to this cluster can't be told from its maps and backends (${missing.join(', ')} unknown)`, remedy: 'say it in the seed under loadBalancer, as in a cluster file' }];
}

/** Where a given cluster file and the estate say different things. */
function contradictions(spec: ClusterSpec, site: string, { cluster, servers, balancers }: FoundEstate): Problem[] {
  const { servers: nodes, edges, database, loadBalancer } = siteOf(spec, site);
  const listed = nodes.map(({ address }) => address);
  const table = cluster.nodes.map(({ address }) => address);
  const pairs: [string, string | number, string | number][] = [
    ['product.version', spec.product.version, cluster.version],
    ['database.host', database.host, cluster.database.host],
    ['database.port', database.port, cluster.database.port],
    ['database.name', database.name, cluster.database.name],
    ['database.user', database.user, cluster.database.user],
  ];
  const remedy = 'correct the cluster file';
  return [
    ...(edges.length > 0 && !spec.licences.edge ? [edgeLicences('the file')] : []),
    ...table.filter((address) => !listed.includes(address)).map((address) => ({ what: `the cluster has the node ${address}, which the file does not list`, remedy })),
    ...nodes.filter(({ address }) => !table.includes(address)).map(({ name, address }) => ({ what: `${name}: ${address} is not in the cluster's table of nodes`, remedy: `${remedy}; one that was removed comes back with "stctl add-node", and the first of a cluster that has no Server left with "stctl set-up-cluster"` })),
    ...pairs.filter(([, file, estate]) => file !== estate).map(([key, file, estate]) => ({ what: `the file says ${key} ${file}, the cluster ${estate}`, remedy })),
    ...servers.flatMap(({ address, version }) => (version === null || version === spec.product.version ? [] : [{ what: `${nodes.find((node) => node.address === address)?.name ?? address}: version ${version} is installed, the file says ${spec.product.version}`, remedy: 'every Server of a cluster has the same version' }])),
    ...(loadBalancer ? balancers.flatMap(({ name, maps, backends }) => [
      ...(maps[loadBalancer.map]?.[loadBalancer.mapKey] === undefined ? [{ what: `${name}: the map ${loadBalancer.map} has no key ${loadBalancer.mapKey}`, remedy }] : []),
      ...nodes.filter(({ name: node, address }) => loadBalancer.fronts === 'servers' && backends[loadBalancer.healthBackend]?.[address] !== node).map((node) => ({ what: `${name}: the backend ${loadBalancer.healthBackend} has no server ${node.name} at ${node.address}`, remedy })),
    ]) : []),
  ];
}

function notesOf({ cluster, servers, balancers, licences, edges: compared }: FoundEstate, spec: ClusterSpec | undefined, site: string, nameOf: (address: string) => string): Problem[] {
  const notes: Problem[] = [];
  const add = (what: string, remedy: string): void => void notes.push({ what, remedy });
  for (const [kind, path] of [['core', spec?.licences.core], ['features', spec?.licences.features]] as const) {
    const have = licences[kind];
    const differing = servers.filter((server) => server.licences[kind] !== have).map(({ address }) => nameOf(address));
    if (have === null) add(`the ${kind} licence can't be read on the worker's host (${path ?? 'no path'})`, 'copy it there, byte for byte, from a Server: FILEDRIVEHOME/conf');
    else if (differing.length > 0) add(`the ${kind} licence of ${differing.join(', ')} is not the one on the worker's host`, 'setUpCluster would install the worker\'s; put the right one there');
  }
  const { threshold } = cluster;
  if (spec && threshold !== spec.policies.minimumNodes) add(`the product notifies below ${threshold ?? 0} Online Servers, the file says ${spec.policies.minimumNodes}`, 'setUpCluster would set it; correct policies.minimumNodes when the product is right');
  for (const { address, clockOff, installation, admin } of servers) {
    if (clockOff) add(`${nameOf(address)}: its clock and the worker's are more than a second apart`, 'synchronise the clocks');
    if (installation === 'half') add(`${nameOf(address)}: FILEDRIVEHOME/install.log does not end in "Installation completed."`, 'setUpCluster will refuse this Server: restore that line when the Server serves');
    if (admin !== 'running') add(`${nameOf(address)}: its Administration Tool does not answer (${admin}); its options and daemons were not compared`, 'start it (bin/start_admin) and look again');
  }
  for (const { address, unread } of compared ?? []) if (unread !== undefined) add(`${nameOf(address)} could not be compared with the first Edge: ${unread}`, 'see that it can be reached, and look again');
  const edges = edgesOf(cluster);
  if (edges.length > 0) add(`Edges in the network zones: ${edges.map(({ name, address }) => `${name} (${address})`).join(', ')}`, 'they stand in the file by the defaults; correct how they are reached');
  const recovery = cluster.nodes.filter(({ deploymentSite }) => deploymentSite === 'DR').map(({ address }) => nameOf(address));
  if (recovery.length > 0) add(`${recovery.join(', ')}: the cluster's table says deployment site DR`, 'list them in a site of their own (dr)');
  const balancer = spec && siteOf(spec, site).loadBalancer;
  for (const { name, maps } of balancer ? balancers : []) {
    const value = maps[balancer!.map]?.[balancer!.mapKey];
    if (value !== undefined && value !== balancer!.siteBackend) add(`${name}: the map sends ${balancer!.mapKey} to ${value}, not to ${balancer!.siteBackend}`, 'setUpCluster would send the clients to this site');
  }
  return notes;
}
