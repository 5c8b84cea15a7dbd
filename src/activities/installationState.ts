/** What stands in FILEDRIVEHOME. Whoever can't look must not take it for empty or half: what is half is moved away. */
import { shorten } from '../model/shorten';

export type InstallationState = 'none' | 'half' | 'complete' | 'unknown';

export interface FoundInstallation {
  state: InstallationState;
  /** Why it can't be known; empty otherwise. */
  why: string;
}

/**
 * A shell function that says none, half, complete, or `unknown` and why, of $user and $home. "Missing" is what a test says that ends well
 * (`test ! -e`): everything else that ends badly, sudo's own refusal too, may also be a file that is there and can't be read.
 */
export const installationStateFunction = String.raw`
installation_state() {
  as_user() { sudo -n -u "$user" "$@"; }
  last_line() { printf '%s\n' "$1" | tail -n 1; }
  if as_user /usr/bin/test ! -e "$home" 2>/dev/null; then echo none; return; fi
  listed=$(as_user /usr/bin/ls -la "$home" 2>&1) || { echo "unknown $home can't be looked into as $user: $(last_line "$listed")"; return; }
  if ! printf '%s\n' "$listed" | grep '^[-dl]' | grep -qv ' \.\{1,2\}$'; then echo none; return; fi
  if log=$(as_user /usr/bin/cat "$home/install.log" 2>&1); then
    case $(last_line "$log") in *"Installation completed.") echo complete ;; *) echo half ;; esac
  elif as_user /usr/bin/test ! -e "$home/install.log" 2>/dev/null; then echo half
  else echo "unknown $home/install.log can't be read as $user: $(last_line "$log")"
  fi
}
`;

/** Reads what the function said. */
export function readInstallationState(said: string): FoundInstallation {
  const [, state, why = ''] = /^(none|half|complete|unknown)(?: (.*))?$/s.exec(said.trim()) ?? [];
  return state === undefined ? { state: 'unknown', why: `unexpected answer: ${shorten(said, 200)}` } : { state: state as InstallationState, why };
}

/** For sed: the version out of lib/version.properties, which writes "Version=5.5", "version = 5.5" or with a colon. */
export const versionLine = 's/^[Vv]ersion *[=:] *//p';
