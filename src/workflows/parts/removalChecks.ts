/** What must be known before nodes are taken out of a cluster, and what refuses it. Reads only. */
import { hasNoServerLeft } from '../../model/comeBack';
import { silentBalancer, type BalancerFacts } from '../../model/balancerPlan';
import { epochProblems, type EdgeFacts, type ServerFacts } from '../../model/facts';
import type { GateFacts } from '../../model/gate';
import { memberSite, membersOf } from '../../model/members';
import type { Problem } from '../../model/operation';
import { goesOut, planRemoval, removalProblems, type Answering, type Leaving, type RemovalFound, type RemovalPlan, type RemovalRules, type Role } from '../../model/removalPlan';
import type { RemovalOptions } from '../../model/removeNodeInput';
import { balancerTargets, serverTarget, siteOf } from '../../model/slices';
import type { BalancerTarget, ServerTarget } from '../../model/targets';
import { checkEachNode, type ClusterView, type OperationContext, type OperationInput } from '../operation/context';
import { failure } from '../operation/failures';
import { edges, gates, loadBalancer, servers, stops } from '../operation/groups';

export interface RemovalInput extends OperationInput, RemovalOptions {}

export interface RemovedNode {
  name: string;
  role: Role;
  address: string;
  member: boolean;
  owes: boolean;
  server: ServerTarget;
  /** Taken out: a member, or one whose host is not shut. */
  out: boolean;
}

interface Staying {
  name: string;
  server: ServerTarget;
}

export interface RemovalView {
  nodes: RemovedNode[];
  stay: Record<Role, Staying[]>;
  plan: RemovalPlan;
  /** The Server that is asked to forget the others; missing only where none goes out. */
  through: ServerTarget | undefined;
  gates: GateFacts[];
  balancers: { name: string; balancer: BalancerTarget }[];
  /** Of the balancers that have to do with nodes that go. */
  found: BalancerFacts[];
  /** Those that go out and that a balancer names. */
  fronted: RemovedNode[];
  rules: RemovalRules;
}

export async function checkRemoval(context: OperationContext<RemovalInput>, site: string, names: readonly string[], coming: RemovalRules['coming']): Promise<RemovalView> {
  const { cluster, checks, input } = context;
  const { spec } = cluster;
  const whole = siteOf(spec, site);
  requireNamed(cluster.name, [...whole.servers, ...whole.edges].map(({ name }) => name), names);
  // A record that was lost knows nobody, and whoever serves then would look like one that does not belong.
  if (cluster.members.length === 0 && cluster.debts.length === 0) throw failure('PreconditionFailed', `The record of ${cluster.name} knows no members. Nothing was changed. Run setUpCluster (or adoptCluster) first: it finds who belongs to the cluster.`);
  const { protocols } = spec.product;
  const rules: RemovalRules = { minimumNodes: spec.policies.minimumNodes, force: input.force === true, acceptActive: input.acceptActive === true, coming };
  const here = memberSite(spec, site, cluster.members);
  const isMember = (name: string): boolean => [...here.servers, ...here.edges].some((node) => node.name === name);
  const asked = membersOf(spec, site, names).map(({ node, role, address }) => ({ node, role, address, member: isMember(node), owes: cluster.debts.some((debt) => debt.node === node && debt.site === site) }));
  const staying = (them: readonly { name: string }[]): Staying[] => them.filter(({ name }) => !names.includes(name)).map(({ name }) => ({ name, server: serverTarget(spec, site, name) }));
  const stay = { server: staying(here.servers), edge: staying(here.edges) };

  const { gates: closed } = await checks({
    gates: checkEachNode('What keeps the product from being started', asked.map(({ node }) => ({ name: node })), ({ name }) => gates.checkGate({ host: serverTarget(spec, site, name) })),
  });
  const nodes = asked.map(({ node, ...rest }): RemovedNode => ({ ...rest, name: node, server: serverTarget(spec, site, node), out: goesOut({ node, ...rest }, closed) }));
  const goes = (role: Role): RemovedNode[] => nodes.filter((node) => node.out && node.role === role);
  const fronted = whole.loadBalancer?.fronts === 'edges' ? goes('edge') : goes('server');
  const balancers = fronted.length > 0 ? balancerTargets(spec, site).map((balancer) => ({ name: balancer.name, balancer })) : [];
  const leave = nodes.some(({ out }) => out);
  // One Server alone at first: wrong passwords on several at once would lock the administrator in the whole cluster.
  const [first, ...rest] = leave ? [...stay.server, ...goes('server')] : [];
  const lookAt = (title: string, them: readonly Staying[]) => checkEachNode(title, them, ({ server }) => servers.checkServer({ server, protocols, options: [] }));

  const found = await checks({
    first: lookAt('What the first Server does', first ? [first] : []),
    edges: checkEachNode('What the Edge does', goes('edge').length > 0 ? [...stay.edge, ...goes('edge')] : [], ({ name, server }) =>
      edges.checkEdge({ edge: server, protocols, ...(stay.edge.some((one) => one.name === name) ? { connections: true } : {}) })),
    balancers: checkEachNode('The balancer knows the nodes', balancers, ({ balancer }) => loadBalancer.checkBalancer({ balancer, nodes: fronted.map(({ name }) => name) }), { silent: silentBalancer }),
  }, {
    title: 'No later operation has acted here',
    problems: (facts) => epochProblems(cluster, [...closed.map(({ node, epoch }) => ({ where: node, epoch })), ...facts.balancers.map(({ name, epoch }) => ({ where: name, epoch }))]),
  });
  const leaving = nodes.map(({ name, role, member, owes }): Leaving => ({ node: name, role, member, owes }));
  const answersWith = (others: readonly ServerFacts[]): Answering[] => [...[...found.first, ...others].map(ofServer), ...found.edges.map(ofEdge)];
  const stateWith = (others: readonly ServerFacts[]): RemovalFound => {
    const answers = answersWith(others);
    const known = (role: Role) => answers.filter(({ node }) => stay[role].some(({ name }) => name === node)).map((answer) => ({ ...answer, role }));
    return { leaving, gates: closed, answers: answers.filter(({ node }) => names.includes(node)), stay: [...known('server'), ...known('edge')], balancers: found.balancers };
  };
  /** Another Server that answers; the very last one can only be asked itself. */
  const throughWith = (others: readonly ServerFacts[]): ServerTarget | undefined => {
    const answering = answersWith(others).filter(({ admin }) => admin === 'running').map(({ node }) => node);
    return (stay.server.length > 0 ? stay.server : goes('server')).find(({ name }) => answering.includes(name))?.server;
  };
  const { others } = await checks({ others: lookAt('What the other Servers do', rest) }, {
    title: 'The cluster can spare them',
    problems: (facts) => [...removalProblems(stateWith(facts.others), rules), ...(leave && !throughWith(facts.others) ? [nobodyToAsk(cluster)] : [])],
  });
  const plan = planRemoval(stateWith(others));
  await checks({ work: checkEachNode('What the stop would cut', nodes.filter(({ name }) => plan.drain.includes(name)), ({ server, role }) => stops.checkWork({ node: server, role, blocking: input.blocking ?? [], acceptActive: rules.acceptActive })) });
  return { nodes, stay, plan, through: throughWith(others), gates: closed, balancers, found: found.balancers, fronted, rules };
}

function requireNamed(cluster: string, known: readonly string[], names: readonly string[]): void {
  const strange = names.filter((name) => !known.includes(name));
  if (strange.length > 0) throw failure('PreconditionFailed', `${strange.join(', ')} ${strange.length === 1 ? 'is' : 'are'} not in the cluster file of ${cluster}, which has ${known.join(', ')}. Nothing was changed.`);
}

const ofServer = ({ node, admin, tm, daemons }: ServerFacts): Answering => ({ node, admin, online: admin === 'running' && tm && daemons });
const ofEdge = ({ node, admin, daemons, served }: EdgeFacts): Answering => ({ node, admin: admin ? 'running' : 'not running', online: admin && daemons, ...(served === undefined ? {} : { served }) });

const nobodyToAsk = (cluster: ClusterView): Problem => ({ what: 'no Server answers through which they could be taken out of the cluster', remedy: hasNoServerLeft(cluster) ? `none is left: "stctl set-up-cluster ${cluster.name}" brings one back` : 'start the Administration Tool of one' });
