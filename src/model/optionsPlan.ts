/** Which shared options a set-up sets. Pure. */
import type { ServerFacts } from './facts';
import type { Problem } from './operation';

export interface OptionsPlan {
  /** To be set before other Servers are installed; empty when there is nothing to set. */
  set: Record<string, string[]>;
  /** Warnings: what differs in a cluster that serves, and is left as it is. */
  problems: Problem[];
}

/** The values of an option are a list whose order counts. */
export const sameValues = (found: readonly string[] | undefined, wanted: readonly string[]): boolean => JSON.stringify(found) === JSON.stringify(wanted);

/**
 * A cluster that has completed its set-up, or whose Transaction Managers run, keeps its options: some of them (TLS between Servers) split a cluster
 * whose Servers are not all restarted at once. Where nobody could be asked, a new cluster gets all of them.
 */
export function planOptions(wanted: Record<string, string[]>, { complete, servers }: { complete: boolean; servers: readonly ServerFacts[] }): OptionsPlan {
  const found = servers.find(({ options }) => options !== null)?.options ?? null;
  const serves = complete || servers.some(({ tm }) => tm);
  if (found === null) return { set: serves ? {} : wanted, problems: [] };
  const differing = Object.entries(wanted).filter(([name, values]) => !sameValues(found[name], values));
  if (!serves) return { set: Object.fromEntries(differing), problems: [] };
  return {
    set: {},
    problems: differing.map(([name, values]) => ({
      what: `the option ${name} is ${found[name] ? text(found[name]) : 'not known to the product'}, the cluster file says ${text(values)}; a set-up does not change the options of a cluster that serves`,
      remedy: 'change it in the Administration Tool and restart what the guide says, or correct product.options',
      level: 'warning',
    })),
  };
}

const text = (values: readonly string[]): string => values.map((value) => `"${value}"`).join(', ');
