/** `stctl status`. */
import type { Client } from '@temporalio/client';
import { listClusters, readCluster } from '../../control/clusters';
import { look, type Sighting } from '../../control/operations';
import { readHealth } from '../../control/watching';
import { listCommand, queryCommand } from '../../control/temporalCommand';
import { onlineCount } from '../../model/clusterHealth';
import { StError } from '../../model/errors';
import { clusterWorkflowId } from '../../model/ids';
import { besideRecord } from '../../model/newestRecord';
import { endWords } from '../../model/unfinished';
import type { Cli } from '../cli';
import { clusterNext, clusterText, isDegraded, type ClusterStatusView } from '../clusterText';
import { exit, isHeld } from '../failure';
import { table } from '../output';
import { anyFormat, type Verb } from '../verb';

const watchEveryMs = 1_000;

export async function readStatus(client: Client, cluster: string): Promise<ClusterStatusView> {
  const [record, seen] = await Promise.all([readCluster(client, cluster), readHealth(client, cluster).catch((error: unknown) => words(error))]);
  const view = { ...record, sampledAt: new Date().toISOString(), running: null, ...(typeof seen === 'string' ? { health: null, healthUnknown: seen } : { health: seen && besideRecord(seen, record) }) };
  if (!record.lease) return view;
  const found = await look(client, record.lease.workflowId).catch((error: unknown) => words(error));
  if (typeof found === 'string') return { ...view, runningUnknown: found };
  if (found.status !== 'RUNNING') return { ...view, runningUnknown: `it ${ended(found)}; the record hears of it within half a minute` };
  return { ...view, running: found.report ?? null, ...(found.attempts.length > 0 ? { attempts: found.attempts } : {}), ...(found.silence ? { runningUnknown: found.silence } : {}) };
}

/** A run that was ended by force has no outcome of its own. */
const ended = ({ status, report }: Sighting): string => (status === 'TERMINATED' || status === 'TIMED_OUT' || !report ? endWords(status) : `has ended: ${report.outcome}`);

/** What one part of the answer lacks must not hide the others. */
const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const status: Verb = {
  usage: 'status [cluster]',
  summary: 'Show how a cluster is, node by node, and what runs on it; without a name, all clusters',
  examples: ['stctl status demo', 'stctl status demo -w                 again and again, until Ctrl-C', 'stctl status demo -o json', 'ST_CLUSTER=demo stctl status'],
  output: anyFormat,
  options: (command) => command.option('-w, --watch', 'show it again whenever it changes, until Ctrl-C'),
  run: async (cli, [named], flags: { watch?: boolean }) => {
    const client = await cli.client();
    const cluster = named ?? (cli.io.env['ST_CLUSTER'] || undefined);
    if (cluster === undefined) return listAll(cli, client);
    cli.same(queryCommand(clusterWorkflowId(cluster), 'status'));
    return flags.watch ? watchStatus(cli, client, cluster) : show(cli, await readStatus(client, cluster));
  },
};

function show(cli: Cli, view: ClusterStatusView): number {
  cli.print({ data: view, table: () => clusterText(view, cli.outColors), wide: () => clusterText(view, cli.outColors, { wide: true }), name: () => view.name });
  cli.say(clusterNext(view));
  if (view.running && isHeld(view.running)) return exit.needsDecision;
  return isDegraded(view) ? exit.degraded : exit.ok;
}

/** Times of looks and counts of tries, which are others at every look. */
const moments: ReadonlySet<string> = new Set(['sampledAt', 'readAt', 'lastSeen', 'votedAt', 'sessions', 'attempt', 'startsAt', 'triedMs']);

/** Prints at every change; nothing but Ctrl-C ends it. */
async function watchStatus(cli: Cli, client: Client, cluster: string): Promise<number> {
  cli.onInterrupt(() => '');
  let last = '';
  while (!cli.io.interrupted.aborted) {
    try {
      const view = await readStatus(client, cluster);
      const now = JSON.stringify(view, (key, value: unknown) => (moments.has(key) ? undefined : value));
      if (now !== last) show(cli, view);
      last = now;
    } catch (error) {
      if (cli.io.interrupted.aborted) break;
      if (!(error instanceof StError) || error.code !== 'Unreachable') throw error;
      cli.say(`${new Date().toISOString()} ${error.message} Trying again.`);
      last = '';
    }
    await new Promise((resolve) => void setTimeout(resolve, watchEveryMs));
  }
  return exit.interrupted;
}

async function listAll(cli: Cli, client: Client): Promise<number> {
  cli.same(listCommand());
  const names = await listClusters(client);
  const views = await Promise.all(names.map((name) => readStatus(client, name).catch((error: unknown) => unknown(name, error))));
  const rows = views.map((view) => {
    if ('silence' in view) return [view.name, 'unknown', '', '', '', '', '', '', view.silence];
    const { name, phase, activeSite, members, revision, lease, unfinished, closed, health, healthUnknown } = view;
    return [name, closed ? `record closed (${closed})` : phase, health ? `${health.watch?.paused ? 'paused' : health.health} ${onlineCount(health)}/${health.members}` : healthUnknown !== undefined ? 'unknown' : phase === 'new' ? '' : 'not watched', activeSite ?? '', members.length, revision, lease?.operation, unfinished.length || undefined];
  });
  cli.print({
    data: { apiVersion: 'st-orchestrator/v1', kind: 'ClusterStatusList', items: views },
    lines: views,
    table: () => (rows.length > 0 ? table(['CLUSTER', 'PHASE', 'HEALTH', 'ACTIVE SITE', 'MEMBERS', 'REVISION', 'RUNNING', 'UNFINISHED', ''], rows) : ''),
    name: () => names.join('\n'),
  });
  cli.say(names.length > 0 ? `Next: stctl status ${names[0]}` : 'No cluster was applied yet. Next: stctl apply -f cluster.yaml');
  return views.some((view) => 'silence' in view || isDegraded(view)) ? exit.degraded : exit.ok;
}

/** One record that nobody answers for must not hide the others. */
function unknown(name: string, error: unknown): { apiVersion: 'st-orchestrator/v1'; kind: 'ClusterStatus'; name: string; phase: 'unknown'; silence: string } {
  if (!(error instanceof StError)) throw error;
  return { apiVersion: 'st-orchestrator/v1', kind: 'ClusterStatus', name, phase: 'unknown', silence: error.message };
}
