/** Verbs that show parts of a cluster's health: `stctl nodes`, `edges`, `lb`; and `stctl check-health`, which looks now. */
import { lookAtHealth, readHealth } from '../../control/watching';
import { queryCommand, startWatcherCommand } from '../../control/temporalCommand';
import type { ClusterHealth, NodeHealth } from '../../model/health';
import { checkHealthWorkflowId, monitorWorkflowId } from '../../model/ids';
import type { Cli } from '../cli';
import { exit } from '../failure';
import { balancerTable, healthText, isUnwell, nodeTable, problemLines } from '../healthText';
import { anyFormat, type Verb } from '../verb';
import { whichCluster } from '../whichCluster';

/** What the monitor sees; where none runs, a look is made. */
async function health(cli: Cli, named: string | undefined): Promise<ClusterHealth> {
  const cluster = await whichCluster(cli, named);
  cli.same(queryCommand(monitorWorkflowId(cluster), 'status'));
  const client = await cli.client();
  const seen = await readHealth(client, cluster);
  if (seen) return seen;
  cli.say(`No monitor watches ${cluster}; looking once. Watch it: stctl monitor-cluster ${cluster}`);
  return lookAtHealth(client, { cluster, taskQueue: cli.taskQueue });
}

interface Part {
  verb: string;
  kind: string;
  summary: string;
  of: (health: ClusterHealth) => NodeHealth[];
  table: (nodes: NodeHealth[], cli: Cli) => string;
  nothing: string;
}

const part = ({ verb, kind, summary, of, table, nothing }: Part): Verb => ({
  usage: `${verb} [cluster]`,
  summary,
  examples: [`stctl ${verb} demo`, `stctl ${verb} demo -o jsonl`],
  output: anyFormat,
  run: async (cli, [named]) => {
    const seen = await health(cli, named);
    const items = of(seen);
    const { cluster, sampledAt } = seen;
    cli.print({ data: { apiVersion: 'st-orchestrator/v1', kind, cluster, sampledAt, items }, lines: items, table: () => (items.length > 0 ? table(items, cli) : ''), name: () => items.map(({ node }) => node).join('\n') });
    cli.say(`${items.length === 0 ? `${nothing} ` : ''}Seen ${sampledAt}. The whole cluster: stctl status ${cluster}`);
    return isUnwell(seen) ? exit.degraded : exit.ok;
  },
});

const asNodes = (nodes: NodeHealth[], cli: Cli): string => nodeTable(nodes, cli.outColors, new Date().toISOString());

export const nodes = part({ verb: 'nodes', kind: 'NodeList', summary: 'List the nodes of a cluster as they are now, problems first', of: ({ nodes: all }) => all, table: asNodes, nothing: 'The record knows no member yet.' });
export const edges = part({ verb: 'edges', kind: 'EdgeList', summary: 'List the Edges of a cluster, and the streaming connections behind them', of: ({ nodes: all }) => all.filter(({ role }) => role === 'edge'), table: asNodes, nothing: 'This cluster has no Edge.' });
export const lb = part({
  verb: 'lb', kind: 'BalancerList', summary: 'Show what each balancer should do, does, and would do after a reload',
  of: ({ nodes: all }) => all.filter(({ balancer = [] }) => balancer.length > 0), table: (all, cli) => balancerTable(all, cli.outColors), nothing: 'No balancer names a node.',
});

export const checkHealth: Verb = {
  usage: 'check-health [cluster]',
  summary: 'Look at a cluster once, now; exit code 8 when something is not as it should be',
  examples: ['stctl check-health demo', 'stctl check-health demo -o json'],
  output: anyFormat,
  run: async (cli, [named]) => {
    const cluster = await whichCluster(cli, named);
    cli.same(startWatcherCommand('checkHealth', checkHealthWorkflowId(cluster), { cluster }, cli.taskQueue));
    const seen = await lookAtHealth(await cli.client(), { cluster, taskQueue: cli.taskQueue });
    cli.print({ data: seen, table: () => healthText(seen, cli.outColors, new Date().toISOString()), name: () => seen.health });
    cli.say(problemLines(seen).length > 0 ? `What was done on it: stctl history ${cluster}` : `Watch it: stctl monitor-cluster ${cluster}`);
    return isUnwell(seen) ? exit.degraded : exit.ok;
  },
};
