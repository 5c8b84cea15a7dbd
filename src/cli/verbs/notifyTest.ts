/** `stctl notify-test`. */
import { notifyTest as send } from '../../control/notifyTest';
import { durationMs } from '../../model/fields';
import { exit, UsageError } from '../failure';
import { table } from '../output';
import { anyFormat, type Verb } from '../verb';
import { whichCluster } from '../whichCluster';

export const notifyTest: Verb = {
  usage: 'notify-test [cluster]',
  summary: 'Send a test by every way that the cluster file names, and say what arrived',
  examples: ['stctl notify-test demo', 'stctl notify-test demo --patience 5m'],
  output: anyFormat,
  options: (command) => command.option('--patience <duration>', 'how long each way is tried', '10s'),
  run: async (cli, [named], { patience }: { patience: string }) => {
    const cluster = await whichCluster(cli, named);
    const patienceMs = durationMs(patience);
    if (patienceMs === undefined || patienceMs > 86_400_000) throw new UsageError(`--patience: expected a duration of at most 1d, found ${JSON.stringify(patience)}`);
    const client = await cli.client();
    cli.sent = true;
    const report = await send(client, cluster, { taskQueue: cli.taskQueue, patienceMs });
    cli.print({
      data: report, lines: report.ways,
      table: () => table(['WAY', 'ARRIVED', ''], report.ways.map(({ way, arrived, note }) => [way, arrived ? 'yes' : 'NO', note])),
      name: () => report.ways.filter(({ arrived }) => arrived).map(({ way }) => way).join('\n'),
    });
    return report.ways.every(({ arrived }) => arrived) ? exit.ok : exit.failed;
  },
};
