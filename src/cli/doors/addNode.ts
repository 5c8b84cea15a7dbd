/** `stctl add-node`. */
import { UsageError } from '../failure';
import { backupOption, operationDoor } from '../operationDoor';

interface Flags {
  parallel?: string;
  refreshDaemons?: boolean;
}

export const addNode = operationDoor<Flags>({
  operation: 'addNode',
  args: '<nodes...>',
  summary: 'Add Servers and Edges of the cluster file to the cluster that works',
  examples: [
    'stctl add-node st4                         plan, ask, add, show progress',
    'stctl add-node st4 st5 ed3 --parallel 2    several in one run, two at once where the product lets two',
    'stctl add-node st2 --refresh-daemons       one that comes back takes over what its peers changed meanwhile',
  ],
  options: (command) => {
    backupOption(command);
    command
      .option('--parallel <n>', 'how many nodes at once (default: one after the other)')
      .option('--refresh-daemons', 'a Server that comes back takes over the local configuration of a peer');
  },
  question: ({ cluster, nodes }) => `Add ${(nodes as string[]).join(', ')} to cluster "${cluster}" exactly so?`,
  input: (nodes, { parallel, refreshDaemons }) => ({ nodes: nodes.length > 0 ? nodes : undefined, parallel: countOf(parallel), refreshDaemons }),
});

function countOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,2}$/.test(text)) throw new UsageError(`--parallel: expected a whole number, found ${JSON.stringify(text)}`);
  return Number(text);
}
