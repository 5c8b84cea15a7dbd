/** What of the product's initial configuration (reference §15) has no API: a person does it, once, after the first set-up. Pure. */
import { shippedLines, type ShippedPassword } from './shippedPasswords';
import type { ClusterSpec } from './specTypes';

/** In the guide's order. `shipped`: what is known of the passwords that administrators are delivered with; nothing where nobody looked. */
export function leftByHand({ product, sites, notifications }: ClusterSpec, shipped?: readonly ShippedPassword[]): string[] {
  const edges = Math.max(...Object.values(sites).map((site) => site.edges.length));
  const primary = Object.values(sites).find((site) => site.edges.length > 1)?.edges[0]?.name;
  return [
    'set the password of the keystore',
    `make or import the internal CA${edges > 0 ? ', on Servers and Edges; then run the set-up again, which lets them trust each other\'s new one' : ''}`,
    `give each protocol server its certificate (${product.protocols.join(', ')})`,
    ...(primary === undefined ? [] : [`synchronise the Edges: "Synchronize All" in the Administration Tool of ${primary}, the primary, once it is configured; their list (lib/admin/config/servers) and its mark (var/tmp/sentinel_primary) are in place`]),
    `set the address of the product's own notifications${notifications?.to ? ` (${notifications.to[0]})` : ''}; until then they go to root@localhost`,
    ...(shipped ? shippedLines(shipped) : ['change the default passwords of the administrators "admin", "account" and "application", and remove "setup" or change its password']),
    'after that: stop_all and start_all on every Server, one after the other',
  ];
}
