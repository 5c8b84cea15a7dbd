/** `stctl input`. */
import { exit } from '../failure';
import { backupOption, operationInput, operationNamed, operationOptions, type OperationFlags } from '../request';
import type { Verb } from '../verb';

export const input: Verb = {
  usage: 'input <operation> [cluster]',
  summary: 'Print the input of an operation as JSON, for the temporal CLI and the Temporal UI',
  examples: [
    'stctl input setUpCluster -f cluster.yaml > set-up-cluster.json',
    'temporal workflow start --type setUpCluster --task-queue st-orchestrator --workflow-id set-up-cluster/demo --fail-existing --input-file set-up-cluster.json',
  ],
  output: ['json', 'jsonl', 'yaml'],
  options: (command) => {
    operationOptions(command);
    backupOption(command);
    command.option('--fingerprint <digits>', 'run exactly this plan, or refuse').option('--dry-run', 'only plan');
  },
  run: async (cli, [operation, cluster], flags: OperationFlags & { dryRun?: boolean }) => {
    const value = { ...operationInput(cli, operationNamed(operation!), cluster, flags), ...(flags.dryRun ? { dryRun: true } : {}) };
    cli.print({ data: value, table: () => '', name: () => value.cluster });
    return exit.ok;
  },
};
