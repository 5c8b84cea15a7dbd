/** The checks of a set-up, and what they come to: what is there already, what is missing, and what the balancers and the Edges have still to be told. */
import { patched } from '@temporalio/workflow';
import { heldOutWarnings, planBalancers, silentBalancer, type BalancerFacts } from '../../model/balancerPlan';
import { silentReturn } from '../../model/comeBack';
import { compareClocks, type ClockReading } from '../../model/clocks';
import { edgeWarnings } from '../../model/edgeDifferences';
import { edgeStates, isEmptyEdgePlan, planEdges, zoneProblems } from '../../model/edgePlan';
import { compareHosts, epochProblems, setUpState, type DatabaseFacts, type HostFacts, type SeenEpoch, type ServerFacts, type WayFacts } from '../../model/facts';
import { memberSite } from '../../model/members';
import { planOptions } from '../../model/optionsPlan';
import { edgePorts } from '../../model/ports';
import { planSetUp, setUpProblems } from '../../model/setUpPlan';
import { balancerTargets, databaseTarget, licencesOf, productionSite, serverTarget, siteOf } from '../../model/slices';
import type { ServerTarget } from '../../model/targets';
import { check, checkEachNode, type OperationContext } from '../operation/context';
import { additions, database, discovery, edges, files, hosts, installation, loadBalancer, network, servers } from '../operation/groups';
import { cacheChecks, unnamed } from './cacheAddress';
import { checkComeBack } from './comeBack';

const clockLimitMs = 1_000;

/** Everything that keeps the epoch; what could not be read is told by itself. */
const seenEpochs = ({ hosts: seen, edgeHosts = [], database: beside, balancers }: { hosts: HostFacts[]; edgeHosts?: HostFacts[]; database?: DatabaseFacts; balancers: BalancerFacts[] }): SeenEpoch[] => [
  ...[...seen, ...edgeHosts].map(({ node, epoch }) => ({ where: node, epoch })),
  ...balancers.map(({ name, epoch }) => ({ where: name, epoch })),
  ...(beside ? [{ where: 'the database', epoch: beside.epoch }] : []),
];

/** Makes every check of a set-up, refuses with all that fail, and answers what the steps go by. */
export async function checkSetUp<I>({ cluster, checks }: Pick<OperationContext<I>, 'cluster' | 'checks'>) {
  const { spec } = cluster;
  const site = productionSite(spec);
  // Who belongs to a cluster that works is known to its record; addNode and removeNode change that.
  const comeBack = await checkComeBack({ cluster, checks }, site);
  const here = comeBack?.here ?? (cluster.complete ? memberSite(spec, site, cluster.members) : siteOf(spec, site));
  const nodes = here.servers.map(({ name }) => ({ name, server: serverTarget(spec, site, name) }));
  const first = nodes[0]!;
  const target = databaseTarget(spec, site);
  const { deploymentSite, loadBalancer: front, edges: edgeSpecs } = here;
  const gateways = edgeSpecs.map(({ name, address, zone }) => ({ name, address, zone, edge: serverTarget(spec, site, name) }));
  const edgeLicences = licencesOf(spec.licences.edge ?? spec.licences);
  const balancers = balancerTargets(spec, site).map((balancer) => ({ name: balancer.name, balancer }));
  const { probe } = spec;
  const { installer, version, protocols, options } = spec.product;
  const wanted = { protocols, options: Object.keys(options) };
  const shared = siteOf(spec, site).sharedFiles.path;
  const names = nodes.map(({ name }) => name);
  const addresses = nodes.map(({ name, server: { address, admin } }) => ({ name, address, adminPort: admin.port }));
  const peersOf = (name: string) => addresses.flatMap((peer, at) => (peer.name === name ? [] : [{ ...peer, later: at > names.indexOf(name) }]));
  const portsOf = ({ admin }: ServerTarget) => [admin.port, Number(installer.properties['tomcatShutdownPort'] ?? 8005)];
  const ports = gateways.map(({ name, address }) => ({ name, address, ports: edgePorts(protocols) }));
  const doors = gateways.map(({ name, address }) => ({ node: name, address }));
  const fronted = front?.fronts === 'edges' ? { what: 'Edge', names: gateways.map(({ name }) => name) } : { what: 'Server', names };

  // Of a Server that was removed, its removal took it out.
  const heldOut = { complete: cluster.complete && !(comeBack && fronted.what === 'Server') };

  const edgeChecks = {
    edgeLicence: check('The licences of the Edges are there', installation.checkLicences({ licences: edgeLicences, servers: 0 })),
    edgeHosts: checkEachNode('The host of the Edge is ready', gateways, ({ edge }) => hosts.checkHost({ host: edge, package: installer.package, version, ports: portsOf(edge), peers: [], clockLimitMs })),
    edges: checkEachNode('What the Edge does', gateways, ({ edge }) => edges.checkEdge({ edge, protocols })),
  };
  const found = await checks({
    licence: check(`The licences cover ${nodes.length} Servers`, installation.checkLicences({ licences: licencesOf(spec.licences), servers: nodes.length })),
    hosts: checkEachNode('The host is ready', nodes, ({ server }) =>
      hosts.checkHost({ host: server, package: installer.package, sharedPath: shared, version, ports: portsOf(server), peers: [{ address: target.host, port: target.port }], clockLimitMs })),
    ways: checkEachNode('The way to the other machines is open', nodes, ({ name, server }) =>
      network.checkNetwork({ server, peers: peersOf(name), edges: ports, roundTripLimitMs: spec.policies.maximumRoundTrip })),
    shared: checkEachNode('The shared files are really shared', nodes.slice(1), ({ server }) =>
      files.checkShared({ writer: first.server, reader: server, path: shared })),
    database: check('The database meets the requirements', database.checkDatabase({ database: target })),
    balancers: checkEachNode(`The balancer knows the ${fronted.what}s`, balancers, ({ balancer }) => loadBalancer.checkBalancer({ balancer, nodes: fronted.names }), { silent: silentBalancer }),
    // Alone: wrong passwords on several Servers at once would lock the administrator in the whole cluster.
    first: checkEachNode('What the first Server does', [first], ({ server }) => servers.checkServer({ server, ...wanted })),
    ...(gateways.length > 0 ? edgeChecks : ({} as typeof edgeChecks)),
    ...cacheChecks(nodes),
  }, {
    title: 'The hosts fit together',
    problems: (facts, { hosts: clocks = [], edgeHosts: edgeClocks = [] }) => [...compareHosts(facts.hosts, facts.edgeHosts), ...compareClocks([...clocks, ...edgeClocks] as ClockReading[], clockLimitMs), ...epochProblems(cluster, seenEpochs(facts)), ...heldOutWarnings(fronted.names, facts.balancers, heldOut), ...(comeBack ? silentReturn(comeBack.gate, facts.first[0]) : [])],
  });
  const places = nodes.map(({ name, server: { address } }) => ({ node: name, address }));
  const stateWith = (others: ServerFacts[]) => setUpState(places, { ...found, servers: [...found.first, ...others], complete: cluster.complete && !comeBack });
  const optionsWith = (others: ServerFacts[]) => planOptions(options, { complete: cluster.complete, servers: [...found.first, ...others] });
  const wayChecks = {
    known: checkEachNode('What the Servers know of the Edges', nodes, ({ server }) => edges.checkWays({ server, protocols, ...(probe ? { probe: probe.account } : {}) })),
    connections: checkEachNode('Which Edges its Transaction Manager is connected to', nodes, ({ server }) => edges.checkConnections({ server, edges: doors, protocols })),
  };
  // Histories of set-ups before this was known have neither the check nor the step.
  const restores = patched('settings-of-daemons');
  const settingsCheck = { settings: check('How the daemons of the cluster listen', additions.checkSettings({ server: first.server })) };
  // What a set-up has not finished differs anyway.
  const peers = cluster.complete && gateways.length > 1 && patched('edges-compared') ? gateways.slice(1) : [];
  const peerChecks = { peers: checkEachNode(`How the Edge differs from ${gateways[0]?.name}`, peers, ({ edge }) => discovery.compareEdge({ edge, first: gateways[0]!.edge, protocols })) };
  const seen = await checks(
    {
      ...(peers.length > 0 ? peerChecks : ({} as typeof peerChecks)),
      others: checkEachNode('What the other Servers do', nodes.slice(1), ({ server }) => servers.checkServer({ server, ...wanted })),
      ...(gateways.length > 0 ? wayChecks : ({} as typeof wayChecks)),
      ...(restores ? settingsCheck : ({} as typeof settingsCheck)),
    },
    { title: 'From here a set-up leads to one cluster', problems: (facts) => [...setUpProblems(stateWith(facts.others)), ...optionsWith(facts.others).problems, ...zoneProblems({ edges: edgeSpecs }, waysIn(facts.known)), ...edgeWarnings(gateways[0]?.name ?? '', (facts.peers ?? []).map((found) => ({ node: gateways.find(({ address }) => address === found.address)!.name, ...found })))] },
  );

  // Without Edges nothing of them was looked at.
  const known = waysIn(seen.known);
  const connections = seen.connections ?? [];
  const todo = planSetUp(stateWith(seen.others), { autoRegister: installer.autoRegister });
  const { set } = optionsWith(seen.others);
  const through = nodes.find(({ name }) => name === todo.first)!.server;
  const fronts = planBalancers(balancers.map(({ name, balancer }) => ({ name, backend: balancer.siteBackends[site] ?? '' })), fronted.names, found.balancers, heldOut);
  const serve = fronts.serve.map(({ balancer: at, node }) => ({ name: `${node} at ${at}`, node, balancer: balancers.find(({ name }) => name === at)!.balancer }));
  const activate = balancers.filter(({ name }) => fronts.activate.includes(name));
  const { minimumNodes } = spec.policies;
  const told = [...found.first, ...seen.others].find(({ threshold }) => threshold !== null);
  // Where nobody can say, a cluster that has been set up before has its threshold.
  const thresholdDiffers = spec.notifications?.productThreshold !== 'leave' && (told ? told.threshold !== minimumNodes : !cluster.complete);
  const prepared = [...found.hosts, ...(found.edgeHosts ?? [])].filter((facts) => facts.prepared && facts.installation === 'complete').map(({ node }) => node);
  const states = edgeStates({ edges: edgeSpecs, deploymentSite }, { hosts: found.edgeHosts ?? [], edges: found.edges ?? [], licence: found.edgeLicence, ways: known });
  const nameless = unnamed(nodes, found.caches);
  const opening = planEdges(states);
  const disconnected = connections.some(({ connected }) => connected.length < gateways.length);
  // Only a login proves a way, so a way of which anything changes is tried.
  const waysChange = gateways.length > 0 && (!isEmptyEdgePlan(opening) || todo.restart.length > 0 || disconnected || serve.length > 0);

  return {
    site, nodes, first, target, deploymentSite, gateways, edgeLicences, doors, fronted, todo, opening, through, set, serve, activate, thresholdDiffers, prepared, nameless, waysChange,
    /** Of a cluster all of whose Servers were removed: whether the one that comes back is gated. */
    comeBack: comeBack && { gated: !['open', 'none'].includes(comeBack.gate.gate) },
    /** Servers whose installation is complete. */
    installed: found.hosts.filter(({ installation: state }) => state === 'complete').map(({ node }) => node),
    /** How the daemons listened; null where nobody could say. */
    settings: seen.settings,
    restores,
    probeIsThere: known?.probe === true,
  };
}

/** What a Server that answers knows of the Edges. */
const waysIn = (known: readonly WayFacts[] = []): WayFacts | undefined => known.find(({ ca }) => ca !== null) ?? known[0];
