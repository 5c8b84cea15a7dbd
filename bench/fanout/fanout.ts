/** `npm run bench -- fanout`: the same four tasks (test, true, put a file, read it) on the same hosts in one run, by us and by others. */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { productionSite, siteOf } from '../../src/model/slices';
import type { ClusterSpec, NodeSpec } from '../../src/model/spec';
import { startEstate, type Estate } from '../estate';
import { ansible, fabric, prepareOthers, pyinfra, type Hosts, type Times } from './others';
import { ours } from './ours';

export interface FanOutFigures {
  hosts: number;
  rows: { name: string; times: Times }[];
}

export async function measureFanOut(client: Client, { hosts, repeat }: { hosts: number; repeat: number }): Promise<FanOutFigures> {
  await prepareOthers();
  const estate = await startEstate({ servers: hosts, spare: 1, productTimeMs: 0 });
  const dir = mkdtempSync(join(tmpdir(), 'st-fanout-'));
  try {
    const spec = reachable(estate, hosts);
    const nodes = nodesOf(spec);
    const { user, key, knownHosts } = nodes[0]!.ssh;
    const others: Hosts = { addresses: nodes.map(({ address }) => address), user, key: key.replace(/^file:/, ''), knownHosts };
    const told = (name: string): void => console.error(`measuring ${name} on ${hosts} hosts (load ${loadavg()[0]!.toFixed(1)}) …`);
    told('ours');
    const own = await ours(client, spec, repeat, dir);
    told('Fabric');
    const byFabric = await fabric(others, repeat);
    told('pyinfra');
    const byPyinfra = await pyinfra(others, repeat, dir);
    told('Ansible');
    // Slow enough for its differences to matter little.
    const byAnsible = await ansible(others, Math.min(2, repeat), dir);
    return {
      hosts,
      rows: [
        { name: 'st-orchestrator: an operation of one step, the four tasks as one script an activity', times: own.oneStep.all }, { name: '… its step alone', times: own.oneStep.steps },
        { name: 'st-orchestrator: an operation of four steps, one task an activity', times: own.fourSteps.all }, { name: '… its steps alone', times: own.fourSteps.steps },
        { name: 'Fabric, a thread a host, its process running already', times: byFabric }, { name: 'pyinfra, --no-wait', times: byPyinfra }, { name: 'Ansible, pipelining, strategy free', times: byAnsible },
      ],
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
    await estate.down();
  }
}

const nodesOf = (spec: ClusterSpec): NodeSpec[] => siteOf(spec, productionSite(spec)).servers;

/** The lab's Servers without the one behind a jump host, which others would need another set-up for; a spare host stands in. */
function reachable(estate: Estate, hosts: number): ClusterSpec {
  const { spec } = estate;
  const site = productionSite(spec);
  const servers = [...nodesOf(spec), ...nodesOf(estate.specOf('cluster2.yaml'))].filter(({ ssh }) => ssh.jump === undefined).slice(0, hosts);
  return { ...spec, sites: { ...spec.sites, [site]: { ...siteOf(spec, site), servers } } };
}

const median = (times: readonly number[]): number | undefined => [...times].sort((a, b) => a - b)[Math.floor((times.length - 1) / 2)];

/** The table of docs/benchmarks.md, in Markdown. Pure. */
export function fanOutTable({ hosts, rows }: FanOutFigures): string {
  const own = rows[0]!.times;
  const cell = (times: readonly number[]): string => {
    const middle = median(times);
    return middle === undefined ? '' : `${middle.toFixed(2)} (${Math.min(...times).toFixed(2)}–${Math.max(...times).toFixed(2)})`;
  };
  const ratio = (times: readonly number[], of: readonly number[]): string => (times.length > 0 ? (median(times)! / median(of)!).toFixed(1) : '');
  return [
    `test, true, put a file, read it on ${hosts} hosts; seconds, the median (least to most). Ours are operations: lease, plan, progress and report are in their time, each activity is durable and would survive the death of the worker. × is the multiple of our first row.`,
    '',
    '| | connections made anew | × | connections open | × |', '| --- | --- | --- | --- | --- |',
    ...rows.map(({ name, times }) => `| ${name} | ${cell(times.cold)} | ${ratio(times.cold, own.cold)} | ${cell(times.open)} | ${ratio(times.open, own.open)} |`),
  ].join('\n');
}
