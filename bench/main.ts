/**
 * `npm run bench -- setup` and `-- nodes`: what the orchestrator adds to the product's own time; `-- fanout`: beside other tools; `-- watch`: how soon, and at what cost;
 * `-- lab`: the practice estate itself. Needs a Temporal server (TEMPORAL_ADDRESS); the script starts one.
 */
import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { Command, InvalidArgumentError } from 'commander';
import { connectClient } from '../src/control/connect';
import { readConnectionConfig } from '../src/control/connectionConfig';
import { durationMs } from '../src/model/fields';
import { labText, measureLab } from './lab';
import { measureNodes, type NodeFigures } from './nodes';
import { detailsText, nodesTable, setUpTable } from './tables';
import { measureSetUp, type SetUpFigures } from './setup';
import { fanOutTable, measureFanOut } from './fanout/fanout';
import { machineSize, writeSection } from './document';
import { measureCost } from './watch/cost';
import { jitterDay, jitterKinds } from './watch/jitter';
import { costText, jitterText, thresholdText, trialsTable } from './watch/tables';
import { measureThreshold } from './watch/threshold';
import { measureTrials } from './watch/trials';
import { withWatched } from './watch/watched';

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

const count = (most: number) => (text: string): number => {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 0 && value <= most) return value;
  throw new InvalidArgumentError(`expected a number up to ${most}`);
};

interface Flags {
  servers: number[];
  edges: number;
  productTime: number[];
  repeat: number;
  write?: boolean;
}

const document = resolve(__dirname, '../../docs/benchmarks.md');
/** What the machine did beside the measurement is told with it: at its begin nothing of ours runs. */
const loadAtBegin = loadavg()[0]!;
const save = (title: string, command: string, body: string): void =>
  writeSection(document, { title, command, date: new Date(), machine: `${machineSize()}, load ${loadAtBegin.toFixed(1)} at the beginning`, body });

const program = new Command('bench').description('Measures on the practice estate.');
program.command('setup').description('setUpCluster: total, the product\'s own part, our addition, history')
  .option('--servers <n,…>', 'sizes', servers, [1, 3, 10, 20])
  .option('--edges <n>', 'Edges of the largest size, measured beside it without Edges; 0: none', count(10), 0)
  .option('--product-time <duration,…>', 'unit of the stand-in\'s durations', durations, [0, 3_000])
  .option('--repeat <n>', 'measurements of each pair; the medians are told', repeats, 1)
  .option('--write', 'put the table into docs/benchmarks.md')
  .action(async (flags: Flags) => {
    const figures = await measureAll(flags);
    const table = setUpTable(figures);
    console.log(`\n${table}`);
    if (flags.write) save('setUpCluster', `npm run bench -- setup --servers ${flags.servers.join(',')} --edges ${flags.edges} --product-time ${flags.productTime.map((ms) => `${ms}ms`).join(',')} --repeat ${flags.repeat}`, table);
  });

program.command('lab').description('The practice estate: how long it takes to be built, and what memory it takes, as it comes and with the product at work on every host')
  .option('--servers <n>', 'Servers', (text) => servers(text)[0]!, 20)
  .option('--edges <n>', 'Edges', count(10), 2)
  .option('--repeat <n>', 'how often it is built; the median is told', repeats, 3)
  .option('--write', 'put the figures into docs/benchmarks.md')
  .action(async ({ servers: size, edges, repeat, write }: { servers: number; edges: number; repeat: number; write?: boolean }) => {
    const text = labText(await measureLab({ servers: size, edges, repeat }));
    console.log(`\n${text}`);
    if (write) save('The practice estate', `npm run bench -- lab --servers ${size} --edges ${edges} --repeat ${repeat}`, text);
  });

program.command('nodes').description('addNode, rollingRestart and removeNode on a cluster that works: total, the product\'s own part, our addition')
  .option('--servers <n,…>', 'sizes, the node that comes and goes among them', servers, [3, 20])
  .option('--product-time <duration,…>', 'unit of the stand-in\'s durations', durations, [0, 1_000])
  .option('--write', 'put the table into docs/benchmarks.md')
  .action(async ({ servers: sizes, productTime, write }: { servers: number[]; productTime: number[]; write?: boolean }) => {
    const figures = await connected(async (client) => {
      const all: NodeFigures[] = [];
      for (const productTimeMs of productTime) {
        for (const size of sizes) {
          console.error(`measuring ${size} Servers at ${productTimeMs} ms (load ${loadavg()[0]!.toFixed(1)}) …`);
          const taken = await measureNodes(client, { servers: size, productTimeMs });
          all.push(...taken);
          for (const one of taken) console.log(detailsText(one));
        }
      }
      return all;
    });
    const table = nodesTable(figures);
    console.log(`\n${table}`);
    if (write) save('addNode, rollingRestart, removeNode', `npm run bench -- nodes --servers ${sizes.join(',')} --product-time ${productTime.map((ms) => `${ms}ms`).join(',')}`, table);
  });

program.command('fanout').description('Four small tasks on many hosts: durable steps of ours beside Fabric, pyinfra and Ansible')
  .option('--hosts <n>', 'how many', (text) => servers(text)[0]!, 20)
  .option('--repeat <n>', 'measurements of each; the medians are told', repeats, 5)
  .option('--write', 'put the table into docs/benchmarks.md')
  .action(async ({ hosts, repeat, write }: { hosts: number; repeat: number; write?: boolean }) => {
    const table = fanOutTable(await connected((client) => measureFanOut(client, { hosts, repeat })));
    console.log(`\n${table}`);
    if (write) save('Four tasks on many hosts', `npm run bench -- fanout --hosts ${hosts} --repeat ${repeat}`, table);
  });

program.command('watch').description('Watching: from the end of a Server to the status and the mail that say so, what it costs to watch many clusters, and what jitter does')
  .option('--trials <n>', 'Servers that are lost, with the defaults and tuned; 0: none', count(1_000), 100)
  .option('--thresholds <n>', 'falls below the threshold; 0: none', count(100), 5)
  .option('--clusters <n>', 'how many one worker watches; 0: not measured', count(100), 50)
  .option('--seconds <n>', 'how long their cost is measured', count(3_600), 60)
  .option('--days <n>', 'days of jitter that are replayed', count(1_000), 20)
  .option('--write', 'put the figures into docs/benchmarks.md')
  .action(async ({ trials, thresholds, clusters, seconds, days, write }: { trials: number; thresholds: number; clusters: number; seconds: number; days: number; write?: boolean }) => {
    const parts: string[] = [];
    const told = (part: string): void => { parts.push(part); console.log(`\n${part}`); };
    await connected(async (client) => {
      if (trials + thresholds > 0) {
        await withWatched(client, async (watched) => {
          if (trials > 0) told(trialsTable(await measureTrials(watched, { trials })));
          if (thresholds > 0) told(thresholdText(await measureThreshold(watched, { trials: thresholds })));
        });
      }
      if (clusters > 0) told(costText(await measureCost(client, { clusters, servers: 20, interval: 5_000, seconds })));
    });
    if (days > 0) told(jitterText(jitterKinds.map((kind) => ({ ...kind, days: Array.from({ length: days }, (_, index) => jitterDay({ ...kind, seed: index + 1 })) }))));
    if (write) save('Watching', `npm run bench -- watch --trials ${trials} --thresholds ${thresholds} --clusters ${clusters} --seconds ${seconds} --days ${days}`, parts.join('\n\n'));
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

function measureAll({ servers: sizes, edges, productTime, repeat }: Flags): Promise<SetUpFigures[]> {
  return connected(async (client) => {
    const figures: SetUpFigures[] = [];
    const wanted = [...sizes.map((size) => ({ servers: size, edges: 0 })), ...(edges > 0 ? [{ servers: Math.max(...sizes), edges }] : [])];
    for (const productTimeMs of productTime) {
      for (const size of wanted) {
        console.error(`measuring ${size.servers} Servers and ${size.edges} Edges at ${productTimeMs} ms (load ${loadavg()[0]!.toFixed(1)}) …`);
        const measured = await measureSetUp(client, { ...size, productTimeMs, repeat });
        figures.push(measured);
        console.log(detailsText(measured));
      }
    }
    return figures;
  });
}

program.parseAsync().catch((error: unknown) => {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}${cause}`);
  process.exitCode = 1;
});
