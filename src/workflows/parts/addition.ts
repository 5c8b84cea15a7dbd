/**
 * Adding Servers and Edges to a cluster that works, in the vendor's order (reference §§4, 14): all checks, then a closure with the steps, so that
 * `replaceNode` may check everything before it changes anything. What was begun is undone as long as the new node serves nobody.
 */
import { patched } from '@temporalio/workflow';
import { isEmptyAddition } from '../../model/additionPlan';
import type { Member } from '../../model/cluster';
import { membersOf } from '../../model/members';
import { databaseTarget, licencesOf, siteOf } from '../../model/slices';
import { drainLimitMs } from '../../model/stopPlan';
import type { ServerTarget } from '../../model/targets';
import type { OperationContext, OperationInput } from '../operation/context';
import { additions, edges, gates, installation, loadBalancer, servers } from '../operation/groups';
import { checkAddition, type Node } from './additionChecks';
import { nameInCaches } from './cacheAddress';

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
  /** What the product lets only a person do for the new Edges. */
  byHand: string[];
  /** The Server whose files are backed up first, where anything changes; else none. */
  backUpOf: { name: string; server: ServerTarget }[];
}

/** Makes every check of an addition at once, refuses with all that fail, and answers the steps. Names that are no nodes of the site are refused. */
export async function prepareAddition<I extends OperationInput>(context: OperationContext<I>, site: string, names: readonly string[], options: AdditionOptions = {}): Promise<Addition> {
  const { cluster, step, forEachNode } = context;
  const { spec } = cluster;
  const { parallel = 1, refreshDaemons = false, leaving = [] } = options;
  const view = await checkAddition(context, site, names, leaving);
  const { newServers, newEdges, through, serving, runningEdges, peerEdges, reachableEdges, todo, opening, serve, nameless, gatedEdges, settings, edgeSource, probeIsThere, changes } = view;
  const { installer, version, protocols } = spec.product;
  const { probe } = spec;
  const { deploymentSite } = siteOf(spec, site);
  const target = databaseTarget(spec, site);
  const licences = licencesOf(spec.licences);
  const edgeLicences = licencesOf(spec.licences.edge ?? spec.licences);

  const chosen = (some: readonly string[]) => newServers.filter(({ name }) => some.includes(name));
  const theEdges = (some: readonly string[]) => newEdges.filter(({ name }) => some.includes(name));
  const entryOf = (name: string) => ({ zone: view.zoneOf(name), deploymentSite, protocols });
  // What serves already is left as it is.
  const apart = (some: Node[]) => [true, false].map((before) => ({ before, some: some.filter((node) => view.stood(node) === before) }));
  const withdraw = (node: Node) =>
    additions.ensureWithdrawn({ server: through.server, node: node.server, gate: view.wasGated(node.name), protocols, gracefulSeconds: undoGracefulSeconds }, { limitMs: withdrawMs });
  const withdrawEdge = (edge: Node) => additions.ensureEdgeWithdrawn({ server: through.server, edge: edge.server, gate: view.wasGated(edge.name) });

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
    await listEdges();
  }

  /** Last, since those alone are listed that serve, and what could not be listed is no reason to take one back: set-ups compare the lists and tell. */
  async function listEdges(): Promise<void> {
    const all = [...peerEdges, ...newEdges].map(({ name, address, server }) => ({ node: name, address, adminPort: server.admin.port }));
    // Histories of additions before this was known have no such step.
    if (newEdges.length === 0 || all.length < 2 || !patched('later-edges-listed')) return;
    const added = all.slice(peerEdges.length);
    // Of two Edges or more without a list somebody wants it so; a single one had nobody to be synchronised with.
    await forEachNode('List the new Edge where the Edges are synchronised', [...reachableEdges, ...newEdges], ({ server }) =>
      (peerEdges.length > 1 && edgeSource ? edges.ensureAlsoListed({ edge: server, from: edgeSource, added }) : edges.ensureListed({ edge: server, edges: all })), { key: 'list-edges', need: 'best-effort' });
  }

  async function addServers(): Promise<void> {
    for (const { before, some } of apart(chosen(todo.install))) {
      await forEachNode('Install the Server on the schema of the cluster', some, ({ server }) =>
        additions.ensureInstalled({ server, installer, version, database: target, taehFrom: through.server }, { limitMs: installMs }), { key: 'install', parallel, ...(before ? {} : { undo: withdraw }) });
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
        edges.ensureInstalled({ edge: server, installer, version, ...(edgeSource ? { taehFrom: edgeSource } : {}) }, { limitMs: installMs }), { key: 'install-edge', parallel, ...(before ? {} : { undo: withdrawEdge }) });
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
    await forEachNode('Wait until the Transaction Managers of the cluster are connected to the new Edges', serving, ({ server }) =>
      edges.ensureConnected({ server, edges: newEdges.map(({ name, address }) => ({ node: name, address })), protocols }), { key: 'connected-edge' });
    if (!probe) return;
    if (!probeIsThere) await step('Make the account that the way is tried with', edges.ensureProbeAccount({ server: through.server, probe }));
    // One after the other: should the password be wrong, it is tried once and not once for each Edge.
    await forEachNode('Log in through the Edge as a partner does', newEdges, ({ server }) => edges.ensureLogin({ edge: server, probe }), { key: 'login', parallel: 1 });
  }

  const unsynchronised = newEdges.map(({ name }) => name).filter((name) => !cluster.members.some((member) => member.site === site && member.node === name));
  return {
    act,
    byHand: unsynchronised.length > 0 && peerEdges.length + newEdges.length > 1 ? [`where the Edges are synchronised: "Synchronize All" in the Administration Tool of the primary, for ${unsynchronised.join(', ')}`] : [],
    members: membersOf(spec, site, names),
    debtsPaid: cluster.debts.filter((debt) => debt.site === site && debt.what === 'gate' && names.includes(debt.node)).map(({ node }) => node),
    backUpOf: changes ? [{ name: through.name, server: through.server }] : [],
  };
}
