/** The one thing that explains what is wrong with a cluster, where one does: twenty symptoms with one cause are told as one. Pure. */
import type { Cause, NodeHealth } from './health';
import type { Around } from './watch';

export interface NamedCause {
  code: Cause;
  sentence: string;
}

export function causeOf(nodes: readonly NodeHealth[], around: Around): NamedCause | undefined {
  const wrong = nodes.filter(({ state, excused }) => state !== 'Online' && excused === undefined);
  const withCause = (cause: Cause): NodeHealth[] => wrong.filter((node) => node.cause === cause);
  const names = (some: readonly NodeHealth[]): string => some.map(({ node }) => node).join(', ');

  const silent = withCause('silent');
  if (nodes.length > 0 && silent.length === nodes.length && !around.reached) {
    return { code: 'our network', sentence: `Nothing of this site answers from here, neither its ${nodes.length} nodes nor what stands around them: our own network may be the cause, and what the nodes do is unknown.` };
  }
  const refused = withCause('credentials');
  if (refused.length > 0) return { code: 'credentials', sentence: `The login is refused (${names(refused)}): nothing more is tried with this password until it changes. ${refused[0]!.why ?? ''}`.trim() };
  if (around.database !== undefined) return { code: 'database', sentence: `The database does not serve: ${around.database}` };
  if (around.sharedFiles !== undefined) return { code: 'shared files', sentence: `The shared files do not serve: ${around.sharedFiles}` };
  const unlicensed = withCause('licence');
  if (unlicensed.length > 0) return { code: 'licence', sentence: `The licence keeps ${names(unlicensed)} from working. ${unlicensed[0]!.why ?? ''}`.trim() };
  return undefined;
}

/** Whether the cause of the whole cluster says all of this node: what refuses or stops one of them is of those alone that say so themselves. */
export const explains = (cause: { code: Cause } | undefined, node: NodeHealth): boolean => cause !== undefined && (node.cause === cause.code || ['database', 'shared files', 'our network'].includes(cause.code));
