/** `stctl monitor-cluster`, `stctl pause` and `stctl resume`. */
import { startMonitor, tellMonitor } from '../../control/watching';
import { startWatcherCommand, updateCommand } from '../../control/temporalCommand';
import { durationMs, timeWithZone } from '../../model/fields';
import { kebabCase, monitorWorkflowId } from '../../model/ids';
import { parseInput } from '../../model/inputs';
import { monitorClusterInput } from '../../model/monitorInput';
import type { Cli } from '../cli';
import { exit, UsageError } from '../failure';
import type { Format } from '../output';
import type { Verb } from '../verb';
import { whichCluster } from '../whichCluster';

const formats: readonly Format[] = ['table', 'json', 'jsonl', 'yaml', 'name'];

interface Settings {
  interval?: string;
  failuresToOffline?: string;
  for?: string;
  vantage?: string;
  quorum?: string;
}

export const monitorCluster: Verb = {
  usage: 'monitor-cluster [cluster]',
  summary: 'See to it that a cluster is watched; running already, it is left alone or given what is said here',
  examples: ['stctl monitor-cluster demo', 'stctl monitor-cluster demo --interval 1s --for 2m', 'stctl monitor-cluster demo --vantage st-site-fra,st-site-muc,st-orchestrator --quorum 2'],
  output: formats,
  options: (command) =>
    command
      .option('--interval <duration>', 'between two looks; left out: what the cluster file says')
      .option('--failures-to-offline <n>', 'looks in a row that must fail')
      .option('--for <duration>', 'how long too few Servers must be missing before it is told')
      .option('--vantage <queues>', 'task queues of the workers that look, separated by commas')
      .option('--quorum <n>', 'how many of these must agree'),
  run: async (cli, [named], { interval, failuresToOffline, for: long, vantage, quorum }: Settings) => {
    const cluster = await whichCluster(cli, named);
    const settings = Object.fromEntries(Object.entries({
      interval, for: long, failuresToOffline: numberOf('--failures-to-offline', failuresToOffline), quorum: numberOf('--quorum', quorum), vantage: vantage?.split(',').map((name) => name.trim()),
    }).filter(([, value]) => value !== undefined));
    const parsed = parseInput<unknown>(monitorClusterInput, { cluster, ...settings });
    if ('problems' in parsed) throw new UsageError(parsed.problems.map((problem) => problem.replace(/^(failuresToOffline|interval|for|vantage|quorum)\b/, (name) => `--${kebabCase(name)}`)).join('; '));
    cli.same(startWatcherCommand('monitorCluster', monitorWorkflowId(cluster), { cluster, ...settings }, cli.taskQueue));
    cli.sent = true;
    const started = await startMonitor(await cli.client(), { cluster, settings, taskQueue: cli.taskQueue });
    const words = started.already ? (Object.keys(settings).length > 0 ? 'was watched already, and is from now on as asked' : 'is watched already') : 'is watched from now on';
    cli.print({ data: { apiVersion: 'st-orchestrator/v1', kind: 'StartedMonitor', cluster, ...started }, table: () => `${cluster} ${words} (${started.workflowId})`, name: () => started.workflowId });
    cli.say(`See it: stctl status ${cluster} -w`);
    return exit.ok;
  },
};

export const pause: Verb = {
  usage: 'pause [cluster]',
  summary: 'Stop watching a cluster for a time: nobody is told of anything; ends by itself',
  examples: ['stctl pause demo --for 2h --reason "network change CHG-4711"', 'stctl pause demo --until 2026-10-01T22:00:00Z --reason "move of the data centre"'],
  output: formats,
  options: (command) => command.option('--for <duration>', 'how long, e.g. 2h').option('--until <time>', 'or until when, with its zone: 2026-10-01T22:00:00Z').requiredOption('--reason <text>', 'why; it is shown while it lasts'),
  run: async (cli, [named], flags: { for?: string; until?: string; reason: string }) => {
    const until = endOf(flags);
    const cluster = await whichCluster(cli, named);
    return tell(cli, cluster, 'pause', { until, reason: flags.reason }, `Watch it again before that: stctl resume ${cluster}`);
  },
};

export const resume: Verb = {
  usage: 'resume [cluster]',
  summary: 'Watch a cluster again whose watch was paused',
  examples: ['stctl resume demo'],
  output: formats,
  run: async (cli, [named]) => {
    const cluster = await whichCluster(cli, named);
    return tell(cli, cluster, 'resume', {}, `See it: stctl status ${cluster}`);
  },
};

async function tell(cli: Cli, cluster: string, act: 'pause' | 'resume', about: object, next: string): Promise<number> {
  const client = await cli.client();
  const input = { by: client.options.identity ?? 'unknown', ...about };
  cli.same(updateCommand(monitorWorkflowId(cluster), act, input));
  cli.sent = true;
  const answer = await tellMonitor(client, cluster, act, input);
  cli.print({ data: { apiVersion: 'st-orchestrator/v1', kind: act === 'pause' ? 'PausedMonitor' : 'ResumedMonitor', cluster, ...input }, table: () => answer, name: () => cluster });
  cli.say(next);
  return exit.ok;
}

/** When a pause ends, ISO-8601 UTC. @throws UsageError */
function endOf({ for: long, until }: { for?: string; until?: string }): string {
  if ((long === undefined) === (until === undefined)) throw new UsageError('until when? --for 2h, or --until 2026-10-01T22:00:00Z: a pause always ends');
  const ms = long === undefined ? Date.parse(until!) : Date.now() + (durationMs(long) ?? Number.NaN);
  if (Number.isNaN(ms) || (until !== undefined && !timeWithZone.safeParse(until).success)) throw new UsageError(long === undefined ? `--until: expected a time with its zone such as 2026-10-01T22:00:00Z, found ${JSON.stringify(until)}` : `--for: expected a duration such as 30m or 2h, found ${JSON.stringify(long)}`);
  if (ms <= Date.now()) throw new UsageError('the end of a pause must be to come');
  return new Date(ms).toISOString();
}

/** What is no number is left for the schema to refuse. */
const numberOf = (option: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${option}: expected a whole number, found ${JSON.stringify(text)}`);
  return Number(text);
};
