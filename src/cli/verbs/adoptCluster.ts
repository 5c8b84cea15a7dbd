/** `stctl adopt-cluster`. */
import type { Adoption } from '../../model/adoption';
import { findRunning } from '../../control/operations';
import { adoptionText, clusterFileText } from '../adoptionText';
import { exit, UsageError } from '../failure';
import { makePlan, printPlan } from '../planning';
import { operationOptions, operationRequest, type OperationFlags } from '../request';
import { anyFormat, type Verb } from '../verb';
import { confirmed, start, timeoutOf } from './setUpCluster';

interface Flags extends OperationFlags {
  yes?: boolean;
  detach?: boolean;
  timeout?: string;
}

export const adoptCluster: Verb = {
  usage: 'adopt-cluster [cluster]',
  summary: 'Find a cluster that exists, write its cluster file, and take it over when asked',
  examples: [
    'stctl adopt-cluster -f seed.yaml > cluster.yaml         look only: the cluster file to stdout, what differs to stderr',
    'stctl adopt-cluster -f cluster.yaml                     compare the file with the estate; what taking over would do',
    'stctl adopt-cluster -f cluster.yaml --apply             take it over: plan, ask, do',
  ],
  output: anyFormat,
  options: (command) => {
    operationOptions(command);
    command
      .option('--apply', 'take the cluster over as the file says')
      .option('--fingerprint <digits>', 'run exactly this plan, or refuse')
      .option('--detach', 'start it, print its id and leave')
      .option('--timeout <duration>', 'how long to follow it (exit code 5)')
      .option('-y, --yes', 'do not ask');
  },
  run: async (cli, [cluster], flags: Flags) => {
    const { timeoutMs } = timeoutOf(flags.timeout);
    const dry = operationRequest(cli, 'adoptCluster', cluster, flags, { dryRun: true });
    if (!flags.apply) {
      const plan = await makePlan(cli, await cli.client(), dry, timeoutMs);
      if (typeof plan === 'number') return plan;
      const found = plan.result as Adoption;
      cli.io.err(`\n${adoptionText(found, cli.colors)}\n\n`);
      const { file } = found;
      if (!file) {
        printPlan(cli, { ...dry, words: [...dry.words, '--apply'] }, plan);
        return exit.ok;
      }
      const text = (): string => clusterFileText(found, plan);
      cli.print({ data: { apiVersion: 'st-orchestrator/v1', kind: 'Adoption', cluster: plan.cluster, ...found }, table: text, name: () => plan.cluster });
      cli.say(found.obstacles.length > 0 ? 'Next: cure the obstacles, and look again' : `Next: read the file; then stctl adopt-cluster -f cluster.yaml --apply`);
      return found.obstacles.length > 0 ? exit.refused : exit.ok;
    }
    let request = operationRequest(cli, 'adoptCluster', cluster, flags);
    const asks = !flags.yes && flags.fingerprint === undefined;
    if (asks && !(cli.io.tty.in && cli.io.tty.err)) throw new UsageError('there is no terminal to ask on: --yes is needed to adopt the cluster without asking, or --fingerprint with that of a plan');
    const client = await cli.client();
    if (asks && !(await findRunning(client, request.workflowId))) {
      const fingerprint = await confirmed(cli, client, dry, `Adopt cluster "${request.input.cluster}" exactly so?`);
      if (typeof fingerprint === 'number') return fingerprint;
      request = operationRequest(cli, 'adoptCluster', cluster, { ...flags, fingerprint });
    }
    return start(cli, client, request, { detach: flags.detach === true, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  },
};
