/** With which Server a cluster comes back all of whose Servers were removed. Reads only. */
import { patched } from '@temporalio/workflow';
import { firstToReturn, hasNoServerLeft, returnProblems } from '../../model/comeBack';
import { epochProblems } from '../../model/facts';
import type { GateFacts } from '../../model/gate';
import { siteOf, serverTarget } from '../../model/slices';
import type { SiteSpec } from '../../model/spec';
import { checkEachNode, type OperationContext } from '../operation/context';
import { failure } from '../operation/failures';
import { gates } from '../operation/groups';

export interface ComeBack {
  /** The site with that one Server, and the Edges that are members. */
  here: SiteSpec;
  gate: GateFacts;
}

/** Undefined where the cluster has Servers, or never had. The others are added to the one by addNode, which compares what they missed. */
export async function checkComeBack<I>({ cluster, checks }: Pick<OperationContext<I>, 'cluster' | 'checks'>, site: string): Promise<ComeBack | undefined> {
  // Histories of set-ups before this was known have no such check.
  if (!hasNoServerLeft(cluster) || !patched('servers-come-back')) return undefined;
  const { spec, members, name: clusterName } = cluster;
  const whole = siteOf(spec, site);
  const debts = cluster.debts.filter((debt) => debt.site === site);
  const found = await checks({
    gates: checkEachNode('What keeps the product from being started', whole.servers, ({ name }) => gates.checkGate({ host: serverTarget(spec, site, name) })),
  }, {
    title: 'One of the removed Servers can come back',
    problems: (facts) => [...returnProblems(clusterName, facts.gates, debts), ...epochProblems(cluster, facts.gates.map(({ node, epoch }) => ({ where: node, epoch })))],
  });
  const gate = firstToReturn(found.gates, debts);
  if (!gate) throw failure('PreconditionFailed', `The cluster file of ${clusterName} lists no Server for ${site}. Nothing was changed.`);
  const isMember = (node: string): boolean => members.some((member) => member.site === site && member.node === node);
  return { gate, here: { ...whole, servers: whole.servers.filter(({ name }) => name === gate.node), edges: whole.edges.filter(({ name }) => isMember(name)) } };
}
