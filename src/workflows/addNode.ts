/** Adds Servers and Edges to a cluster that works (reference §§4, 14). Run again it does only what is missing; what failed before a node served is taken back. */
import { addNodeInput, type AddNodeInput } from '../model/addNodeInput';
import { hasNoServerLeft, noServerLeft } from '../model/comeBack';
import { parseInput } from '../model/inputs';
import { databaseTarget, workingSite } from '../model/slices';
import type { OperationReport } from '../model/operation';
import { backUp } from './operation/backUp';
import { failure } from './operation/failures';
import { operation } from './operation/operation';
import { database } from './operation/groups';
import { prepareAddition } from './parts/addition';

export async function addNode(raw: unknown): Promise<OperationReport> {
  return operation<AddNodeInput>('addNode', raw, async (context) => {
    const { input, cluster, step } = context;
    const { nodes, parallel, refreshDaemons } = input;
    if (hasNoServerLeft(cluster)) throw failure('PreconditionFailed', noServerLeft(cluster.name));
    if (!cluster.complete || cluster.members.length === 0) throw failure('PreconditionFailed', `${cluster.name} was never set up: nodes are added to a cluster that works. Set it up first: "stctl set-up-cluster ${cluster.name}". Nothing was changed.`);
    const site = workingSite(cluster);
    const addition = await prepareAddition(context, site, nodes, { ...(parallel === undefined ? {} : { parallel }), ...(refreshDaemons === undefined ? {} : { refreshDaemons }) });
    if (addition.backUpOf.length > 0) {
      await backUp(context, site, addition.backUpOf);
      await step('Record the epoch beside the database', database.ensureEpoch({ database: databaseTarget(cluster.spec, site) }), { aside: true });
    }
    await addition.act();

    const known = cluster.members.filter((member) => !addition.members.some(({ site: at, node }) => at === member.site && node === member.node));
    const members = [...known, ...addition.members];
    const count = (role: 'server' | 'edge'): number => members.filter((member) => member.site === site && member.role === role).length;
    return {
      summary: `${nodes.join(', ')} ${nodes.length === 1 ? 'is a member' : 'are members'} of ${cluster.name}, which has ${count('server')} Servers and ${count('edge')} Edges now.`,
      members,
      ...(addition.byHand.length > 0 ? { byHand: addition.byHand } : {}),
      debts: cluster.debts.filter(({ site: at, node }) => at !== site || !addition.debtsPaid.includes(node)),
    };
  }, { parse: (value) => parseInput(addNodeInput, value), about: ({ nodes }) => nodes });
}
