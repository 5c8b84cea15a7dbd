/**
 * What of docs/sudoers.example is allowed on a host. Each command is really run where that does no harm: on a folder that is not there it fails without
 * having done anything, and only *who* refuses is looked at. The installer and the product's own commands can't be tried so: sudo is asked about them.
 */

/**
 * A shell function that prints the commands that sudo refuses, of $user, $home, $package and $shared, separated by commas; `everything` and sudo's own
 * words when it refuses all of them; nothing when all are allowed. sudo says in English what it says only under LC_ALL=C.
 */
export const tryAllowedFunction = String.raw`
try_allowed() {
  beside=$(dirname "$home"); none="$beside/.st-orchestrator-none/none"; unshared="$shared/.st-orchestrator-none/none"
  tried=0 refused=0 list= words=
  refuse() { refused=$((refused + 1)); list="$list, $(printf '%s' "$*" | sed 's,/\.st-orchestrator-none/none,/*,g; s,/\.$,/*,')"; }
  # sudo's warnings are no refusal: a host name that it can't resolve, a program that is not there.
  try() {
    tried=$((tried + 1))
    said=$(sudo -n -u "$user" "$@" 2>&1 >/dev/null </dev/null) && return
    said=$(printf '%s\n' "$said" | grep -v -e 'unable to resolve host' -e 'command not found$' | grep -e '^sudo: ' -e 'not allowed to execute') && { words=$said; refuse "$@"; }
  }
  ask() {
    tried=$((tried + 1))
    sudo -n -u "$user" -l "$@" >/dev/null 2>&1 || refuse "$@"
  }
  try /usr/bin/test -e "$none"
  try /usr/bin/ls -la "$none"
  try /usr/bin/cat "$none"
  try /usr/bin/sha256sum "$none"
  try /usr/bin/find "$none" -type f -print0
  try /usr/bin/tar -c -C "$none" none
  try /usr/bin/tee "$none"
  try /usr/bin/chmod 600 "$none"
  try /usr/bin/mv -f "$none" "$none"
  if [ -d "$beside" ]; then try /usr/bin/mkdir -p "$beside/."; fi
  # Not where it is dead: whoever touched it would hang. An Edge has none.
  if [ -n "$shared" ]; then
    try /usr/bin/touch "$unshared"
    try /usr/bin/cat "$unshared"
    try /usr/bin/rm -f "$unshared"
    try /usr/bin/find "$unshared" -type f -name '*.m_inproc' -printf '%T@ %p\0'
  fi
  if [ -x "$package/setup.sh" ]; then ask "$package/setup.sh" -s "$none"; fi
  # Only where it is there: sudo knows no rule for a program that is not.
  if sudo -n -u "$user" /usr/bin/test -e "$home/bin/stop_all" 2>/dev/null; then ask "$home/bin/stop_all"; fi
  if [ "$refused" = "$tried" ]; then echo "everything ($words)"; else echo "$list" | cut -c 3-; fi
}
`;
