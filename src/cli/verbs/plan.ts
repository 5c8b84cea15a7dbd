/** `stctl plan`. */
import { exit } from '../failure';
import { makePlan, printPlan } from '../planning';
import { backupOption, operationNamed, operationOptions, operationRequest, type OperationFlags } from '../request';
import { anyFormat, type Verb } from '../verb';
import { timeoutOf } from './setUpCluster';

export const plan: Verb = {
  usage: 'plan <operation> [cluster]',
  summary: 'Show what an operation would do: real checks, no change',
  examples: ['stctl plan set-up-cluster -f cluster.yaml', 'stctl plan set-up-cluster demo', 'stctl plan set-up-cluster demo -o name      the fingerprint alone'],
  output: anyFormat,
  options: (command) => {
    operationOptions(command);
    backupOption(command);
    command.option('--timeout <duration>', 'how long to wait for the plan (exit code 5)');
  },
  run: async (cli, [operation, cluster], flags: OperationFlags & { timeout?: string }) => {
    const request = operationRequest(cli, operationNamed(operation!), cluster, flags, { dryRun: true });
    const made = await makePlan(cli, await cli.client(), request, timeoutOf(flags.timeout).timeoutMs);
    if (typeof made === 'number') return made;
    printPlan(cli, request, made);
    return exit.ok;
  },
};
