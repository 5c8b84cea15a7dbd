/** How far the clocks of hosts are off. A reading over SSH is never exact: it says between which two values it lies. Pure. */
import type { Problem } from './operation';

/** Against the orchestrator's clock, in milliseconds; more than 0 is ahead. */
export interface ClockReading {
  node: string;
  leastMs: number;
  mostMs: number;
  /** What the host's `date` wrote. */
  told: string;
}

const remedy = 'synchronise the clocks of all hosts, this one and the orchestrator\'s included';

/** The least that it is off for certain. */
const off = ({ leastMs, mostMs }: ClockReading): number => (leastMs > 0 ? leastMs : mostMs < 0 ? mostMs : 0);

const isReadable = ({ leastMs, mostMs }: ClockReading): boolean => Number.isFinite(leastMs) && Number.isFinite(mostMs);

export function clockProblems(reading: ClockReading, limitMs: number): Problem[] {
  const { node, told } = reading;
  // JSON has no NaN.
  if (!isReadable(reading)) return [{ what: `${node}: its clock can't be read (date +%s%3N answers "${told}")`, remedy: 'install GNU date (package coreutils)' }];
  const by = off(reading);
  if (Math.abs(by) <= limitMs) return [];
  return [{ what: `${node}: the clock is ${seconds(by)} ${by > 0 ? 'ahead' : 'behind'} (limit ${limitMs / 1000} s)`, remedy }];
}

/** Two clocks may both be near enough to ours and too far from each other; what is off by itself is told already. */
export function compareClocks(readings: readonly ClockReading[], limitMs: number): Problem[] {
  const good = readings.filter((reading) => isReadable(reading) && Math.abs(off(reading)) <= limitMs).sort((a, b) => (a.node < b.node ? -1 : 1));
  return good.flatMap((one, index) => good.slice(index + 1).flatMap((other): Problem[] => {
    const apart = Math.max(one.leastMs - other.mostMs, other.leastMs - one.mostMs);
    return apart > limitMs ? [{ what: `the clocks of ${one.node} and ${other.node} are ${seconds(apart)} apart (limit ${limitMs / 1000} s)`, remedy }] : [];
  }));
}

const seconds = (ms: number): string => `${(Math.abs(ms) / 1000).toFixed(1)} s`;
