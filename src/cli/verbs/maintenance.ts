/** `stctl maintenance`. */
import { readCluster } from '../../control/clusters';
import { changeMaintenance } from '../../control/maintenance';
import { updateCommand } from '../../control/temporalCommand';
import type { Maintenance } from '../../model/cluster';
import { clusterWorkflowId } from '../../model/ids';
import { parseInput } from '../../model/inputs';
import { maintenanceRequest, openWindows, type MaintenanceRequest } from '../../model/maintenance';
import type { Cli } from '../cli';
import { exit, UsageError } from '../failure';
import { table, time } from '../output';
import { anyFormat, type Verb } from '../verb';
import { whichCluster } from '../whichCluster';

interface Flags {
  nodes?: string;
  all?: boolean;
  for?: string;
  until?: string;
  reason?: string;
  ticket?: string;
}

export const maintenance: Verb = {
  usage: 'maintenance <start|list|end> [cluster] [id]',
  summary: 'Expect failures of nodes for a while: no mail about them, no trigger; always ends by itself',
  examples: [
    'stctl maintenance start demo --nodes st2,st3 --for 2h --reason "new disks" --ticket CHG-4711',
    'stctl maintenance start demo --all --until 2026-10-01T22:00:00Z --reason "switch of the data centre"',
    'stctl maintenance list demo',
    'stctl maintenance end demo m-0123456789ab',
  ],
  output: anyFormat,
  options: (command) =>
    command
      .option('--nodes <names>', 'names of nodes, separated by commas')
      .option('--all', 'the whole cluster')
      .option('--for <duration>', 'how long, e.g. 2h; at most 7d')
      .option('--until <time>', 'or until when, with its zone: 2026-10-01T22:00:00Z')
      .option('--reason <text>', 'why; it stands in the record')
      .option('--ticket <id>', 'the change or incident it belongs to'),
  run: async (cli, [act, named, id], flags: Flags) => {
    if (act !== 'start' && act !== 'list' && act !== 'end') throw new UsageError(`expected start, list or end, found ${JSON.stringify(act)}`);
    const request = act === 'list' ? undefined : act === 'start' ? startOf(flags) : { end: id ?? missing('which window? stctl maintenance end <cluster> <id>; its id is in stctl maintenance list <cluster>') };
    if (request) refuseWrong(request);
    const cluster = await whichCluster(cli, named);
    const client = await cli.client();
    if (!request) return list(cli, cluster, openWindows((await readCluster(client, cluster)).maintenance, new Date().toISOString()));
    if (request.start) request.start.by = client.options.identity ?? 'unknown';
    cli.same(updateCommand(clusterWorkflowId(cluster), 'maintenance', request));
    cli.sent = true;
    const { window, open } = await changeMaintenance(client, cluster, request);
    cli.print({
      data: { apiVersion: 'st-orchestrator/v1', kind: 'MaintenanceWindow', cluster, started: act === 'start', ...window },
      table: () => (act === 'start' ? `${window.id}: ${nodesText(window)} of ${cluster} in maintenance until ${time(window.until)}` : `${window.id} has ended`),
      name: () => window.id,
    });
    cli.say(act === 'start' ? `It ends by itself. Before that: stctl maintenance end ${cluster} ${window.id}` : open.length > 0 ? `Still open: ${open.map((one) => one.id).join(', ')}` : 'No window is open.');
    return exit.ok;
  },
};

function startOf({ nodes, all, for: long, until, reason, ticket }: Flags): MaintenanceRequest {
  const names = nodes?.split(',').map((name) => name.trim()).filter(Boolean);
  // A list that came out empty (a variable that was not set) must not become the whole cluster.
  if (names?.length === 0 || (names === undefined) === !all) missing('which nodes? --nodes st2,st3, or --all');
  if ((long === undefined) === (until === undefined)) missing('until when? --for 2h, or --until 2026-10-01T22:00:00Z');
  if (reason === undefined) missing('why? --reason "…"');
  return {
    start: {
      nodes: names ?? [], reason: reason!, by: 'unknown',
      ...(long !== undefined ? { for: long } : {}), ...(until !== undefined ? { until } : {}), ...(ticket !== undefined ? { ticket } : {}),
    },
  };
}

/** What is wrong is told by the option that says it. */
function refuseWrong(request: MaintenanceRequest): void {
  const parsed = parseInput(maintenanceRequest(), request);
  if ('problems' in parsed) missing(parsed.problems.map((problem) => problem.replace(/^start\.(\w+)/, '--$1').replace(/^end: /, '')).join('; '));
}

function missing(text: string): never {
  throw new UsageError(text);
}

const nodesText = ({ nodes }: Maintenance): string => (nodes.length === 0 ? 'the whole cluster' : nodes.join(', '));

function list(cli: Cli, cluster: string, open: Maintenance[]): number {
  cli.print({
    data: { apiVersion: 'st-orchestrator/v1', kind: 'MaintenanceList', cluster, items: open },
    lines: open,
    table: () => (open.length > 0 ? table(['ID', 'NODES', 'SINCE', 'UNTIL', 'REASON', 'TICKET', 'BY'], open.map((one) => [one.id, nodesText(one), time(one.since), time(one.until), one.reason, one.ticket, one.by])) : ''),
    name: () => open.map(({ id }) => id).join('\n'),
  });
  cli.say(open.length > 0 ? `Next: stctl maintenance end ${cluster} ${open[0]!.id}` : `No window is open. Next: stctl maintenance start ${cluster} --nodes … --for 2h --reason "…"`);
  return exit.ok;
}
