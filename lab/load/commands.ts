/**
 * `lab load` and `lab ledger`.
 */
import type { Command } from 'commander';
import { duration, positive, count } from '../arguments';
import { requirePlan } from '../place';
import type { LabCluster, LabPlan } from '../plan';
import { generate } from './generator';
import { describeLedger, readReport } from './ledger';
import { beginRun } from './runs';

function clusterOf(plan: LabPlan, name: string | undefined): LabCluster {
  const found = plan.clusters.find((cluster) => name === undefined || cluster.name === name);
  if (found === undefined) throw new Error(`lab ${plan.name} has no cluster "${name ?? ''}"; it has ${plan.clusters.map((cluster) => cluster.name).join(', ')}`);
  return found;
}

interface LoadFlags {
  name: string; cluster?: string; partners: number; rate: number; for: number; seed?: number;
}

export function addLoadCommands(command: (name: string, text: string) => Command, print: (text: string) => void): void {
  const onCluster = (name: string, text: string): Command => command(name, text).option('--cluster <name>', 'cluster of the lab (default: the main one)');

  onCluster('load', 'send files as partners do, through the balancer, and keep a ledger of what was acknowledged')
    .option('--partners <n>', 'partners that send', count, 5)
    .option('--rate <n>', 'files a second, of all partners together', positive, 10)
    .option('--for <duration>', 'how long', duration, 20_000)
    .option('--seed <n>', 'seed of sizes, contents and pauses (default: that of the lab)', count)
    .action(async (flags: LoadFlags) => {
      const plan = requirePlan(flags.name);
      const cluster = clusterOf(plan, flags.cluster);
      if (flags.partners < 1 || flags.partners > 99) throw new Error(`--partners ${flags.partners}: expected 1 to 99`);
      const ended = new AbortController();
      for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => ended.abort());
      const { acknowledged, broken } = await generate(plan, cluster, beginRun(plan.name), { ...flags, seed: flags.seed ?? plan.options.seed }, ended.signal);
      print(`acknowledged ${acknowledged}, broken off ${broken}`);
    });

  onCluster('ledger', 'what became of the files that were acknowledged to partners')
    .option('-o, --output <format>', 'text or json', 'text')
    .action(async ({ name, cluster, output }: { name: string; cluster?: string; output: string }) => {
      const plan = requirePlan(name);
      const report = await readReport(plan, clusterOf(plan, cluster));
      print(output === 'json' ? JSON.stringify(report, null, 2) : describeLedger(report));
    });
}
