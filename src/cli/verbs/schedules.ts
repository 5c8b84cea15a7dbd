/** `stctl schedules`. */
import { applySchedules, listSchedules, removeSchedules, scheduleKinds, type ScheduleKind, type ScheduleView } from '../../control/schedules';
import { durationMs, durationText } from '../../model/fields';
import type { Cli } from '../cli';
import { exit, UsageError } from '../failure';
import { table, time } from '../output';
import { anyFormat, type Verb } from '../verb';
import { whichCluster } from '../whichCluster';

export const schedules: Verb = {
  usage: 'schedules <apply|list|remove> [cluster]',
  summary: 'The Schedules of a cluster on the Temporal server: looks at its health, and for what ends',
  examples: ['stctl schedules apply demo', 'stctl schedules apply demo --health-every 1m', 'stctl schedules list', 'stctl schedules remove demo'],
  output: anyFormat,
  options: (command) =>
    command.option('--health-every <duration>', 'how often checkHealth runs; 5m when left out').option('--ends-every <duration>', 'how often checkEnds runs; 24h when left out'),
  run: async (cli, [act, named], flags: { healthEvery?: string; endsEvery?: string }) => {
    if (act !== 'apply' && act !== 'list' && act !== 'remove') throw new UsageError(`expected apply, list or remove, found ${JSON.stringify(act)}`);
    const every = { health: everyOf('--health-every', flags.healthEvery), ends: everyOf('--ends-every', flags.endsEvery) };
    const cluster = act === 'list' ? named ?? (cli.io.env['ST_CLUSTER'] || undefined) : await whichCluster(cli, named);
    const client = await cli.client();
    if (act === 'list') return show(cli, await listSchedules(client, cluster), cluster);
    cli.sent = true;
    if (act === 'remove') {
      const removed = await removeSchedules(client, cluster!);
      cli.print({ data: { apiVersion: 'st-orchestrator/v1', kind: 'RemovedSchedules', cluster, items: removed }, table: () => (removed.length > 0 ? `removed ${removed.join(', ')}` : `${cluster} had none`), name: () => removed.join('\n') });
      return exit.ok;
    }
    const made = await applySchedules(client, cluster!, { taskQueue: cli.taskQueue, every: Object.fromEntries(scheduleKinds.flatMap((kind: ScheduleKind) => (every[kind] === undefined ? [] : [[kind, every[kind]]]))) });
    return show(cli, made, cluster);
  },
};

function everyOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = durationMs(text);
  if (ms === undefined || ms < 10_000 || ms > 30 * 86_400_000) throw new UsageError(`${option}: expected a duration from 10s to 30d, found ${JSON.stringify(text)}`);
  return ms;
}

function show(cli: Cli, found: (ScheduleView & { changed?: string })[], cluster: string | undefined): number {
  cli.print({
    data: { apiVersion: 'st-orchestrator/v1', kind: 'ScheduleList', ...(cluster !== undefined ? { cluster } : {}), items: found },
    lines: found,
    table: () => (found.length > 0 ? table(['SCHEDULE', 'TYPE', 'EVERY', 'NEXT', 'LAST', '', ''], found.map((one) => [one.id, one.workflowType, durationText(one.every), time(one.next ?? ''), time(one.last ?? ''), one.paused ? 'paused' : '', one.changed])) : ''),
    name: () => found.map(({ id }) => id).join('\n'),
  });
  cli.say(found.length > 0 ? `Pause one: temporal schedule toggle --schedule-id ${found[0]!.id} --pause --reason "…"` : `No schedule. Next: stctl schedules apply ${cluster ?? '<cluster>'}`);
  return exit.ok;
}
