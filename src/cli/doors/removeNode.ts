/** `stctl remove-node`. */
import type { Command } from 'commander';
import { backupOption, operationDoor } from '../operationDoor';

export interface RemovingFlags {
  force?: boolean;
  acceptActive?: boolean;
  gracefulTimeout?: string;
  blocking?: string[];
  sweep?: boolean;
  databaseBackup?: string;
}

/** How a node is taken out; of remove-node and replace-node. */
export function removingOptions(command: Command): void {
  command
    .option('--force', 'below the node threshold, or the last Server or Edge; needs --reason')
    .option('--accept-active', 'stop it although it works on files; they are named')
    .option('--graceful-timeout <duration>', 'how long sessions, transfers and events get to end; 10m when left out')
    .option('--blocking <names...>', 'accounts or files that must not be cut: refused while they are at work there')
    .option('--sweep', 'release files that were left in process, so that they can be submitted again');
  backupOption(command);
}

export const removing = ({ force, acceptActive, gracefulTimeout, blocking, sweep, databaseBackup }: RemovingFlags): Record<string, unknown> => ({ force, acceptActive, gracefulTimeout, blocking, sweep, databaseBackup });

export const removeNode = operationDoor<RemovingFlags>({
  operation: 'removeNode',
  args: '<nodes...>',
  summary: 'Take Servers or Edges out of a cluster, dead ones too; run again, it gates those that did not answer',
  examples: [
    'stctl remove-node st3                                    plan, ask, drain, remove, gate',
    'stctl remove-node -c demo st3 --graceful-timeout 30m     give transfers half an hour',
    'stctl remove-node st2 st3 --force --reason "fire in hall 2"',
  ],
  options: removingOptions,
  question: ({ cluster, nodes }) => `Remove ${(nodes as string[]).join(', ')} from cluster "${cluster}" exactly so?`,
  input: (nodes, flags) => ({ ...(nodes.length > 0 ? { nodes } : {}), ...removing(flags) }),
});
