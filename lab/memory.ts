/** `lab memory`: what the processes of the lab's hosts take of the machine, pages that several share counted in shares (PSS). */
import * as fs from 'node:fs';
import { initOf } from './hosts';
import type { LabPlan } from './plan';
import { processesOfNamespace } from './processes';

export interface LabMemory {
  processes: number;
  /** Proportional set size, in MB. */
  pssMb: number;
}

export function memory(plan: LabPlan): LabMemory {
  const inits = plan.hosts.map((host) => initOf(plan, host)).filter((init) => init !== undefined);
  const pids = inits.flatMap((init) => processesOfNamespace(init).map(({ pid }) => pid));
  const kb = pids.reduce((sum, pid) => sum + pssKb(pid), 0);
  return { processes: pids.length, pssMb: Math.round(kb / 1024) };
}

/** 0 for one that is gone. */
function pssKb(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
