/** What adding a node runs on hosts. */
import { versionLine } from './installationState';

/** One look at a machine: who it is and what stands there. Arguments: product user, FILEDRIVEHOME. Answers lines of `key<TAB>value`; only reads. */
export const machineScript = String.raw`
LC_ALL=C; export LC_ALL
user=$1; home=$2
say() { printf '%s\t%s\n' "$1" "$2"; }
product() { sudo -n -u "$user" "$@" 2>/dev/null; }
keys=$(cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null | sort)
if [ -n "$keys" ]; then say identity "host keys $(printf '%s' "$keys" | sha256sum | cut -d' ' -f1)"
elif [ -s /etc/machine-id ]; then say identity "/etc/machine-id $(sha256sum </etc/machine-id | cut -d' ' -f1)"; fi
say version "$(product /usr/bin/cat "$home/lib/version.properties" | sed -n '${versionLine}')"
say taeh "$(product /usr/bin/sha256sum "$home/bin/taeh" | cut -d' ' -f1)"
say instance "$(product /usr/bin/cat "$home/conf/configuration.xml" | sed -n 's/.*<LocalConfigurationsId> *\([^< ]*\).*/\1/p' | head -n 1)"
say claim "$(cat "$HOME/.st-orchestrator/epoch" 2>/dev/null)"
if [ -e "$HOME/.st-orchestrator/fresh" ]; then say fresh yes; fi
`;

/** A mark beside the epoch: this installation is ours and new, so what it lacks is still to be copied to it. */
export const markScript = 'umask 077; : >"$HOME/.st-orchestrator/fresh"';
export const unmarkScript = 'rm -f "$HOME/.st-orchestrator/fresh"';

/** Which of these files the product's user may execute. $1 product user, then the files; answers their paths. */
export const executableScript = String.raw`
user=$1; shift
for file in "$@"; do
  if sudo -n -u "$user" /usr/bin/test -x "$file"; then printf '%s\n' "$file"; fi
done
`;

/** Ends well where a product stands whose services can be stopped. $1 product user, $2 FILEDRIVEHOME. */
export const standsScript = 'sudo -n -u "$1" /usr/bin/test -e "$2/bin/stop_all"';
