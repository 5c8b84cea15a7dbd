import { protocols, type Protocol } from './home';

/** Where a protocol daemon of an Edge takes the connections of Transaction Managers. */
const defaults: Record<Protocol, number> = { ftp: 20021, ssh: 20022, http: 20080, as2: 21080, pesit: 27617 };

/** One entry of a zone: an Edge with its addresses and the ports of its daemons. */
export interface ZoneEdge {
  title: string;
  addresses?: string[];
  protocols?: { protocol: string; port: number }[];
  deploymentSite?: string;
}

/** The zone that an Edge has after its installation, and the only one it knows. */
export const privateZone = {
  name: 'Private', isDefault: true, description: '',
  edges: [{ title: 'Private', addresses: [] as string[], protocols: protocols.map((protocol) => ({ protocol: protocol as string, port: defaults[protocol] })), deploymentSite: 'Prod' }],
};

/** The port of a protocol in a zone's entry; undefined when it names none. */
export function streamingPort(edge: ZoneEdge, protocol: string): number | undefined {
  return edge.protocols?.find((one) => one.protocol === protocol)?.port;
}
