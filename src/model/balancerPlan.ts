/** What the balancers have still to be told, computed from what the checks found. Pure. */

/** One balancer as it was found. */
export interface BalancerFacts {
  name: string;
  /** The site backend that the map names for this cluster: in memory, and in the file that a reload would read. */
  active: string;
  persisted: string;
  /** Nodes that are ready and healthy. */
  serving: string[];
  /** Nodes that are ready in the file which a reload reads; null where the cluster file names none. */
  saved: string[] | null;
  /** The highest epoch of this cluster that its host has seen. */
  epoch: number | null;
}

export interface BalancerPlan {
  /** Nodes that a balancer does not send to yet, or would not after a reload. */
  serve: { balancer: string; node: string }[];
  /** Balancers that do not send to the site yet, or would not after a reload. */
  activate: string[];
}

/** @param wanted for each balancer the backend of the site that it shall send to */
export function planBalancers(wanted: readonly { name: string; backend: string }[], nodes: readonly string[], found: readonly BalancerFacts[]): BalancerPlan {
  const factsOf = (name: string): BalancerFacts | undefined => found.find((facts) => facts.name === name);
  return {
    serve: wanted.flatMap(({ name }) => nodes.filter((node) => !factsOf(name)?.serving.includes(node) || factsOf(name)?.saved?.includes(node) === false).map((node) => ({ balancer: name, node }))),
    activate: wanted.filter(({ name, backend }) => factsOf(name)?.active !== backend || factsOf(name)?.persisted !== backend).map(({ name }) => name),
  };
}
