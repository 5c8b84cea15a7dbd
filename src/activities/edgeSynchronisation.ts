/**
 * Edges that are to be the same (reference §13). *Synchronize All* is a button of the primary's Administration Tool and has no API: what it would carry over is compared
 * here, and what it needs beforehand, the list of the Edges and the primary's mark, is put in place.
 */
import { posix } from 'node:path';
import { StError } from '../model/errors';
import type { FoundDifferences } from '../model/estate';
import { endpoint } from '../model/fields';
import type { Outcome } from '../model/operation';
import type { Protocol } from '../model/spec';
import type { Authority, HostTarget, ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { compareMaps, filesOf, optionsOf } from './comparing';
import { portsOf } from './edgeZones';
import { productOn, type Product } from './product';

/** What the primary's Administration Tool reads before it synchronises. */
export const edgeList = 'lib/admin/config/servers';
const primaryMark = 'var/tmp/sentinel_primary';
const mostItems = 50;

/** Options, files and settings of one Edge beside those of the primary. One that can't be asked is told, and never fails the look. */
export async function compareEdge(clients: Clients, { edge, first, protocols }: { edge: ServerTarget; first: ServerTarget; protocols: readonly Protocol[] }): Promise<FoundDifferences> {
  const found = { address: edge.address, items: [] as FoundDifferences['items'], left: 0 };
  try {
    const [here, there] = await Promise.all([edge, first].map((one) => readEdge(clients, one, protocols)));
    const items = [...compareMaps('option', here!.options, there!.options), ...compareMaps('setting', here!.settings, there!.settings), ...compareMaps('file', here!.files, there!.files)];
    return { ...found, items: items.slice(0, mostItems), left: Math.max(0, items.length - mostItems) };
  } catch (error) {
    // A credential that is refused is refused everywhere from now on: that must be seen as what it is.
    if (!(error instanceof StError) || error.code === 'AuthenticationFailed') throw error;
    return { ...found, unread: error.message };
  }
}

interface Read {
  options: Map<string, string>;
  settings: Map<string, string>;
  files: Map<string, string>;
}

async function readEdge(clients: Clients, edge: ServerTarget, protocols: readonly Protocol[]): Promise<Read> {
  const tool = clients.admin.server(edge.admin);
  const limits = { signal: abortSignal(), timeoutMs: 10_000 };
  const [options, version, zones, certificates, listeners, files] = await Promise.all([
    optionsOf(tool), tool.version(limits), tool.zones(limits), tool.certificates(limits),
    Promise.all(protocols.map(async (protocol) => (await tool.listeners(protocol, limits)).map(({ serverName, port }) => [`port of ${serverName}`, String(port ?? '')] as const))),
    filesOf(clients, edge, ['bin/taeh']),
  ]);
  if (!options) throw new StError('Unreachable', `${edge.node}: its Administration Tool does not answer`);
  const settings = new Map<string, string>([
    ['version', `${version.version}${version.build === undefined ? '' : ` build ${version.build}`}`],
    ...Object.entries(portsOf(zones, protocols)).map(([protocol, port]) => [`streaming port of ${protocol} (zone Private)`, String(port)] as const),
    ...listeners.flat(),
    // Of the others' CAs each knows its own set; that of the cluster is what all must trust.
    ...certificates.filter(({ usage }) => usage === 'trusted').map(({ name, fingerprint }) => [`trusted CA ${name}`, fingerprint.slice(0, 12)] as const),
  ]);
  return { options, settings, files };
}

export interface ListedEdge {
  node: string;
  address: string;
  adminPort: number;
}

export interface EdgeListInput {
  edge: HostTarget;
  /** All Edges of the site, the primary first. */
  edges: ListedEdge[];
}

export interface LaterEdgeInput {
  edge: HostTarget;
  /** An Edge that is a member already: its list is that of a new one. */
  from: HostTarget;
  added: ListedEdge[];
}

const lineOf = ({ address, adminPort }: ListedEdge): string => `${address}\thttps://${endpoint(address, adminPort)}`;
const entriesOf = (list: string): string[] => list.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
const addressOf = (entry: string): string => entry.split(/\s/)[0] ?? '';
const readList = async ({ readBytes, path }: Product): Promise<string> => (await readBytes(path(edgeList)))?.toString('utf8') ?? '';

async function write(product: Product, path: string, content: string, authority: Authority): Promise<void> {
  await product.writeFiles(authority, [{ path: product.path(path), content, mode: '644' }], { folder: posix.dirname(product.path(path)) });
}

/** The list on every Edge, and the mark on the primary. A list that names another primary is somebody's: it is left and told. */
export async function ensureListed(clients: Clients, { edge, edges }: EdgeListInput, authority: Authority): Promise<Outcome> {
  const product = productOn(clients, edge);
  const primary = edges[0]!;
  const content = `${edges.map(lineOf).join('\n')}\n`;
  const [there, marked] = await Promise.all([readList(product), product.readBytes(product.path(primaryMark))]);
  const [other] = entriesOf(there);
  if (other !== undefined && addressOf(other) !== primary.address) return { changed: false, note: `left alone: ${edgeList} names another primary (${other.slice(0, 120)})` };
  const markHere = edge.node === primary.node && marked === undefined;
  if (there !== content) await write(product, edgeList, content, authority);
  if (markHere) await write(product, primaryMark, '', authority);
  if (there === content && !markHere) return { changed: false, note: 'listed already' };
  return { changed: true, note: `${edges.map(({ node }) => node).join(', ')} in ${edgeList}, ${primary.node} is the primary` };
}

/** Edges that came later, in the list that stands: nothing of it is changed, and Edges that nobody has synchronised have none. */
export async function ensureAlsoListed(clients: Clients, { edge, from, added }: LaterEdgeInput, authority: Authority): Promise<Outcome> {
  const product = productOn(clients, edge);
  const own = await readList(product);
  const base = entriesOf(own).length > 0 ? own : await readList(productOn(clients, from));
  const listed = entriesOf(base).map(addressOf);
  if (listed.length === 0) return { changed: false, note: `left alone: ${from.node} has no ${edgeList}, so the Edges are not synchronised` };
  const missing = added.filter(({ address }) => !listed.includes(address));
  const content = [base.replace(/\n*$/, ''), ...missing.map(lineOf), ''].join('\n');
  if (content === own) return { changed: false, note: 'listed already' };
  await write(product, edgeList, content, authority);
  return { changed: true, note: `${added.map(({ node }) => node).join(', ')} in ${edgeList}, ${listed[0]} is the primary` };
}
