import { tryAllowedFunction } from './allowed';
import { installationStateFunction } from './installationState';

/**
 * What one look at a host tells, as one shell script, since every command of its own would be a round trip. It only reads.
 * Arguments: product user, FILEDRIVEHOME, installer package, shared path, the secret file and the properties that an installation was prepared with, then
 * `address port` pairs that must be reachable. Answers lines of `key<TAB>value`.
 */
export const hostScript = String.raw`${installationStateFunction}${tryAllowedFunction}
LC_ALL=C; export LC_ALL
user=$1; home=$2; package=$3; shared=$4; taeh_copy=$5; properties=$6; shift 6
say() { printf '%s\t%s\n' "$1" "$2"; }
product() { sudo -n -u "$user" "$@" 2>/dev/null; }
say os "$(uname -s)"
say time "$(date +%s%3N)"
keys=$(cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null | sort)
if [ -n "$keys" ]; then say identity "host keys $(printf '%s' "$keys" | sha256sum | cut -d' ' -f1)"
elif [ -s /etc/machine-id ]; then say identity "/etc/machine-id $(sha256sum </etc/machine-id | cut -d' ' -f1)"; fi
say sudo "$(try_allowed)"
state=$(installation_state)
say installation "$state"
if [ "$state" != none ]; then
  say version "$(product /usr/bin/cat "$home/lib/version.properties" | sed -n 's/^version *= *//p')"
  say core "$(product /usr/bin/sha256sum "$home/conf/filedrive.license" | cut -d' ' -f1)"
  say features "$(product /usr/bin/sha256sum "$home/conf/st.license" | cut -d' ' -f1)"
fi
taeh=$(product /usr/bin/sha256sum "$home/bin/taeh" | cut -d' ' -f1)
if [ -z "$taeh" ] && product /usr/bin/test -s "$taeh_copy"; then taeh=$(product /usr/bin/sha256sum "$taeh_copy" | cut -d' ' -f1); fi
say taeh "$taeh"
if product /usr/bin/test ! -s "$taeh_copy" && product /usr/bin/test ! -s "$properties"; then say prepared no; else say prepared yes; fi
if [ -x "$package/setup.sh" ]; then say package yes; else say package no; fi
if [ -d "$shared" ]; then say shared yes; else say shared no; fi
parent=$(dirname "$home"); while [ ! -d "$parent" ]; do parent=$(dirname "$parent"); done
say free "$(df -Pk "$parent" | awk 'NR==2 {print $4}')"
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
`;

export interface HostAnswer {
  values: Map<string, string>;
  reach: { address: string; port: number; result: 'open' | 'refused' | 'unknown-name' | 'blocked' }[];
}

export function readHostAnswer(stdout: string): HostAnswer {
  const answer: HostAnswer = { values: new Map(), reach: [] };
  for (const line of stdout.split('\n')) {
    const at = line.indexOf('\t');
    if (at < 0) continue;
    const [key, value] = [line.slice(0, at), line.slice(at + 1).trim()];
    if (key !== 'reach') {
      answer.values.set(key, value);
      continue;
    }
    const [address = '', port = '', result = 'blocked'] = value.split(' ');
    answer.reach.push({ address, port: Number(port), result: result as HostAnswer['reach'][number]['result'] });
  }
  return answer;
}
