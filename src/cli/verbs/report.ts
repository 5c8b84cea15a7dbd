/** `stctl report`. */
import type { Client } from '@temporalio/client';
import { look, runsOf, type RunOfId } from '../../control/operations';
import { queryCommand } from '../../control/temporalCommand';
import { StError } from '../../model/errors';
import type { Cli } from '../cli';
import { decisions, exit, isHeld, UsageError } from '../failure';
import { time } from '../output';
import { reportText } from '../reportText';
import { anyFormat, type Verb } from '../verb';

export const report: Verb = {
  usage: 'report <workflow-id>',
  summary: 'Show the report of an operation, also of one that has ended: every step, what is left, what was decided',
  examples: ['stctl report set-up-cluster/demo', 'stctl report set-up-cluster/demo --run 2          the run before the last', 'stctl report set-up-cluster/demo -o json'],
  output: anyFormat,
  options: (command) => command.option('--run <run>', 'an earlier run of this id: its run id, or 2 for the one before the last, 3 for that before it'),
  run: async (cli, [workflowId], flags: { run?: string }) => {
    cli.same(queryCommand(workflowId!, 'report'));
    const client = await cli.client();
    const seen = await look(client, workflowId!, flags.run === undefined ? undefined : await runNamed(client, workflowId!, flags.run));
    const found = seen.report;
    if (!found) throw new StError('Unreachable', seen.silence ?? 'No worker answers.');
    cli.print({ data: found, table: () => reportText(found, cli.outColors, { full: true }), name: () => found.workflowId });
    if (isHeld(found)) cli.say(`It waits for a decision:\n${decisions(found).map((line) => `  ${line}`).join('\n')}`);
    else cli.say(found.outcome === 'running' ? `Next: stctl watch ${found.workflowId}` : `Next: stctl status ${found.cluster}`);
    if (flags.run === undefined) await tellEarlier(cli, client, workflowId!, seen.runId);
    return exit.ok;
  },
};

/** @throws UsageError when there are not so many */
async function runNamed(client: Client, workflowId: string, named: string): Promise<string> {
  if (!/^\d{1,3}$/.test(named)) return named;
  const runs = await runsOf(client, workflowId);
  const found = runs[Number(named) - 1];
  if (!found) throw new UsageError(`--run ${named}: the server keeps ${runs.length} of ${workflowId}${runs.length > 0 ? `: ${runs.map(inWords).join('; ')}` : ''}`);
  return found.runId;
}

/** Says that there are earlier runs; that the list can't be had is no reason to say anything. */
async function tellEarlier(cli: Cli, client: Client, workflowId: string, shown: string): Promise<void> {
  const earlier = (await runsOf(client, workflowId).catch((): RunOfId[] => [])).filter(({ runId }) => runId !== shown);
  if (earlier[0]) cli.say(`Earlier runs of this id: ${earlier.slice(0, 3).map(inWords).join('; ')}${earlier.length > 3 ? ` and ${earlier.length - 3} more` : ''}. The last of them: stctl report ${workflowId} --run 2`);
}

const inWords = ({ startedAt, status }: RunOfId): string => `${time(startedAt)} ${status.toLowerCase()}`;
