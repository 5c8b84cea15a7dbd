/**
 * The gate of a host that must not start the product: one script in FILEDRIVEHOME/bin, and in the place of every start command a file of three lines that
 * calls it. Plain files, no links: an update that copies its own commands over them replaces each gate by the command it stood for, and nothing else.
 *
 * What it holds up: whoever runs a start command: a person, the machine's init at power-on, cron, root. What it can't hold up: somebody who opens it, who runs
 * a command by its name with the ending .gated, or the product's programs without their commands; and an update of the product, which puts its own commands
 * in place again. So it is looked at again (`gates.checkGate`) after every update, and whenever an operation touches the node.
 */
import { posix } from 'node:path';
import { processesFunction } from './processLook';

export const gateScriptName = 'st-orchestrator-gate';
export const closedFileName = `${gateScriptName}.closed`;

/** Where openings are written down: beside FILEDRIVEHOME, which an update may replace. */
export const gateLog = (fileDriveHome: string): string => posix.join(posix.dirname(fileDriveHome), `${gateScriptName}.log`);

/** What stands in the place of each start command; the script below writes the same bytes. */
export const gateText = (fileDriveHome: string): string => `#!/bin/sh
# st-orchestrator gate: nothing may be started here. The command itself is beside this file, with the ending .gated.
exec '${fileDriveHome}/bin/${gateScriptName}' refuse "$0"
`;

/**
 * Runs as the product's user, by the allow-list's bin/*. A start command is put aside and its gate put in place by two renames in one folder, under a lock:
 * killed between them it leaves a command that is not there, which starts nothing either, and the next run goes on from that. A disabled daemon's command
 * (start_ftpd.disable) is nobody's to run and stays as it is.
 */
export const gateScript = `#!/bin/sh
# st-orchestrator: keeps SecureTransport from being started on this host.
#   close CLUSTER EPOCH SENTENCE   puts a gate in the place of every start command; SENTENCE says why, to people
#   open WHO REASON                puts every start command back as it was; written down in the log beside FILEDRIVEHOME
#   refuse COMMAND                 what the gates call
set -u
umask 022
bin=$(cd "$(dirname "$0")" && pwd) || exit 1
self=$bin/${gateScriptName}
log=$(dirname "$(dirname "$bin")")/${gateScriptName}.log
fail() { echo "$*" >&2; exit 1; }

gate() {
  printf '%s\\n' '#!/bin/sh' '# st-orchestrator gate: nothing may be started here. The command itself is beside this file, with the ending .gated.'
  printf "exec '%s' refuse \\"\\$0\\"\\n" "$self"
}
# Of this release or another. A link is none: what it leads to may be.
is_gate() { [ ! -L "$1" ] && head -n 2 "$1" 2>/dev/null | grep -qF '# st-orchestrator gate'; }
# Every start command that there is or was.
commands() {
  for file in "$bin"/start_*; do
    name=$(basename "$file" .gated)
    case $name in *.* | 'start_*') ;; *) echo "$name" ;; esac
  done | sort -u
}

lock() {
  exec 9<"$bin" || exit 1
  flock -w 20 9 || fail "another $self is at work"
}

close() {
  lock
  closed=0
  # First what gates have to say: a command that is gated must find it.
  if [ ! -s "$self.closed" ]; then
    printf '%s %s\\n%s\\n' "$1" "$2" "$3" >"$self.closed.new" && mv -f "$self.closed.new" "$self.closed" || exit 1
  fi
  for name in $(commands); do
    command=$bin/$name
    if is_gate "$command" && [ "$(gate)" = "$(cat "$command")" ]; then continue; fi
    gate >"$self.new" && chmod 755 "$self.new" || exit 1
    if [ -e "$command" ] && ! is_gate "$command"; then mv -f "$command" "$command.gated" || exit 1; fi
    mv -f "$self.new" "$command" || exit 1
    closed=$((closed + 1))
  done
  sync "$bin" "$bin"/start_* "$self.closed" 2>/dev/null
  echo "$closed"
}

open() {
  [ -n "$1" ] && [ -n "$2" ] || fail "usage: $self open WHO REASON"
  lock
  for aside in "$bin"/start_*.gated; do
    [ -e "$aside" ] || continue
    command=\${aside%.gated}
    # An update has put a newer command here: that is the one to keep.
    if [ -e "$command" ] && ! is_gate "$command"; then rm -f "$aside"; else mv -f "$aside" "$command"; fi || exit 1
  done
  left=
  for name in $(commands); do if is_gate "$bin/$name"; then left="$left $name"; fi; done
  [ -z "$left" ] || fail "The commands behind these gates are gone, restore them from a backup or a peer:$left"
  line=$(printf '%s opened by %s (user %s, from %s): %s' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "\${SUDO_USER:-$(id -un)}" "\${SSH_CLIENT:-this host}" "$2" | tr -d '\\n')
  printf '%s\\n' "$line" >>"$log" || echo "The opening could not be written to $log." >&2
  rm -f "$self.closed" "$self.new" "$self.closed.new" "$self"
  sync "$bin" 2>/dev/null
  echo "Every start command is back."
}

refuse() {
  why=
  { read -r _; read -r why; } 2>/dev/null <"$self.closed"
  fail "$(basename "$1") was not run: \${why:-this host must not start SecureTransport}.
In an emergency a person opens this gate, as the user that owns $bin, and the opening is written down: $self open 'your name' 'the reason'"
}

verb=\${1-}
[ $# -eq 0 ] || shift
case $verb:$# in
  close:3) close "$@" ;;
  open:2) open "$@" ;;
  refuse:1) refuse "$@" ;;
  *) sed -n '2,5s/^# //p' "$self" >&2; exit 2 ;;
esac
`;

/**
 * What stands in bin/, as lines of `key<TAB>value`: `epoch` (what the host knows of a cluster), `bin none`, `file` (SHA-256 and name of each start command and
 * of the gate's own files), `closed` (why), `opened` (the last opening), `unit` (one of the machine that starts the product without a start command), `processes seen`
 * where what runs can be seen, and then `process` (what runs of the product). It only reads. $1 product user, $2 FILEDRIVEHOME.
 */
export const gateLookScript = String.raw`${processesFunction}
LC_ALL=C; export LC_ALL
user=$1; home=$2; log=$3
say() { printf '%s\t%s\n' "$1" "$2"; }
product() { sudo -n -u "$user" "$@"; }
if [ -e "$HOME/.st-orchestrator/epoch" ]; then say epoch "$(cat "$HOME/.st-orchestrator/epoch")"; fi
if running=$(product_processes "$user" "$home"); then
  say processes seen
  printf '%s\n' "$running" | sed -n 's/^[0-9]* //p' | cut -c 1-200 | while IFS= read -r process; do say process "$process"; done
fi
if product /usr/bin/test ! -e "$home/bin"; then say bin none; exit 0; fi
listed=$(product /usr/bin/ls -la "$home/bin") || exit
names=$(printf '%s\n' "$listed" | sed 's/ -> .*//' | sed -n -E 's/.* ((start_|${gateScriptName})[A-Za-z0-9_.-]*)$/\1/p')
set --
for name in $names; do set -- "$@" "$home/bin/$name"; done
if [ $# -gt 0 ]; then
  sums=$(product /usr/bin/sha256sum "$@") || exit
  printf '%s\n' "$sums" | sed -E 's,^([0-9a-f]+)  .*/([^/]+)$,file	\1 \2,'
fi
case $names in *${closedFileName}*) say closed "$(product /usr/bin/cat "$home/bin/${closedFileName}" | sed -n 2p)" ;; esac
if product /usr/bin/test -e "$log"; then say opened "$(product /usr/bin/cat "$log" | tail -n 1)"; fi
grep -H '^ExecStart=' /etc/systemd/system/*.service /usr/lib/systemd/system/securetransport_*.service 2>/dev/null | grep -F "$home/" | grep -vF "$home/bin/start_" | cut -d : -f 1 | sort -u | while IFS= read -r unit; do say unit "$unit"; done
`;
