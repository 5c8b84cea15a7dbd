/** The input of removeNode, and what of it replaceNode takes too. */
import { z } from 'zod';
import { duration, nodeName, strict } from './fields';
import { backedUp, common, day, line } from './inputs';

/** How a node is taken out. */
export const removing = {
  /** Below the node threshold, and down to no Server or no Edge; needs a reason. */
  force: z.boolean().optional(),
  /** Stops a Transaction Manager although it works on events, and a node that can't be asked what it does. */
  acceptActive: z.boolean().optional(),
  /** How long sessions, transfers and events get to end. */
  gracefulTimeout: duration(1_000, day).optional(),
  /** Accounts or files that must not be cut: the operation is refused while they are at work on a node that goes. */
  blocking: z.array(line).max(50).optional(),
  /** Removes the marks of files that were left in process, so that they can be submitted again. */
  sweep: z.boolean().optional(),
};

export const defaultGracefulMs = 10 * 60_000;

/** Each name once, in the order given. */
export const nodeNames = z.array(nodeName).min(1).max(40).check((ctx) => {
  const twice = ctx.value.find((name, index) => ctx.value.indexOf(name) !== index);
  if (twice !== undefined) ctx.issues.push({ code: 'custom', message: `"${twice}" is there twice`, input: ctx.value });
});

export interface Forced {
  force?: boolean | undefined;
  reason?: string | undefined;
}

/** Who forces says why: it is in the report and in the record. */
export function requireReason(ctx: { value: Forced; issues: unknown[] }): void {
  if (ctx.value.force && ctx.value.reason === undefined) ctx.issues.push({ code: 'custom', path: ['reason'], message: 'expected the reason: "force" goes below what keeps the cluster safe', input: undefined });
}

export const removeNodeInput = strict({ ...common, ...backedUp, ...removing, nodes: nodeNames }).check(requireReason);
export type RemoveNodeInput = z.output<typeof removeNodeInput>;
export type RemovalOptions = Pick<RemoveNodeInput, keyof typeof removing>;
