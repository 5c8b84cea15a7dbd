/** What the balancers have still to be told, computed from what the checks found. Pure. */
import type { Problem } from './operation';

/** Where one does not answer: what works on without us may still send clients to a node that is stopped. */
export const silentBalancer = 'see that its host answers the worker; only one that is gone for good is taken out of "loadBalancer.instances" in the cluster file, and that is applied';

/** One balancer as it was found. */
export interface BalancerFacts {
  name: string;
  /** The site backend that the map names for this cluster: in memory, and in the file that a reload would read. */
  active: string;
  persisted: string;
  /** Nodes that are ready and healthy. */
  serving: string[];
  /** Nodes that a person took out by command: in maintenance, or draining. Not in the histories of earlier releases. */
  heldOut?: string[];
  /** Nodes that an operation of this cluster took out and has not put back, and which one. */
  takenOut?: { node: string; operation: string; epoch: number }[];
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

/** A node that a person took out of service on a cluster that works is left so, and named; one that an operation of ours left out is named too, and goes back with the next that acts on it. */
export function heldOutWarnings(nodes: readonly string[], found: readonly BalancerFacts[], { complete }: { complete: boolean }): Problem[] {
  if (!complete) return [];
  return found.flatMap(({ name, heldOut = [], takenOut = [] }) => [
    ...nodes.filter((node) => heldOut.includes(node)).map((node) => ({
      level: 'warning' as const,
      what: `${name}: ${node} is in maintenance or draining there, and by no operation of this cluster; it is left so`,
      remedy: 'when nothing speaks against it, set it ready on the balancer',
    })),
    ...takenOut.filter(({ node }) => nodes.includes(node)).map(({ node, operation, epoch }) => ({
      level: 'warning' as const,
      what: `${name}: ${node} was taken out there by ${operation} (epoch ${epoch}), which did not put it back`,
      remedy: `nothing, where this operation brings ${node} up: it goes back then; else run "stctl set-up-cluster", which puts back what works`,
    })),
  ]);
}
