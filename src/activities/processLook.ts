/**
 * What runs of the product on a host, and whether that can be seen at all. A /proc that is mounted with hidepid shows a login its own processes alone, and a host
 * may have no ps: an empty list then proves nothing, and nothing is claimed from it.
 */
import { waitFor } from '../clients/waitFor';
import { StError } from '../model/errors';
import type { Problem } from '../model/operation';
import type { HostTarget } from '../model/targets';
import type { Clients } from './clients';
import { abortSignal } from './context';
import { productOn } from './product';

/**
 * A shell function. `product_processes USER HOME` prints a line for each process of USER whose command line names HOME: seconds since it was started, a blank, the
 * command line; never one that runs this. It fails, having printed nothing, where the list can't be trusted. What makes a list trusted is something in it that hidden lists don't have: for
 * root and USER its own shell, for others process 1 of another user. Where the login sees nobody, USER itself is asked, by sudo: in that list ps must find itself.
 */
export const processesFunction = String.raw`
product_processes() (
  LC_ALL=C; export LC_ALL
  wanted=$(id -u "$1" 2>/dev/null) || return 1
  all=$(ps -e -ww -o uid= -o pid= -o etimes= -o args= 2>/dev/null) || all=
  if ! printf '%s\n' "$all" | awk -v me="$(id -u)" -v wanted="$wanted" -v shell="$$" '
    $2 == shell && (me == 0 || me == wanted) || $2 == 1 && $1 != me { seen = 1 } END { exit !seen }'
  then
    all=$(sudo -n -u "$1" /usr/bin/ps -ww -o etimes -o args -u "$1" 2>/dev/null) || return 1
    case $all in *'/usr/bin/ps -ww -o etimes -o args -u '*) ;; *) return 1 ;; esac
    all=$(printf '%s\n' "$all" | sed "s/^/$wanted - /")
  fi
  printf '%s\n' "$all" | sed -n -E "s/^ *$wanted +[^ ]+ +([0-9]+ .*)/\1/p" | grep -F -- "$2" | grep -vF product_processes
  return 0
)
`;

const remedy = (user: string): string => `allow the login "sudo -u ${user} /usr/bin/ps" as in docs/sudoers.example; or mount /proc there without hidepid; ps itself comes with the package procps`;

/** What a host's checks tell, before anything is changed. */
export const hiddenProcesses = ({ node, productUser }: HostTarget): Problem =>
  ({ what: `${node}: cannot see processes: whether anything of the product runs there can't be told, so a stop could not be proven`, remedy: remedy(productUser), code: 'CannotSeeProcesses' });

/** What was read, when it could be. @throws StError CannotSeeProcesses, saying what can't be known now */
export function seen<T>({ node, productUser }: HostTarget, found: T | null, unproven: string): T {
  if (found === null) throw new StError('CannotSeeProcesses', `${node}: cannot see processes: ${unproven}. Remedy: ${remedy(productUser)}.`);
  return found;
}

/** How long processes that were stopped may take to end, in milliseconds. */
const endMs = 90_000;
/** Between two orders while something is left, in milliseconds. */
const againMs = 5_000;

/** $1 product user, $2 FILEDRIVEHOME. Says what runs of the product, a line each, and `seen` when that is all of it. */
const leftScript = String.raw`${processesFunction}
running=$(product_processes "$1" "$2") || exit 0
printf '%s\n' "$running" | sed -n 's/^[0-9]* //p' | cut -c 1-200
echo seen
`;

/**
 * Returns when no process of the product is left on a host. `stopped`: what was done before; `again`: the same once more, while something is left: a host whose init was just
 * about to start the product starts it behind the first order's back. Answers whether anything was left at first. @throws StError NotYet naming what is left; CannotSeeProcesses
 */
export async function awaitNothingLeft(clients: Clients, host: HostTarget, stopped: string, again: () => Promise<unknown>): Promise<boolean> {
  let ordered = Date.now();
  let waited = false;
  const left = async (): Promise<string[]> => {
    const { stdout } = await productOn(clients, host).readScript(leftScript, [host.productUser, host.fileDriveHome], { purpose: 'looking for what still runs' });
    const lines = stdout.split('\n').filter((line) => line !== '');
    const running = seen(host, lines.at(-1) === 'seen' ? lines.slice(0, -1) : null, `${stopped}, and whether anything of the product is left can't be told`);
    waited ||= running.length > 0;
    if (running.length > 0 && Date.now() - ordered >= againMs) {
      await again();
      ordered = Date.now();
    }
    return running;
  };
  await waitFor(`${host.node}: nothing of the product runs`, left, (running) => running.length === 0, { timeoutMs: endMs, signal: abortSignal(), show: (running) => `still there: ${(running as string[]).slice(0, 3).join('; ')}` });
  return waited;
}
