/** Network zones: how the Servers know the Edges, and what they dial. */
import type { AdminServer, CallOptions, Zone, ZoneEdge } from '../clients/adminApi';
import { StError } from '../model/errors';
import type { Outcome } from '../model/operation';
import type { Protocol } from '../model/spec';
import { hasAddress } from '../model/fields';
import { edgeProtocolPorts } from '../model/ports';

export interface ZoneEntry {
  zone: string;
  deploymentSite: 'Prod' | 'DR';
  protocols: Protocol[];
}

/** The streaming ports that an Edge has itself: those of its zone `Private`, the only one it knows. */
export function portsOf(zones: readonly Zone[], protocols: readonly Protocol[]): Record<string, number> {
  const named = zones.filter(({ name }) => name === 'Private').flatMap(({ edges = [] }) => edges).flatMap((edge) => edge.protocols ?? []);
  return Object.fromEntries(protocols.map((protocol) => [protocol, named.find((one) => one.protocol === protocol)?.port ?? edgeProtocolPorts[protocol]]));
}

/**
 * Names the Edge in the zone. An entry that stands there already keeps its title, whatever it is (another title makes a new Edge, without its
 * proxy passwords), and all that is not asked for; the zone is sent whole, since PUT resets what is left out.
 */
export async function ensureInZone(sides: { server: AdminServer; edge: AdminServer }, wanted: ZoneEntry & { title: string; address: string }, options: CallOptions): Promise<Outcome> {
  const { zone: name, title, address, deploymentSite, protocols } = wanted;
  const ports = portsOf(await sides.edge.zones(options), protocols);
  const asked = protocols.map((protocol) => ({ protocol, port: ports[protocol] ?? edgeProtocolPorts[protocol] }));
  const said = `${title} is in the zone ${name} (${asked.map(({ protocol, port }) => `${protocol} ${port}`).join(', ')})`;
  const read = async (): Promise<Zone | undefined> => (await sides.server.zones(options)).find((zone) => zone.name === name);
  const zone = await read();
  const entry: ZoneEdge = { title, addresses: [address], protocols: asked, deploymentSite };
  if (!zone) await sides.server.createZone({ name, edges: [entry] }, options);
  else {
    const edges = zone.edges ?? [];
    const index = edges.findIndex((edge) => edge.title === title || hasAddress(edge.addresses ?? [], address));
    const there = edges[index];
    if (there && fits(there, entry)) return { changed: false, note: `${said} already` };
    if (there) await sides.server.replaceZone({ ...zone, edges: edges.with(index, merged(there, entry)) }, options);
    else await sides.server.addZoneEdge(name, entry, options);
  }
  const after = (await read())?.edges?.find((edge) => fits(edge, entry));
  if (!after) throw new StError('NotYet', `${title} is not in the zone ${name} after it was written`);
  return { changed: true, note: said };
}

/**
 * Takes the Edge out of every zone of the Servers, under whatever title. One patch for each entry, since a PUT of the whole zone would undo what somebody changes
 * in the same moment; it goes by place, so who was taken out is looked at afterwards, and another that went instead is put back.
 */
export async function ensureOutOfZones(server: AdminServer, { title, address }: { title: string; address: string }, options: CallOptions): Promise<Outcome> {
  const isIt = (edge: ZoneEdge): boolean => edge.title === title || hasAddress(edge.addresses ?? [], address);
  const holding = async (): Promise<Zone[]> => (await server.zones(options)).filter(({ name, edges = [] }) => name !== 'Private' && edges.some(isIt));
  const before = await holding();
  if (before.length === 0) return { changed: false, note: `${title} is in no zone` };
  for (const { name, edges = [] } of before) {
    for (let index = edges.length - 1; index >= 0; index -= 1) {
      if (isIt(edges[index]!)) await server.removeZoneEdge(name, index, options);
    }
    const after = (await server.zones(options)).find((zone) => zone.name === name)?.edges ?? [];
    for (const lost of edges.filter((edge) => !isIt(edge) && !after.some((one) => one.title === edge.title))) await server.addZoneEdge(name, lost, options);
  }
  const left = await holding();
  if (left.length > 0) throw new StError('NotYet', `${title} is in the zone ${left.map(({ name }) => name).join(', ')} after it was taken out`);
  return { changed: true, note: `taken out of ${before.map(({ name }) => name).join(', ')}` };
}

const fits = (there: ZoneEdge, wanted: ZoneEdge): boolean =>
  (wanted.addresses ?? []).every((address) => hasAddress(there.addresses ?? [], address)) && (there.deploymentSite ?? 'Prod') === wanted.deploymentSite &&
  (wanted.protocols ?? []).every(({ protocol, port }) => there.protocols?.some((one) => one.protocol === protocol && one.port === port));

/** Only what is asked for changes: its address, its site, and the ports of the wanted protocols. */
function merged(there: ZoneEdge, wanted: ZoneEdge): ZoneEdge {
  const asked = wanted.protocols ?? [];
  const kept = (there.protocols ?? []).map((one) => ({ ...one, ...asked.find(({ protocol }) => protocol === one.protocol) }));
  const added = asked.filter(({ protocol }) => !kept.some((one) => one.protocol === protocol));
  const addresses = (wanted.addresses ?? []).filter((address) => !hasAddress(there.addresses ?? [], address));
  return { ...there, addresses: [...(there.addresses ?? []), ...addresses], protocols: [...kept, ...added], ...(wanted.deploymentSite !== undefined ? { deploymentSite: wanted.deploymentSite } : {}) };
}
