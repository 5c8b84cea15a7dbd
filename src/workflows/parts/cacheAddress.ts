/** Servers with IPv6 addresses: their cluster caches must name them, before they are started (reference §4). Nothing at all for other addresses. */
import type { CacheFacts } from '../../activities/cacheAddress';
import { isIpv6 } from '../../model/coherenceOverride';
import type { ServerTarget } from '../../model/targets';
import { checkEachNode, type Check, type OperationContext } from '../operation/context';
import { cache } from '../operation/groups';

interface Node {
  name: string;
  server: ServerTarget;
}

/** To be spread into a group of checks; empty, whatever its type says, where no Server has an IPv6 address. */
export function cacheChecks(nodes: readonly Node[]): { caches: Check<CacheFacts[]> } {
  const sixes = nodes.filter(({ server }) => isIpv6(server.address));
  return sixes.length === 0 ? ({} as { caches: Check<CacheFacts[]> }) : { caches: checkEachNode('The cluster cache can be told the IPv6 address', sixes, ({ server }) => cache.checkAddress({ server })) };
}

/** The Servers whose file lacks the address. */
export const unnamed = <N extends Node>(nodes: readonly N[], caches: readonly CacheFacts[] = []): N[] => nodes.filter(({ name }) => caches.some(({ node, named }) => node === name && !named));

/** One step for each Server that lacks it; after the installation, before the start. */
export function nameInCaches<I, N extends Node>({ forEachNode }: Pick<OperationContext<I>, 'forEachNode'>, nodes: readonly N[]): Promise<unknown> {
  return forEachNode('Name its IPv6 address to the cluster cache', nodes, ({ server }) => cache.ensureAddress({ server }), { key: 'cache-address' });
}
