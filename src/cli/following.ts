/** Follows one operation for a verb: progress while it runs, its report at the end, and the exit code. */
import type { Client } from '@temporalio/client';
import { follow, type Seen } from '../control/follow';
import type { Started } from '../control/operations';
import { durationMs } from '../model/fields';
import type { OperationReport } from '../model/operation';
import { completingCommand, undoCommand } from './again';
import type { Cli } from './cli';
import { exit, exitOfReport, failureOfReport, failureText, isHeld, UsageError } from './failure';
import { progress } from './progress';
import { reportText } from './reportText';

export interface FollowOptions {
  /** How long to follow, in milliseconds; left out: to the end. */
  timeoutMs?: number;
  /** The command that asks for the same once more, where it can be told. */
  again?: (report: OperationReport) => Promise<string | undefined>;
}

/** A duration of the command line. @throws UsageError */
export function timeoutOf(text: string | undefined): FollowOptions {
  if (text === undefined) return {};
  const timeoutMs = durationMs(text);
  if (timeoutMs === undefined) throw new UsageError(`--timeout: expected a duration such as 30s or 10m, found ${JSON.stringify(text)}`);
  return { timeoutMs };
}

export type Followed = { end: 'ended' | 'held'; report: OperationReport } | { end: 'timed out'; report?: OperationReport };

/** Shows progress until the operation has ended, holds, or the time is up. Ctrl-C says how to come back. */
export async function watchToEnd(cli: Cli, client: Client, { workflowId, runId }: Started, { timeoutMs }: FollowOptions = {}): Promise<Followed> {
  const stop = new AbortController();
  const stopped = AbortSignal.any([stop.signal, cli.io.interrupted]);
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop.abort(), timeoutMs);
  const shown = progress(cli, workflowId);
  let report: OperationReport | undefined;
  cli.onInterrupt(() => `\nDetached: ${workflowId} goes on without you.\nCome back:  stctl watch ${workflowId}\nStop it:    stctl cancel ${workflowId} --reason …\n`);
  const events = follow(client, workflowId, runId, { signal: stopped });
  const ended = aborted(stopped);
  try {
    for (;;) {
      const next = await Promise.race([events.next(), ended]);
      if (next === 'aborted' || next.done) return { end: 'timed out', ...(report ? { report } : {}) };
      const seen: Seen = next.value;
      switch (seen.kind) {
        case 'lost':
          shown.connection('lost', `${seen.message} The operation itself goes on or waits; looking for it again.`);
          break;
        case 'back':
          shown.connection('back', seen.what === 'server' ? 'The Temporal server answers again.' : 'A worker answers again.');
          break;
        case 'reset':
          shown.connection('reset', `The run was reset; now following run ${seen.runId}.`);
          break;
        case 'ended':
          shown.show(seen.report, []);
          return { end: 'ended', report: seen.report };
        case 'report':
          report = seen.report;
          shown.show(report, seen.attempts);
          if (isHeld(report)) return { end: 'held', report };
          break;
      }
    }
  } finally {
    shown.end();
    clearTimeout(timer);
    stop.abort();
  }
}

/** Follows to the end, prints the report, and answers the exit code. */
export async function followToEnd(cli: Cli, client: Client, started: Started, options: FollowOptions = {}): Promise<number> {
  const followed = await watchToEnd(cli, client, started, options);
  const { workflowId } = started;
  if (followed.end === 'timed out') {
    if (cli.io.interrupted.aborted) return exit.interrupted;
    cli.say(`${workflowId} is still running; it goes on.\nCome back: stctl watch ${workflowId}`);
    return exit.stillRunning;
  }
  if (exitOfReport(followed.report) === exit.ok) return printEnd(cli, followed.report);
  const command = await options.again?.(followed.report);
  return printEnd(cli, followed.report, command && completingCommand(command, followed.report));
}

/** The report to stdout; a failure, with all it has to say, to stderr; and what makes sense next. */
export function printEnd(cli: Cli, report: OperationReport, again?: string): number {
  const code = exitOfReport(report);
  cli.print({ data: report, table: () => reportText(report, cli.outColors), wide: () => reportText(report, cli.outColors, { full: true }), name: () => report.workflowId });
  if (code === exit.ok) cli.say(`See the cluster: stctl status ${report.cluster}    every step: stctl report ${report.workflowId}${undoHint(report)}`);
  else cli.io.err(failureText(failureOfReport(report, [...cli.where(report.workflowId), `every step: stctl report ${report.workflowId}`], again), cli.colors));
  return code;
}

/** Of an operation that says how it is taken back. */
function undoHint(report: OperationReport): string {
  const command = report.outcome === 'completed' ? undoCommand(report) : undefined;
  return command === undefined ? '' : `    take it back: ${command}`;
}

const aborted = (signal: AbortSignal): Promise<'aborted'> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
