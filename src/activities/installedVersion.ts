/** Which version of the product is installed on a host, and what of it runs. */
import { StError } from '../model/errors';
import { isAt, nameOf } from '../model/restartPlan';
import type { HostTarget } from '../model/targets';
import type { Clients } from './clients';
import { versionLine } from './installationState';
import { processesFunction } from './processLook';
import { productOn } from './product';

/** $1 product user, $2 FILEDRIVEHOME. Version and build as they are installed, and when the oldest of the product's processes was started, in seconds since 1970. */
const lookScript = String.raw`${processesFunction}
export LC_ALL=C
file=$(sudo -n -u "$1" /usr/bin/cat "$2/lib/version.properties") || file=
printf 'version\t%s\n' "$(printf '%s\n' "$file" | sed -n '${versionLine}')"
printf 'build\t%s\n' "$(printf '%s\n' "$file" | sed -n 's/^[Bb]uild *[=:] *//p')"
now=$(date +%s)
running=$(product_processes "$1" "$2") || exit 0
printf 'processes\t%s\n' "$(printf '%s\n' "$running" | grep -c .)"
oldest=$(printf '%s\n' "$running" | sort -n | tail -n 1 | cut -d ' ' -f 1)
[ -z "$oldest" ] || printf 'started\t%s\n' "$((now - oldest))"
`;

export interface Installed {
  version: string | null;
  build: string | null;
  /** Null where they can't be seen. */
  processes: number | null;
  /** Seconds since 1970 by the host's clock; undefined where nothing runs. */
  started: number | undefined;
}

/** @throws StError as of SSH and sudo */
export async function lookAtInstalled(clients: Clients, host: HostTarget): Promise<Installed> {
  const { stdout } = await productOn(clients, host).readScript(lookScript, [host.productUser, host.fileDriveHome], { purpose: 'reading its version and what runs' });
  const value = (key: string): string => new RegExp(`^${key}\\t(.*)$`, 'm').exec(stdout)?.[1]?.trim() ?? '';
  return { version: value('version') || null, build: value('build') || null, processes: value('processes') === '' ? null : Number(value('processes')), started: value('started') === '' ? undefined : Number(value('started')) };
}

/** After an installation: a package of another version than the cluster file says is told before anything of it is started. @throws Refused when it is known to be another one */
export async function requireInstalled(clients: Clients, host: HostTarget, version: string): Promise<void> {
  const found = await lookAtInstalled(clients, host);
  if (isAt(version, found) || (found.version === null && found.build === null)) return;
  throw new StError('Refused', `${host.node}: ${nameOf(found)} was installed, product.version asks for ${version}. Nothing more was started. Correct product.version; or, when ${version} is right, see to product.installer.package, and move what stands in ${host.fileDriveHome} away or update it by hand. Then run this again.`);
}

/** Answers what is installed. @throws Refused when it is another version than this one */
export async function requireVersion(clients: Clients, host: HostTarget, version: string): Promise<string> {
  const found = await lookAtInstalled(clients, host);
  if (isAt(version, found)) return nameOf(found);
  throw new StError('Refused', `${host.node}: ${nameOf(found)} is installed, expected ${version}. Two versions never run on one schema, so it is not started. Update this node by hand and decide "done-by-hand"; its update's output is in ~/.st-orchestrator/updates/ there.`);
}
