/** Figures of watching as people read them. Pure. */
import type { CostFigures } from './cost';
import type { JitterDay, JitterOptions } from './jitter';
import type { ThresholdFigures } from './threshold';
import type { TrialFigures } from './trials';

/** What is aimed at: milliseconds at the 99th percentile, cores of the worker, events an hour. */
export const aims = { defaults: 6_000, tuned: 2_000, threshold: 1_000, cores: 1, eventsAnHour: 30 };
const slicesAnHour = 4;

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

const ms = (value: number): string => (Number.isFinite(value) ? String(Math.round(value)) : 'none');
const ways = [{ name: 'power', of: ['kill'] }, { name: 'cable', of: ['cut'] }, { name: 'all', of: ['kill', 'cut'] }];

/** A mail that never came is the worst of all. */
const spread = (values: readonly number[]): string[] => {
  const known = values.map((value) => (Number.isNaN(value) ? Infinity : value));
  return [0.5, 0.99, 1].map((share) => ms(percentile(known, share)));
};

export function trialsTable(figures: readonly TrialFigures[]): string {
  const rows = figures.flatMap(({ name, settings: { interval, failuresToOffline }, trials }) => ways.map((way) => {
    const its = trials.filter((trial) => way.of.includes(trial.way));
    const aim = way.name === 'all' ? String(name === 'defaults' ? aims.defaults : aims.tuned) : '';
    return `| ${name}: ${interval} ms, ${failuresToOffline} looks | ${way.name} | ${its.length} | ${spread(its.map(({ status }) => status)).join(' | ')} | ${spread(its.map(({ mail }) => mail)).join(' | ')} | ${aim} |`;
  }));
  return [
    'From the moment when a Server loses its power (its port refuses) or its network cable (it is silent) to the status that says Offline or Unknown, and to the mail that its SMTP server has taken; milliseconds:', '',
    '| settings | loses | trials | status p50 | p99 | most | mail p50 | p99 | most | aim p99 |', '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |', ...rows,
  ].join('\n');
}

export function thresholdText({ forMs, event, mail }: ThresholdFigures): string {
  const list = (values: readonly number[]): string => values.map(ms).join(', ');
  return `Fewer Servers than asked for, for ${forMs / 1_000} s (\`for\`): from the end of that time to the event \`below-threshold\`, with the second look before it, ${list(event)} ms in ${event.length} trials (aim ≤ ${aims.threshold}); to its mail ${list(mail)} ms.`;
}

export interface JitterFigures extends Omit<JitterOptions, 'seed'> {
  name: string;
  days: JitterDay[];
}

export function jitterText(figures: readonly JitterFigures[]): string {
  const sum = (days: readonly JitterDay[], of: keyof JitterDay): number => days.reduce((total, one) => total + one[of], 0);
  return [
    'Replay of days of jitter through the votes (bench/watch/jitter.ts): 1 % of packets lost for a second, a pause of the whole Server every two to six minutes; none of it is an outage. The tuned settings call a second of silence one: they are for networks without such jitter.', '',
    '| settings | longest pause | days of 24 h | looks | misses | false changes | aim |', '| --- | --- | --- | --- | --- | --- | --- |',
    ...figures.map(({ name, interval, failures, longestPauseMs, days }) => `| ${name}: ${interval} ms, ${failures} looks | ${longestPauseMs} ms | ${days.length} | ${sum(days, 'looks')} | ${sum(days, 'misses')} | ${sum(days, 'changes')} | ${name === 'defaults' ? '0' : ''} |`),
  ].join('\n');
}

export function costText({ clusters, servers, interval, seconds, cores, memory, online, eventsPerSlice }: CostFigures): string {
  return [
    `${clusters} clusters of ${servers} Servers, each looked at every ${interval / 1_000} s by one worker: ${cores.toFixed(2)} cores (aim < ${aims.cores}) and ${memory} MB over ${seconds} s; ${online} of ${clusters * servers} Online at the end.`,
    `A quiet monitor adds ${eventsPerSlice.toFixed(1)} events a slice: ${(eventsPerSlice * slicesAnHour).toFixed(0)} an hour and vantage point with slices of 15 minutes (aim ≤ ${aims.eventsAnHour}). Heartbeats apart: one a second.`,
  ].join('\n\n');
}
