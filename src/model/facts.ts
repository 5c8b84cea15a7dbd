/** What checks find, stable over time (so that it may be part of a plan's fingerprint), and what only shows when it is looked at side by side. */
import { canonicalAddress } from './fields';
import { addressesIn } from './nodeTable';
import type { Problem } from './operation';
import type { SetUpState } from './setUpPlan';

export interface HostFacts {
  node: string;
  /** What tells this machine from others: the kind (`host keys`, `/etc/machine-id`) and a hash. Null where nothing could be read. */
  identity: string | null;
  /** `half`: an installation that did not complete left files behind. `unknown` is a problem that the check tells. */
  installation: 'none' | 'complete' | 'half' | 'unknown';
  /** What an installation was prepared with, passwords among it, is still there. */
  prepared: boolean;
  /** This host was taken over by an operation of this cluster before. */
  ours: boolean;
  /** The highest epoch of this cluster that the host has seen. */
  epoch: number | null;
  version: string | null;
  /** SHA-256 of the secret file, never the file. */
  taeh: string | null;
  licences: { core: string | null; features: string | null };
}

/** What a Server does, asked of its own Administration Tool. */
export interface ServerFacts {
  node: string;
  /** `not operational`: it answers, and is not yet a member of the cluster. */
  admin: 'running' | 'not operational' | 'not running';
  tm: boolean;
  /** The wanted daemons all run. */
  daemons: boolean;
  /** Addresses in the cluster's table of nodes as this Server sees it; null where it could not be asked. */
  members: string[] | null;
  /** Below how many Online Servers the product itself notifies; null where it could not be asked. */
  threshold: number | null;
  /** The shared options that were asked for; null where it could not be asked. */
  options: Record<string, string[]> | null;
}

export interface DatabaseFacts {
  /** The product's schema is there. */
  schema: boolean;
  /** The highest epoch of this cluster that our own database beside it has seen. */
  epoch: number | null;
}

export interface LicenceFacts {
  /** SHA-256 of the licence files to be installed. */
  core: string;
  features: string;
  clusterNodes: number;
}

/** What an Edge does, asked of its own Administration Tool. */
export interface EdgeFacts {
  node: string;
  admin: boolean;
  /** The wanted daemons all run. */
  daemons: boolean;
  /** A Transaction Manager is connected on the port of every wanted protocol; null where nobody can say. Missing where it was not asked. */
  served?: boolean | null;
  /** SHA-256 of its own CA certificate, and of those it trusts; null and none where it could not be asked. */
  ca: string | null;
  trusted: string[];
  /** Streaming ports of the wanted protocols in its zone Private; none where it could not be asked. */
  ports: Record<string, number>;
}

/** What the Servers know of Edges: shared by all of a cluster. */
export interface WayFacts {
  ca: string | null;
  trusted: string[];
  zones: { zone: string; title: string; addresses: string[]; ports: Record<string, number>; deploymentSite: string }[];
  /** The account that the way is tried with is there; null when none is configured. */
  probe: boolean | null;
}

/** Which Edges a Server's Transaction Manager is connected to, on every wanted protocol. */
export interface ConnectionFacts {
  node: string;
  connected: string[];
}

type Machine = Pick<HostFacts, 'node' | 'identity' | 'taeh'>;

/** What only shows side by side, of the Servers and of them and the Edges. Pure; used by operations in their checks. */
export function compareHosts(facts: readonly Machine[], edges: readonly Machine[] = []): Problem[] {
  const problems: Problem[] = [];
  const all = [...facts, ...edges];
  for (const [index, one] of all.entries()) {
    const twin = all.slice(0, index).find(({ identity }) => identity !== null && identity === one.identity);
    const sign = one.identity?.replace(/ \S+$/, '') ?? '';
    if (twin) problems.push({ what: `${one.node} and ${twin.node} are the same machine (same ${sign})`, remedy: `each ${index < facts.length ? 'Server' : 'Edge'} needs a machine, and each machine ${sign}, of its own` });
  }
  for (const [index, one] of facts.entries()) {
    const other = facts.slice(0, index).find(({ taeh }) => taeh !== null && one.taeh !== null && taeh !== one.taeh);
    if (other) problems.push({ what: `the secret file bin/taeh of ${one.node} differs from that of ${other.node}`, remedy: 'one of them was installed for another cluster: take it out, or install it anew' });
  }
  return problems;
}

/** What keeps an epoch of the cluster, and the highest that it has seen. */
export interface SeenEpoch {
  where: string;
  epoch: number | null;
}

/** The record knows the newest epoch, unless it was lost: then every effect would be refused by its target, one after the other. */
export function epochProblems(record: { name: string; epoch: number }, seen: readonly SeenEpoch[]): Problem[] {
  const later = seen.filter(({ epoch }) => epoch !== null && epoch > record.epoch);
  if (later.length === 0) return [];
  const highest = Math.max(...later.map(({ epoch }) => epoch!));
  return [{
    what: `the record of cluster "${record.name}" is at epoch ${record.epoch}, but later ones have been seen: ${later.map(({ where, epoch }) => `${where} ${epoch}`).join(', ')}. The record was lost, or restored from an older state, or another Temporal server works on this cluster too`,
    remedy: `see to it that no other one does; then "stctl apply -f <cluster file> --epoch-at-least ${highest}", and run this again`,
  }];
}

/** The state that the set-up is planned from, put together from what the checks found. */
export function setUpState(servers: readonly { node: string; address: string }[], found: { hosts: readonly HostFacts[]; servers: readonly ServerFacts[]; licence: LicenceFacts; database: DatabaseFacts; complete: boolean }): SetUpState {
  const { hosts, licence, database, complete } = found;
  const states = servers.flatMap(({ node, address }) => {
    const host = hosts.find((facts) => facts.node === node);
    const server = found.servers.find((facts) => facts.node === node);
    if (!host || !server) return [];
    const { admin, tm, daemons, members } = server;
    const licensed = host.licences.core === licence.core && host.licences.features === licence.features;
    // One spelling on both sides: the product keeps an address as it was typed, and takes one twice.
    return [{ node, address: canonicalAddress(address), installed: host.installation === 'complete', half: host.installation === 'half', secretFile: host.taeh !== null, licensed, admin, tm, daemons, members: members && addressesIn(members) }];
  });
  return { servers: states, schema: database.schema, licensedNodes: licence.clusterNodes, complete, begun: hosts.some(({ ours }) => ours) };
}

/** Whether this version (`5.5`) is that of the cluster file, which may name a build instead (`5.5-20261126`, `4711`): builds are looked at by who updates. */
export function isVersionOf(found: string, wanted: string): boolean {
  const number = /^\d+(\.\d+)+/.exec(wanted)?.[0];
  return found === wanted || number === undefined || found === number;
}
