/** `stctl rebalance-workload`. */
import type { Client } from '@temporalio/client';
import { AdvisedError } from '../../control/advised';
import { look, runsOf, type Sighting } from '../../control/operations';
import type { Suggestion } from '../../model/workloadSuggestion';
import type { Load } from '../../model/workloadLoad';
import { exit, UsageError } from '../failure';
import { backupOption, operationDoor } from '../operationDoor';
import { loadText } from '../workloadText';

interface Flags {
  policy?: string;
  assign?: string[];
  wholeCluster?: string[];
  weight?: string[];
  suggest?: boolean;
  undo?: string;
  window?: string;
  gracefulTimeout?: string;
  acceptActive?: boolean;
}

const several = (value: string, before: string[] = []): string[] => [...before, value];

export const rebalanceWorkload = operationDoor<Flags>({
  operation: 'rebalanceWorkload',
  summary: 'Direct the workload: dispatch policy, event types per Server, balancer weights; or suggest how',
  examples: [
    'stctl rebalance-workload --suggest > input.json            measure for a minute and propose; changes nothing',
    'stctl rebalance-workload --input-file input.json           plan, ask, do it',
    'stctl rebalance-workload --policy attributeMatchPolicy --assign st1:PGP --assign st2:PUSH,PULL --whole-cluster FM_TRIGGERED,MAINTENANCE',
    'stctl rebalance-workload --weight ed1=10 --weight ed2=5    only the balancer\'s weights',
    'stctl rebalance-workload --undo rebalance-workload/demo    take back what that run changed',
  ],
  options: (command) => {
    command
      .option('--policy <name>', 'cacheBasedPolicy, attributeMatchPolicy or roundRobinPolicy')
      .option('--assign <node:types>', 'what a Server is sent: PUSH,-PGP,NAME=value,-NAME; "-" takes it away, the rest stays; may be repeated', several)
      .option('--whole-cluster <types>', 'event types that no Server has on purpose, separated by commas', several)
      .option('--weight <node=number>', 'weight of a node at the balancer, 1 to 256; may be repeated', several)
      .option('--suggest', 'measure and propose an assignment; changes nothing')
      .option('--undo <workflow-id>', 'take back what that run changed')
      .option('--window <duration>', 'how long the load is measured, before and after; 60s when left out')
      .option('--graceful-timeout <duration>', 'how long what runs on a Server may take to end before its restart; 5m when left out')
      .option('--accept-active', 'stop a Transaction Manager that still processes events; they are listed');
    backupOption(command);
  },
  question: ({ cluster }) => `Direct the workload of cluster "${cluster}" exactly so?`,
  input: async (_, { undo, policy, assign, wholeCluster, weight, suggest, window, gracefulTimeout, acceptActive }, cli) => {
    const back = undo === undefined ? {} : await undoOf(await cli.client(), undo);
    return {
      ...back, policy: policy ?? (back as { policy?: string }).policy, suggest, window, gracefulTimeout, acceptActive,
      ...(assign ? { assign: Object.fromEntries(assign.map(assignment)) } : {}),
      ...(wholeCluster ? { toWholeCluster: wholeCluster.flatMap((types) => types.split(',')) } : {}),
      ...(weight ? { weights: Object.fromEntries(weight.map(weighing)) } : {}),
    };
  },
  about: () => [],
  looksOnly: ({ suggest }) => suggest === true,
  show: (cli, _, report) => {
    const found = report.result as (Suggestion & { load: Load }) | undefined;
    if (!found?.measure) return undefined;
    cli.io.err(`\n${loadText(found.load)}\n\n${report.summary}\n`);
    if (found.input) cli.print({ data: found.input, table: () => JSON.stringify(found.input, null, 2), name: () => report.cluster });
    cli.say(found.input ? 'Next: save it to a file, read it, and: stctl rebalance-workload --input-file FILE' : `Next: stctl status ${report.cluster}`);
    return exit.ok;
  },
});

/** `st1:PUSH,-PGP,DXAGENT_APPLICATION_NAME=smbBU1`. @throws UsageError */
function assignment(text: string): [string, Record<string, boolean | string | null>] {
  const [, node, list] = /^([^:]+):(.+)$/.exec(text) ?? [];
  if (node === undefined || list === undefined) throw new UsageError(`--assign: expected a Server and what it is sent, such as st1:PUSH,-PGP; found ${JSON.stringify(text)}`);
  return [node, Object.fromEntries(list.split(',').map((part) => {
    const at = part.indexOf('=');
    if (at > 0) return [part.slice(0, at), part.slice(at + 1)];
    // Event types are capitals and off when they are taken away; other attributes go.
    return part.startsWith('-') ? [part.slice(1), /^(PGP|PUSH|PULL|FM_TRIGGERED|MAINTENANCE)$/.test(part.slice(1)) ? false : null] : [part, true];
  }))];
}

/** `ed1=10`. @throws UsageError */
function weighing(text: string): [string, number] {
  const [, node, weight] = /^([^=]+)=(\d{1,3})$/.exec(text) ?? [];
  if (node === undefined) throw new UsageError(`--weight: expected a node and a number, such as ed1=10; found ${JSON.stringify(text)}`);
  return [node, Number(weight)];
}

const changedNothing: ReadonlySet<string> = new Set(['nothing to do', 'refused', 'planned']);

/** What takes back the last run of this id that changed something. @throws AdvisedError InvalidInput when that run names nothing */
async function undoOf(client: Client, workflowId: string): Promise<Record<string, unknown>> {
  const newest = await look(client, workflowId);
  let seen: Sighting = newest;
  if (idle(newest)) {
    for (const { runId } of (await runsOf(client, workflowId)).filter((run) => run.runId !== newest.runId)) {
      seen = await look(client, workflowId, runId);
      if (!idle(seen)) break;
    }
  }
  const result = seen.report?.result;
  const undo = typeof result === 'object' && result !== null && 'undo' in result ? result.undo : undefined;
  if (typeof undo === 'object' && undo !== null) return undo as Record<string, unknown>;
  throw new AdvisedError('InvalidInput', `${workflowId} names nothing that takes it back: it was no rebalancing, changed nothing, put back itself what it had begun, or has not ended.`, [
    `See what it did: stctl report ${workflowId}`, `Of an earlier run: "result.undo" of stctl report ${workflowId} --run 2 -o json is an input; save it, and: stctl rebalance-workload --input-file FILE`,
  ]);
}

const idle = ({ report }: Sighting): boolean => report !== undefined && changedNothing.has(report.outcome);
