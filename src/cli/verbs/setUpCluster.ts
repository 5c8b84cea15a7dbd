/** `stctl set-up-cluster`. */
import type { Client } from '@temporalio/client';
import { findRunning, startOperation } from '../../control/operations';
import { durationMs } from '../../model/fields';
import type { Cli } from '../cli';
import { exit, UsageError } from '../failure';
import { followToEnd } from '../following';
import { howToRun, makePlan, printPlan } from '../planning';
import { planText } from '../reportText';
import { backupOption, operationOptions, operationRequest, type OperationFlags, type OperationRequest } from '../request';
import { anyFormat, type Verb } from '../verb';

interface Flags extends OperationFlags {
  yes?: boolean;
  dryRun?: boolean;
  detach?: boolean;
  timeout?: string;
}

/** A duration of the command line, in milliseconds. @throws UsageError */
export function timeoutOf(text: string | undefined): { timeoutMs?: number } {
  if (text === undefined) return {};
  const timeoutMs = durationMs(text);
  if (timeoutMs === undefined) throw new UsageError(`--timeout: expected a duration such as 30s or 10m, found ${JSON.stringify(text)}`);
  return { timeoutMs };
}

export const setUpCluster: Verb = {
  usage: 'set-up-cluster [cluster]',
  summary: 'Set a cluster up; run again, it does only what is missing',
  examples: [
    'stctl set-up-cluster -f cluster.yaml                     plan, ask, set up, show progress',
    'stctl set-up-cluster demo --fingerprint 3f9ac1d20b7e     run exactly the plan of that name, without asking',
    'stctl set-up-cluster demo --yes --detach                 start it and leave',
  ],
  output: anyFormat,
  options: (command) => {
    operationOptions(command);
    backupOption(command);
    command
      .option('--fingerprint <digits>', 'run exactly this plan, or refuse')
      .option('--dry-run', 'the same as "stctl plan set-up-cluster"')
      .option('--detach', 'start it, print its id and leave')
      .option('--timeout <duration>', 'how long to follow it; it goes on afterwards (exit code 5)')
      .option('-y, --yes', 'do not ask');
  },
  run: async (cli, [cluster], flags: Flags) => {
    const { timeoutMs } = timeoutOf(flags.timeout);
    const dry = (): OperationRequest => operationRequest(cli, 'setUpCluster', cluster, flags, { dryRun: true });
    if (flags.dryRun) {
      const request = dry();
      const plan = await makePlan(cli, await cli.client(), request, timeoutMs);
      if (typeof plan === 'number') return plan;
      printPlan(cli, request, plan);
      return exit.ok;
    }
    let request = operationRequest(cli, 'setUpCluster', cluster, flags);
    const asks = !flags.yes && flags.fingerprint === undefined;
    if (asks && !(cli.io.tty.in && cli.io.tty.err)) throw new UsageError('there is no terminal to ask on: --yes is needed to set the cluster up without asking, or --fingerprint with that of a plan');
    const client = await cli.client();
    if (asks && !(await findRunning(client, request.workflowId))) {
      const fingerprint = await confirmed(cli, client, dry(), `Set up cluster "${request.input.cluster}" exactly so?`);
      if (typeof fingerprint === 'number') return fingerprint;
      request = operationRequest(cli, 'setUpCluster', cluster, { ...flags, fingerprint });
    }
    return start(cli, client, request, { detach: flags.detach === true, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  },
};

/** Before, ask, after: the plan is shown, and what is approved is that plan. Answers its fingerprint, or the exit code when it is not to be run. */
export async function confirmed(cli: Cli, client: Client, dry: OperationRequest, question: string): Promise<string | number> {
  const plan = await makePlan(cli, client, dry);
  if (typeof plan === 'number') return plan;
  if (plan.steps.length === 0) {
    printPlan(cli, dry, plan);
    return exit.ok;
  }
  cli.io.err(`\n${planText(plan, cli.colors, howToRun(dry, plan))}\n\n`);
  cli.onInterrupt(() => '\nInterrupted; nothing was started and nothing was changed.\n');
  const answer = await cli.io.ask(`${question} [y/N] `);
  if (/^(y|yes)$/i.test(answer.trim())) return plan.fingerprint ?? '';
  cli.say(`Nothing was started. The plan can still be run: ${howToRun(dry, plan)}`);
  return exit.cancelled;
}

export async function start(cli: Cli, client: Client, request: OperationRequest, { detach, timeoutMs }: { detach: boolean; timeoutMs?: number }): Promise<number> {
  const { workflowId } = request;
  cli.same(request.same);
  cli.onInterrupt(() => `\nInterrupted while it was being started; see whether it runs: stctl watch ${workflowId}\n`);
  cli.sent = true;
  const started = await startOperation(client, { ...request, input: { ...request.input, requestedBy: client.options.identity } });
  if (started.already) cli.say(`${workflowId} is running already: nothing new was started, this is that one. What was asked for here does not change it.`);
  if (detach) {
    cli.print({ data: { apiVersion: 'st-orchestrator/v1', kind: 'StartedOperation', ...started }, table: () => workflowId, name: () => workflowId });
    cli.say(`${started.already ? 'Running' : 'Started'}. Watch it: stctl watch ${workflowId}`);
    return exit.ok;
  }
  return followToEnd(cli, client, started, timeoutMs === undefined ? {} : { timeoutMs });
}
