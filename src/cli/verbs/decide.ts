/** `stctl decide`. */
import { Option } from 'commander';
import { decide as send } from '../../control/operations';
import { decideCommand } from '../../control/temporalCommand';
import { StError } from '../../model/errors';
import { decideInput, parseInput } from '../../model/inputs';
import type { Decision } from '../../model/operation';
import { exit } from '../failure';
import type { Verb } from '../verb';

interface Flags {
  step: string;
  node?: string;
  do: Decision['do'];
  reason: string;
}

export const decide: Verb = {
  usage: 'decide <workflow-id>',
  summary: 'Answer an operation that waits for a person',
  examples: [
    'stctl decide set-up-cluster/demo --step servers.ensureOnline/st2 --do retry --reason "cable is back"',
    'stctl decide set-up-cluster/demo --step "Start the Server" --node st2 --do done-by-hand --reason "started it myself"',
  ],
  output: ['table', 'json', 'jsonl', 'yaml', 'name'],
  options: (command) => {
    command
      .requiredOption('--step <key-or-title>', 'the step that waits; "stctl report" names it')
      .option('--node <name>', 'its node, when several wait')
      .addOption(new Option('--do <what>', 'what to do with it; done-by-hand is verified').choices(['retry', 'skip', 'done-by-hand', 'abort']).makeOptionMandatory())
      .requiredOption('--reason <text>', 'why; it stands in the report');
  },
  run: async (cli, [workflowId], { step, node, do: act, reason }: Flags) => {
    const client = await cli.client();
    const decision: Decision = { step, ...(node === undefined ? {} : { node }), do: act, by: client.options.identity ?? 'unknown', reason };
    const parsed = parseInput(decideInput, decision);
    if ('problems' in parsed) throw new StError('InvalidInput', parsed.problems.join('\n'));
    cli.same(decideCommand(workflowId!, decision));
    cli.sent = true;
    const answer = await send(client, workflowId!, decision);
    cli.print({ data: { apiVersion: 'st-orchestrator/v1', kind: 'RecordedDecision', workflowId, ...decision }, table: () => answer, name: () => workflowId! });
    cli.say(`Next: stctl watch ${workflowId}`);
    return exit.ok;
  },
};
