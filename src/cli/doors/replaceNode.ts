/** `stctl replace-node`. */
import { operationDoor } from '../operationDoor';
import { removing, removingOptions, type RemovingFlags } from './removeNode';

export const replaceNode = operationDoor<RemovingFlags & { refreshDaemons?: boolean }>({
  operation: 'replaceNode',
  args: '<node> <by>',
  summary: 'Take a node out, dead or alive, and add another one in its place, as one run',
  examples: [
    'stctl replace-node st3 st4                  st3 goes, st4 comes: plan, ask, do',
    'stctl replace-node -c demo st3 st4 --yes',
  ],
  options: (command) => {
    removingOptions(command);
    command.option('--refresh-daemons', 'a Server that was a member before takes over what its peers changed meanwhile');
  },
  question: ({ cluster, node, by }) => `Replace ${String(node)} by ${String(by)} in cluster "${cluster}" exactly so?`,
  input: ([node, by], flags) => ({ node, by, ...removing(flags), refreshDaemons: flags.refreshDaemons }),
  about: ({ node, by }) => [String(node), String(by)],
});
