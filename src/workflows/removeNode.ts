/** Takes Servers and Edges out of a cluster, dead ones too. Run again, it stops and gates those that did not answer before and do now. */
import type { OperationReport } from '../model/operation';
import { parseInput } from '../model/inputs';
import { removeNodeInput, type RemoveNodeInput } from '../model/removeNodeInput';
import { removalSummary } from '../model/removalText';
import { workingSite } from '../model/slices';
import { backUp } from './operation/backUp';
import { operation } from './operation/operation';
import { prepareRemoval } from './parts/removal';

export async function removeNode(raw: unknown): Promise<OperationReport> {
  return operation<RemoveNodeInput>('removeNode', raw, async (context) => {
    const { cluster, input } = context;
    const site = workingSite(cluster);
    const removal = await prepareRemoval(context, site, input.nodes);
    await backUp(context, site, removal.backUp, { silent: removal.unknown });
    const { debts, paid } = await removal.act();
    return {
      summary: removalSummary(cluster.name, { ...removal, asked: input.nodes, paid, debts }),
      members: removal.members, debts,
      ...(removal.byHand.length > 0 ? { byHand: removal.byHand } : {}),
    };
  }, { parse: (value) => parseInput(removeNodeInput, value), about: ({ nodes }) => nodes });
}
