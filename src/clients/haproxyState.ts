/**
 * The file in which HAProxy looks for its servers' states when it starts (`server-state-file`, infrastructure reference §5). Commands change only the
 * memory: without this file a reload undoes them, and with an old one it undoes them wrongly.
 */
import { StError } from '../model/errors';
import type { Authority, SshAccess } from '../model/targets';
import { guardedCommand } from './guard';
import { parseServersState, type CallLimits, type Haproxy, type ServerState } from './haproxy';
import { script } from './quote';
import type { SshPool } from './ssh';

/** What the file says; nothing while it is missing or empty. */
export async function readStateFile(pool: SshPool, access: SshAccess, path: string, limits: CallLimits): Promise<ServerState[]> {
  const { stdout } = await pool.run(access, script('if [ -e "$1" ]; then cat -- "$1"; fi', [path]), { ...limits, purpose: `reading ${path}` });
  return stdout.trim() === '' ? [] : parseServersState(stdout);
}

/** Whether the file, or a new one in its place, may be written. */
export async function canWriteStateFile(pool: SshPool, access: SshAccess, path: string, limits: CallLimits): Promise<boolean> {
  const { code } = await pool.run(access, script('if [ -e "$1" ]; then [ -f "$1" ] && [ -r "$1" ] && [ -w "$1" ]; else [ -w "$(dirname -- "$1")" ]; fi', [path]), { ...limits, purpose: `looking at ${path}`, ok: [0, 1, 2] });
  return code === 0;
}

/**
 * The order in which the states are read is kept where they are written: who takes a number first reads first. $1 path. Answers the next number, under the
 * lock of the map.
 */
const ticketScript = String.raw`
set -e
umask 022
exec 7>>"$HOME/.st-orchestrator/map.lock"
flock -w 10 7
given="$HOME/.st-orchestrator/states-$(printf %s "$1" | cksum | cut -d' ' -f1)"
number=$(($(cat "$given.given" 2>/dev/null || echo 0) + 1))
echo "$number" >"$given.given.new"
mv -f "$given.given.new" "$given.given"
echo "$number"
`;

/** Exit code of `saveScript` where states with a later number are in the file already: an older look, of a worker that died, say, never covers a newer one. */
const late = 45;

/** $1 path, $2 number; the content comes by standard input, whole or not at all. In a folder that may not be written the file itself is. The lock is that of the map: one writer at a time. */
const saveScript = String.raw`
set -e
umask 022
content=$(cat)
case $content in *'# be_id '*'# end'*) ;; *) echo 'the states broke off on the way' >&2; exit 1 ;; esac
content=$(printf '%s\n' "$content" | sed '/^# end$/d')
exec 7>>"$HOME/.st-orchestrator/map.lock"
flock -w 10 7
written="$HOME/.st-orchestrator/states-$(printf %s "$1" | cksum | cut -d' ' -f1).written"
[ "$2" -gt "$(cat "$written" 2>/dev/null || echo 0)" ] || exit ${late}
new="$1.st-orchestrator"
if [ -w "$(dirname -- "$1")" ]; then
  printf '%s\n' "$content" >"$new" && sync "$new" || { rm -f "$new"; exit 1; }
  mv -f "$new" "$1"
else
  printf '%s\n' "$content" >"$1"
  sync "$1"
fi
echo "$2" >"$written.new"
mv -f "$written.new" "$written"
`;

const tries = 5;
/** What a reload must not forget: who is taken out, and by whom. */
const wishes = (states: readonly ServerState[]): string => JSON.stringify(states.map(({ backend, server, admin }) => JSON.stringify([backend, server, admin])).sort((a, b) => (a < b ? -1 : 1)));

/** Whether a reload now would forget nothing. */
export async function isSaved(pool: SshPool, access: SshAccess, { haproxy, path }: { haproxy: Haproxy; path: string }, limits: CallLimits): Promise<boolean> {
  const [memory, file] = [await haproxy.showServersState(undefined, limits), await readStateFile(pool, access, path, limits)];
  return wishes(memory) === wishes(file);
}

/** Saves what HAProxy has in memory, and again while another operation changes it meanwhile. Guarded by the cluster's epoch on that host. */
export async function saveServersState(pool: SshPool, access: SshAccess, authority: Authority, { haproxy, path }: { haproxy: Haproxy; path: string }, limits: CallLimits): Promise<void> {
  for (let count = 1; count <= tries; count += 1) {
    const ticket = await pool.run(access, guardedCommand(authority, script(ticketScript, [path]), { sharedHost: true }), { ...limits, purpose: `taking a number for ${path}` });
    const text = await haproxy.serversState(limits);
    const saved = await pool.run(access, guardedCommand(authority, script(saveScript, [path, ticket.stdout.trim()]), { sharedHost: true }), { ...limits, purpose: `writing ${path}`, stdin: `${text.trim()}\n# end\n`, ok: [0, late] });
    if (saved.code === 0 && await isSaved(pool, access, { haproxy, path }, limits)) return;
  }
  throw new StError('NotYet', `${access.address}: ${path} still differs from what HAProxy has in memory after it was written ${tries} times`);
}
