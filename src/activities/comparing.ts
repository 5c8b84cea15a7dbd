/** What two nodes of one kind should have the same: options by their values, files by their content. No secret is compared or shown. */
import type { AdminServer, Option } from '../clients/adminApi';
import { unlessSilent } from '../model/errors';
import type { FoundDifferences } from '../model/estate';
import type { ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { comparedFiles, filesScript, readHashes } from './discoveryScripts';
import { productOn } from './product';

const longestValue = 120;
/** Options that hold a secret are neither shown nor compared. */
const secretOption = /passw|secret|passphrase|credential|private.?key/i;
/** Every Server has its own. */
const ownOptions = new Set(['node.ip']);

/** Options by their values, those left out that hold a secret or are each node's own; undefined where nothing answers. */
export async function optionsOf(tool: AdminServer): Promise<Map<string, string> | undefined> {
  const options = await unlessSilent(tool.options({ signal: abortSignal(), timeoutMs: 15_000 }), undefined);
  return options && new Map(options.filter(({ name }) => !secretOption.test(name) && !ownOptions.has(name)).map((option: Option) => [option.name, option.values.join(', ')]));
}

/** Hashes of what the product keeps in files and not in the database, by path below FILEDRIVEHOME. */
export async function filesOf(clients: Clients, { productUser, fileDriveHome, ...host }: ServerTarget, more: readonly string[] = []): Promise<Map<string, string>> {
  const product = productOn(clients, { productUser, fileDriveHome, ...host });
  const { stdout } = await product.readScript(filesScript, [productUser, fileDriveHome, ...comparedFiles, ...more], { purpose: 'comparing files that are not in the database', timeoutMs: 25_000 });
  return readHashes(stdout, fileDriveHome);
}

/** What is not the same here and there, each value short. */
export function compareMaps(kind: FoundDifferences['items'][number]['kind'], here: Map<string, string>, there: Map<string, string>): FoundDifferences['items'] {
  const names = [...new Set([...here.keys(), ...there.keys()])].sort();
  const said = (value: string | undefined): string => (value === undefined ? 'missing' : value === '' ? 'empty' : value.slice(0, longestValue));
  return names.filter((name) => here.get(name) !== there.get(name)).map((name) => ({ kind, name, here: said(here.get(name)), there: said(there.get(name)) }));
}
