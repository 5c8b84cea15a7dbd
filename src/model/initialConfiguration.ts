/** What of the product's initial configuration (reference §15) has no API: a person does it, once, after the first set-up. Pure. */
import type { ClusterSpec } from './specTypes';

/** In the guide's order. Nothing of it is looked at: a try with a default password would count against the account. */
export function leftByHand({ product, sites, notifications }: ClusterSpec): string[] {
  const edges = Math.max(...Object.values(sites).map((site) => site.edges.length));
  return [
    'set the password of the keystore',
    `make or import the internal CA${edges > 0 ? ', on Servers and Edges; then run the set-up again, which lets them trust each other\'s new one' : ''}`,
    `give each protocol server its certificate (${product.protocols.join(', ')})`,
    ...(edges > 1 ? ['synchronise the Edges: the same lib/admin/config/servers on all, an empty var/tmp/sentinel_primary on the primary, then Synchronize All there'] : []),
    `set the address of the product's own notifications${notifications?.to ? ` (${notifications.to[0]})` : ''}; until then they go to root@localhost`,
    'change the default passwords of the administrators "admin", "account" and "application", and remove "setup" or change its password',
    'after that: stop_all and start_all on every Server, one after the other',
  ];
}
