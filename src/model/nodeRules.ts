/** Rules about the nodes of all sites: ranges, counts, unique names and addresses, and access that is complete once defaults are merged. */
import { addressProblem, canonicalAddress, nodeNamePattern } from './fields';
import { checkHosts, type FoundNode } from './hostRules';
import { describe, type InputProblem } from './problems';
import { expandRange } from './ranges';
import { at, entriesAt, listAt, textAt } from './raw';

export const mostServers = 20;

type Path = (string | number)[];
interface Entry { value: unknown; path: Path; site: string; role: 'servers' | 'edges'; }
/** Far above two sites of 20 Servers and 50 Edges: what names more is not expanded, since that takes a parser as long as its writer likes. */
const mostNodes = 500;

export function checkNodes(file: unknown): InputProblem[] {
  const entries = entriesOf(file);
  if (isTooMany(entries)) return [{ path: ['sites'], message: `more than ${mostNodes} nodes: this is no input for one cluster` }];
  const expansions = entries.map(expandEntry);
  const nodes = expansions.flatMap((expansion) => expansion.nodes);
  return [
    ...expansions.flatMap((expansion) => expansion.problems),
    ...checkCounts(file),
    ...duplicates(nodes, 'name', (node) => node.name.toLowerCase()),
    ...duplicates(nodes, 'address', (node) => canonicalAddress(node.address)),
    ...checkHosts(file, nodes),
    ...checkBalancerNames(file, nodes),
    ...missingAccess(file, entries),
  ];
}

function entriesOf(file: unknown): Entry[] {
  return entriesAt(file, 'sites').flatMap(([site, value]) =>
    (['servers', 'edges'] as const).flatMap((role) => listAt(value, role).map((entry, i) => ({ value: entry, path: ['sites', site, role, i], site, role }))),
  );
}

function isTooMany(entries: Entry[]): boolean {
  let count = 0;
  return entries.some(({ value }) => {
    const name = textAt(value, 'name');
    const expansion = name === undefined || name.length > 253 ? undefined : expandRange(name);
    count += expansion && 'texts' in expansion ? expansion.texts.length : 1;
    return count > mostNodes;
  });
}

/** Names and addresses of one entry, in step. Other addresses it gives must expand in step too. */
function expandEntry({ value, path, site, role }: Entry): { nodes: FoundNode[]; problems: InputProblem[] } {
  const problems: InputProblem[] = [];
  const read = (...keys: string[]): string[] | undefined => {
    const text = textAt(value, ...keys);
    if (text === undefined || text.length > 253) return undefined;
    const expansion = expandRange(text);
    if ('texts' in expansion) return expansion.texts;
    problems.push({ path: [...path, ...keys], message: `${expansion.problem}, found ${describe(text)}` });
    return undefined;
  };
  const names = read('name');
  const badName = names?.find((name) => !nodeNamePattern.test(name));
  if (badName !== undefined) problems.push({ path: [...path, 'name'], message: `expected a name of letters, digits, dots, dashes and underscores, at most 63 characters, found ${describe(badName)}` });
  const addressesAt = (...keys: string[]) => {
    const addresses = read(...keys);
    const bad = addresses?.map(addressProblem).find((problem) => problem !== undefined);
    if (bad !== undefined) problems.push({ path: [...path, ...keys], message: bad });
    else if (addresses && names && addresses.length !== names.length) {
      problems.push({ path: [...path, ...keys], message: `expected as many addresses as names (${names.length}), found ${addresses.length}` });
    } else return addresses;
    return undefined;
  };
  const addresses = addressesAt('address');
  const [ssh, admin] = [addressesAt('ssh', 'address'), addressesAt('admin', 'address')];
  const nodes = names && addresses ? names.map((name, i) => ({ name, address: addresses[i]!, entry: value, path, site, role, ...(ssh ? { ssh: ssh[i]! } : {}), ...(admin ? { admin: admin[i]! } : {}) })) : [];
  return { nodes, problems };
}

/** Servers of a site after expansion; undefined while a range is malformed. */
export function countServers(site: unknown): number | undefined {
  let count = 0;
  for (const entry of listAt(site, 'servers')) {
    const name = textAt(entry, 'name');
    const expansion = name === undefined || name.length > 253 ? undefined : expandRange(name);
    if (!expansion || !('texts' in expansion)) return undefined;
    count += expansion.texts.length;
  }
  return count;
}

function checkCounts(file: unknown): InputProblem[] {
  const problems: InputProblem[] = [];
  const counts = entriesAt(file, 'sites').map(([name, site]) => ({ name, servers: countServers(site), kind: at(site, 'deploymentSite') ?? (name === 'dr' ? 'DR' : 'Prod') }));
  for (const { name, servers } of counts) {
    if (servers !== undefined && servers > mostServers) problems.push({ path: ['sites', name, 'servers'], message: `expected at most ${mostServers} Servers in a site, found ${servers}` });
  }
  const production = counts.find(({ kind }) => kind === 'Prod');
  const recovery = counts.find(({ kind }) => kind === 'DR');
  if (production?.servers !== undefined && recovery?.servers !== undefined && recovery.servers > production.servers) {
    problems.push({ path: ['sites', recovery.name, 'servers'], message: `expected at most as many Servers as in site ${production.name} (${production.servers}): each one stands in for one of them; found ${recovery.servers}` });
  }
  return problems;
}

function duplicates(nodes: FoundNode[], key: 'name' | 'address', identity: (node: FoundNode) => string): InputProblem[] {
  const first = new Map<string, FoundNode>();
  return nodes.flatMap((node) => {
    const earlier = first.get(identity(node));
    if (!earlier) first.set(identity(node), node);
    if (!earlier) return [];
    const owner = key === 'name' ? `in site ${earlier.site}` : `of ${earlier.name} in site ${earlier.site}`;
    return [{ path: [...node.path, key], message: `${node[key]} is already the ${key} ${key === 'name' ? `of a node ${owner}` : owner}; every node has its own` }];
  });
}

function checkBalancerNames(file: unknown, nodes: FoundNode[]): InputProblem[] {
  const names = new Set(nodes.map((node) => node.name.toLowerCase()));
  return entriesAt(file, 'sites').flatMap(([site, value]) =>
    listAt(value, 'loadBalancer', 'instances').flatMap((instance, i) => {
      const name = textAt(instance, 'name');
      return name !== undefined && names.has(name.toLowerCase()) ? [{ path: ['sites', site, 'loadBalancer', 'instances', i, 'name'], message: `${name} is already the name of a node` }] : [];
    }),
  );
}

const needed = { ssh: ['user', 'key', 'knownHosts'], admin: ['password', 'ca'] } as const;

const isMappingOrMissing = (value: unknown) => value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value));

/** What neither an entry nor the defaults give: said once, at the defaults, when more than one entry lacks it. */
function missingAccess(file: unknown, nodes: Entry[]): InputProblem[] {
  const balancers = entriesAt(file, 'sites').flatMap(([site, value]) =>
    listAt(value, 'loadBalancer', 'instances').map((entry, i) => ({ value: entry, path: ['sites', site, 'loadBalancer', 'instances', i] as Path })),
  );
  return (['ssh', 'admin'] as const).flatMap((group) =>
    needed[group].flatMap((key) => {
      // Malformed defaults are a problem of their own; what they would have given is not known.
      if (at(file, 'defaults', group, key) !== undefined || !isMappingOrMissing(at(file, 'defaults')) || !isMappingOrMissing(at(file, 'defaults', group))) return [];
      const hosts: { value: unknown; path: Path }[] = group === 'ssh' ? [...nodes, ...balancers] : nodes;
      const lacking = hosts.filter(({ value }) => at(value, group, key) === undefined);
      if (lacking.length === 0) return [];
      if (lacking.length === 1) return [{ path: [...lacking[0]!.path, group, key], message: `missing here and under defaults.${group}` }];
      return [{ path: ['defaults', group, key], message: `missing; expected here or for each host (${lacking.length} entries lack it)` }];
    }),
  );
}
