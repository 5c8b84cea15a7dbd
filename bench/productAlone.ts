/** The product's own part of a set-up, measured without the orchestrator: the same product commands in the same order (bareHands.ts). */
import { edgesConnected } from '../src/activities/edgeConnections';
import { ensureTrust } from '../src/activities/edgeTrust';
import { ensureInZone } from '../src/activities/edgeZones';
import type { Clients } from '../src/clients';
import { resolveSecret } from '../src/clients/secrets';
import { waitFor } from '../src/clients/waitFor';
import { waveSize } from '../src/model/setUpPlan';
import { productionSite, serverTarget, siteOf } from '../src/model/slices';
import type { ClusterSpec } from '../src/model/spec';
import type { ServerTarget } from '../src/model/targets';
import { bareHands, services, type BareHands, type ProductStep } from './bareHands';

const limits = { timeoutMs: 10_000 };

/** Sets the cluster up by bare commands and answers what each step took. The hosts must be untouched. */
export async function productAlone(spec: ClusterSpec, clients: Clients): Promise<ProductStep[]> {
  const site = productionSite(spec);
  const target = ({ name }: { name: string }): ServerTarget => serverTarget(spec, site, name);
  const nodes = siteOf(spec, site).servers.map(target);
  const edges = siteOf(spec, site).edges.map(target);
  const [first, ...others] = nodes as [ServerTarget, ...ServerTarget[]];
  const hands = bareHands(spec, site, clients);
  const { step, steps, each, started, stop } = hands;
  const install = (servers: readonly ServerTarget[]): Promise<unknown> => each(servers, hands.setup);
  const through = clients.admin.server(first.admin);

  await hands.prepare(first, 'server');
  const installing = Date.now();
  await step('install-first', [first], install);
  // The installer has ordered this start itself.
  await step('start-first-admin', [first], started(['admin'], 'start_admin', installing));
  await hands.license(first);
  const taeh = await hands.taehOf(first);
  await each(others, (server) => hands.prepare(server, 'server', taeh));
  await step('install-others', others, install);
  await step('stop-admin', others, (servers) => each(servers, (server) => stop(server, ['monitord', 'admin'])));
  await step('stop-services', nodes, (servers) => each(servers, (server) => stop(server, services)));
  for (const server of nodes) await step('add', [server], () => through.addClusterNode(server.address));
  await step('settings', [first], () => hands.restoreSettings(first));
  await step('start-admin', others, started(['admin'], 'start_admin'));
  await each(others, hands.license);
  await installEdges(hands, clients, { spec, site, edges, first });
  await step('stop-all', nodes, (servers) => each(servers, (server) => stop(server, [...services, 'admin'])));
  for (const wave of wavesOf(nodes)) await step('online', wave, started(['admin', 'tm', 'sshd'], 'start_all'));
  await step('servers.ensureNodeThreshold', [first], async () => through.setNodeThreshold({ ...(await through.nodeThreshold()), numberOfNodes: spec.policies.minimumNodes, sendNotification: true }));
  await openEdges(hands, clients, { spec, edges, nodes, first });
  await step('serving', edges.length > 0 ? edges : nodes, hands.serve);
  return steps;
}

interface EdgesAndServers {
  spec: ClusterSpec;
  edges: ServerTarget[];
  first: ServerTarget;
}

async function installEdges(hands: BareHands, clients: Clients, { spec, site, edges, first }: EdgesAndServers & { site: string }): Promise<void> {
  const { step, each, started } = hands;
  const [firstEdge, ...otherEdges] = edges;
  if (!firstEdge) return;
  const zoneOf = (edge: ServerTarget): string => siteOf(spec, site).edges.find(({ name }) => name === edge.node)!.zone;
  const { protocols } = spec.product;
  await hands.prepare(firstEdge, 'edge');
  const installing = Date.now();
  await step('install-first-edge', [firstEdge], (some) => each(some, hands.setup));
  const taeh = await hands.taehOf(firstEdge);
  await each(otherEdges, (edge) => hands.prepare(edge, 'edge', taeh));
  await step('install-other-edges', otherEdges, (some) => each(some, hands.setup));
  await each(edges, hands.license);
  // The installer has ordered these starts itself.
  await step('start-edge-admin', edges, started(['admin'], 'start_admin', installing));
  const server = clients.admin.server(first.admin);
  for (const edge of edges) await step('trust', [edge], () => ensureTrust({ server, edge: clients.admin.server(edge.admin) }, { cluster: spec.metadata.name, edge: edge.node }, limits));
  for (const edge of edges) {
    await step('zone', [edge], () => ensureInZone({ server, edge: clients.admin.server(edge.admin) }, { title: edge.node, address: edge.address, zone: zoneOf(edge), deploymentSite: siteOf(spec, site).deploymentSite, protocols }, limits));
  }
}

async function openEdges({ step, each, started }: BareHands, clients: Clients, { spec, edges, nodes, first }: EdgesAndServers & { nodes: ServerTarget[] }): Promise<void> {
  if (edges.length === 0) return;
  const { product: { protocols }, probe } = spec;
  await step('edge-online', edges, started(['sshd'], 'start_all'));
  const doors = edges.map(({ node, address }) => ({ node, address }));
  await step('connected', nodes, (servers) => each(servers, (server) => waitFor(`${server.node} to be connected`, () => edgesConnected(clients, server, { edges: doors, protocols, limits }), (connected) => connected.length === doors.length, { timeoutMs: 60_000 })));
  if (!probe) return;
  const password = (await resolveSecret(probe.password)).reveal();
  await step('edges.ensureProbeAccount', [first], () => clients.admin.server(first.admin).createAccount({ name: probe.account, password }, limits));
  for (const edge of edges) {
    const port = (await clients.admin.server(edge.admin).listeners('ssh', limits)).find(({ isActive }) => isActive === true)!.port!;
    await step('login', [edge], () => clients.partner.logIn({ host: edge.address, port, user: probe.account, password }, limits));
  }
}

/** The first Server alone, then the others in waves, as the planner orders it. */
function wavesOf(nodes: readonly ServerTarget[]): ServerTarget[][] {
  const rest = nodes.slice(1);
  return [nodes.slice(0, 1), ...Array.from({ length: Math.ceil(rest.length / waveSize) }, (_, index) => rest.slice(index * waveSize, (index + 1) * waveSize))];
}
