/** Which balancer weights are set. A weight belongs to a node in each protocol's backend; here a node has one for all of them. Pure. */
import type { Problem } from './operation';

export interface WeightFacts {
  /** Of the balancer. */
  name: string;
  /** By node, then by backend. */
  weights: Record<string, Record<string, number>>;
  /** Nodes of which the file of server states says the same; null where there is no such file. */
  saved: string[] | null;
}

export interface WeightChange {
  balancer: string;
  node: string;
  weight: number;
  /** By backend. */
  before: Record<string, number>;
}

export interface WeightsPlan {
  set: WeightChange[];
  problems: Problem[];
  /** By node, what takes it back. */
  undo: Record<string, number>;
}

/** `fronted`: the nodes that the balancers send to, and what they are. */
export function planWeights(wanted: Record<string, number> | undefined, fronted: { what: string; names: readonly string[] }, balancers: readonly WeightFacts[]): WeightsPlan {
  const plan: WeightsPlan = { set: [], problems: [], undo: {} };
  if (wanted === undefined) return plan;
  if (balancers.length === 0) plan.problems.push({ what: 'the site has no load balancer in the cluster file, so there are no weights', remedy: 'leave "weights" out' });
  for (const { name, weights, saved } of balancers) {
    for (const [node, weight] of Object.entries(wanted)) {
      const before = weights[node];
      if (before === undefined || Object.keys(before).length === 0) {
        if (fronted.names.includes(node)) plan.problems.push({ what: `${name}: no backend of the site has a server "${node}"`, remedy: 'add it, under the node\'s name in the cluster file' });
        continue;
      }
      const values = [...new Set(Object.values(before))];
      if (values.every((value) => value === weight) && saved?.includes(node) !== false) continue;
      plan.set.push({ balancer: name, node, weight, before });
      if (values.length > 1 || (plan.undo[node] ?? values[0]) !== values[0]) plan.problems.push({ what: `${node} has several weights (${name}: ${Object.entries(before).map(([backend, value]) => `${value} in ${backend}`).join(', ')}); taking this back would set one`, remedy: 'note them when they matter', level: 'warning' });
      plan.undo[node] ??= values[0]!;
    }
    if (saved === null && plan.set.some(({ balancer }) => balancer === name)) plan.problems.push({ what: `${name}: without a file of server states (loadBalancer.stateFile) a reload forgets the weights`, remedy: 'write them into the configuration of the balancer too', level: 'warning' });
  }
  for (const node of Object.keys(wanted).filter((one) => !fronted.names.includes(one))) plan.problems.push({ what: `weights.${node}: the balancer sends to no ${fronted.what} of that name; it sends to ${fronted.names.join(', ')}`, remedy: 'name one of those' });
  return plan;
}
