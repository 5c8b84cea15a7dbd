/**
 * Whose a thing is that clusters share with others by no more than a name in their files: a balancer's map key, a health backend.
 * Kept on the host of the thing, in `~/.st-orchestrator/owners`: a file for each, the cluster in its first line and the thing in its second.
 */
import { createHash } from 'node:crypto';
import { StError } from '../model/errors';
import type { Authority, SshAccess } from '../model/targets';
import { guardedCommand } from './guard';
import { script } from './quote';
import type { SshPool } from './ssh';
import { guardExit, type RunOptions } from './sshRun';

/** Where the owner of a thing stands on its host, below the login's home. */
export const ownerFile = (thing: string): string => `.st-orchestrator/owners/${nameOf(thing)}`;

const nameOf = (thing: string): string => createHash('sha256').update(thing).digest('hex').slice(0, 32);

/** $1… names of files. Says `name<TAB>cluster` of each that has an owner; one that can't be read fails. */
const readScript = `
for name in "$@"; do
  file="$HOME/.st-orchestrator/owners/$name"
  [ -e "$file" ] || continue
  owner=
  read -r owner <"$file" && [ -n "$owner" ] || { echo "$file is damaged" >&2; exit ${guardExit.broken}; }
  printf '%s\\t%s\\n' "$name" "$owner"
done
`;

/**
 * $1 cluster, then file name and thing of each. All are looked at before one is written, under a lock: of two clusters that come together one gets
 * everything and the other is refused.
 */
const claimScript = `
cluster=$1; shift
owners="$HOME/.st-orchestrator/owners"
say() { printf '%s\\n' "$1" >&2; exit "$2"; }
umask 077
mkdir -p "$owners" && exec 7>>"$owners/lock" || say "$owners cannot be written" ${guardExit.broken}
flock -w 10 7 || say "another cluster is claiming its part of this host" ${guardExit.busy}
claim() {
  if [ -e "$owners/$1" ]; then
    owner=
    read -r owner <"$owners/$1" && [ -n "$owner" ] || say "$owners/$1 is damaged" ${guardExit.broken}
    [ "$owner" = "$cluster" ] || say "$2 belongs to cluster $owner, not to $cluster; if that is no longer so, remove $owners/$1 on the host" ${guardExit.foreign}
  elif [ "$3" = write ]; then
    printf '%s\\n%s\\n' "$cluster" "$2" >"$owners/new" && sync "$owners/new" && mv -f "$owners/new" "$owners/$1" || say "$owners/$1 cannot be written" ${guardExit.broken}
  fi
}
all() {
  how=$1; shift
  while [ $# -gt 1 ]; do claim "$1" "$2" "$how"; shift 2; done
}
all look "$@"
all write "$@"
`;

/** The cluster that owns each of these things; a thing that nobody owns is left out. */
export async function readOwners(pool: SshPool, access: SshAccess, things: readonly string[], options: RunOptions): Promise<Map<string, string>> {
  const { stdout } = await pool.run(access, script(readScript, things.map(nameOf)), options);
  const owners = new Map(stdout.split('\n').filter((line) => line.includes('\t')).map((line) => line.split('\t') as [string, string]));
  return new Map(things.flatMap((thing) => (owners.has(nameOf(thing)) ? [[thing, owners.get(nameOf(thing))!]] : [])));
}

/**
 * Makes these things the cluster's own, under the cluster's epoch on a host that several clusters share.
 * @throws StError ForeignCluster when one of them is another's; then none was taken.
 */
export async function claimThings(pool: SshPool, access: SshAccess, authority: Authority, things: readonly string[], options: RunOptions): Promise<void> {
  if (things.some((thing) => thing.includes('\n'))) throw new StError('InvalidInput', 'a name of the balancer holds a line break');
  const command = script(claimScript, [authority.cluster, ...things.flatMap((thing) => [nameOf(thing), thing])]);
  await pool.run(access, guardedCommand(authority, command, { sharedHost: true }), options);
}
