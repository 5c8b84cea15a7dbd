/** `stctl watch`. */
import { readCluster } from '../../control/clusters';
import { findOperation, startInput } from '../../control/operations';
import { queryCommand } from '../../control/temporalCommand';
import { clusterWorkflowId } from '../../model/ids';
import { again } from '../again';
import { doors } from '../doors';
import { exit } from '../failure';
import { followToEnd, timeoutOf } from '../following';
import { oneLine, time } from '../output';
import { anyFormat, type Verb } from '../verb';
import { whichCluster } from '../whichCluster';

export const watch: Verb = {
  usage: 'watch [cluster-or-workflow-id]',
  summary: 'Follow a running operation to its end; Ctrl-C lets go of it and never stops it',
  examples: ['stctl watch demo                          whatever runs on the cluster', 'stctl watch set-up-cluster/demo', 'stctl watch demo -o jsonl                 one JSON object an event, the report at the end'],
  output: anyFormat,
  options: (command) => command.option('--timeout <duration>', 'how long to follow it; it goes on afterwards (exit code 5)'),
  run: async (cli, [named], flags: { timeout?: string }) => {
    const options = timeoutOf(flags.timeout);
    const target = await whichCluster(cli, named);
    const client = await cli.client();
    const prefix = clusterWorkflowId('');
    const cluster = target.startsWith(prefix) ? target.slice(prefix.length) : target.includes('/') ? undefined : target;
    let workflowId = target;
    if (cluster !== undefined) {
      const { lease, operations } = await readCluster(client, cluster);
      const last = operations[0];
      if (!lease) {
        cli.print({ data: { apiVersion: 'st-orchestrator/v1', kind: 'NothingRunning', cluster, last: last ?? null }, table: () => `No operation is running on ${cluster}.${last ? ` Last: ${last.operation} ${last.outcome} ${time(last.endedAt)}: ${oneLine(last.summary)}` : ''}`, name: () => '' });
        if (last) cli.say(`Its report: stctl report ${last.workflowId}`);
        return exit.ok;
      }
      workflowId = lease.workflowId;
    }
    cli.same(queryCommand(workflowId, 'status'));
    const { runId } = await findOperation(client, workflowId);
    return followToEnd(cli, client, { workflowId, runId, already: true }, { ...options, again: async ({ operation }) => {
      const input = await startInput(client, { workflowId, runId }).catch(() => undefined);
      return input && again(operation, doors.find((door) => door.operation === operation)?.args, input);
    } });
  },
};
