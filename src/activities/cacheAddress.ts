/** The IPv6 address of a Server in the configuration of its cluster cache (reference §4): without it a Server with such an address does not join. */
import { StError } from '../model/errors';
import { withUnicastListener } from '../model/coherenceOverride';
import type { CheckResult, Outcome } from '../model/operation';
import type { Authority, ServerTarget } from '../model/targets';
import type { Clients } from './clients';
import { productOn, type Product } from './product';

export interface CacheFacts {
  node: string;
  /** False also where nothing is installed yet. */
  named: boolean;
}

export interface CacheAddressActivities {
  checkAddress(input: { server: ServerTarget }): Promise<CheckResult<CacheFacts>>;
  /** Before the Server is started: the product reads the file then. */
  ensureAddress(input: { server: ServerTarget }, authority: Authority): Promise<Outcome>;
}

const file = (product: Product): string => product.path('conf', 'tangosol-coherence-override.xml');
/** Whatever its encoding is, every byte comes back as it was. */
const read = async (product: Product): Promise<string | undefined> => (await product.readBytes(file(product)))?.toString('latin1');

export function cacheAddressActivities({ clients }: { clients: Clients }): CacheAddressActivities {
  return {
    async checkAddress({ server }) {
      const product = productOn(clients, server);
      const xml = await read(product);
      const wanted = xml === undefined ? undefined : withUnicastListener(xml, server.address);
      const problems = wanted && 'problem' in wanted ? [{ what: `${server.node}: ${file(product)}: ${wanted.problem}`, remedy: `name <unicast-listener><address>${server.address}</address></unicast-listener> there, as the first element of cluster-config` }] : [];
      return { facts: { node: server.node, named: wanted !== undefined && 'text' in wanted && wanted.text === xml }, problems };
    },
    async ensureAddress({ server }, authority) {
      const product = productOn(clients, server);
      const path = file(product);
      const xml = await read(product);
      if (xml === undefined) throw new StError('Refused', `${server.node}: ${path} is not there; it is a part of the product's installation`);
      const wanted = withUnicastListener(xml, server.address);
      if ('problem' in wanted) throw new StError('Refused', `${server.node}: ${path}: ${wanted.problem}`);
      if (wanted.text === xml) return { changed: false, note: `it names ${server.address} already` };
      const { stdout } = await product.read(['/usr/bin/ls', '-la', path], { purpose: `reading the mode of ${path}` });
      await product.writeFiles(authority, [{ path, content: Buffer.from(wanted.text, 'latin1'), mode: modeOf(stdout) }]);
      if (await read(product) !== wanted.text) throw new StError('NotYet', `${server.node}: ${path} is not as it was written`);
      return { changed: true, note: `named ${server.address}` };
    },
  };
}

/** `-rw-r--r-- …` → `644`; what stands in the place of an x is not asked for in a file of settings. */
function modeOf(listed: string): string {
  const bits = /^-([r-])([w-])[x-]([r-])([w-])[x-]([r-])([w-])[x-]/.exec(listed)?.slice(1) ?? ['r', 'w', 'r', '-', 'r', '-'];
  return [0, 2, 4].map((at) => (bits[at] === 'r' ? 4 : 0) + (bits[at + 1] === 'w' ? 2 : 0)).join('');
}
