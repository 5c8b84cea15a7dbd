/** `stctl history`. */
import { readCluster } from '../../control/clusters';
import { queryCommand } from '../../control/temporalCommand';
import { clusterWorkflowId } from '../../model/ids';
import { historyText } from '../clusterText';
import { exit } from '../failure';
import { anyFormat, type Verb } from '../verb';
import { whichCluster } from '../whichCluster';

export const history: Verb = {
  usage: 'history [cluster]',
  summary: 'List the last 20 operations on a cluster, newest first; of those that changed nothing the last 5',
  examples: ['stctl history demo', 'stctl history demo -o jsonl'],
  output: anyFormat,
  run: async (cli, [named]) => {
    const cluster = await whichCluster(cli, named);
    cli.same(queryCommand(clusterWorkflowId(cluster), 'status'));
    const { operations } = await readCluster(await cli.client(), cluster);
    cli.print({
      data: { apiVersion: 'st-orchestrator/v1', kind: 'OperationHistory', cluster, items: operations },
      lines: operations,
      table: () => (operations.length > 0 ? historyText(operations, cli.outColors) : ''),
      name: () => operations.map(({ workflowId }) => workflowId).join('\n'),
    });
    cli.say(operations[0] ? `Next: stctl report ${operations[0].workflowId}` : `No operation has run on ${cluster} yet. Next: stctl plan set-up-cluster ${cluster}`);
    return exit.ok;
  },
};
