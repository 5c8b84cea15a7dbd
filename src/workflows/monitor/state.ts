/** What one monitor knows: plain data, carried whole over a continue-as-new. */
import type { ClusterEvent } from '../../model/events';
import type { ClusterHealth, WatchView } from '../../model/health';
import type { MonitorClusterInput, MonitorSettings, PauseInput } from '../../model/monitorInput';
import { majority } from '../../model/clusterHealth';
import { noIncidents, type Incidents } from '../../model/incidents';
import type { Vote, Watched } from '../../model/watch';

export interface PostState {
  vantage: string;
  /** Somebody looks from there, and has looked since anybody last did not. */
  fresh: boolean;
  last?: Watched;
  trouble?: string;
  /** Looks in a row that ended without an answer. */
  failures: number;
}

export interface Carried {
  settings: MonitorSettings;
  posts: PostState[];
  incidents: Incidents;
  health: ClusterHealth | null;
  /** `lastsMs`: from the order, or from the begin of this run, to its end, in milliseconds; `seenAt`: until when it was certainly looked at. */
  paused: (PauseInput & { lastsMs: number; seenAt?: string }) | null;
  reports: WatchView['reports'];
  /** Numbers the activities of this monitor. */
  looks: number;
}

export interface Monitor extends Carried {
  cluster: string;
  /** Changes when those who look must begin anew. */
  generation: number;
  /** An update was taken since this was last looked at. */
  asked: boolean;
  outbox: ClusterEvent[];
}

const defaults = { sliceMs: 15 * 60_000, calmMs: 30_000, intervalMs: 2_000, failures: 3, forMs: 300_000 };

/** What a person asked for, and what an earlier run of this monitor handed on: its own words, which no rule for inputs is made for. */
export function takeApart(raw: unknown): { asked: unknown; carried?: Carried } {
  if (typeof raw !== 'object' || raw === null || !('carried' in raw)) return { asked: raw };
  const { carried, ...asked } = raw;
  return { asked, carried: carried as Carried };
}

export function newMonitor({ cluster, historyLimit: _, ...settings }: MonitorClusterInput, carried: Carried | undefined, ownQueue: string): Monitor {
  const state: Carried = carried ?? { settings, posts: [], incidents: noIncidents(), health: null, paused: null, reports: [], looks: 0 };
  const run: Monitor = { ...state, cluster, generation: 0, asked: false, outbox: [] };
  post(run, ownQueue);
  return run;
}

/** One post for each vantage point; those that stay keep what they know. */
export function post(run: Monitor, ownQueue: string): void {
  const known = run.posts;
  run.posts = (run.settings.vantage ?? [ownQueue]).map((vantage) => known.find((one) => one.vantage === vantage) ?? { vantage, fresh: false, failures: 0 });
}

export function endPause(run: Monitor): void {
  run.paused = null;
  run.generation += 1;
}

export const sliceMs = ({ settings }: Monitor): number => settings.sliceMs ?? defaults.sliceMs;
export const calmMs = ({ settings }: Monitor): number => settings.calm ?? defaults.calmMs;
export const quorumOf = ({ settings, posts }: Monitor): number => Math.min(posts.length, settings.quorum ?? majority(posts.length));
export const freshVotes = ({ posts }: Monitor): Vote[] => posts.flatMap(({ fresh, last }) => (fresh && last ? [last.vote] : []));
/** What the cluster file says, as far as anybody has looked. */
const policiesOf = ({ posts }: Monitor): Partial<Vote['policies']> => posts.find(({ last }) => last)?.last?.vote.policies ?? {};
/** How long too few must be missing, as the policy says. */
export const forMs = (run: Monitor): number => run.settings.for ?? policiesOf(run).forMs ?? defaults.forMs;

export function watchView(run: Monitor): WatchView {
  const { settings, posts, paused, incidents, reports } = run;
  const policies = policiesOf(run);
  return {
    interval: settings.interval ?? policies.interval ?? defaults.intervalMs, failuresToOffline: settings.failuresToOffline ?? policies.failuresToOffline ?? defaults.failures,
    vantage: posts.map(({ vantage, fresh, last, trouble }) => ({ name: vantage, fresh, ...(last ? { votedAt: last.vote.at } : {}), ...(trouble ? { trouble } : {}) })),
    quorum: quorumOf(run), ...(paused ? { paused: { until: paused.until, by: paused.by, reason: paused.reason } } : {}), ...(incidents.below ? { belowSince: incidents.below.since } : {}),
    incidents: incidents.open ? incidentsOf(incidents, incidents.open) : [],
    reports,
  };
}

/** The nodes, and what stands around them. */
const incidentsOf = ({ around = [] }: Incidents, { id, nodes }: NonNullable<Incidents['open']>): WatchView['incidents'] => [
  ...nodes.map(({ node, since, count }) => ({ id, node, since, count })),
  ...around.map(({ what, name, since }) => ({ id, ...(what === 'balancer' ? { node: name } : {}), since, count: 1 })),
];

/** `at`: when this run ends, ISO-8601 UTC. */
export const carry = ({ settings, posts, incidents, health, paused, reports, looks }: Monitor, at: string): Carried =>
  ({ settings, posts, incidents, health, paused: paused && { ...paused, lastsMs: msUntil(paused.until, at) }, reports, looks });

export const msUntil = (until: string, at: string): number => Math.max(1, Date.parse(until) - Date.parse(at));
