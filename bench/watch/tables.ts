/** Figures of watching as people read them. Pure. */
import type { CostFigures } from './cost';
import type { TrialFigures } from './trials';

/** What is aimed at: milliseconds at the 99th percentile, cores of the worker, events an hour. */
export const aims = { defaults: 6_000, tuned: 2_000, cores: 1, eventsAnHour: 30 };
const slicesAnHour = 4;

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

export function trialsTable(figures: readonly TrialFigures[]): string {
  const rows = figures.map(({ name, settings: { interval, failuresToOffline }, status }) =>
    `| ${name} | ${interval} ms, ${failuresToOffline} looks | ${status.length} | ${Math.round(percentile(status, 0.5))} | ${Math.round(percentile(status, 0.99))} | ${name === 'defaults' ? aims.defaults : aims.tuned} |`);
  return ['From the end of a Server\'s power to the status that says Unknown, in milliseconds:', '', '| settings | | trials | p50 | p99 | aim p99 |', '| --- | --- | --- | --- | --- | --- |', ...rows].join('\n');
}

export function costText({ clusters, servers, interval, seconds, cores, memory, online, eventsPerSlice }: CostFigures): string {
  return [
    `${clusters} clusters of ${servers} Servers, each looked at every ${interval / 1_000} s by one worker: ${cores.toFixed(2)} cores (aim < ${aims.cores}) and ${memory} MB over ${seconds} s; ${online} of ${clusters * servers} Online at the end.`,
    `A quiet monitor adds ${eventsPerSlice.toFixed(1)} events a slice: ${(eventsPerSlice * slicesAnHour).toFixed(0)} an hour and vantage point with slices of 15 minutes (aim ≤ ${aims.eventsAnHour}). Heartbeats apart: one a second.`,
  ].join('\n\n');
}
