/** The ports that the product's machines use towards each other (reference §14). */
import type { Protocol } from './specTypes';

/** Between Servers: the cluster cache takes the first free one, by TCP and UDP. */
export const cachePorts = [8088, 8089, 8090, 8091, 8092, 8093] as const;
/** Between Servers, by TCP: the cluster looks whether a machine lives. A machine that refuses it lives too. */
export const echoPort = 7;

/** Where the daemons of an Edge take streaming connections, unless its zone Private says otherwise. */
export const edgeProtocolPorts: Record<Protocol, number> = { ftp: 20021, ssh: 20022, http: 20080, as2: 21080, pesit: 27617 };

/** From a Server to an Edge: the protocol servers in use, the Administration Tool, the proxy. */
export const edgePorts = (protocols: readonly Protocol[]): number[] => [...protocols.map((protocol) => edgeProtocolPorts[protocol]), 20444, 1080];

/** `[7, 8088, 8089, 8090]` → `7, 8088-8090`. */
export function portsText(ports: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const port of [...new Set(ports)].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last[1] === port - 1) last[1] = port;
    else runs.push([port, port]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}
