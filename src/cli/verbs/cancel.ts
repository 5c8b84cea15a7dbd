/** `stctl cancel`. */
import { cancelOperation } from '../../control/operations';
import { cancelCommand } from '../../control/temporalCommand';
import { exit } from '../failure';
import type { Verb } from '../verb';

export const cancel: Verb = {
  usage: 'cancel <workflow-id>',
  summary: 'Ask an operation to stop; what it began it undoes or lists as unfinished',
  examples: ['stctl cancel set-up-cluster/demo --reason "wrong database"'],
  output: ['table', 'json', 'jsonl', 'yaml', 'name'],
  options: (command) => command.requiredOption('--reason <text>', 'why; whoever reads the history wants to know'),
  run: async (cli, [workflowId], { reason }: { reason: string }) => {
    cli.same(cancelCommand(workflowId!));
    const client = await cli.client();
    cli.sent = true;
    const { report } = await cancelOperation(client, workflowId!, reason);
    cli.print({
      data: { apiVersion: 'st-orchestrator/v1', kind: 'CancelRequest', workflowId, reason, phase: report?.phase ?? null },
      table: () => `${workflowId}: asked to stop${report ? ` while ${report.phase}` : ''}. It ends once what runs has stopped, unless it passed its point of no return ${report ? 'that very moment' : 'before: no worker answered'}.`,
      name: () => workflowId!,
    });
    cli.say(`Next: stctl watch ${workflowId}`);
    return exit.ok;
  },
};
