/** What the balancers have still to be told, computed from what the checks found. Pure. */
import type { Problem } from './operation';

/** One balancer as it was found. */
export interface BalancerFacts {
  name: string;
  /** The site backend that the map names for this cluster: in memory, and in the file that a reload would read. */
  active: string;
  persisted: string;
  /** Nodes that are ready and healthy. */
  serving: string[];
  /** Nodes that were taken out by command: in maintenance, or draining. Not in the histories of earlier releases. */
  heldOut?: string[];
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

/**
 * @param wanted for each balancer the backend of the site that it shall send to
 * @param complete the cluster has been set up: a node that is out was taken out since then, by somebody who had a reason
 */
export function planBalancers(wanted: readonly { name: string; backend: string }[], nodes: readonly string[], found: readonly BalancerFacts[], { complete }: { complete: boolean }): BalancerPlan {
  const factsOf = (name: string): BalancerFacts | undefined => found.find((facts) => facts.name === name);
  const missing = (name: string, node: string): boolean => !factsOf(name)?.serving.includes(node) || factsOf(name)?.saved?.includes(node) === false;
  const left = (name: string, node: string): boolean => complete && factsOf(name)?.heldOut?.includes(node) === true;
  return {
    serve: wanted.flatMap(({ name }) => nodes.filter((node) => missing(name, node) && !left(name, node)).map((node) => ({ balancer: name, node }))),
    activate: wanted.filter(({ name, backend }) => factsOf(name)?.active !== backend || factsOf(name)?.persisted !== backend).map(({ name }) => name),
  };
}

/** A node that somebody took out of service on a cluster that works is left so, and named. */
export function heldOutWarnings(nodes: readonly string[], found: readonly BalancerFacts[], { complete }: { complete: boolean }): Problem[] {
  if (!complete) return [];
  return found.flatMap(({ name, heldOut = [] }) => nodes.filter((node) => heldOut.includes(node)).map((node) => ({
    level: 'warning' as const,
    what: `${name}: ${node} is in maintenance or draining there, by a person's command or by an operation that ended before it put it back; it is left so`,
    remedy: 'run that operation again, or, when nothing speaks against it, set it ready on the balancer',
  })));
}
