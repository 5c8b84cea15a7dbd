/** How the Edges of a site differ from their primary, as a person should hear it. Pure. */
import type { FoundDifferences } from './estate';
import type { Problem } from './operation';

const mostNamed = 6;

/** Warnings: Edges that differ may be meant to, and what serves is not changed by a set-up. */
export function edgeWarnings(primary: string, found: readonly (FoundDifferences & { node: string })[]): Problem[] {
  return found.flatMap(({ node, items, left, unread }): Problem[] => {
    if (unread !== undefined) return [{ what: `${node} could not be compared with ${primary}: ${unread}`, remedy: 'see that it can be reached, and look again', level: 'warning' }];
    if (items.length === 0) return [];
    const more = items.length + left - mostNamed;
    const named = items.slice(0, mostNamed).map(({ kind, name, here, there }) => `${kind} ${name} (${here}, there ${there})`);
    return [{ what: `${node} differs from ${primary}, the primary Edge: ${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`, remedy: `"Synchronize All" in the Administration Tool of ${primary} carries its own over to the others; or correct ${node}`, level: 'warning' }];
  });
}
