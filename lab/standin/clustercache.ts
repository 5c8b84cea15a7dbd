import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Home } from './home';

const file = 'conf/tangosol-coherence-override.xml';

/** Why the cluster cache of a Server with an IPv6 address does not find the others: the first element of `<cluster-config>` must name that address. */
export function cacheComplaint(home: Home, address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const said = listenerIn(home);
  return said?.toLowerCase() === address.toLowerCase() ? undefined : `${file} names ${said ?? 'no address'} as unicast listener, and the address of this Server is ${address}`;
}

function listenerIn(home: Home): string | undefined {
  try {
    const xml = readFileSync(join(home.dir, file), 'utf8').replaceAll(/<!--[\s\S]*?-->/g, '');
    return /<cluster-config(?:\s[^>]*)?>\s*<unicast-listener>\s*<address>\s*([^<\s]+)\s*<\/address>/.exec(xml)?.[1];
  } catch {
    return undefined;
  }
}
