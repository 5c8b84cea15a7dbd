/** What is backed up before a change, and where it goes. */
import type { Problem } from './operation';
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
export const edgeBackup = (edge: string): string => `${edge}-system.export`;

/**
 * What the password of an export may be: the product wants eight characters or more (the guide says so of its exports of accounts), and what is typed at a terminal
 * must mean itself there, whatever its character set.
 */
export const exportPassword = /^[\x21-\x7e]{8,128}$/;

/** What a person hears of Edges whose embedded databases nobody exports. */
export function edgesWithoutBackup({ edges: settings }: BackupSpec, edges: readonly string[]): Problem[] {
  if (settings !== undefined || edges.length === 0) return [];
  return [{
    what: `the embedded database of ${edges.join(', ')} is not backed up`,
    remedy: 'name how in the cluster file (backups.edges), or export it by hand before the change: bin/system_export -exf=FILE asks for a password', level: 'warning',
  }];
}

/** Of an Edge that can't be asked: as with a Server that does not answer, an operation that does not need it goes on without. */
export const silentEdge = (edge: string, why: string): Problem =>
  ({ what: `${edge} ${why}: its embedded database is not backed up`, remedy: 'where it comes back, what was exported before this operation is its newest backup', level: 'warning' });

/** "1.5 MiB" */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const size = bytes / 1024 ** power;
  return `${power === 0 ? size : size.toFixed(1)} ${units[power]}`;
}
