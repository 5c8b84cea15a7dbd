/** A measured load, as people read it. Pure. */
import type { Load } from '../model/workloadLoad';

const cell = (value: number | null, unit = ''): string => (value === null ? '?' : `${Math.round(value * 100) / 100}${unit}`);

/** One line a Server: processors, sessions, and for each event type how many wait and are in process on average, and how many ended a second. */
export function loadText({ nodes, windowMs, looks, rate, imbalance, noise, missing, unassigned }: Load): string {
  const lines = nodes.map(({ node, cpu, cores, sessions, types }) => {
    const work = Object.entries(types).map(([type, { waiting, active, ended }]) => `${type} ${cell(waiting)} waiting, ${cell(active)} in process, ${cell(ended)}/s`);
    return `${node}  CPU ${cell(cpu === null ? null : cpu * 100, ' %')} of ${cores ?? '?'}  sessions ${cell(sessions)}  ${work.join('; ') || 'no events seen'}`;
  });
  return [
    `Measured for ${Math.round(windowMs / 100) / 10} s in ${looks} looks: ${cell(rate)} events a second, imbalance ${cell(imbalance)} (1 is evenly spread; noise ${cell(noise)})`,
    ...lines, ...(unassigned > 0 ? [`events that no Server had: ${cell(unassigned)}`] : []), ...missing.map((what) => `not measured: ${what}`),
  ].join('\n');
}
