/** The input of addNode. */
import { z } from 'zod';
import { nodeName, strict, whole } from './fields';
import { backedUp, common } from './inputs';

const differentNames = (names: readonly string[]): boolean => new Set(names).size === names.length;

/** `parallel`: how many nodes at once, where the product lets several; `refreshDaemons`: a node that comes back takes over what its peers changed meanwhile. */
export const addNodeInput = strict({
  ...common,
  ...backedUp,
  nodes: z.array(nodeName).min(1).max(20).refine(differentNames, { error: 'expected each node once' }),
  parallel: whole(1, 20).optional(),
  refreshDaemons: z.boolean().optional(),
});
export type AddNodeInput = z.output<typeof addNodeInput>;
