/** Which Edges a Server's Transaction Manager is connected to. The product tells nobody; the kernel of the Server's host does. */
import type { CallOptions } from '../clients/adminApi';
import { script } from '../clients/quote';
import { canonicalAddress, hasAddress } from '../model/fields';
import type { Protocol } from '../model/spec';
import type { ServerTarget } from '../model/targets';
import type { Clients } from './clients';
import { readSockets, socketsScript } from './sockets';

export interface EdgeAddress {
  node: string;
  address: string;
}

/** The Edges to which this Server has an established connection on the port of every protocol, as its network zones name them. */
export async function edgesConnected(clients: Clients, server: ServerTarget, { edges, protocols, limits }: { edges: readonly EdgeAddress[]; protocols: readonly Protocol[]; limits: CallOptions }): Promise<string[]> {
  const [zones, { stdout }] = await Promise.all([
    clients.admin.server(server.admin).zones(limits),
    clients.ssh.run(server.ssh, script(socketsScript, edges.map(({ address }) => address)), { timeoutMs: 20_000, ...(limits.signal ? { signal: limits.signal } : {}), purpose: `${server.node}: reading its connections` }),
  ]);
  const { names, established } = readSockets(stdout);
  const open = new Set(established.map(({ address, port }) => `${canonicalAddress(address)} ${port}`));
  const entries = zones.flatMap(({ edges: listed = [] }) => listed);
  const connected = ({ address }: EdgeAddress): boolean => {
    const entry = entries.find(({ addresses = [] }) => hasAddress(addresses, address));
    const ports = protocols.map((protocol) => entry?.protocols?.find((one) => one.protocol === protocol)?.port);
    const addresses = (names.get(address) ?? [address]).map(canonicalAddress);
    return ports.every((port) => port !== undefined && addresses.some((one) => open.has(`${one} ${port}`)));
  };
  return edges.filter(connected).map(({ node }) => node).sort();
}
