/** How a cluster is, as people read it: in 80 columns, problems first, and never without the time at which it was seen. Pure. */
import type { Colors } from 'picocolors/types';
import { onlineCount } from '../model/clusterHealth';
import type { ClusterHealth, NodeHealth } from '../model/health';
import { count, duration, oneLine, table, time, type Cell } from './output';

/** True when a person should look. */
export const isUnwell = ({ health }: ClusterHealth): boolean => health !== 'ok';

/** `DEGRADED   2 of 3 Servers Online, at least 2 asked for   seen 12:00:03Z`. */
export function healthLine(cluster: ClusterHealth, colors: Colors, now: string): string {
  const { health, members, minimumNodes, sampledAt, watch } = cluster;
  const word = watch?.paused ? colors.yellow('PAUSED') : health === 'ok' ? colors.green('OK') : health === 'degraded' ? colors.yellow('DEGRADED') : colors.red(health.toUpperCase());
  const stale = Date.parse(now) - Date.parse(sampledAt) > staleMs ? colors.yellow(` (${ago(sampledAt, now)} ago)`) : '';
  return `${word}   ${onlineCount(cluster)} of ${count(members, 'Server')} ${watch?.paused ? 'were ' : ''}Online, at least ${minimumNodes} asked for   seen ${clock(sampledAt)}${stale}`;
}

/** Older than this is told with its age. */
const staleMs = 30_000;

/** One cause in place of its symptoms, then what else is wrong; nothing while all is well. */
export function problemLines({ cause, problems }: ClusterHealth): string[] {
  const lines = [...(cause && !problems.includes(cause.sentence) ? [`${cause.sentence} (${cause.code})`] : []), ...problems];
  return lines.length === 0 ? [] : ['Problems:', ...lines.map((line) => `  - ${oneLine(line)}`)];
}

/** How it is watched, where that is not as usual; a pause itself stands among the problems. */
export function watchLines({ watch, cluster }: ClusterHealth): string[] {
  if (!watch) return [];
  const { paused, vantage, incidents, reports, belowSince } = watch;
  return [
    ...(belowSince === undefined ? [] : [`Too few Servers since ${time(belowSince)}`]),
    ...(paused ? [`Watch it again before the pause ends: stctl resume ${cluster}`] : []),
    ...vantage.flatMap(({ name, fresh, trouble }) => (fresh || paused ? [] : [`Nobody looks from ${name}${trouble ? `: ${oneLine(trouble)}` : ''}`])),
    ...incidents.map(({ node, since, count: times }) => `Incident${node ? ` of ${node}` : ''} since ${time(since)}${times > 1 ? `, ${times} times` : ''}`),
    ...(reports[0] ? [`Reported by ${reports[0].from} at ${time(reports[0].at)}: ${reports[0].node === undefined ? '' : `${reports[0].node}: `}${oneLine(reports[0].what)}${reports.length > 1 ? ` (and ${reports.length - 1} before)` : ''}`] : []),
  ];
}

/** Nodes, problems first; a column that says nothing is left out. The version stands here only where it differs. */
export function nodeTable(nodes: readonly NodeHealth[], colors: Colors, now: string): string {
  const versions = new Set(nodes.flatMap(({ version }) => (version === undefined ? [] : [version])));
  const rows = nodes.map((node): Cell[] => [
    node.node, node.role === 'edge' ? 'Edge' : 'Server', stateWord(node), node.state === 'Unknown' && node.lastSeen ? clock(node.lastSeen) : undefined, node.state === 'Online' ? undefined : node.cause,
    `${node.services.running}/${node.services.of}`, balancerWord(node), node.state === 'Online' ? node.sessions : undefined, streamWord(node), versions.size > 1 ? node.version : undefined, ago(node.since, now), node.excused && oneLine(node.excused),
  ]);
  return table(['NODE', 'ROLE', 'STATE', 'LAST SEEN', 'WHY', 'SVC', 'LB', 'SESS', 'STREAM', 'VERSION', 'SINCE', 'EXPECTED'], rows, (text, header) => (header === 'STATE' ? paint(text, colors) : text));
}

/** All in one line when every node runs the same. */
export function versionLine(nodes: readonly NodeHealth[]): string[] {
  const versions = [...new Set(nodes.flatMap(({ version }) => (version === undefined ? [] : [version])))];
  return versions.length === 1 ? [`Version ${versions[0]}.`] : [];
}

export function healthText(health: ClusterHealth, colors: Colors, now: string): string {
  const problems = problemLines(health);
  return [`Cluster ${colors.bold(health.cluster)}   site ${health.site || '-'}`, healthLine(health, colors, now), ...problems, ...watchLines(health), '', nodeTable(health.nodes, colors, now), ...versionLine(health.nodes)].join('\n');
}

/** A balancer and a node a line: what is wanted, what it does, what a reload would make of it. */
export function balancerTable(nodes: readonly NodeHealth[], colors: Colors): string {
  const rows = nodes.flatMap(({ node, role, balancer = [], sessions }) => balancer.map(({ name, wanted, runtime, file }): Cell[] => [name, node, role === 'edge' ? 'Edge' : 'Server', wanted, runtime, file, sessions, runtime === 'unknown' || (runtime.startsWith(wanted) && (file === wanted || file === 'unknown')) ? undefined : 'differs']));
  return rows.length === 0 ? '' : table(['BALANCER', 'NODE', 'ROLE', 'WANTED', 'RUNTIME', 'FILE', 'SESSIONS', ''], rows, (text, header) => (header === '' ? colors.yellow(text) : text));
}

const stateWord = ({ state, was }: NodeHealth): string => (state === 'Offline' ? 'OFFLINE' : was ? `${state}, was ${was}` : state);
const paint = (text: string, colors: Colors): string => (text.startsWith('OFFLINE') ? colors.red(text) : text.startsWith('Online') ? colors.green(text) : colors.yellow(text));

/** One word when all three agree, else wanted/runtime/file; of several balancers those that differ. */
function balancerWord({ balancer = [] }: NodeHealth): string | undefined {
  const words = balancer.map(({ wanted, runtime, file }) => (runtime === 'unknown' ? runtime : runtime === wanted && (file === wanted || file === 'unknown') ? wanted : [wanted, runtime, file].join('/')));
  return words.find((word) => word.includes('/')) ?? words.find((word) => word === 'unknown') ?? words[0];
}

/** Servers whose streaming connections stand behind an Edge: `2/3`; of a Server only when an Edge is missing. */
const streamWord = ({ role, streaming }: NodeHealth): string | undefined => (streaming && (role === 'edge' || streaming.missing.length > 0) ? `${streaming.connected}/${streaming.of}` : undefined);

const ago = (iso: string, now: string): string => duration(Date.parse(now) - Date.parse(iso)).replace(/^(\d+)\.\ds$/, '$1s');

/** Today's clock is enough beside a date that is told elsewhere. */
const clock = (iso: string): string => time(iso).slice(11);
