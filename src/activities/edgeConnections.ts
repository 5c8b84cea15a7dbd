/** Which Edges a Server's Transaction Manager is connected to, and whether any is to an Edge. The product tells nobody; the kernels of their hosts do. */
import type { CallOptions } from '../clients/adminApi';
import { script } from '../clients/quote';
import { canonicalAddress, hasAddress } from '../model/fields';
import type { Protocol } from '../model/spec';
import type { ServerTarget } from '../model/targets';
import type { Clients } from './clients';
import { portsOf } from './edgeZones';
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

/** Whether a Transaction Manager is connected to this Edge on the streaming port of every protocol. A peer whose host died without a word still counts until the kernel gives it up. */
export async function isServed(clients: Clients, edge: Pick<ServerTarget, 'node' | 'ssh' | 'admin'>, protocols: readonly Protocol[], limits: CallOptions): Promise<boolean> {
  const [zones, { stdout }] = await Promise.all([
    clients.admin.server(edge.admin).zones(limits),
    clients.ssh.run(edge.ssh, script(socketsScript), { timeoutMs: 5_000, ...limits, purpose: `${edge.node}: reading its connections` }),
  ]);
  const { established } = readSockets(stdout);
  return Object.values(portsOf(zones, protocols)).every((port) => established.some(({ local }) => local === port));
}
