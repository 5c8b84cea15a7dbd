/**
 * Takes Servers and Edges out of a cluster (reference §5): out of the balancer, stopped gracefully in the product's order, out of the node table or the zones, stopped
 * whole, gated. A node that does not answer is removed too: nothing is claimed of it, and the gate it should have is a debt until it answers.
 *
 * Up to the node table everything is undone when it fails: the node is started and served again. From there on the way is forward only, since to put a node back is to
 * add it (its Administration Tool and Transaction Manager down, its settings compared), which is an operation of its own; half a removal undone would be a Server that
 * works outside of its cluster. What is left then is to stop and gate a host; should that host die meanwhile, a person who skips the step makes a debt of it.
 */
import type { Debt, Member } from '../../model/cluster';
import type { Outcome, Task } from '../../model/operation';
import { isShut, type RemovalRules, type Role } from '../../model/removalPlan';
import { leftByEdges, leftByRemoval, leftWithoutServer } from '../../model/removalText';
import { defaultGracefulMs } from '../../model/removeNodeInput';
import { shorten } from '../../model/shorten';
import { databaseTarget, siteOf } from '../../model/slices';
import { drainLimitMs, roomFor, type Room } from '../../model/stopPlan';
import type { ServerTarget } from '../../model/targets';
import type { OperationContext } from '../operation/context';
import { database, edges, gates, loadBalancer, servers, stops } from '../operation/groups';
import { checkRemoval, type RemovalInput, type RemovalView, type RemovedNode } from './removalChecks';

const hostMs = 10 * 60_000;
const deadMs = 1_000;

const gracefulSecondsOf = (input: RemovalInput): number => Math.ceil((input.gracefulTimeout ?? defaultGracefulMs) / 1_000);

export interface Removal {
  /** Members that go, in the order of the cluster file. */
  leaving: string[];
  /** Those of them that do not answer: Unknown. */
  unknown: string[];
  /** What is left for a person. */
  byHand: string[];
  /** Who belongs to the cluster afterwards. */
  members: Member[];
  /** Whose files are worth a backup before: the Server that is asked, and the Servers that go and answer. None where no member goes. */
  backUp: { name: string; server: ServerTarget }[];
  /** Performs the steps; answers what hosts owe afterwards, whole, and which nodes paid what they owed. */
  act(): Promise<{ debts: Debt[]; paid: string[] }>;
}

/** Makes all checks of a removal. `coming`: how many nodes the same run adds afterwards. */
export async function prepareRemoval(context: OperationContext<RemovalInput>, site: string, names: readonly string[], coming: RemovalRules['coming'] = { servers: 0, edges: 0 }): Promise<Removal> {
  const view = await checkRemoval(context, site, names, coming);
  const { plan, nodes, through, stay } = view;
  const members = context.cluster.members.filter((member) => member.site !== site || !names.includes(member.node));
  const goneServers = coming.servers > 0 ? [] : nodes.filter(({ name, role }) => role === 'server' && plan.members.includes(name)).map(({ name }) => name);
  const backUp = [...stay.server.filter(({ server }) => server.node === through?.node), ...nodes.filter(({ name, role }) => role === 'server' && plan.drain.includes(name))];
  return {
    leaving: plan.members,
    unknown: plan.unknown,
    byHand: [...leftWithoutServer(context.cluster.name, goneServers, members), ...leftByRemoval(context.cluster.name, plan.unknown), ...leftByEdges(nodes.filter(({ name, role }) => role === 'edge' && plan.members.includes(name)).map(({ name }) => name), stay.edge.map(({ name }) => name))],
    members,
    backUp: through && plan.members.length > 0 ? backUp.map(({ name, server }) => ({ name, server })) : [],
    async act() {
      if (through) await leave(context, site, view, through);
      return shut(context, site, view);
    },
  };
}

/** From a member that serves to one that nobody counts on. */
async function leave({ cluster: { spec }, step, forEachNode, pointOfNoReturn, input }: OperationContext<RemovalInput>, site: string, view: RemovalView, through: ServerTarget): Promise<void> {
  const { nodes, plan, rules, stay } = view;
  const { protocols } = spec.product;
  const gracefulSeconds = gracefulSecondsOf(input);
  const limitMs = drainLimitMs(gracefulSeconds);
  const room = (role: Role): Room => roomFor(role, stay[role].map(({ server }) => server), role === 'server' ? rules.minimumNodes : 1, protocols);
  const kept = (role: Role): { room?: Room } => (rules.force ? {} : { room: room(role) });
  const drain = ({ role, server }: RemovedNode): Task<Outcome> => (role === 'server'
    ? stops.ensureDrained({ server, protocols, gracefulSeconds, acceptActive: rules.acceptActive, ...kept(role) }, { limitMs })
    : stops.ensureEdgeDrained({ edge: server, protocols, gracefulSeconds, ...kept(role) }, { limitMs }));
  const start = ({ role, server }: RemovedNode): Task<Outcome> => (role === 'server' ? servers.ensureOnline({ server, protocols }, { limitMs }) : edges.ensureOnline({ edge: server, protocols }, { limitMs }));
  const fronts = view.balancers.flatMap(({ name: at, balancer }) => view.fronted.map(({ name, role, server }) => ({
    name: `${name} at ${at}`, node: name, role, target: server, balancer, served: view.found.some((facts) => facts.name === at && facts.serving.includes(name)),
  })));
  const drained = nodes.filter(({ name }) => plan.drain.includes(name));
  const goes = (role: Role): RemovedNode[] => nodes.filter((node) => node.out && node.role === role);

  await step('Record the epoch beside the database', database.ensureEpoch({ database: databaseTarget(spec, site) }), { key: 'removal-epoch', aside: true });
  if (!rules.force) {
    await forEachNode('See that enough others are Online', nodes.filter(({ name }) => plan.online.includes(name)), ({ role, server }) => stops.ensureRoom({ node: server, room: room(role) }), { key: 'room', aside: true });
  }
  // What did not serve before is not made to serve by an undo.
  for (const served of [true, false]) {
    await forEachNode('Let the balancer send nobody to it, and wait for its sessions', fronts.filter((front) => front.served === served), ({ balancer, node }) =>
      // Sessions at a node that does not answer end by nobody's doing.
      loadBalancer.ensureOutOfService({ balancer, node, waitMs: plan.unknown.includes(node) ? deadMs : gracefulSeconds * 1_000 }, { limitMs }), { key: 'out-of-service', ...(served ? { undo: ({ balancer, node, role, target }) => loadBalancer.ensureServing({ balancer, node, proof: { target, role, protocols, ...(spec.probe ? { probe: spec.probe } : {}) } }) } : {}) });
  }
  for (const role of ['edge', 'server'] as const) {
    for (const online of [true, false]) {
      await forEachNode(`Stop the ${role === 'edge' ? 'Edge' : 'Server'} gracefully`, drained.filter((node) => node.role === role && plan.online.includes(node.name) === online), drain, { key: 'drain', ...(online ? { undo: start } : {}) });
    }
  }
  await forEachNode('Look for files that were left in process', drained.filter(({ role }) => role === 'server'), ({ server }) =>
    stops.ensureSwept({ server, sharedPath: siteOf(spec, site).sharedFiles.path, release: input.sweep === true }, { limitMs: hostMs }), { key: 'sweep', aside: true });
  pointOfNoReturn();
  await forEachNode('Remove the Server from the table of nodes', goes('server'), ({ address }) => servers.ensureNotMember({ server: through, address }), { key: 'unlist', parallel: 1 });
  await forEachNode('Take the Edge out of the network zones of the Servers', goes('edge'), ({ name, address }) =>
    edges.ensureOutOfZones({ server: through, edge: { node: name, address } }), { key: 'unzone', parallel: 1 });
}

/** Stops and gates every host that answers; all others owe it. */
async function shut({ cluster: { spec, debts }, forEachNode, input }: OperationContext<RemovalInput>, site: string, { nodes, plan, gates: found }: RemovalView): Promise<{ debts: Debt[]; paid: string[] }> {
  const { protocols } = spec.product;
  const gracefulSeconds = gracefulSecondsOf(input);
  const hosts = nodes.filter(({ name }) => plan.gate.includes(name));
  await forEachNode('Stop everything on it', hosts, ({ name, role, server }) => (role === 'server' && plan.drain.includes(name)
    // Forward only: what does not end within its time is named, and cut.
    ? gates.ensureStopped({ host: server, drained: { protocols, gracefulSeconds, acceptActive: true } }, { limitMs: hostMs + drainLimitMs(gracefulSeconds) })
    : gates.ensureStopped({ host: server }, { limitMs: hostMs })), { key: 'stop-all' });
  // A person may have skipped one, which then answers nothing.
  const gated: (boolean | undefined)[] = await forEachNode('Gate its start commands', hosts, ({ server }) => gates.ensureGated({ host: server }, { limitMs: hostMs }), { key: 'gate', planned: true });
  const done = hosts.filter((_, index) => gated[index] === true).map(({ name }) => name);
  const since = new Date().toISOString();
  const news = nodes.filter(({ name, member }) => member && !done.includes(name)).map(({ name, address }): Debt => ({
    site, node: name, address, what: 'gate', since,
    because: plan.unknown.includes(name) ? `it did not answer when it was removed (${shorten(found.find(({ node }) => node === name)?.why ?? '', 250)})` : 'stopping or gating it was skipped by a person',
  }));
  // A host that never had a product, or is gated by now, owes nothing either.
  const free = nodes.filter(({ name }) => done.includes(name) || found.some((facts) => facts.node === name && isShut(facts))).map(({ name }) => name);
  const stand = debts.filter((debt) => debt.site !== site || ![...free, ...news.map(({ node }) => node)].includes(debt.node));
  return { debts: [...stand, ...news], paid: debts.filter((debt) => debt.site === site && free.includes(debt.node)).map(({ node }) => node) };
}
