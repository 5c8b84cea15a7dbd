/**
 * Fencing by epoch on the host itself: every effect carries the authority it acts under, and a host that has seen a higher epoch,
 * or belongs to another cluster, refuses it in the same command.
 */
import { StError } from '../model/errors';
import type { Authority, SshAccess } from '../model/targets';
import { commandLine, script, type CommandLine } from './quote';
import type { Command, SshPool } from './ssh';
import { guardExit, type RunOptions } from './sshRun';

/**
 * `$HOME/.st-orchestrator/epoch` holds `cluster epoch`. A command runs under a shared lock that it took *before* comparing, and a new epoch is
 * written under the exclusive lock: so a newer operation waits until the commands of the older one have ended, and none begins after it.
 * What is read before a lock is held only says which lock to take: epochs never fall, so a refusal holds at once and all else is looked at again.
 * A lock is let go by opening its file anew, which the shell does without another process: many hosts of one orchestrator, or of one lab, feel each.
 * Those who raise the epoch queue at a second lock and look again there: of many that begin an operation together one writes, the others just run.
 * With the epoch goes what jobs of earlier operations left that have ended (remoteJobs.ts): nobody comes back for it.
 * The locks' descriptors are closed for the command, so a daemon that stays behind holds nothing.
 * $1 cluster, $2 epoch, $3 operation, $4 the command line, $5 folder below the state folder (of a host that several clusters share).
 */
const guardScript = `
state="$HOME/.st-orchestrator$5"
say() { printf '%s\\n' "$1" >&2; exit "$2"; }
command -v flock >/dev/null || say "flock (package util-linux) is not installed on this host" ${guardExit.broken}
[ -e "$state/lock" ] && [ -e "$state/lock.new" ] || ( umask 077 && mkdir -p "$state" && : >>"$state/lock" && : >>"$state/lock.new" ) || say "$state cannot be written" ${guardExit.broken}
exec 9<"$state/lock" 8<"$state/lock.new" || say "$state/lock cannot be opened" ${guardExit.broken}
known() {
  cluster= epoch=
  [ -e "$state/epoch" ] || return 0
  read -r cluster epoch <"$state/epoch"
  case $cluster:$epoch in :*|*:|*:*[!0-9]*) say "$state/epoch is damaged: $cluster $epoch" ${guardExit.broken};; esac
  [ "$cluster" = "$1" ] || say "this host belongs to cluster $cluster (epoch $epoch), not to $1; if that is no longer so, remove $state/epoch on the host" ${guardExit.foreign}
  [ "$2" -ge "$epoch" ] || say "epoch $2 of $3 is over, this host has seen epoch $epoch" ${guardExit.stale}
}
while :; do
  known "$1" "$2" "$3"
  if [ "$epoch" = "$2" ]; then
    flock -s -w 20 9 || say "a newer operation is taking over this host" ${guardExit.busy}
    known "$1" "$2" "$3"
    [ "$epoch" = "$2" ] && break
    exec 9<"$state/lock"
  fi
  flock -x -w 20 8 || say "another command is taking over this host" ${guardExit.busy}
  known "$1" "$2" "$3"
  if [ "$epoch" != "$2" ]; then
    flock -x -w 20 9 || say "a command of an earlier operation (epoch $epoch) still runs" ${guardExit.busy}
    ( umask 077 && printf '%s %s\\n' "$1" "$2" >"$state/epoch.new" && sync "$state/epoch.new" && mv -f "$state/epoch.new" "$state/epoch" ) || say "$state/epoch cannot be written" ${guardExit.broken}
    for job in "$state"/jobs/*/; do
      if [ -e "\${job}alive" ] && flock -n -s "\${job}alive" true; then rm -rf "$job"; fi
    done
    exec 9<"$state/lock"
  fi
  exec 8<"$state/lock.new"
done
exec 8<&-
/bin/sh -c "$4" 9<&-
`;

export interface GuardOptions {
  /** A balancer's host serves several clusters: each has an epoch of its own there, and none owns the host. */
  sharedHost?: boolean;
}

/** One shell command that runs `command` only while `authority` is the newest the host has seen; raises the host's epoch when it is newer. */
export function guardedCommand(authority: Authority, command: Command, { sharedHost = false }: GuardOptions = {}): CommandLine {
  return script(guardScript, [authority.cluster, String(authority.epoch), authority.operation, commandLine(command), sharedHost ? `/clusters/${authority.cluster}` : '']);
}

const readScript = 'file="$HOME/.st-orchestrator$1/epoch"; [ ! -e "$file" ] || cat "$file"';

/** The highest epoch of this cluster that a host which several clusters share has seen; null when it has seen none. */
export async function readSharedEpoch(pool: SshPool, access: SshAccess, cluster: string, options: RunOptions): Promise<number | null> {
  const { stdout } = await pool.run(access, script(readScript, [`/clusters/${cluster}`]), options);
  if (stdout === '') return null;
  const epoch = /^\S+ (\d+)\n$/.exec(stdout)?.[1];
  if (epoch === undefined) throw new StError('Refused', `${access.address}: ~/.st-orchestrator/clusters/${cluster}/epoch is damaged: ${stdout.slice(0, 100)}`);
  return Number(epoch);
}
