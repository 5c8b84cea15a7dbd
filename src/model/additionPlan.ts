/**
 * What adding nodes to a working cluster has still to do (reference §4), computed from what the checks found, and what refuses it. Pure: a member that is
 * Online gives an empty plan, and a plan that was cut off anywhere is completed by the next.
 */
import type { Member } from './cluster';
import { compareHosts, isVersionOf, type HostFacts, type LicenceFacts, type ServerFacts, type WayFacts } from './facts';
import { canonicalAddress, hasAddress } from './fields';
import type { GateFacts } from './gate';
import { addressesIn } from './nodeTable';
import type { Problem } from './operation';

/** One look at a machine that may be down. */
export interface MachineFacts {
  node: string;
  reachable: boolean;
  identity: string | null;
  taeh: string | null;
  version: string | null;
  /** `LocalConfigurationsId`: two Servers that have the same one are copies of one installation. */
  instance: string | null;
  epoch: number | null;
}

/** What is not in the database, beside a peer. */
export interface FileFacts {
  node: string;
  /** Its installation is new: what it lacks is copied to it. */
  fresh: boolean;
}

export interface JoiningServer {
  node: string;
  installed: boolean;
  fresh: boolean;
  licensed: boolean;
  /** Its address is in the cluster's table of nodes. */
  inTable: boolean;
  online: boolean;
  /** Its Administration Tool answers and is operational. */
  admin: boolean;
  gated: boolean;
}

/** Names of nodes for each step, in the order in which the steps are done. */
export interface AdditionPlan {
  install: string[];
  /** Administration Tool and Transaction Manager do not run on a Server that is added. */
  stop: string[];
  add: string[];
  copy: string[];
  open: string[];
  startAdmin: string[];
  license: string[];
  /** Those that come back: what their peers changed meanwhile is compared. */
  refresh: string[];
  start: string[];
}

export interface FoundAddition {
  hosts: readonly HostFacts[];
  servers: readonly ServerFacts[];
  files: readonly FileFacts[];
  gates: readonly GateFacts[];
  licence: LicenceFacts;
  /** Addresses in the table of nodes, as a Server that serves tells it. */
  table: readonly string[];
}

/** Puts together what the checks found of each new Server, in the order of the names. */
export function joiningServers(nodes: readonly { name: string; address: string }[], found: FoundAddition): JoiningServer[] {
  const table = addressesIn(found.table);
  return nodes.flatMap(({ name, address }) => {
    const host = found.hosts.find(({ node }) => node === name);
    const server = found.servers.find(({ node }) => node === name);
    if (!host || !server) return [];
    const installed = host.installation === 'complete';
    const gate = found.gates.find(({ node }) => node === name)?.gate ?? 'unknown';
    const inTable = table.includes(canonicalAddress(address));
    return [{
      node: name, installed, inTable,
      fresh: !installed || found.files.some(({ node, fresh }) => node === name && fresh),
      licensed: host.licences.core === found.licence.core && host.licences.features === found.licence.features,
      online: inTable && server.admin === 'running' && server.tm && server.daemons,
      admin: server.admin === 'running',
      // Opening twice does no harm; starting behind a closed gate fails.
      gated: installed && gate !== 'open' && gate !== 'none',
    }];
  });
}

export function planAddition(states: readonly JoiningServer[]): AdditionPlan {
  const those = (wanted: (state: JoiningServer) => boolean): string[] => states.filter(wanted).map(({ node }) => node);
  return {
    install: those(({ installed }) => !installed),
    stop: those(({ inTable }) => !inTable),
    add: those(({ inTable }) => !inTable),
    copy: those(({ fresh }) => fresh),
    open: those(({ gated }) => gated),
    startAdmin: those(({ inTable, admin }) => !inTable || !admin),
    license: those(({ licensed }) => !licensed),
    refresh: those(({ inTable, fresh }) => !inTable && !fresh),
    start: those(({ inTable, online }) => !inTable || !online),
  };
}

export const isEmptyAddition = (plan: AdditionPlan): boolean => Object.values(plan).every((names: string[]) => names.length === 0);

export interface AdditionFacts {
  cluster: string;
  /** The version that the spec names. */
  version: string;
  members: readonly Member[];
  /** Nodes to be added; `role` as in the spec. */
  joining: readonly { name: string; address: string; role: Member['role'] }[];
  hosts: readonly HostFacts[];
  /** Members and new ones. */
  machines: readonly MachineFacts[];
  /** Of members that may serve. */
  servers: readonly ServerFacts[];
}

/** What only shows when new nodes and members are looked at side by side. */
export function additionProblems({ cluster, version, members, joining, hosts, machines, servers }: AdditionFacts): Problem[] {
  const isNew = (node: string): boolean => joining.some(({ name }) => name === node);
  const standing = machines.filter(({ node }) => !isNew(node));
  const problems: Problem[] = [];
  const ofRole = (role: Member['role']) => [
    ...standing.filter(({ node }) => members.some((member) => member.node === node && member.role === role)),
    ...hosts.filter(({ node }) => joining.some((one) => one.name === node && one.role === role)),
  ];
  problems.push(...compareHosts(ofRole('server'), ofRole('edge')));
  problems.push(...secretFiles(ofRole('edge')));
  for (const one of machines.filter(({ node, instance }) => isNew(node) && instance !== null)) {
    const twin = machines.find(({ node, instance }) => node !== one.node && instance === one.instance && (!isNew(node) || node < one.node));
    if (twin) problems.push({ what: `${one.node} is the installation of ${twin.node} under another name, or a copy of it (same LocalConfigurationsId ${one.instance})`, remedy: `take ${one.node} out of the cluster file, or move its FILEDRIVEHOME away and let it be installed anew` });
  }
  for (const { name, address } of joining) {
    const owner = members.find((member) => member.node !== name && canonicalAddress(member.address) === canonicalAddress(address));
    if (owner) problems.push({ what: `${name}: the address ${address} is that of the member ${owner.node}`, remedy: 'give every node an address of its own' });
  }
  for (const one of standing.filter((machine) => machine.version !== null && !isVersionOf(machine.version, version))) {
    problems.push({ what: `${one.node} runs version ${one.version}, the cluster file says ${version}: different versions never run on one schema`, remedy: 'update the cluster, or correct product.version' });
  }
  if (!servers.some(serves)) problems.push({ what: `no Server of ${cluster} is Online: nodes are added through one that runs`, remedy: `bring the cluster back first: "stctl set-up-cluster ${cluster}"` });
  for (const { node } of standing.filter(({ reachable }) => !reachable)) {
    problems.push({ what: `${node} can't be reached: whether it is the same machine as a new one, and the ways between them, are not known`, remedy: 'replace it, or check again when it is back', level: 'warning' });
  }
  return problems;
}

/** Runs as a Server of the cluster does: through such a one nodes are added. */
export const serves = ({ admin, tm, members }: ServerFacts): boolean => admin === 'running' && tm && members !== null;

/** Synchronised Edges have one secret file; `compareHosts` looks at Servers only. */
function secretFiles(edges: readonly { node: string; taeh: string | null }[]): Problem[] {
  return edges.flatMap((one, index) => {
    const other = edges.slice(0, index).find(({ taeh }) => taeh !== null && one.taeh !== null && taeh !== one.taeh);
    return other ? [{ what: `the secret file bin/taeh of ${one.node} differs from that of ${other.node}`, remedy: `install ${one.node} anew: Edges of one cluster share that file` }] : [];
  });
}

/**
 * An address that stands in the table and belongs to no member is left over from an addition of ours that was cut off, where we have installed that host;
 * else it is somebody's entry, and a second one would not be valid (reference §4).
 */
export function tableProblems(joining: readonly { name: string; address: string }[], found: { table: readonly string[]; hosts: readonly HostFacts[]; members: readonly Member[] }): Problem[] {
  const table = addressesIn(found.table);
  return joining.flatMap(({ name, address }) => {
    if (!table.includes(canonicalAddress(address)) || found.members.some(({ node }) => node === name)) return [];
    const host = found.hosts.find(({ node }) => node === name);
    if (!host || (host.ours && host.installation === 'complete')) return [];
    return [{ what: `${name}: the address ${address} is in the cluster's table of nodes already, and no operation of this cluster put it there`, remedy: 'remove that entry in the Administration Tool, or give the new node its right address' }];
  });
}

/** An addition to the table of nodes changes how the daemons listen: nothing is added where nobody knows what to put back. `settings` is null where that could not be read. */
export function settingsProblems(joining: readonly { address: string }[], found: { table: readonly string[]; through: string; settings: Record<string, string[]> | null | undefined }): Problem[] {
  if (found.settings !== null || joining.every(({ address }) => hasAddress(found.table, address))) return [];
  return [{ what: `${found.through}: how the daemons of the cluster listen could not be read, so nobody could put it back`, remedy: 'run this again when it answers' }];
}

/** Whether the Servers had this Edge in a zone, or may have had: then it is not an addition's to take out. What knows no CA of its own was not answered. */
export const mayBeZoned = (address: string, ways: WayFacts | undefined): boolean =>
  ways === undefined || ways.ca === null || ways.zones.some(({ addresses }) => hasAddress(addresses, address));
