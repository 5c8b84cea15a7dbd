# Shared by the scripts of this folder; sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/go/bin"

# One line about what is being done; always on stderr, so that a script's stdout stays its answer.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# Ends the script with a message that says what to do.
die() {
  say "$*"
  exit 1
}

# Runs a command as root: directly, or by sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo -- "$@"; else return 126; fi
}

# A TCP port of 127.0.0.1 that nobody listens on now.
free_port() {
  node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

# True when something accepts connections on 127.0.0.1:$1.
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Polls until the command succeeds: wait_until SECONDS COMMAND…; 1 when the time is over.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

# Ends a process that this script started, by its pid: TERM, and KILL when it is still there after $2 seconds (default 10).
end_process() {
  local pid=$1
  if [ -z "$pid" ] || gone "$pid"; then return 0; fi
  kill -TERM "$pid" 2>/dev/null || true
  wait_until "${2:-10}" gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# Also for processes of other users. One that has ended but was not yet waited for counts as gone.
gone() { ! grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status"; }

# Runs a command that ends when this shell does, however this shell ends.
with_parent() {
  if command -v setpriv >/dev/null; then exec setpriv --pdeathsig TERM -- "$@"; else exec "$@"; fi
}
