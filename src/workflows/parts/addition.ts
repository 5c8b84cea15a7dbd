/**
 * Adding Servers and Edges to a cluster that works, in the vendor's order (reference §§4, 14): all checks, then a closure with the steps, so that
 * `replaceNode` may check everything before it changes anything. What was begun is undone as long as the new node serves nobody.
 */
import type { AdditionActivities } from '../../activities/additions';
import type { DatabaseActivities } from '../../activities/database';
import type { EdgeActivities } from '../../activities/edges';
import type { FileActivities } from '../../activities/files';
import type { GateActivities } from '../../activities/gates';
import type { HostActivities } from '../../activities/hosts';
import type { InstallationActivities } from '../../activities/installation';
import type { LoadBalancerActivities } from '../../activities/loadBalancer';
import type { NetworkActivities } from '../../activities/network';
import type { ServerActivities } from '../../activities/servers';
import { additionProblems, isEmptyAddition, joiningServers, mayBeZoned, planAddition, serves, settingsProblems, tableProblems } from '../../model/additionPlan';
import { planBalancers, silentBalancer } from '../../model/balancerPlan';
import { compareClocks, type ClockReading } from '../../model/clocks';
import type { Member } from '../../model/cluster';
import { edgeStates, isEmptyEdgePlan, planEdges, zoneProblems } from '../../model/edgePlan';
import { epochProblems, type ServerFacts } from '../../model/facts';
import { hasAddress } from '../../model/fields';
import { memberSite, membersOf } from '../../model/members';
import { edgePorts } from '../../model/ports';
import { balancerTargets, databaseTarget, serverTarget, siteOf } from '../../model/slices';
import type { LicenceFiles } from '../../model/specTypes';
import { drainLimitMs } from '../../model/stopPlan';
import type { ServerTarget } from '../../model/targets';
import { check, checkEachNode, type OperationContext, type OperationInput } from '../operation/context';
import { failure } from '../operation/failures';
import { tasks } from '../operation/tasks';
import { cacheChecks, nameInCaches, unnamed } from './cacheAddress';

const additions = tasks<AdditionActivities>('additions');
const hosts = tasks<HostActivities>('hosts');
const network = tasks<NetworkActivities>('network');
const installation = tasks<InstallationActivities>('installation');
const servers = tasks<ServerActivities>('servers');
const database = tasks<DatabaseActivities>('database');
const files = tasks<FileActivities>('files');
const edges = tasks<EdgeActivities>('edges');
const gates = tasks<GateActivities>('gates');
const loadBalancer = tasks<LoadBalancerActivities>('loadBalancer');

const clockLimitMs = 1_000;
const installMs = 35 * 60_000;
/** How long sessions at a node that is taken back have to end, and what its Transaction Manager works on. */
const undoDrainMs = 60_000;
const undoGracefulSeconds = undoDrainMs / 1_000;
/** A drain, and the stop or the gate after it. */
const withdrawMs = drainLimitMs(undoGracefulSeconds) + 8 * 60_000;

export interface AdditionOptions {
  /** How many nodes at once, where the product lets several; 1 when left out. */
  parallel?: number;
  /** A Server that comes back takes over the local configuration of a peer; else the difference is only told. */
  refreshDaemons?: boolean;
  /** Members that this operation takes out: nobody is asked about them, and nothing counts on them. */
  leaving?: readonly string[];
}

export interface Addition {
  /** The steps; none when there is nothing to do. To be called after every check of the operation. */
  act(): Promise<void>;
  /** Those that are members afterwards and were not, or were already. */
  members: Member[];
  /** Nodes whose debt of a gate is paid: they are no longer to be gated. */
  debtsPaid: string[];
  /** The Server whose files are backed up first, where anything changes; else none. */
  backUpOf: { name: string; server: ServerTarget }[];
}

interface Node {
  name: string;
  address: string;
  server: ServerTarget;
}

/** Makes every check of an addition at once, refuses with all that fail, and answers the steps. Names that are no nodes of the site are refused. */
export async function prepareAddition<I extends OperationInput>(context: OperationContext<I>, site: string, names: readonly string[], options: AdditionOptions = {}): Promise<Addition> {
  const { cluster, checks, step, forEachNode } = context;
  const { spec } = cluster;
  const { parallel = 1, refreshDaemons = false, leaving = [] } = options;
  const whole = siteOf(spec, site);
  const members = cluster.members.filter(({ node }) => !leaving.includes(node));
  const standing = memberSite(spec, site, members);
  const nodesOf = (listed: readonly { name: string; address: string }[]): Node[] => listed.map(({ name, address }) => ({ name, address, server: serverTarget(spec, site, name) }));
  const isNew = ({ name }: { name: string }): boolean => names.includes(name);
  const newServers = nodesOf(whole.servers.filter(isNew));
  const newEdgeSpecs = whole.edges.filter(isNew);
  const newEdges = nodesOf(newEdgeSpecs);
  const strangers = names.filter((name) => ![...newServers, ...newEdges].some((node) => node.name === name));
  if (strangers.length > 0) throw failure('InvalidInput', `${strangers.join(', ')}: no node of that name is in the cluster file, site ${site}. Add it there, "stctl apply", and run this again. Nothing was changed.`);
  const peers = nodesOf(standing.servers).filter((node) => !isNew(node));
  const peerEdges = nodesOf(standing.edges).filter((node) => !isNew(node));
  const joining = [...newServers.map(({ name, address }) => ({ name, address, role: 'server' as const })), ...newEdges.map(({ name, address }) => ({ name, address, role: 'edge' as const }))];

  const { installer, version, protocols } = spec.product;
  const { probe } = spec;
  const front = whole.loadBalancer?.fronts;
  const fronted = (front === 'edges' ? newEdges : newServers).map(({ name }) => name);
  const balancers = fronted.length === 0 ? [] : balancerTargets(spec, site).map((balancer) => ({ name: balancer.name, balancer }));
  const target = databaseTarget(spec, site);
  const shared = whole.sharedFiles.path;
  const portsOf = ({ admin }: ServerTarget) => [admin.port, Number(installer.properties['tomcatShutdownPort'] ?? 8005)];
  const licences = licencesOf(spec.licences);
  const edgeLicences = licencesOf(spec.licences.edge ?? spec.licences);
  const look = { protocols, options: [] };
  const covered = peers.length + newServers.length;
  const theDatabase = [{ address: target.host, port: target.port }];

  const found = await checks({
    addLicence: checkEachNode(`The licences cover ${covered} Servers`, newServers.slice(0, 1), () => installation.checkLicences({ licences, servers: covered })),
    addEdgeLicence: checkEachNode('The licences of the Edges are there', newEdges.slice(0, 1), () => installation.checkLicences({ licences: edgeLicences, servers: 0 })),
    addHosts: checkEachNode('The host is ready', newServers, ({ server }) =>
      hosts.checkHost({ host: server, package: installer.package, sharedPath: shared, version, ports: portsOf(server), peers: theDatabase, clockLimitMs })),
    addEdgeHosts: checkEachNode('The host of the Edge is ready', newEdges, ({ server }) => hosts.checkHost({ host: server, package: installer.package, version, ports: portsOf(server), peers: [], clockLimitMs })),
    addMachines: checkEachNode('Which machine it is', [...peers, ...peerEdges, ...newServers, ...newEdges], ({ server }) => additions.checkMachine({ host: server })),
    addGates: checkEachNode('Whether it was gated when it was removed', [...newServers, ...newEdges], ({ server }) => gates.checkGate({ host: server })),
    addDatabase: check('The database meets the requirements', database.checkDatabase({ database: target })),
    addBalancers: checkEachNode('The balancer knows the new nodes', balancers, ({ balancer }) => loadBalancer.checkBalancer({ balancer, nodes: fronted }), { remedy: silentBalancer }),
    addEdges: checkEachNode('What the Edge does', [...peerEdges, ...newEdges], ({ server }) => edges.checkEdge({ edge: server, protocols })),
    // Alone: wrong passwords on several Servers at once would lock the administrator in the whole cluster.
    addFirst: checkEachNode('What a Server of the cluster does', peers.slice(0, 1), ({ server }) => servers.checkServer({ server, ...look })),
  }, {
    title: 'The new machines are others than those of the cluster',
    problems: (facts, { addHosts = [], addEdgeHosts = [] }) => [
      ...compareClocks([...addHosts, ...addEdgeHosts] as ClockReading[], clockLimitMs),
      ...epochProblems(cluster, [...facts.addMachines.map(({ node, epoch }) => ({ where: node, epoch })), { where: 'the database', epoch: facts.addDatabase?.epoch ?? null }]),
    ],
  });
  const allHosts = [...found.addHosts, ...found.addEdgeHosts];
  const asked = (others: readonly ServerFacts[]): ServerFacts[] => [...found.addFirst, ...others].filter(({ node }) => peers.some(({ name }) => name === node));
  const seen = await checks(
    { addOthers: checkEachNode('What the other Servers do', [...peers.slice(1), ...newServers], ({ server }) => servers.checkServer({ server, ...look })) },
    {
      title: 'The cluster takes the new nodes',
      problems: ({ addOthers }) => {
        const table = asked(addOthers).find(serves)?.members ?? [];
        return [
          ...additionProblems({ cluster: cluster.name, version, members, joining, hosts: allHosts, machines: found.addMachines, servers: asked(addOthers) }),
          ...tableProblems(newServers, { table, hosts: found.addHosts, members }),
        ];
      },
    },
  );
  const serving = asked(seen.addOthers).filter(serves);
  const listed = serving[0]?.members ?? [];
  const through = peers.find(({ name }) => serving[0]?.node === name)!;
  const reachable = ({ name }: Node): boolean => found.addMachines.some((machine) => machine.node === name && machine.reachable);
  const near = peers.filter(reachable);
  const runningEdges = peerEdges.filter(({ name }) => found.addEdges.some((edge) => edge.node === name && edge.daemons));
  const at = ({ name, server: { address, admin } }: Node) => ({ name, address, adminPort: admin.port, later: false });
  const doors = (some: readonly Node[]) => some.map(({ name, address }) => ({ name, address, ports: edgePorts(protocols) }));
  const others = (self: Node): Node[] => [...near, ...newServers.filter(({ name }) => name !== self.name)];
  const isInstalled = (name: string): boolean => allHosts.some(({ node, installation: state }) => node === name && state === 'complete');
  const way = (server: ServerTarget, toServers: Node[], toEdges: Node[], measured: boolean) =>
    network.checkNetwork({ server, peers: toServers.map((peer) => ({ ...at(peer), later: measured })), edges: doors(toEdges), roundTripLimitMs: spec.policies.maximumRoundTrip });
  const settled = await checks({
    addShared: checkEachNode('The shared files are really shared', newServers, ({ server }) => files.checkShared({ writer: through.server, reader: server, path: shared })),
    // All at once: each host answers the others while it asks.
    addWays: checkEachNode('The way to the other machines is open', newServers, (node) => way(node.server, others(node), [...runningEdges, ...newEdges], true)),
    addWaysBack: checkEachNode('The way from the Servers of the cluster is open', near, ({ server }) => way(server, newServers, newEdges, false)),
    addFiles: checkEachNode('What is not in the database is that of its peers', newServers, ({ name, server }) => additions.checkFiles({ server, peer: through.server, installed: isInstalled(name) })),
    addSettings: check('How the daemons of the cluster listen', additions.checkSettings({ server: through.server })),
    addKnown: check('What the Servers know of the Edges', edges.checkWays({ server: through.server, protocols, ...(probe ? { probe: probe.account } : {}) })),
    ...cacheChecks(newServers),
  }, {
    title: 'The network zones name the Edges once, and what an addition changes can be put back',
    problems: ({ addKnown, addSettings }) => [...zoneProblems({ edges: newEdgeSpecs }, addKnown), ...settingsProblems(newServers, { table: listed, through: through.name, settings: addSettings })],
  });

  const states = joiningServers(newServers, { hosts: found.addHosts, servers: seen.addOthers, files: settled.addFiles, gates: found.addGates, licence: found.addLicence[0]!, table: listed });
  const todo = newServers.length === 0 ? planAddition([]) : planAddition(states);
  const opening = planEdges(edgeStates({ edges: newEdgeSpecs, deploymentSite: whole.deploymentSite }, { hosts: found.addEdgeHosts, edges: found.addEdges, licence: found.addEdgeLicence[0]!, ways: settled.addKnown }));
  const fronts = planBalancers(balancers.map(({ name, balancer }) => ({ name, backend: balancer.siteBackends[site] ?? '' })), fronted, found.addBalancers, { complete: false });
  const serve = fronts.serve.map(({ balancer, node }) => ({ name: `${node} at ${balancer}`, node, balancer: balancers.find(({ name }) => name === balancer)!.balancer }));
  const nameless = unnamed(newServers, settled.caches);
  const changes = !isEmptyAddition(todo) || nameless.length > 0 || (newEdges.length > 0 && !isEmptyEdgePlan(opening)) || serve.length > 0;

  const chosen = (some: readonly string[]) => newServers.filter(({ name }) => some.includes(name));
  const theEdges = (some: readonly string[]) => newEdges.filter(({ name }) => some.includes(name));
  const entryOf = (name: string) => ({ zone: newEdgeSpecs.find((edge) => edge.name === name)!.zone, deploymentSite: whole.deploymentSite, protocols });
  const gateOf = (name: string): string => found.addGates.find(({ node }) => node === name)?.gate ?? 'unknown';
  const wasGated = (name: string): boolean => gateOf(name) === 'closed' || gateOf(name) === 'broken';
  const gatedEdges = newEdges.filter(({ name }) => isInstalled(name) && !['open', 'none'].includes(gateOf(name)));
  const settings = settled.addSettings ?? {};
  const edgeSource = peerEdges.find((edge) => reachable(edge))?.server;
  // What serves already is left as it is; what was in the table or in a zone before is not this operation's to take out.
  const stood = ({ name, address }: Node): boolean => (newServers.some((one) => one.name === name) ? hasAddress(listed, address) : mayBeZoned(address, settled.addKnown));
  const apart = (some: Node[]) => [true, false].map((before) => ({ before, some: some.filter((node) => stood(node) === before) }));
  const withdraw = (node: Node) =>
    additions.ensureWithdrawn({ server: through.server, node: node.server, gate: wasGated(node.name), protocols, gracefulSeconds: undoGracefulSeconds }, { limitMs: withdrawMs });
  const withdrawEdge = (edge: Node) => additions.ensureEdgeWithdrawn({ server: through.server, edge: edge.server, gate: wasGated(edge.name) });

  async function act(): Promise<void> {
    if (!changes) return;
    await addServers();
    await addEdges();
    const edgesNow = [...runningEdges, ...newEdges];
    if (todo.start.length > 0 && edgesNow.length > 0) {
      await forEachNode('Wait until its Transaction Manager is connected to every Edge', chosen(todo.start), ({ server }) =>
        edges.ensureConnected({ server, edges: edgesNow.map(({ name, address }) => ({ node: name, address })), protocols }), { key: 'connected' });
    }
    if (newEdges.length > 0) await proveEdges();
    if (!isEmptyAddition(todo)) await step('Compare the settings of the daemons with those before', additions.ensureSettings({ server: through.server, settings, defaults: false }), { key: 'settings' });
    await forEachNode('Let the balancer send to the new node', serve, ({ balancer, node }) =>
      loadBalancer.ensureServing({ balancer, node }), { key: 'serving', parallel, undo: ({ balancer, node }) => loadBalancer.ensureOutOfService({ balancer, node, waitMs: undoDrainMs }) });
  }

  async function addServers(): Promise<void> {
    for (const { before, some } of apart(chosen(todo.install))) {
      await forEachNode('Install the Server on the schema of the cluster', some, ({ server }) =>
        additions.ensureInstalled({ server, installer, database: target, taehFrom: through.server }, { limitMs: installMs }), { key: 'install', parallel, ...(before ? {} : { undo: withdraw }) });
    }
    await forEachNode('Copy what is not in the database from a Server that serves', chosen(todo.copy), ({ server }) =>
      additions.ensureFiles({ server, peer: through.server }, { limitMs: installMs }), { key: 'copy', parallel });
    await forEachNode('Stop everything on the Server to add', chosen(todo.stop), ({ server }) => servers.ensureAllStopped({ server }), { key: 'stop-all', parallel });
    await forEachNode('Add the node to the cluster', chosen(todo.add), ({ address }) =>
      additions.ensureMember({ server: through.server, address, settings }), { key: 'add', parallel: 1, undo: withdraw });
    await forEachNode('Open its gate', chosen(todo.open), ({ server }) => gates.ensureOpened({ host: server }), { key: 'open', parallel });
    await forEachNode('Start its Administration Tool', chosen(todo.startAdmin), ({ server }) => servers.ensureAdminStarted({ server }), { key: 'start-admin', parallel });
    await forEachNode('Install its licences', chosen(todo.license), ({ server }) => installation.ensureLicensed({ server, licences }), { key: 'license', parallel });
    await nameInCaches(context, nameless);
    await forEachNode('Compare its local configuration with that of a peer', chosen(todo.refresh), ({ server }) =>
      additions.ensureDaemonsFresh({ server, peer: through.server, apply: refreshDaemons }), { key: 'refresh', parallel });
    await forEachNode('Start the Server and wait until it is Online', chosen(todo.start), ({ server }) => servers.ensureOnline({ server, protocols }), { key: 'online', parallel });
  }

  async function addEdges(): Promise<void> {
    for (const { before, some } of apart(theEdges([...opening.installFirst, ...opening.installOthers]))) {
      await forEachNode('Install the Edge with the secret file of the others', some, ({ server }) =>
        edges.ensureInstalled({ edge: server, installer, ...(edgeSource ? { taehFrom: edgeSource } : {}) }, { limitMs: installMs }), { key: 'install-edge', parallel, ...(before ? {} : { undo: withdrawEdge }) });
    }
    await forEachNode('Install the licences of the Edge', theEdges(opening.license), ({ server }) => installation.ensureLicensed({ server, licences: edgeLicences }), { key: 'license-edge', parallel });
    for (const { before, some } of apart(gatedEdges)) {
      await forEachNode('Open the gate of the Edge', some, ({ server }) => gates.ensureOpened({ host: server }), { key: 'open-edge', parallel, ...(before ? {} : { undo: withdrawEdge }) });
    }
    await forEachNode('Start the Administration Tool of the Edge', theEdges(opening.startAdmin), ({ server }) => edges.ensureAdminStarted({ edge: server }), { key: 'start-edge-admin', parallel });
    await forEachNode('Stop the protocol servers of the Edge', theEdges(opening.stop), ({ server }) => servers.ensureServicesStopped({ server }), { key: 'stop-edge', parallel });
    await forEachNode('Exchange the CA certificates of the cluster and the Edge', theEdges(opening.trust), ({ server }) =>
      edges.ensureTrust({ server: through.server, edge: server }), { key: 'trust', parallel: 1 });
    for (const { before, some } of apart(theEdges(opening.zone))) {
      await forEachNode('Name the Edge in the network zone of the Servers', some, ({ name, server }) =>
        edges.ensureInZone({ server: through.server, edge: server, entry: entryOf(name) }), { key: 'zone', parallel: 1, ...(before ? {} : { undo: withdrawEdge }) });
    }
    await forEachNode('Start the Edge', theEdges(opening.start), ({ server }) => edges.ensureOnline({ edge: server, protocols }), { key: 'edge-online', parallel });
  }

  /** An Edge that answers its health check may have no Transaction Manager behind it: only a login through it proves the way. */
  async function proveEdges(): Promise<void> {
    await forEachNode('Wait until the Transaction Managers of the cluster are connected to the new Edges', nodesNamed(serving), ({ server }) =>
      edges.ensureConnected({ server, edges: newEdges.map(({ name, address }) => ({ node: name, address })), protocols }), { key: 'connected-edge' });
    if (!probe) return;
    if (settled.addKnown?.probe !== true) await step('Make the account that the way is tried with', edges.ensureProbeAccount({ server: through.server, probe }));
    // One after the other: should the password be wrong, it is tried once and not once for each Edge.
    await forEachNode('Log in through the Edge as a partner does', newEdges, ({ server }) => edges.ensureLogin({ edge: server, probe }), { key: 'login', parallel: 1 });
  }

  const nodesNamed = (some: readonly ServerFacts[]): Node[] => peers.filter(({ name }) => some.some(({ node }) => node === name));
  return {
    act,
    members: membersOf(spec, site, names),
    debtsPaid: cluster.debts.filter((debt) => debt.site === site && debt.what === 'gate' && names.includes(debt.node)).map(({ node }) => node),
    backUpOf: changes ? [{ name: through.name, server: through.server }] : [],
  };
}

/** Those of the Servers or of the Edges alone, as an activity takes them. */
const licencesOf = ({ core, features }: LicenceFiles): LicenceFiles => ({ core, features });
