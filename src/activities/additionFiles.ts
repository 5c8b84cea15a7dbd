/** What the product keeps in files and not in the database (reference §16): compared with a Server that serves, and copied to one that was just installed. */
import { posix } from 'node:path';
import type { FileFacts } from '../model/additionPlan';
import type { CheckResult, Outcome, Problem } from '../model/operation';
import type { Authority, ServerTarget } from '../model/targets';
import { executableScript, machineScript, unmarkScript } from './additionScripts';
import type { Clients } from './clients';
import { filesScript, readHashes, readLines } from './discoveryScripts';
import { productOn, type FileToWrite } from './product';

/** Rules packages, agents, plug-ins, and hand-tuned XML. A Server's own place in its network and its identity are never another's. */
const folders = ['brules/local', 'brules/conf', 'bin/agents', 'plugins'];
const ownXml = ['conf/configuration.xml', 'conf/tangosol-coherence-override.xml'];
const isShared = (path: string): boolean => folders.some((folder) => path.startsWith(`${folder}/`)) || (/^conf\/[^/]+\.xml$/.test(path) && !ownXml.includes(path));
/** So many are told by name. */
const most = 10;
/** Files of one command: its input is held in memory. */
const batch = 50;

async function hashesOf(clients: Clients, server: ServerTarget): Promise<Map<string, string>> {
  const { stdout } = await productOn(clients, server).readScript(filesScript, [server.productUser, server.fileDriveHome, ...folders, 'conf'], { purpose: 'reading the files that are not in the database', timeoutMs: 25_000 });
  return new Map([...readHashes(stdout, server.fileDriveHome)].filter(([path]) => isShared(path)));
}

/** Refuses an installation that stands there and differs; of a new one everything is copied later. */
export async function checkFiles(clients: Clients, { server, peer, installed }: { server: ServerTarget; peer: ServerTarget; installed: boolean }): Promise<CheckResult<FileFacts>> {
  if (!installed) return { facts: { node: server.node, fresh: true }, problems: [] };
  const { stdout } = await productOn(clients, server).readScript(machineScript, [server.productUser, server.fileDriveHome], { purpose: 'looking for the mark of a new installation' });
  if (readLines(stdout).get('fresh') === 'yes') return { facts: { node: server.node, fresh: true }, problems: [] };
  const [here, there] = await Promise.all([hashesOf(clients, server), hashesOf(clients, peer)]);
  const differing = [...new Set([...here.keys(), ...there.keys()])].sort().filter((path) => here.get(path) !== there.get(path));
  const remedy = `copy them from ${peer.node}, or move FILEDRIVEHOME of ${server.node} away and let it be installed anew`;
  const problems: Problem[] = differing.slice(0, most).map((path) => ({ what: `${server.node}: ${path} is not that of ${peer.node} (${here.get(path) ?? 'missing'} here, ${there.get(path) ?? 'missing'} there)`, remedy }));
  if (differing.length > most) problems.push({ what: `${server.node}: ${differing.length - most} more files are not those of ${peer.node}`, remedy });
  return { facts: { node: server.node, fresh: false }, problems };
}

/** Copies what differs from the peer, and takes the mark of a new installation away: from now on a difference is a person's affair. */
export async function ensureFiles(clients: Clients, { server, peer }: { server: ServerTarget; peer: ServerTarget }, authority: Authority): Promise<Outcome> {
  const [product, source] = [productOn(clients, server), productOn(clients, peer)];
  await product.claim(authority);
  const [here, there] = await Promise.all([hashesOf(clients, server), hashesOf(clients, peer)]);
  const wanted = [...there.keys()].filter((path) => here.get(path) !== there.get(path)).sort();
  for (let from = 0; from < wanted.length; from += batch) {
    const paths = wanted.slice(from, from + batch);
    const absolute = paths.map((path) => source.path(path));
    const { stdout } = await source.readScript(executableScript, [peer.productUser, ...absolute], { purpose: 'reading which files are programs' });
    const programs = new Set(stdout.split('\n'));
    const byFolder = new Map<string, FileToWrite[]>();
    for (const path of paths) {
      const content = await source.readBytes(source.path(path));
      if (content === undefined) continue;
      const folder = posix.dirname(product.path(path));
      byFolder.set(folder, [...(byFolder.get(folder) ?? []), { path: product.path(path), content, mode: programs.has(source.path(path)) ? '755' : '644' }]);
    }
    for (const [folder, files] of byFolder) await product.writeFiles(authority, files, { folder });
  }
  const extra = [...here.keys()].filter((path) => !there.has(path));
  await product.actScript(authority, unmarkScript, [], { purpose: 'taking the mark of a new installation away' });
  const left = extra.length === 0 ? '' : `; here and not on ${peer.node}, left as it is: ${named(extra)}`;
  return wanted.length === 0 ? { changed: false, note: `the same as on ${peer.node}${left}` } : { changed: true, note: `copied from ${peer.node}: ${named(wanted)}${left}` };
}

const named = (paths: readonly string[]): string => (paths.length <= most ? paths.join(', ') : `${paths.slice(0, most).join(', ')} and ${paths.length - most} more`);
