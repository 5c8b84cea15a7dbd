/** One machine under two names, and addresses that mean another machine to each who reads them: as far as a file tells. */
import { canonicalAddress, isLoopback } from './fields';
import type { InputProblem } from './problems';
import { entriesAt, listAt, numberAt, textAt } from './raw';

/** A node after its range was expanded. */
export interface FoundNode {
  name: string;
  address: string;
  /** Where SSH and the Administration Tool answer, when the entry gives that. */
  ssh?: string;
  admin?: string;
  entry: unknown;
  path: (string | number)[];
  site: string;
  role: 'servers' | 'edges';
}

export function checkHosts(file: unknown, nodes: FoundNode[]): InputProblem[] {
  return [...sameHost(nodes, 'ssh', sshPlace(file)), ...sameHost(nodes, 'admin', adminPlace(file)), ...shortNames(nodes), ...checkLoopback(file, nodes), ...sameBalancer(file)];
}

type Place = (node: FoundNode) => { place: string; told: string };

/** Hosts behind different jump hosts, or behind different ports of one address, are different hosts. */
const sshPlace = (file: unknown): Place => (node) => {
  const address = node.ssh ?? node.address;
  const port = numberAt(node.entry, 'ssh', 'port') ?? numberAt(file, 'defaults', 'ssh', 'port') ?? 22;
  const jump = textAt(node.entry, 'ssh', 'jump', 'address') ?? textAt(file, 'defaults', 'ssh', 'jump', 'address') ?? '';
  return { place: JSON.stringify([canonicalAddress(address), port, canonicalAddress(jump)]), told: `SSH at ${address}, port ${port}` };
};

const adminPlace = (file: unknown): Place => (node) => {
  const address = node.admin ?? node.address;
  const port = numberAt(node.entry, 'admin', 'port') ?? numberAt(file, 'defaults', 'admin', 'port') ?? 8444;
  return { place: JSON.stringify([canonicalAddress(address), port]), told: `the Administration Tool at ${address}, port ${port}` };
};

/** Nodes whose addresses differ and that are reached at the same place. */
function sameHost(nodes: FoundNode[], way: 'ssh' | 'admin', placeOf: Place): InputProblem[] {
  const first = new Map<string, FoundNode>();
  return nodes.flatMap((node) => {
    const { place, told } = placeOf(node);
    const earlier = first.get(place);
    if (!earlier) first.set(place, node);
    // The same address is a problem of its own.
    if (!earlier || canonicalAddress(earlier.address) === canonicalAddress(node.address)) return [];
    const path = node[way] === undefined ? [...node.path, 'address'] : [...node.path, way, 'address'];
    return [{ path, message: `${told} is already the way to ${earlier.name} in site ${earlier.site}; every node is a host of its own` }];
  });
}

/** `st1` and `st1.example.com` in one site: mostly one host, and a file can't tell. */
function shortNames(nodes: FoundNode[]): InputProblem[] {
  const first = new Map<string, FoundNode>();
  return nodes.flatMap((node) => {
    const address = node.address.toLowerCase();
    // An address of digits or with colons has no short form.
    if (!/[a-z]/.test(address) || address.includes(':')) return [];
    const key = `${node.site}/${address.split('.')[0]}`;
    const earlier = first.get(key);
    if (!earlier) first.set(key, node);
    if (!earlier || earlier.address.toLowerCase() === address || earlier.address.includes('.') === address.includes('.')) return [];
    return [{ path: [...node.path, 'address'], message: `${node.address} may be the same host as ${earlier.address}, the address of ${earlier.name} in site ${earlier.site}; expected both in full` }];
  });
}

function checkLoopback(file: unknown, nodes: FoundNode[]): InputProblem[] {
  const perSite = new Map<string, number>();
  for (const { site } of nodes) perSite.set(site, (perSite.get(site) ?? 0) + 1);
  const databases = entriesAt(file, 'sites').flatMap(([site, value]) => {
    const host = textAt(value, 'database', 'host');
    return host !== undefined && isLoopback(host) && (perSite.get(site) ?? 0) > 1 ? [{ path: ['sites', site, 'database', 'host'], message: `expected an address that every node can reach, found ${host}` }] : [];
  });
  const own = nodes
    .filter(({ address, site }) => isLoopback(address) && perSite.get(site)! > 1)
    .map(({ address, path }) => ({ path: [...path, 'address'], message: `expected an address that the other nodes can reach, found ${address}` }));
  return [...own, ...databases];
}

/** Two entries for one HAProxy would be told everything twice, and be counted as two. */
function sameBalancer(file: unknown): InputProblem[] {
  return entriesAt(file, 'sites').flatMap(([site, value]) => {
    const seen = new Map<string, string>();
    return listAt(value, 'loadBalancer', 'instances').flatMap((instance, i) => {
      const [name, address, socket] = [textAt(instance, 'name'), textAt(instance, 'address'), textAt(instance, 'socket') ?? ''];
      if (name === undefined || address === undefined) return [];
      const key = JSON.stringify([canonicalAddress(address), socket]);
      const earlier = seen.get(key);
      if (earlier === undefined) seen.set(key, name);
      return earlier === undefined ? [] : [{ path: ['sites', site, 'loadBalancer', 'instances', i, 'address'], message: `${address} is already the address of ${earlier}; every balancer has its own, or another socket` }];
    });
  });
}
