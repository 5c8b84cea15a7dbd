/** What discovery runs on a Server's host. Both only read. */
import { tryAllowedFunction } from './allowed';
import { installationStateFunction, versionLine } from './installationState';

/** Arguments: product user, FILEDRIVEHOME, installer package, shared path. Answers lines of `key<TAB>value`. */
export const serverScript = String.raw`${installationStateFunction}${tryAllowedFunction}
LC_ALL=C; export LC_ALL
user=$1; home=$2; package=$3; shared=$4
say() { printf '%s\t%s\n' "$1" "$2"; }
product() { sudo -n -u "$user" "$@" 2>/dev/null; }
hash() { product /usr/bin/sha256sum "$home/$1" | cut -d' ' -f1; }
say os "$(uname -s)"
say time "$(date +%s%3N)"
say hostname "$(uname -n)"
say zone "$(date '+%Z %z')"
keys=$(cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null | sort)
if [ -n "$keys" ]; then say identity "host keys $(printf '%s' "$keys" | sha256sum | cut -d' ' -f1)"
elif [ -s /etc/machine-id ]; then say identity "/etc/machine-id $(sha256sum </etc/machine-id | cut -d' ' -f1)"; fi
say sudo "$(try_allowed)"
say installation "$(installation_state)"
say version "$(product /usr/bin/cat "$home/lib/version.properties" | sed -n '${versionLine}')"
say core "$(hash conf/filedrive.license)"
say features "$(hash conf/st.license)"
say taeh "$(hash bin/taeh)"
say id "$(product /usr/bin/cat "$home/conf/configuration.xml" | sed -n 's/.*<LocalConfigurationsId> *\([^< ]*\).*/\1/p' | head -n 1)"
say claim "$(cat "$HOME/.st-orchestrator/epoch" 2>/dev/null)"
`;

export function readLines(stdout: string): Map<string, string> {
  const lines = stdout.split('\n').filter((line) => line.includes('\t'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1).trim()]));
}

/**
 * What the product keeps in files and not in the database (reference §16): a Server that lacks one of them works otherwise than its peers.
 * Licences, the identity of the Server and its place in the installation are its own, and told elsewhere.
 */
export const comparedFiles = ['conf', 'brules/conf', 'brules/local', 'bin/agents', 'plugins', 'lib/admin/config'];
export const ownFiles = ['conf/configuration.xml', 'conf/filedrive.license', 'conf/st.license'];

/** Arguments: product user, FILEDRIVEHOME, then files and folders below it. Answers `hash  path` of every file there is. */
export const filesScript = String.raw`
user=$1; home=$2; shift 2
for path in "$@"; do
  sudo -n -u "$user" /usr/bin/test -e "$home/$path" || continue
  sudo -n -u "$user" /usr/bin/find "$home/$path" -type f -print0
done | xargs -0 -r sudo -n -u "$user" /usr/bin/sha256sum
`;

/** Path below FILEDRIVEHOME → first digits of the content's hash. */
export function readHashes(stdout: string, home: string): Map<string, string> {
  const lines = stdout.split('\n').flatMap((line) => {
    const [, hash, path] = /^\\?([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    return hash !== undefined && path?.startsWith(`${home}/`) ? [[path.slice(home.length + 1), hash.slice(0, 12)] as const] : [];
  });
  return new Map(lines.filter(([path]) => !ownFiles.includes(path)));
}
