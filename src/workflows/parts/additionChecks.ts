/** The checks of an addition, all at once, and what they come to: which nodes are new, what is to be done to each, and by which Server of the cluster. */
import { additionProblems, isEmptyAddition, joiningServers, mayBeZoned, planAddition, serves, settingsProblems, tableProblems } from '../../model/additionPlan';
import { planBalancers, silentBalancer } from '../../model/balancerPlan';
import { compareClocks, type ClockReading } from '../../model/clocks';
import { edgeStates, isEmptyEdgePlan, planEdges, zoneProblems } from '../../model/edgePlan';
import { epochProblems, type ServerFacts } from '../../model/facts';
import { hasAddress } from '../../model/fields';
import { memberSite } from '../../model/members';
import { edgePorts } from '../../model/ports';
import { balancerTargets, databaseTarget, licencesOf, serverTarget, siteOf } from '../../model/slices';
import type { BalancerTarget, ServerTarget } from '../../model/targets';
import { check, checkEachNode, type OperationContext, type OperationInput } from '../operation/context';
import { failure } from '../operation/failures';
import { additions, database, edges, files, gates, hosts, installation, loadBalancer, network, servers } from '../operation/groups';
import { cacheChecks, unnamed } from './cacheAddress';

const clockLimitMs = 1_000;

export interface Node {
  name: string;
  address: string;
  server: ServerTarget;
}

/** What the checks came to. */
export interface AdditionView {
  newServers: Node[];
  newEdges: Node[];
  /** The Server of the cluster that is asked and taken as the pattern. */
  through: Node;
  /** Servers of the cluster whose Transaction Managers work; Edges of it that let partners in. */
  serving: Node[];
  runningEdges: Node[];
  /** Edges that are members, and those of them whose hosts answer. */
  peerEdges: Node[];
  reachableEdges: Node[];
  todo: ReturnType<typeof planAddition>;
  opening: ReturnType<typeof planEdges>;
  serve: { name: string; node: string; balancer: BalancerTarget }[];
  nameless: Node[];
  gatedEdges: Node[];
  /** How the daemons of the cluster listen. */
  settings: Record<string, string[]>;
  /** The Edge whose secret file the new ones import. */
  edgeSource: ServerTarget | undefined;
  probeIsThere: boolean;
  /** Anything is to be done. */
  changes: boolean;
  /** It was in the table or in a zone before: not this operation's to take out. */
  stood(node: Node): boolean;
  wasGated(name: string): boolean;
  zoneOf(name: string): string;
}

/** Makes every check of an addition at once and refuses with all that fail. `leaving`: members that the same operation takes out. Names that are no nodes of the site are refused. */
export async function checkAddition<I extends OperationInput>({ cluster, checks }: OperationContext<I>, site: string, names: readonly string[], leaving: readonly string[]): Promise<AdditionView> {
  const { spec } = cluster;
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
    addBalancers: checkEachNode('The balancer knows the new nodes', balancers, ({ balancer }) => loadBalancer.checkBalancer({ balancer, nodes: fronted }), { silent: silentBalancer }),
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
  const reachableEdges = peerEdges.filter(reachable);
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

  const gateOf = (name: string): string => found.addGates.find(({ node }) => node === name)?.gate ?? 'unknown';
  return {
    newServers, newEdges, through, runningEdges, peerEdges, reachableEdges, todo, opening, serve, nameless, changes,
    serving: peers.filter(({ name }) => serving.some(({ node }) => node === name)),
    gatedEdges: newEdges.filter(({ name }) => isInstalled(name) && !['open', 'none'].includes(gateOf(name))),
    settings: settled.addSettings ?? {},
    edgeSource: reachableEdges[0]?.server,
    probeIsThere: settled.addKnown?.probe === true,
    stood: ({ name, address }) => (newServers.some((one) => one.name === name) ? hasAddress(listed, address) : mayBeZoned(address, settled.addKnown)),
    wasGated: (name) => gateOf(name) === 'closed' || gateOf(name) === 'broken',
    zoneOf: (name) => newEdgeSpecs.find((edge) => edge.name === name)!.zone,
  };
}
