/** The checks before nodes are stopped: what is installed and runs on every member, what the balancer knows, and what the stop would cut. */
import { heldOutWarnings, silentBalancer, type BalancerFacts } from '../../model/balancerPlan';
import type { Problem } from '../../model/operation';
import { leftOut, type RestartFacts } from '../../model/restartPlan';
import { check, checkEachNode, type OperationContext } from '../operation/context';
import { loadBalancer, restarts, stops } from '../operation/groups';
import type { Site } from './site';

export interface Look {
  /** Those that may be stopped; left out: all. */
  nodes?: readonly string[] | undefined;
  blocking: readonly string[];
  startedBefore?: string | undefined;
  /** What a Transaction Manager that hangs has in process may be cut. */
  acceptActive: boolean;
}

/** Facts of every member, in the order Servers, Edges, and the site with those left out that are out of the balancer, and those at work. `problems` looks at them side by side. */
export async function lookAt({ checks }: Pick<OperationContext<never>, 'checks'>, site: Site, { nodes, blocking, startedBefore, acceptActive }: Look, problems: (facts: RestartFacts[], balancers: BalancerFacts[]) => Problem[]): Promise<{ facts: RestartFacts[]; balancers: BalancerFacts[]; site: Site }> {
  const members = [...site.servers.map((node) => ({ ...node, role: 'server' as const })), ...site.edges.map((node) => ({ ...node, role: 'edge' as const }))];
  const asked = { protocols: site.protocols, ...(startedBefore === undefined ? {} : { startedBefore }) };
  const fronted = (site.fronts === 'edges' ? site.edges : site.servers).map(({ name }) => name);
  const [first, ...others] = members;
  // Alone: wrong passwords on several Servers at once would lock the administrator in the whole cluster.
  const { login } = await checks({ login: check(`What is installed and runs on ${first?.name ?? 'the first Server'}`, restarts.checkNode({ node: first!.target, role: first!.role, ...asked })) });
  const { rest, balancers } = await checks({
    rest: checkEachNode('What is installed and runs', others, ({ target, role }) => restarts.checkNode({ node: target, role, ...asked })),
    balancers: checkEachNode('The balancer knows the nodes', site.balancers, ({ balancer }) => loadBalancer.checkBalancer({ balancer, nodes: fronted }), { silent: silentBalancer }),
  }, { title: 'The cluster can be restarted', problems: (found) => [...problems([login, ...found.rest], found.balancers), ...heldOutWarnings(fronted, found.balancers, { complete: true })] });
  const facts = [login, ...rest];
  // Whom a node serves that does not answer nobody can say.
  const serving = members.filter(({ name }) => (nodes === undefined || nodes.includes(name)) && facts.some(({ node, answers }) => node === name && answers));
  await checks({ work: checkEachNode('What a stop would cut', serving, ({ target, role }) => stops.checkWork({ node: target, role, blocking: [...blocking], acceptActive })) });
  return { facts, balancers, site: { ...site, leftOut: leftOut(facts, balancers), atWork: facts.filter(({ online }) => online).map(({ node }) => node) } };
}
