/** A dry run as verbs make it: under an id of its own, followed to its end. */
import type { Client } from '@temporalio/client';
import { startOperation } from '../control/operations';
import { commandLine } from '../control/temporalCommand';
import type { OperationReport } from '../model/operation';
import type { Cli } from './cli';
import { exit } from './failure';
import { printEnd, watchToEnd } from './following';
import { planText } from './reportText';
import type { OperationRequest } from './request';

/** The plan, or the exit code when there is none. */
export async function makePlan(cli: Cli, client: Client, request: OperationRequest, timeoutMs?: number): Promise<OperationReport | number> {
  cli.same(request.same);
  cli.onInterrupt(() => `\nInterrupted; a dry run (${request.workflowId}) changes nothing.\n`);
  const started = await startOperation(client, request);
  if (started.already) cli.say(`${request.workflowId} is being made already; this is that one.`);
  const followed = await watchToEnd(cli, client, started, timeoutMs === undefined ? {} : { timeoutMs });
  if (followed.end === 'timed out') {
    if (cli.io.interrupted.aborted) return exit.interrupted;
    cli.say(`${request.workflowId} is still running; it changes nothing.\nIts plan, once it is there: stctl report ${request.workflowId}`);
    return exit.stillRunning;
  }
  return followed.report.outcome === 'planned' ? followed.report : printEnd(cli, followed.report, commandLine(['stctl', ...request.words]));
}

export const howToRun = (request: OperationRequest, plan: OperationReport): string => commandLine(['stctl', ...request.words, '--fingerprint', plan.fingerprint ?? '']);

export function printPlan(cli: Cli, request: OperationRequest, plan: OperationReport): void {
  const text = (): string => planText(plan, cli.outColors, howToRun(request, plan));
  cli.print({ data: plan, table: text, wide: text, name: () => plan.fingerprint ?? '' });
}
