/** `stctl update-cluster`. */
import { backupOption, operationDoor } from '../operationDoor';
import { gracefulFields, gracefulOptions, type GracefulFlags } from './graceful';

interface Flags extends GracefulFlags {
  to?: string;
  nodeByNode?: boolean;
  updateTimeout?: string;
  databaseBackup?: string;
}

export const updateCluster = operationDoor<Flags>({
  operation: 'updateCluster',
  summary: 'Update every node to a new version by your own program, with everything stopped',
  examples: [
    'stctl update-cluster --to 5.5-20261126                           plan with what it would cut, ask, update',
    'stctl update-cluster --to 5.5-20261126 --node-by-node            where the cluster file says that this update allows it',
  ],
  options: (command) => {
    command.option('--to <version>', 'the version, as the applied cluster file says it');
    gracefulOptions(command)
      .option('--node-by-node', 'one node after the other, the others going on: only when the notes of this very update allow it')
      .option('--update-timeout <duration>', 'how long the program may take on one node; 2h when left out');
    backupOption(command);
  },
  question: ({ cluster, version }) => `Update cluster "${cluster}" to ${String(version)} exactly so?`,
  input: (_, flags) => ({ version: flags.to, nodeByNode: flags.nodeByNode, updateTimeout: flags.updateTimeout, databaseBackup: flags.databaseBackup, ...gracefulFields(flags) }),
});
