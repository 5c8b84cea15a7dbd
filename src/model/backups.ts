/** What is backed up before a change, and where it goes. */
import type { BackupSpec } from './specTypes';

/**
 * Below FILEDRIVEHOME: the vendor's list of what a server backup holds (administrator guide, "Server backup": conf, lib/certs, brules/conf/brules.xml,
 * brules/local, bin/agents; lib/msgs and share/ftdocs where they were changed), and what is in no database either: the secret file, plug-ins, the list of
 * synchronised Edges, and what says which version stands there. What does not exist is left out. Logs, and the accounts' homes on the shared files, are not
 * changed by an operation and not backed up by one.
 */
export const backedUpFiles = [
  'conf', 'lib/certs', 'brules/conf/brules.xml', 'brules/local', 'bin/agents', 'lib/msgs', 'share/ftdocs',
  'bin/taeh', 'plugins', 'lib/admin/config', 'lib/version.properties',
];

/** Everything of one cluster, by operation: `<path>/<cluster>/epoch-<n>/`. The epoch tells the operation, and rises with each. */
export const backupFolder = ({ path }: Pick<BackupSpec, 'path'>, cluster: string): string => `${path}/${cluster}`;
export const filesBackup = (node: string): string => `${node}-files.tar.gz`;
export const databaseBackup = 'database.dump';

/** "1.5 MiB" */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const size = bytes / 1024 ** power;
  return `${power === 0 ? size : size.toFixed(1)} ${units[power]}`;
}
