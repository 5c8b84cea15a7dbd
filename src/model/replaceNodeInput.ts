/** The input of replaceNode. */
import { z } from 'zod';
import { nodeName, strict } from './fields';
import { backedUp, common } from './inputs';
import { removing, requireReason } from './removeNodeInput';

/** `node` goes, `by` comes; `refreshDaemons`: as in addNode, for a Server that was a member before. */
export const replaceNodeInput = strict({ ...common, ...backedUp, ...removing, node: nodeName, by: nodeName, refreshDaemons: z.boolean().optional() })
  .check(requireReason)
  .check((ctx) => {
    if (ctx.value.node === ctx.value.by) ctx.issues.push({ code: 'custom', path: ['by'], message: `expected another node than "${ctx.value.node}"`, input: ctx.value.by });
  });
export type ReplaceNodeInput = z.output<typeof replaceNodeInput>;
