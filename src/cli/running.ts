/** Runs an operation for a person: before, ask, after. */
import type { Client } from '@temporalio/client';
import { findRunning, startOperation } from '../control/operations';
import { commandLine } from '../control/temporalCommand';
import type { Cli } from './cli';
import { exit, UsageError } from './failure';
import { followToEnd, type FollowOptions } from './following';
import { howToRun, makePlan, printPlan } from './planning';
import { planText } from './reportText';
import { requestOf, type Asked, type OperationRequest } from './request';

export interface RunOptions extends FollowOptions {
  yes: boolean;
  detach: boolean;
}

/** Makes the plan and shows it; answers the exit code. */
export async function showPlan(cli: Cli, asked: Asked, { timeoutMs }: FollowOptions): Promise<number> {
  const request = requestOf(cli, asked, { dryRun: true });
  const plan = await makePlan(cli, await cli.client(), request, timeoutMs);
  if (typeof plan === 'number') return plan;
  const shown = asked.door.show?.(cli, request, plan);
  if (shown !== undefined) return shown;
  printPlan(cli, request, plan);
  return exit.ok;
}

/** Plans, asks, runs exactly that plan and follows it; without a question when told so, or when a fingerprint says which plan. Attaches to one that runs already. */
export async function runOperation(cli: Cli, asked: Asked, { yes, detach, timeoutMs }: RunOptions): Promise<number> {
  let request = requestOf(cli, asked);
  const asks = !yes && request.input['fingerprint'] === undefined;
  if (asks && !(cli.io.tty.in && cli.io.tty.err)) throw new UsageError('there is no terminal to ask on: --yes is needed to run it without asking, or --fingerprint with that of a plan');
  const client = await cli.client();
  if (asks && !(await findRunning(client, request.workflowId))) {
    const fingerprint = await confirmed(cli, client, requestOf(cli, asked, { dryRun: true }), asked.door.question(asked.input));
    if (typeof fingerprint === 'number') return fingerprint;
    request = requestOf(cli, asked, { fingerprint });
  }
  return start(cli, client, request, { detach, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
}

/** The plan is shown, and what is approved is that plan. Answers its fingerprint, or the exit code when it is not to be run. */
async function confirmed(cli: Cli, client: Client, dry: OperationRequest, question: string): Promise<string | number> {
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

async function start(cli: Cli, client: Client, request: OperationRequest, { detach, timeoutMs }: { detach: boolean; timeoutMs?: number }): Promise<number> {
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
  return followToEnd(cli, client, started, { again: async () => commandLine(['stctl', ...request.words]), ...(timeoutMs === undefined ? {} : { timeoutMs }) });
}
