/** `npm run bench -- setup`: what the orchestrator adds to the product's own time; `-- fanout`: beside other tools; `-- watch`: how soon, and at what cost. Needs a Temporal server (TEMPORAL_ADDRESS); the script starts one. */
import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { Command, InvalidArgumentError } from 'commander';
import { connectClient } from '../src/control/connect';
import { readConnectionConfig } from '../src/control/connectionConfig';
import { durationMs } from '../src/model/fields';
import { detailsText, setUpTable } from './tables';
import { measureSetUp, type SetUpFigures } from './setup';
import { fanOutTable, measureFanOut } from './fanout/fanout';
import { machineSize, writeSection } from './document';
import { measureCost } from './watch/cost';
import { measureTrials } from './watch/trials';
import { costText, trialsTable } from './watch/tables';

const list = <T>(one: (text: string) => T) => (text: string): T[] => text.split(',').map((word) => one(word.trim()));
const servers = list((text) => {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 20) return count;
  throw new InvalidArgumentError('expected numbers from 1 to 20, such as 1,3,10,20');
});
const repeats = (text: string): number => {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 99) return count;
  throw new InvalidArgumentError('expected a number from 1 to 99');
};
const durations = list((text) => {
  const ms = durationMs(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('expected durations such as 0ms,3s');
});

interface Flags {
  servers: number[];
  productTime: number[];
  repeat: number;
  write?: boolean;
}

const document = resolve(__dirname, '../../docs/benchmarks.md');

const program = new Command('bench').description('Measures on the practice estate.');
program.command('setup').description('setUpCluster: total, the product\'s own part, our addition, history')
  .option('--servers <n,…>', 'sizes', servers, [1, 3, 10, 20])
  .option('--product-time <duration,…>', 'unit of the stand-in\'s durations', durations, [0, 3_000])
  .option('--repeat <n>', 'measurements of each pair; the medians are told', repeats, 1)
  .option('--write', 'put the table into docs/benchmarks.md')
  .action(async (flags: Flags) => {
    const figures = await measureAll(flags);
    const table = setUpTable(figures);
    console.log(`\n${table}`);
    if (!flags.write) return;
    const command = `npm run bench -- setup --servers ${flags.servers.join(',')} --product-time ${flags.productTime.map((ms) => `${ms}ms`).join(',')} --repeat ${flags.repeat}`;
    writeSection(document, { title: 'setUpCluster', command, date: new Date(), machine: machineSize(), body: table });
  });

program.command('fanout').description('Four small tasks on many hosts: durable steps of ours beside Fabric, pyinfra and Ansible')
  .option('--hosts <n>', 'how many', (text) => servers(text)[0]!, 20)
  .option('--repeat <n>', 'measurements of each; the medians are told', repeats, 5)
  .option('--write', 'put the table into docs/benchmarks.md')
  .action(async ({ hosts, repeat, write }: { hosts: number; repeat: number; write?: boolean }) => {
    const table = fanOutTable(await connected((client) => measureFanOut(client, { hosts, repeat })));
    console.log(`\n${table}`);
    if (!write) return;
    const command = `npm run bench -- fanout --hosts ${hosts} --repeat ${repeat}`;
    writeSection(document, { title: 'Four tasks on many hosts', command, date: new Date(), machine: machineSize(), body: table });
  });

const count = (most: number) => (text: string): number => {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 0 && value <= most) return value;
  throw new InvalidArgumentError(`expected a number up to ${most}`);
};

program.command('watch').description('Watching: from the end of a Server\'s power to the status that says so, and what it costs to watch many clusters')
  .option('--trials <n>', 'power cuts, with the defaults and tuned; 0: none', count(1_000), 100)
  .option('--clusters <n>', 'how many one worker watches; 0: not measured', count(100), 50)
  .option('--seconds <n>', 'how long their cost is measured', count(3_600), 60)
  .option('--write', 'put the figures into docs/benchmarks.md')
  .action(async ({ trials, clusters, seconds, write }: { trials: number; clusters: number; seconds: number; write?: boolean }) => {
    const body = await connected(async (client) => [
      ...(trials > 0 ? [trialsTable(await measureTrials(client, { trials }))] : []),
      ...(clusters > 0 ? [costText(await measureCost(client, { clusters, servers: 20, interval: 5_000, seconds }))] : []),
    ].join('\n\n'));
    console.log(`\n${body}`);
    if (write) writeSection(document, { title: 'Watching', command: `npm run bench -- watch --trials ${trials} --clusters ${clusters} --seconds ${seconds}`, date: new Date(), machine: machineSize(), body });
  });

async function connected<T>(act: (client: Client) => Promise<T>): Promise<T> {
  const problems: string[] = [];
  const connection = readConnectionConfig(process.env, problems);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const client = await connectClient(connection);
  try {
    return await act(client);
  } finally {
    await client.connection.close();
  }
}

function measureAll({ servers: sizes, productTime, repeat }: Flags): Promise<SetUpFigures[]> {
  return connected(async (client) => {
    const figures: SetUpFigures[] = [];
    for (const productTimeMs of productTime) {
      for (const count of sizes) {
        console.error(`measuring ${count} Servers at ${productTimeMs} ms (load ${loadavg()[0]!.toFixed(1)}) …`);
        const measured = await measureSetUp(client, { servers: count, productTimeMs, repeat });
        figures.push(measured);
        console.log(detailsText(measured));
      }
    }
    return figures;
  });
}

program.parseAsync().catch((error: unknown) => {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
