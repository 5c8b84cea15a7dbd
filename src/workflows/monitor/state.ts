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
  /** `lastsMs`: from the order to its end, in milliseconds. */
  paused: (PauseInput & { lastsMs: number }) | null;
  reports: WatchView['reports'];
  /** Numbers the activities of this monitor. */
  looks: number;
}

export interface Monitor extends Carried {
  cluster: string;
  /** Changes when those who look must begin anew. */
  generation: number;
  outbox: ClusterEvent[];
}

const defaults = { sliceMs: 15 * 60_000, calmMs: 30_000, intervalMs: 2_000, failures: 3, forMs: 300_000 };

export function newMonitor({ cluster, carried, historyLimit: _, ...settings }: MonitorClusterInput, ownQueue: string): Monitor {
  const state: Carried = (carried as Carried | undefined) ?? { settings, posts: [], incidents: noIncidents(), health: null, paused: null, reports: [], looks: 0 };
  const run: Monitor = { ...state, cluster, generation: 0, outbox: [] };
  post(run, ownQueue);
  return run;
}

/** One post for each vantage point; those that stay keep what they know. */
export function post(run: Monitor, ownQueue: string): void {
  const known = run.posts;
  run.posts = (run.settings.vantage ?? [ownQueue]).map((vantage) => known.find((one) => one.vantage === vantage) ?? { vantage, fresh: false, failures: 0 });
}

export const sliceMs = ({ settings }: Monitor): number => settings.sliceMs ?? defaults.sliceMs;
export const calmMs = ({ settings }: Monitor): number => settings.calm ?? defaults.calmMs;
export const quorumOf = ({ settings, posts }: Monitor): number => Math.min(posts.length, settings.quorum ?? majority(posts.length));
export const freshVotes = ({ posts }: Monitor): Vote[] => posts.flatMap(({ fresh, last }) => (fresh && last ? [last.vote] : []));
/** How long too few must be missing, as the policy says. */
export const forMs = (run: Monitor): number => run.settings.for ?? run.posts.find(({ last }) => last)?.last?.vote.policies.forMs ?? defaults.forMs;

export function watchView(run: Monitor): WatchView {
  const { settings, posts, paused, incidents, reports } = run;
  return {
    interval: settings.interval ?? defaults.intervalMs, failuresToOffline: settings.failuresToOffline ?? defaults.failures,
    vantage: posts.map(({ vantage, fresh, last, trouble }) => ({ name: vantage, fresh, ...(last ? { votedAt: last.vote.at } : {}), ...(trouble ? { trouble } : {}) })),
    quorum: quorumOf(run), ...(paused ? { paused: { until: paused.until, by: paused.by, reason: paused.reason } } : {}), ...(incidents.below ? { belowSince: incidents.below.since } : {}),
    incidents: incidents.open ? incidents.open.nodes.map(({ node, since, count }) => ({ id: incidents.open!.id, node, since, count })) : [],
    reports,
  };
}

export const carry = ({ settings, posts, incidents, health, paused, reports, looks }: Monitor): Carried => ({ settings, posts, incidents, health, paused, reports, looks });
