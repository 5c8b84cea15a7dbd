/**
 * Graceful stops run on the Server's own clock, also after who asked for them has gone, and land on what was started meanwhile (reference §11.1). So each
 * one that is asked for is remembered on its host, in the same command, and whoever starts a service waits until it has landed or its time is over.
 * `~/.st-orchestrator/stops/<service>` holds: state, boot, asked and until (seconds of uptime), time of day, epoch, operation. A host that was restarted has
 * forgotten its stops, and so do we.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { StError } from '../model/errors';
import { readPending, stillPending, type PendingStop } from '../model/stopPlan';
import type { Authority, HostTarget } from '../model/targets';
import { abortSignal, waitsFor } from './context';
import type { Clients } from './clients';
import { processesFunction } from './processLook';
import { productOn } from './product';

const common = String.raw`
stops="$HOME/.st-orchestrator/stops"
read -r up _ </proc/uptime; up=$(printf '%s' "$up" | cut -d. -f1)
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)-$(sed 's/.*) //' /proc/1/stat 2>/dev/null | cut -d' ' -f20)
locked() { ( umask 077 && mkdir -p "$stops" && : >>"$stops/lock" ) && exec 7<"$stops/lock" && flock -x -w 20 7; }
note() { at=$5; [ -n "$at" ] || at=$(date +%s); ( umask 077 && printf '%s %s %s %s %s %s %s\n' "$2" "$boot" "$3" "$4" "$at" "$epoch" "$operation" >"$stops/$1.new" && sync "$stops/$1.new" && mv -f "$stops/$1.new" "$stops/$1" ); }
`;

/**
 * $1 product user, $2 FILEDRIVEHOME, $3 seconds, $4 epoch, $5 operation, then services. One that was asked for already and whose time is not over is not asked for again;
 * one of which we do not know whether the command got through is asked for with what was left of its time. Says what it did of each.
 */
const askScript = String.raw`${common}
user=$1 home=$2 seconds=$3 epoch=$4 operation=$5; shift 5
locked || exit
listed=$(sudo -n -u "$user" /usr/bin/ls -la "$home/bin") || exit
listed=$(printf '%s\n' "$listed" | sed 's/ -> .*//')
for service in "$@"; do
  case "$listed
" in *" stop_$service
"*) ;; *) continue ;; esac
  asked=$up until=$((up + seconds))
  if [ -e "$stops/$service" ]; then
    read -r state was since end _ <"$stops/$service"
    if [ "$was" = "$boot" ] && [ "$state" != landed ] && [ "$end" -gt "$up" ]; then
      [ "$state" = asking ] || { printf '%s\tremembered\t%s\n' "$service" "$((end - up))"; continue; }
      asked=$since until=$end
    fi
  fi
  note "$service" asking "$asked" "$until" || exit
  sudo -n -u "$user" "$home/bin/stop_$service" -g -timeout "$((until - up))" >/dev/null 7<&- || exit
  note "$service" asked "$asked" "$until" || exit
  printf '%s\tasked\t%s\n' "$service" "$((until - up))"
done
`;

/** $1 product user, $2 FILEDRIVEHOME. As `readPending` reads it; who can't see processes can't count them. */
const pendingScript = String.raw`${common}${processesFunction}
for file in "$stops"/*; do
  case $file in *'/*' | */lock | *.new) continue ;; esac
  read -r state was _ end _ epoch operation <"$file"
  [ "$was" = "$boot" ] && [ "$state" != landed ] || continue
  printf '%s\t%s\t%s\t%s\n' "$(basename "$file")" "$((end - up))" "$epoch" "$operation"
done
if running=$(product_processes "$1" "$2"); then printf 'processes\t%s\n' "$(printf '%s\n' "$running" | grep -c .)"; fi
`;

/** $1 epoch, $2 operation, $3 `down` or `over`, then services: they were seen to be down, now; or nobody saw it and their time is over, at the end of which they had landed. */
const landedScript = String.raw`${common}
epoch=$1 operation=$2 how=$3; shift 3
locked || exit
for service in "$@"; do
  if [ -e "$stops/$service" ]; then read -r _ _ since end _ <"$stops/$service"; else since=$up end=$up; fi
  landed=
  if [ "$how" = over ] && [ "$end" -lt "$up" ]; then landed=$(($(date +%s) - up + end)); fi
  note "$service" landed "$since" "$end" "$landed" || exit
done
`;

/** $1 service. The time of day of its last stop that landed, in seconds. */
const stoppedAtScript = String.raw`${common}
[ -e "$stops/$1" ] || exit 0
read -r state was _ _ at _ <"$stops/$1"
[ "$state" != landed ] || printf '%s\n' "$at"
`;

export interface AskedStop {
  service: string;
  /** Asked for by an earlier try, or by an earlier operation. */
  remembered: boolean;
  /** Seconds until it lands at the latest. */
  left: number;
}

/** Asks for graceful stops of services that are there, each with a time limit in seconds, and remembers them. */
export async function askStops(clients: Clients, host: HostTarget, authority: Authority, services: readonly string[], seconds: number): Promise<AskedStop[]> {
  const { stdout } = await productOn(clients, host).actScript(authority, askScript, [host.productUser, host.fileDriveHome, String(seconds), String(authority.epoch), authority.operation, ...services], { purpose: `asking for a graceful stop of ${services.join(', ')}` });
  return stdout.split('\n').filter((line) => line.includes('\t')).map((line) => line.split('\t')).map(([service = '', how, left]) => ({ service, remembered: how === 'remembered', left: Number(left) }));
}

/** @param how `over`: nobody has seen them down, and what runs again, or still, may be at work since */
export async function markLanded(clients: Clients, host: HostTarget, authority: Authority, services: readonly string[], how: 'down' | 'over' = 'down'): Promise<void> {
  if (services.length > 0) await productOn(clients, host).actScript(authority, landedScript, [String(authority.epoch), authority.operation, how, ...services], { purpose: 'noting that graceful stops have landed' });
}

/** When this service was last seen to have landed, in seconds since 1970 by the host's clock; undefined when never. */
export async function landedAt(clients: Clients, host: HostTarget, service: string): Promise<number | undefined> {
  const { stdout } = await productOn(clients, host).readScript(stoppedAtScript, [service], { purpose: `reading when ${service} was stopped` });
  return stdout.trim() === '' ? undefined : Number(stdout.trim());
}

/** Graceful stops that were asked for on this host and have not been seen to land, and how many processes of the product run there; NaN where they can't be seen. */
export async function stopsUnderWay(clients: Clients, host: HostTarget, authority: Authority): Promise<ReturnType<typeof readPending>> {
  const { stdout } = await productOn(clients, host).actScript(authority, pendingScript, [host.productUser, host.fileDriveHome], { purpose: 'looking for graceful stops under way' });
  return readPending(stdout);
}

/** Between two looks that must both show a service as down: the product's own helper may still be about to act. */
const settleMs = 1_000;
/** How much longer than the time limit of a stop it may take until it is seen to have landed. */
const lateMs = 60_000;

/**
 * Takes the host over and returns when no graceful stop can land any more on what is started next: each was seen to be down twice, or its time is over.
 * @param running the services that run, null where nobody can say. @throws StError NotYet, naming the stop, who asked for it and how long it may last.
 */
export async function awaitStops(clients: Clients, host: HostTarget, authority: Authority, running: () => Promise<readonly string[] | null>): Promise<string | undefined> {
  let deadline = Infinity;
  const signal = abortSignal();
  let quiet = 0;
  let waited: PendingStop[] = [];
  for (;;) {
    signal.throwIfAborted();
    const { pending, processes } = await stopsUnderWay(clients, host, authority);
    if (pending.length === 0) break;
    if (waited.length === 0) {
      waited = pending;
      deadline = Date.now() + Math.max(...pending.map(({ left }) => left), 0) * 1_000 + lateMs;
    }
    const up = processes === 0 ? [] : await running();
    const left = stillPending(pending, up);
    quiet = left.length === 0 ? quiet + 1 : 0;
    if (quiet >= 2) {
      const over = pending.map(({ service }) => service).filter((service) => up === null || up.includes(service));
      await markLanded(clients, host, authority, pending.map(({ service }) => service).filter((service) => !over.includes(service)));
      // Said to have landed now, what works on files at this moment would be taken for what the stop left behind, and its marks be removed.
      await markLanded(clients, host, authority, over, 'over');
      break;
    }
    waitsFor({ for: `the graceful stop of ${pending.map(({ service, operation }) => `${service} (asked for by ${operation})`).join(', ')} to land`, leftMs: deadline - Date.now() });
    if (Date.now() > deadline) {
      const names = left.map(({ service, left: seconds, operation }) => `${service} (asked for by ${operation}, at most ${Math.max(0, seconds)} s more)`);
      throw new StError('NotYet', `${host.node}: graceful stops are under way that nobody can call off: ${names.join(', ')}. What is started before they have landed would be stopped again.`);
    }
    await delay(settleMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  waitsFor(undefined);
  return waited.length === 0 ? undefined : `waited for the graceful stop of ${waited.map(({ service }) => service).join(', ')}`;
}
