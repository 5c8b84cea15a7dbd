/**
 * The constant shell texts that remoteJobs.ts runs on hosts. POSIX shell with flock, setsid, tail; values come as positional parameters.
 * Descriptors: 7 serialises starts on this host, 8 is the lock on `alive` that the wrapper of a job inherits, 9 belongs to the guard.
 */

import { sh } from './quote';

const jobs = '"$HOME/.st-orchestrator/jobs"';

/** True while the job in folder $1 has its wrapper. */
const alive = `alive() { [ -e "$1/alive" ] && ! flock -n -s "$1/alive" true; }`;

/**
 * What stays behind: runs the command and writes its exit code. It outlives a TERM, to tell when the command has *really* ended: programs under
 * sudo get no signal of the login's and go on when the shells above them are gone. So after a TERM it waits for what is left in its session of ours and of sudo;
 * daemons of the product's user that the command had started by then are not counted. Where others' processes can't be seen (hidepid, no ps) that is not known, and
 * it is not called ended: a person who has looked ends the wrapper by KILL.
 * $1 folder, $2 the command line.
 */
const wrapper = `
terminated=
trap 'hit=1 terminated=1' TERM HUP INT
/bin/sh -c "$2" 8<&- </dev/null >"$1/output" 2>&1 &
child=$!
while :; do
  hit=
  wait "$child"; code=$?
  [ -n "$hit" ] || break
done
me=$(id -u)
sees() { [ "$me" = 0 ] || ps -o pid= -p 1 >/dev/null 2>&1; }
remains() {
  sees || return 0
  list=$(ps -o pid=,ppid=,uid=,comm= -s "$$" 2>/dev/null)
  while read -r pid parent uid name; do
    if [ "$pid" = "$$" ] || [ "$parent" = "$$" ] || [ "$name" = ps ]; then continue; fi
    if [ "$name" = sudo ] || [ "$uid" = "$me" ]; then return 0; fi
  done <<LIST
$list
LIST
  return 1
}
if [ -n "$terminated" ]; then
  sees || echo "st-orchestrator: told to end, and whether what was started has ended can't be seen (hidepid, or no ps). When it has: kill -KILL $$" >>"$1/output"
  while remains; do sleep 0.2; done
fi
printf '%s\\n' "$code" >"$1/result.new" && mv -f "$1/result.new" "$1/result"
`;

/**
 * Starts a job unless its marker says that it was started. Prints started | attached | differs | foreign <key>.
 * A folder whose job never got its wrapper (the host died in between) is started again.
 * $1 key, $2 cluster, $3 epoch, $4 operation, $5 hash, $6 command line.
 */
export const startScript = `
jobs=${jobs}
${alive}
old_umask=$(umask); umask 077
mkdir -p "$jobs" && : >>"$jobs/.lock" && exec 7<"$jobs/.lock" && flock -w 15 7 || { echo "the folder $jobs cannot be used" >&2; exit 1; }
for dir in "$jobs"/*/; do
  dir=\${dir%/}; [ -e "$dir/meta" ] || continue
  { read -r cluster; read -r epoch; read -r operation; read -r hash; } <"$dir/meta"
  if [ "$cluster" != "$2" ] || [ "$epoch" != "$3" ]; then
    if alive "$dir"; then echo "foreign \${dir##*/}"; exit 0; fi
    rm -rf "$dir"
  elif [ "\${dir##*/}" = "$1" ]; then
    [ "$hash" = "$5" ] || { echo differs; exit 0; }
    if [ -e "$dir/pid" ] || alive "$dir"; then echo attached; exit 0; fi
  fi
done
dir="$jobs/$1"
rm -rf "$dir" "$jobs/.new"
mkdir "$jobs/.new" && printf '%s\\n' "$2" "$3" "$4" "$5" >"$jobs/.new/meta" && : >"$jobs/.new/alive" && : >"$jobs/.new/output" || exit 1
exec 8<"$jobs/.new/alive" && flock -x -n 8 && mv "$jobs/.new" "$dir" || exit 1
umask "$old_umask"
setsid ${sh(['/bin/sh', '-c', wrapper, 'sh'])} "$dir" "$6" 7<&- </dev/null >/dev/null 2>&1 &
printf '%s\\n' "$!" >"$dir/pid"
echo started
`;

/** Waits at most $2 seconds for the end of job $1; prints running | vanished | missing | the exit code, then the last $3 bytes of its output. */
export const awaitScript = `
dir=${jobs}/"$1"
[ -e "$dir/meta" ] || { echo missing; exit 0; }
if flock -s -w "$2" "$dir/alive" true; then state=vanished; else state=running; fi
[ -e "$dir/result" ] && read -r state <"$dir/result"
printf '%s\\n' "$state"
tail -c "$3" "$dir/output" 2>/dev/null
exit 0
`;

/** What is known of job $1: missing; or running, vanished or its exit code, then cluster, epoch and to whom its failure was told, with tabs between. */
export const findScript = `
dir=${jobs}/"$1"
${alive}
[ -e "$dir/meta" ] || { echo missing; exit 0; }
{ read -r cluster; read -r epoch; } <"$dir/meta"
if alive "$dir"; then state=running; else
  state=vanished
  [ ! -e "$dir/result" ] || read -r state <"$dir/result"
fi
told=
[ ! -e "$dir/told" ] || read -r told <"$dir/told"
printf '%s\\t%s\\t%s\\t%s\\n' "$state" "$cluster" "$epoch" "$told"
`;

/** $1 key of the job, $2 to whom its failure is told. */
export const tellScript = `
dir=${jobs}/"$1"
printf '%s\\n' "$2" >"$dir/told.new" && mv -f "$dir/told.new" "$dir/told"
`;

/** Removes the folder of job $1 unless it runs; prints running or removed. */
export const forgetScript = `
dir=${jobs}/"$1"
${alive}
if alive "$dir"; then echo running; else rm -rf "$dir"; echo removed; fi
`;

/** One line a job: key, running or ended, cluster, epoch, operation, with tabs between. */
export const listScript = `
${alive}
for dir in ${jobs}/*/; do
  dir=\${dir%/}; [ -e "$dir/meta" ] || continue
  { read -r cluster; read -r epoch; read -r operation; } <"$dir/meta"
  if alive "$dir"; then state=running; else state=ended; fi
  printf '%s\\t%s\\t%s\\t%s\\t%s\\n' "\${dir##*/}" "$state" "$cluster" "$epoch" "$operation"
done
`;
