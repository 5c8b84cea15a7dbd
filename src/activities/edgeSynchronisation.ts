/**
 * Edges that are to be the same (reference §13). *Synchronize All* is a button of the primary's Administration Tool and has no API: what it would carry over is compared
 * here, and what it needs beforehand, the list of the Edges and the primary's mark, is put in place.
 */
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
import { productOn } from './product';

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

export interface EdgeListInput {
  edge: HostTarget;
  /** All Edges of the site, the primary first. */
  edges: { node: string; address: string; adminPort: number }[];
}

/** The list on every Edge, and the mark on the primary. A list that names another primary is somebody's: it is left and told. */
export async function ensureListed(clients: Clients, { edge, edges }: EdgeListInput, authority: Authority): Promise<Outcome> {
  const product = productOn(clients, edge);
  const primary = edges[0]!;
  const lines = edges.map(({ address, adminPort }) => `${address}\thttps://${endpoint(address, adminPort)}`);
  const content = `${lines.join('\n')}\n`;
  const [listed, marked] = await Promise.all([product.readBytes(product.path(edgeList)), product.readBytes(product.path(primaryMark))]);
  const there = listed?.toString('utf8') ?? '';
  const other = there.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#'));
  if (other !== undefined && other.split(/\s/)[0] !== primary.address) return { changed: false, note: `left alone: ${edgeList} names another primary (${other.slice(0, 120)})` };
  const markHere = edge.node === primary.node && marked === undefined;
  const write = async (path: string, text: string): Promise<void> => product.writeFiles(authority, [{ path: product.path(path), content: text, mode: '644' }], { folder: product.path(path).replace(/\/[^/]*$/, '') });
  if (there !== content) await write(edgeList, content);
  if (markHere) await write(primaryMark, '');
  if (there === content && !markHere) return { changed: false, note: 'listed already' };
  return { changed: true, note: `${edges.map(({ node }) => node).join(', ')} in ${edgeList}, ${primary.node} is the primary` };
}

