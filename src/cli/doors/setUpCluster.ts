/** `stctl set-up-cluster`. */
import { UsageError } from '../failure';
import { readClusterFile } from '../files';
import { backupOption, operationDoor } from '../operationDoor';

export const setUpCluster = operationDoor<{ file?: string }>({
  operation: 'setUpCluster',
  args: '[cluster]',
  summary: 'Set a cluster up; run again, it does only what is missing',
  examples: [
    'stctl set-up-cluster -f cluster.yaml                     plan, ask, set up, show progress',
    'stctl set-up-cluster demo --fingerprint 3f9ac1d20b7e     run exactly the plan of that name, without asking',
    'stctl set-up-cluster demo --yes --detach                 start it and leave',
  ],
  options: (command) => {
    command.option('-f, --file <cluster.yaml>', 'set up what this file says (- is the standard input); left out: what was applied');
    backupOption(command);
  },
  question: ({ cluster }) => `Set up cluster "${cluster}" exactly so?`,
  input: ([cluster], { file }, cli) => {
    if (file === undefined) return { cluster };
    const spec = readClusterFile(cli, file);
    return { cluster: sameCluster(file, spec.metadata.name, cluster), spec };
  },
});

/** @throws UsageError when the command names another cluster than its file */
export function sameCluster(file: string, inFile: string, named: string | undefined): string {
  if (named !== undefined && named !== inFile) throw new UsageError(`${file} is about cluster "${inFile}", not "${named}": name one of them only`);
  return inFile;
}
