import { tryAllowedFunction } from './allowed';
import { installationStateFunction, versionLine } from './installationState';
import { processesFunction } from './processLook';

/**
 * A shell function that looks at a folder without ever hanging: a dead mount keeps whoever touches it, so another process does, and is left behind.
 * Says `no`, `hangs`, or `yes`, the free KB and inodes for ordinary users (inodes are `-` where the file system has no number of them), and where it leads.
 */
export const folderFunction = String.raw`
folder() {
  bash -c '
    look() {
      [ -d "$0" ] || { echo no; return; }
      set -- $(stat -f -c "%a %S %c %d" "$0")
      inodes=$4; [ "$3" != 0 ] || inodes=-
      echo "yes $(($1 * $2 / 1024)) $inodes $(readlink -f "$0")"
    }
    IFS= read -r -t 4 answer < <(look </dev/null 2>/dev/null) || { kill -KILL $! 2>/dev/null; answer=hangs; }
    echo "$answer"
  ' "$1"
}
`;

/**
 * What one look at a host tells, as one shell script, since every command of its own would be a round trip. It only reads.
 * Arguments: product user, FILEDRIVEHOME, installer package, shared path, the secret file and the properties that an installation was prepared with, then
 * `address port` pairs that must be reachable. Answers lines of `key<TAB>value`.
 */
export const hostScript = String.raw`${processesFunction}${installationStateFunction}${tryAllowedFunction}${folderFunction}
LC_ALL=C; export LC_ALL
user=$1; home=$2; package=$3; shared=$4; taeh_copy=$5; properties=$6; shift 6
say() { printf '%s\t%s\n' "$1" "$2"; }
product() { sudo -n -u "$user" "$@" 2>/dev/null; }
# Type and options of the file system that a path lies on, from the kernel's table: nothing is touched.
mounted() {
  awk -v path="$1" '{
    if ($5 != "/" && path != $5 && index(path, $5 "/") != 1 || length($5) < longest) next
    longest = length($5)
    for (i = 7; i < NF; i++) if ($i == "-") found = $(i + 1) " " $6 "," $(i + 3)
  } END { print found }' /proc/self/mountinfo
}
say os "$(uname -s)"
say began "$(date +%s%3N)"
keys=$(cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null | sort)
if [ -n "$keys" ]; then say identity "host keys $(printf '%s' "$keys" | sha256sum | cut -d' ' -f1)"
elif [ -s /etc/machine-id ]; then say identity "/etc/machine-id $(sha256sum </etc/machine-id | cut -d' ' -f1)"; fi
parent=$(dirname "$home")
found=$(folder "$parent")
while [ "$found" = no ]; do parent=$(dirname "$parent"); found=$(folder "$parent"); done
say parent "$parent"
say home "$found"
say home_mount "$(mounted "$parent")"
say tmp "$(folder /tmp)"
say tmp_mount "$(mounted /tmp)"
# An Edge has no shared files.
found_shared=none
if [ -n "$shared" ]; then found_shared=$(folder "$shared"); say shared "$found_shared"; fi
found_package=$(folder "$package")
case $found_package in
  hangs) say package hangs ;;
  yes*) if [ -x "$package/setup.sh" ]; then say package yes; else say package no; fi ;;
  *) say package no ;;
esac
if [ "$found" != hangs ]; then
  if [ "$found_shared" = hangs ]; then shared=; fi
  if [ "$found_package" = hangs ]; then package=/nowhere; fi
  say sudo "$(try_allowed)"
  if product_processes "$user" "$home" >/dev/null; then say processes seen; fi
  state=$(installation_state)
  say installation "$state"
  if [ "$state" != none ]; then
    say version "$(product /usr/bin/cat "$home/lib/version.properties" | sed -n '${versionLine}')"
    say core "$(product /usr/bin/sha256sum "$home/conf/filedrive.license" | cut -d' ' -f1)"
    say features "$(product /usr/bin/sha256sum "$home/conf/st.license" | cut -d' ' -f1)"
  else
    # An installation at another path: beside FILEDRIVEHOME (what we moved away ourselves has .half- in its name), or what the machine starts by itself.
    product /usr/bin/ls -la "$(dirname "$home")/" | sed -n 's/^d.* //p' | grep -v -e '^\.' -e '\.half-' | while IFS= read -r name; do
      other=$(dirname "$home")/$name
      if [ "$other" != "$home" ] && product /usr/bin/test -e "$other/bin/start_all"; then say elsewhere "$other"; fi
    done
    sed -n 's|^ExecStart=\(/.*\)/bin/start_.*|\1|p' /etc/systemd/system/securetransport_*.service 2>/dev/null | grep -vxF "$home" | sort -u | while IFS= read -r other; do say elsewhere "$other"; done
  fi
  taeh=$(product /usr/bin/sha256sum "$home/bin/taeh" | cut -d' ' -f1)
  if [ -z "$taeh" ] && product /usr/bin/test -s "$taeh_copy"; then taeh=$(product /usr/bin/sha256sum "$taeh_copy" | cut -d' ' -f1); fi
  say taeh "$taeh"
  if product /usr/bin/test ! -s "$taeh_copy" && product /usr/bin/test ! -s "$properties"; then say prepared no; else say prepared yes; fi
fi
say listening "$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { sub(/.*:/, "", $2); print $2 }' | sort -u | tr '\n' ' ')"
say cluster "$(cut -d' ' -f1 "$HOME/.st-orchestrator/epoch" 2>/dev/null)"
say epoch "$(cut -d' ' -f2 "$HOME/.st-orchestrator/epoch" 2>/dev/null)"
probe() {
  if said=$(timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1); then say reach "$1 $2 open"
  else case "$said" in
    *refused*) say reach "$1 $2 refused" ;;
    *resol*|*"not known"*) say reach "$1 $2 unknown-name" ;;
    *) say reach "$1 $2 blocked" ;;
  esac; fi
}
while [ $# -gt 1 ]; do probe "$1" "$2" & shift 2; done
wait
say ended "$(date +%s%3N)"
`;

/** A folder as the function above tells it; sizes in KB. */
export type Folder = { state: 'no' | 'hangs' } | { state: 'yes'; freeKb: number; freeInodes: number | null; leadsTo: string };

export interface HostAnswer {
  values: Map<string, string>;
  /** Installations at other paths than FILEDRIVEHOME. */
  elsewhere: string[];
  reach: { address: string; port: number; result: 'open' | 'refused' | 'unknown-name' | 'blocked' }[];
}

export function readHostAnswer(stdout: string): HostAnswer {
  const answer: HostAnswer = { values: new Map(), elsewhere: [], reach: [] };
  for (const line of stdout.split('\n')) {
    const at = line.indexOf('\t');
    if (at < 0) continue;
    const [key, value] = [line.slice(0, at), line.slice(at + 1).trim()];
    if (key === 'elsewhere') answer.elsewhere.push(value);
    else if (key !== 'reach') answer.values.set(key, value);
    else {
      const [address = '', port = '', result = 'blocked'] = value.split(' ');
      answer.reach.push({ address, port: Number(port), result: result as HostAnswer['reach'][number]['result'] });
    }
  }
  return answer;
}

export function readFolder(said: string | undefined): Folder {
  const [, freeKb, inodes, leadsTo = ''] = /^yes (\d+) (\d+|-) (.*)$/.exec(said ?? '') ?? [];
  if (freeKb === undefined) return { state: said === 'hangs' ? 'hangs' : 'no' };
  return { state: 'yes', freeKb: Number(freeKb), freeInodes: inodes === '-' ? null : Number(inodes), leadsTo };
}

/** Ports on which anything of the host listens. */
export const listeningPorts = (said: string | undefined): number[] => (said ?? '').split(' ').filter(Boolean).map((hex) => parseInt(hex, 16));

/** Options of a mount (`rw`, `noexec`, …). */
export const mountOptions = (said: string | undefined): string[] => (said ?? '').split(' ')[1]?.split(',') ?? [];
