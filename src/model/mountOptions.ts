/** How a host has mounted its shared files, from the text of its table of mounts (`/etc/mtab`, `/proc/mounts`). Pure. */
import type { Problem } from './operation';

export interface Mount {
  source: string;
  at: string;
  type: string;
  options: string[];
}

/** Blanks and the like are written as octal numbers there. */
const unescaped = (text: string): string => text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));

export const parseMounts = (text: string): Mount[] => text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#')).map((line) => {
  const [source = '', at = '', type = '', options = ''] = line.trim().split(/\s+/);
  return { source: unescaped(source), at: unescaped(at), type, options: options.split(',') };
});

/** The mount that a path lies on: the deepest, and of several on one place the last. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  const below = (at: string): boolean => at === '/' || path === at || path.startsWith(`${at}/`);
  return mounts.filter(({ at }) => below(at)).reduce<Mount | undefined>((deepest, mount) => (deepest === undefined || mount.at.length >= deepest.at.length ? mount : deepest), undefined);
}

const forPgp = ['noac', 'sync'];

/** What of the mount does not hold for PGP (reference §9): on NFS every Server must see at once what another has written. */
export function pgpMountProblems(node: string, path: string, mounts: readonly Mount[]): Problem[] {
  const mount = mountOf(mounts, path);
  if (mount === undefined) return [{ what: `${node}: ${path} is on no mount that the host tells of`, remedy: 'is the shared file system mounted there?' }];
  if (!/^nfs\d?$/.test(mount.type)) return [{ what: `${node}: ${path} is mounted as ${mount.type}, not as NFS; whether a write there is seen at once by the other Servers can't be told from here`, remedy: 'ask who runs the storage; on NFS it is exported with sync,no_wdelay and mounted with noac,sync', level: 'warning' }];
  const missing = forPgp.filter((option) => !mount.options.includes(option));
  return missing.length === 0 ? [] : [{ what: `${node}: ${path} is mounted without ${missing.join(' and ')} (${mount.options.join(',')}), which PGP needs on every Server`, remedy: `mount it with ${forPgp.join(',')} (and export it with sync,no_wdelay, which can't be seen from here)` }];
}
