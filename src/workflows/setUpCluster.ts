/**
 * Sets a cluster up, in the vendor's order (reference §3). It has no undo: run again, it does only what is missing, and it never drops a schema.
 */
import { patched } from '@temporalio/workflow';
import type { AdditionActivities } from '../activities/additions';
import type { AdministratorActivities } from '../activities/administrators';
import type { DatabaseActivities } from '../activities/database';
import type { DiscoveryActivities } from '../activities/discovery';
import type { EdgeActivities } from '../activities/edges';
import type { FileActivities } from '../activities/files';
import type { HostActivities } from '../activities/hosts';
import type { InstallationActivities } from '../activities/installation';
import type { LoadBalancerActivities } from '../activities/loadBalancer';
import type { NetworkActivities } from '../activities/network';
import type { ServerActivities } from '../activities/servers';
import { heldOutWarnings, planBalancers, silentBalancer, type BalancerFacts } from '../model/balancerPlan';
import { compareClocks, type ClockReading } from '../model/clocks';
import { edgeWarnings } from '../model/edgeDifferences';
import { edgeStates, isEmptyEdgePlan, planEdges, zoneProblems } from '../model/edgePlan';
import { compareHosts, epochProblems, setUpState, type DatabaseFacts, type HostFacts, type SeenEpoch, type ServerFacts, type WayFacts } from '../model/facts';
import { leftByHand } from '../model/initialConfiguration';
import { parseInput, setUpClusterInput, type SetUpClusterInput } from '../model/inputs';
import { memberSite, membersOf, outsiders } from '../model/members';
import type { OperationReport } from '../model/operation';
import { planOptions } from '../model/optionsPlan';
import { edgePorts } from '../model/ports';
import { isEmptyPlan, planSetUp, setUpProblems } from '../model/setUpPlan';
import type { ShippedPassword } from '../model/shippedPasswords';
import { balancerTargets, databaseTarget, productionSite, serverTarget, siteOf } from '../model/slices';
import type { ClusterSpec, LicenceFiles } from '../model/spec';
import type { ServerTarget } from '../model/targets';
import { backUp } from './operation/backUp';
import { check, checkEachNode } from './operation/context';
import { operation } from './operation/operation';
import { tasks } from './operation/tasks';
import { cacheChecks, nameInCaches, unnamed } from './parts/cacheAddress';

const additions = tasks<AdditionActivities>('additions');
const administrators = tasks<AdministratorActivities>('administrators');
const hosts = tasks<HostActivities>('hosts');
const network = tasks<NetworkActivities>('network');
const installation = tasks<InstallationActivities>('installation');
const servers = tasks<ServerActivities>('servers');
const database = tasks<DatabaseActivities>('database');
const discovery = tasks<DiscoveryActivities>('discovery');
const files = tasks<FileActivities>('files');
const edges = tasks<EdgeActivities>('edges');
const loadBalancer = tasks<LoadBalancerActivities>('loadBalancer');

const clockLimitMs = 1_000;
const installMs = 35 * 60_000;

/** Everything that keeps the epoch; what could not be read is told by itself. */
const seenEpochs = ({ hosts: seen, edgeHosts = [], database: beside, balancers }: { hosts: HostFacts[]; edgeHosts?: HostFacts[]; database?: DatabaseFacts; balancers: BalancerFacts[] }): SeenEpoch[] => [
  ...[...seen, ...edgeHosts].map(({ node, epoch }) => ({ where: node, epoch })),
  ...balancers.map(({ name, epoch }) => ({ where: name, epoch })),
  ...(beside ? [{ where: 'the database', epoch: beside.epoch }] : []),
];

export async function setUpCluster(raw: unknown): Promise<OperationReport> {
  return operation<SetUpClusterInput>('setUpCluster', raw, async (context) => {
    const { cluster, checks, step, forEachNode } = context;
    const { spec } = cluster;
    const site = productionSite(spec);
    // Who belongs to a cluster that works is known to its record; addNode and removeNode change that.
    const here = cluster.complete ? memberSite(spec, site, cluster.members) : siteOf(spec, site);
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
      balancers: checkEachNode(`The balancer knows the ${fronted.what}s`, balancers, ({ balancer }) => loadBalancer.checkBalancer({ balancer, nodes: fronted.names }), { remedy: silentBalancer }),
      // Alone: wrong passwords on several Servers at once would lock the administrator in the whole cluster.
      first: checkEachNode('What the first Server does', [first], ({ server }) => servers.checkServer({ server, ...wanted })),
      ...(gateways.length > 0 ? edgeChecks : ({} as typeof edgeChecks)),
      ...cacheChecks(nodes),
    }, {
      title: 'The hosts fit together',
      problems: (facts, { hosts: clocks = [], edgeHosts: edgeClocks = [] }) => [...compareHosts(facts.hosts, facts.edgeHosts), ...compareClocks([...clocks, ...edgeClocks] as ClockReading[], clockLimitMs), ...epochProblems(cluster, seenEpochs(facts)), ...heldOutWarnings(fronted.names, facts.balancers, cluster)],
    });
    const places = nodes.map(({ name, server: { address } }) => ({ node: name, address }));
    const stateWith = (others: ServerFacts[]) => setUpState(places, { ...found, servers: [...found.first, ...others], complete: cluster.complete });
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
    const chosen = (names: readonly string[]) => nodes.filter(({ name }) => names.includes(name));
    const through = nodes.find(({ name }) => name === todo.first)!.server;
    const fronts = planBalancers(balancers.map(({ name, balancer }) => ({ name, backend: balancer.siteBackends[site] ?? '' })), fronted.names, found.balancers, cluster);
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
    const theEdges = (chosenNames: readonly string[]) => gateways.filter(({ name }) => chosenNames.includes(name));
    const disconnected = connections.some(({ connected }) => connected.length < gateways.length);
    // Only a login proves a way, so a way of which anything changes is tried.
    const waysChange = gateways.length > 0 && (!isEmptyEdgePlan(opening) || todo.restart.length > 0 || disconnected || serve.length > 0);

    // Starting what stands still, and emptying what an installer left, is no change of configuration.
    const configured = [todo.installFirst, todo.licenseFirst, todo.installOthers, todo.addToCluster, todo.licenseOthers, opening.installFirst, opening.installOthers, opening.license, opening.trust, opening.zone, activate, Object.keys(set), nameless];
    if (cluster.complete && (thresholdDiffers || configured.some((things) => things.length > 0))) await backUp(context, site, chosen(found.hosts.filter(({ installation: state }) => state === 'complete').map(({ node }) => node)));
    if (!isEmptyPlan(todo) || waysChange || Object.keys(set).length > 0 || prepared.length > 0 || serve.length > 0 || activate.length > 0 || thresholdDiffers || nameless.length > 0) {
      await step('Record the epoch beside the database', database.ensureEpoch({ database: target }), { aside: true });
    }

    await forEachNode('Empty what its installation was prepared with: it holds passwords', [...chosen(prepared), ...theEdges(prepared).map(({ name, edge }) => ({ name, server: edge }))], ({ server }) =>
      installation.ensureEmptied({ server }), { key: 'empty-prepared' });
    await forEachNode('Install the first Server with a new schema', chosen(todo.installFirst), ({ server }) =>
      installation.ensureInstalled({ server, installer, database: target }, { limitMs: installMs }), { key: 'install-first' });
    await forEachNode('Install its licences', chosen(todo.licenseFirst), ({ server }) =>
      installation.ensureLicensed({ server, licences: licencesOf(spec.licences) }), { key: 'license-first' });
    await forEachNode('Start its Administration Tool', chosen(todo.startFirstAdmin), ({ server }) =>
      servers.ensureAdminStarted({ server }), { key: 'start-first-admin' });
    if (Object.keys(set).length > 0) await step('Set the shared options of the cluster', servers.ensureOptions({ server: through, options: set }));
    await forEachNode('Install the other Servers on that schema', chosen(todo.installOthers), ({ server }) =>
      installation.ensureInstalled({ server, installer, database: target, taehFrom: through }, { limitMs: installMs }), { key: 'install-others' });
    await forEachNode('See the node in the table: its installation registered it', chosen(todo.registered), ({ server }) =>
      servers.ensureRegistered({ server: through, address: server.address }), { key: 'registered' });
    await forEachNode('Stop the Administration Tool of the new Servers', chosen(todo.stopAdmin), ({ server }) =>
      servers.ensureAdminStopped({ server }), { key: 'stop-admin' });
    await forEachNode('Stop every protocol server and service', chosen(todo.stopServices), ({ server }) =>
      servers.ensureServicesStopped({ server }), { key: 'stop-services' });
    await forEachNode('Add the node to the cluster', chosen(todo.addToCluster), ({ server }) =>
      servers.ensureMember({ server: through, address: server.address }), { key: 'add', parallel: 1 });
    // Adding a node once reset the SSH port of the cluster (reference §16). A new cluster is to be as the product ships it, also where a try before this one was cut off
    // right after the addition; where one that works could not be asked, nobody knows what to put back.
    if (restores && (cluster.complete ? todo.addToCluster.length > 0 && seen.settings !== null : !isEmptyPlan(todo))) {
      await step('Put back what that changed in the settings of the daemons', additions.ensureSettings({ server: through, settings: cluster.complete ? { ...seen.settings, ...options } : options, defaults: !cluster.complete }), { key: 'settings' });
    }
    await forEachNode('Start the Administration Tool of the new Servers', chosen(todo.startAdmin), ({ server }) =>
      servers.ensureAdminStarted({ server }), { key: 'start-admin' });
    await forEachNode('Install the licences of the new Servers', chosen(todo.licenseOthers), ({ server }) =>
      installation.ensureLicensed({ server, licences: licencesOf(spec.licences) }), { key: 'license-others' });
    await nameInCaches(context, nameless);
    await forEachNode('Install the first Edge', theEdges(opening.installFirst), ({ edge }) =>
      edges.ensureInstalled({ edge, installer }, { limitMs: installMs }), { key: 'install-first-edge' });
    await forEachNode('Install the other Edges with its secret file', theEdges(opening.installOthers), ({ edge }) =>
      edges.ensureInstalled({ edge, installer, taehFrom: serverTarget(spec, site, opening.first) }, { limitMs: installMs }), { key: 'install-other-edges' });
    await forEachNode('Install the licences of the Edge', theEdges(opening.license), ({ edge }) =>
      installation.ensureLicensed({ server: edge, licences: edgeLicences }), { key: 'license-edges' });
    await forEachNode('Start the Administration Tool of the Edge', theEdges(opening.startAdmin), ({ edge }) =>
      edges.ensureAdminStarted({ edge }), { key: 'start-edge-admin' });
    await forEachNode('Stop the protocol servers of the Edge', theEdges(opening.stop), ({ edge }) =>
      servers.ensureServicesStopped({ server: edge }), { key: 'stop-edges' });
    await forEachNode('Exchange the CA certificates of the cluster and the Edge', theEdges(opening.trust), ({ edge }) =>
      edges.ensureTrust({ server: through, edge }), { key: 'trust', parallel: 1 });
    await forEachNode('Name the Edge in the network zone of the Servers', theEdges(opening.zone), ({ edge, zone }) =>
      edges.ensureInZone({ server: through, edge, entry: { zone, deploymentSite, protocols } }), { key: 'zone', parallel: 1 });
    const gatewayList = gateways.map(({ name, address, edge }) => ({ node: name, address, adminPort: edge.admin.port }));
    // Histories of set-ups before this was known have no such step.
    const listed = patched('edges-listed') && gateways.length > 1 ? gateways.filter(({ name }) => !cluster.complete || opening.installFirst.includes(name) || opening.installOthers.includes(name)) : [];
    await forEachNode('List the Edges for their synchronisation, the first as the primary', listed, ({ edge }) => edges.ensureListed({ edge, edges: gatewayList }), { key: 'list-edges' });
    await forEachNode('Stop everything, for the restart', chosen(todo.stopAll), ({ server }) =>
      servers.ensureAllStopped({ server }), { key: 'stop-all' });
    for (const wave of todo.restart) {
      const title = wave.includes(todo.first) ? 'Start the first Server and wait until it is Online' : 'Start the Servers and wait until they are Online';
      await forEachNode(title, chosen(wave), ({ server }) => servers.ensureOnline({ server, protocols }), { key: 'online' });
    }
    if (thresholdDiffers) {
      const threshold = { server: through, numberOfNodes: minimumNodes, sendNotification: true };
      await step('Let the product notify below the node threshold', servers.ensureNodeThreshold(threshold));
    }
    await forEachNode('Start the Edge', theEdges(opening.start), ({ edge }) => edges.ensureOnline({ edge, protocols }), { key: 'edge-online' });
    if (waysChange) {
      await forEachNode('Wait until its Transaction Manager is connected to every Edge', nodes, ({ server }) =>
        edges.ensureConnected({ server, edges: doors, protocols }), { key: 'connected' });
    }
    if (waysChange && probe) {
      if (known?.probe !== true) await step('Make the account that the way is tried with', edges.ensureProbeAccount({ server: through, probe }));
      // One after the other: should the password be wrong, it is tried once and not once for each Edge.
      await forEachNode('Log in through the Edge as a partner does', gateways, ({ edge }) => edges.ensureLogin({ edge, probe }), { key: 'login', parallel: 1 });
    }
    await forEachNode(`Let the balancer send to the ${fronted.what}`, serve, ({ balancer, node }) => loadBalancer.ensureServing({ balancer, node }), { key: 'serving' });
    await forEachNode('Let the balancer send to the site', activate, ({ balancer }) => loadBalancer.ensureActiveSite({ balancer, site }), { key: 'active-site' });

    // Histories of set-ups before this was known have no such step.
    const fresh = [...todo.installFirst, ...opening.installFirst, ...opening.installOthers];
    const asked = [{ name: first.name, server: first.server, role: 'server' as const }, ...gateways.map(({ name, edge }) => ({ name, server: edge, role: 'edge' as const }))].filter(({ name }) => !cluster.complete || fresh.includes(name));
    const shipped = patched('shipped-passwords')
      ? (await forEachNode('Try once whether an administrator still has the password it was shipped with', asked, ({ name, server, role }) =>
        administrators.ensureTried({ server, role, database: target, installed: fresh.includes(name) }), { key: 'shipped-passwords', aside: true, planned: [] as ShippedPassword[] })).flat()
      : undefined;

    const others = cluster.complete ? outsiders(spec, site, cluster.members) : [];
    const left = others.length === 0 ? '' : ` ${others.join(', ')} ${others.length === 1 ? 'is' : 'are'} in the cluster file and no member: "stctl add-node".`;
    return {
      summary: `${cluster.name} is set up: ${nodes.length} of ${nodes.length} Servers are Online${behind(gateways.length, probe !== undefined)}.${left}`,
      members: membersOf(spec, site, [...names, ...gateways.map(({ name }) => name)]),
      activeSite: site,
      complete: true,
      ...(cluster.complete ? {} : { byHand: leftByHand(spec, shipped) }),
    };
  }, { parse: (value) => parseInput(setUpClusterInput, value), specOf: ({ spec }): ClusterSpec | undefined => spec });
}

/** What a Server that answers knows of the Edges. */
const waysIn = (known: readonly WayFacts[] = []): WayFacts | undefined => known.find(({ ca }) => ca !== null) ?? known[0];

/** Those of the Servers or of the Edges alone, as an activity takes them. */
const licencesOf = ({ core, features }: LicenceFiles): LicenceFiles => ({ core, features });

const behind = (edgeCount: number, tried: boolean): string =>
  edgeCount === 0 ? '' : `, behind ${edgeCount} Edge${edgeCount === 1 ? '' : 's'}${tried ? '' : '; no probe account is named in the cluster file, so no login has proven the way through them'}`;
