/** `stctl report`. */
import { look } from '../../control/operations';
import { queryCommand } from '../../control/temporalCommand';
import { StError } from '../../model/errors';
import { decisions, exit, isHeld } from '../failure';
import { reportText } from '../reportText';
import { anyFormat, type Verb } from '../verb';

export const report: Verb = {
  usage: 'report <workflow-id>',
  summary: 'Show the report of an operation, also of one that has ended: every step, what is left, what was decided',
  examples: ['stctl report set-up-cluster/demo', 'stctl report set-up-cluster/demo -o json'],
  output: anyFormat,
  run: async (cli, [workflowId]) => {
    cli.same(queryCommand(workflowId!, 'report'));
    const seen = await look(await cli.client(), workflowId!);
    const found = seen.report;
    if (!found) throw new StError('Unreachable', seen.silence ?? 'No worker answers.');
    cli.print({ data: found, table: () => reportText(found, cli.outColors, { full: true }), name: () => found.workflowId });
    if (isHeld(found)) cli.say(`It waits for a decision:\n${decisions(found).map((line) => `  ${line}`).join('\n')}`);
    else cli.say(found.outcome === 'running' ? `Next: stctl watch ${found.workflowId}` : `Next: stctl status ${found.cluster}`);
    return exit.ok;
  },
};
