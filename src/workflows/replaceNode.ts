/**
 * Takes a node out, dead or alive, and adds another one in its place, as one run: what would refuse the addition is known before anything is removed.
 *
 * The removal comes first, since the licence counts both. After it the way is forward only, for the addition too: its undo would lead to a cluster that lacks a node.
 */
import type { OperationReport } from '../model/operation';
import { hasNoServerLeft, noServerLeft } from '../model/comeBack';
import { parseInput } from '../model/inputs';
import { replacementSummary } from '../model/removalText';
import { replaceNodeInput, type ReplaceNodeInput } from '../model/replaceNodeInput';
import { siteOf, workingSite } from '../model/slices';
import type { ClusterSpec } from '../model/spec';
import { backUp } from './operation/backUp';
import { failure } from './operation/failures';
import { operation } from './operation/operation';
import { prepareAddition } from './parts/addition';
import { prepareRemoval } from './parts/removal';

export async function replaceNode(raw: unknown): Promise<OperationReport> {
  return operation<ReplaceNodeInput>('replaceNode', raw, async (context) => {
    const { cluster, input: { node, by, refreshDaemons } } = context;
    if (hasNoServerLeft(cluster)) throw failure('PreconditionFailed', noServerLeft(cluster.name));
    const site = workingSite(cluster);
    const isMember = (name: string): boolean => cluster.members.some((member) => member.site === site && member.node === name);
    const role = roleOf(cluster.spec, site, by);
    requireExchange({ node, by, role, roleOfNode: roleOf(cluster.spec, site, node), cluster: cluster.name, both: isMember(node) && isMember(by) });
    const coming = isMember(by) ? { servers: 0, edges: 0 } : { servers: role === 'Server' ? 1 : 0, edges: role === 'Edge' ? 1 : 0 };
    const removal = await prepareRemoval(context, site, [node], coming);
    // Run again after it was done: only what the old host may still owe is left.
    const addition = isMember(by) ? undefined : await prepareAddition(context, site, [by], { leaving: [node], ...(refreshDaemons === undefined ? {} : { refreshDaemons }) });
    const files = [...removal.backUp, ...(addition?.backUpOf ?? [])];
    await backUp(context, site, files.filter(({ name }, index) => files.findIndex((other) => other.name === name) === index), { silent: removal.unknown });
    const { debts } = await removal.act();
    await addition?.act();
    const byHand = [...removal.byHand, ...(addition?.byHand ?? [])];
    return {
      summary: replacementSummary(cluster.name, { node, by, unknown: removal.unknown, done: addition !== undefined, debts }),
      members: [...removal.members, ...(addition?.members ?? [])],
      debts: debts.filter((debt) => debt.site !== site || !addition?.debtsPaid.includes(debt.node)),
      ...(byHand.length > 0 ? { byHand } : {}),
    };
  }, { parse: (value) => parseInput(replaceNodeInput, value), about: ({ node, by }) => [node, by] });
}

function roleOf(spec: ClusterSpec, site: string, name: string): 'Server' | 'Edge' | undefined {
  const { servers, edges } = siteOf(spec, site);
  if (servers.some((one) => one.name === name)) return 'Server';
  return edges.some((one) => one.name === name) ? 'Edge' : undefined;
}

function requireExchange({ node, by, role, roleOfNode, cluster, both }: { node: string; by: string; role: string | undefined; roleOfNode: string | undefined; cluster: string; both: boolean }): void {
  const refuse = (why: string): never => { throw failure('PreconditionFailed', `${why} Nothing was changed.`); };
  if (role === undefined) refuse(`${by} is not in the cluster file of ${cluster}: add it there, "stctl apply", and run this again.`);
  if (both) refuse(`${by} is a member of ${cluster} already and can't take the place of ${node}: name one that is none; or only remove ${node}: "stctl remove-node -c ${cluster} ${node}".`);
  if (roleOfNode !== undefined && role !== roleOfNode) refuse(`${by} is ${role === 'Edge' ? 'an Edge' : 'a Server'} and ${node} is ${roleOfNode === 'Edge' ? 'an Edge' : 'a Server'}: one is replaced by its like.`);
}
