/** The practice estate itself: seconds until it stands, and its memory, bare and with a cluster that works on it. */
import type { LabMemory } from '../lab/memory';
import { startEstate, withClients } from './estate';
import { productAlone } from './productAlone';

export interface LabFigures {
  servers: number;
  edges: number;
  /** Of each time that it was built. */
  seconds: number[];
  bare: LabMemory;
  working: LabMemory;
}

/** What is aimed at: seconds, and MB of memory. */
const aims = { seconds: 30, pssMb: 4_096 };

export async function measureLab({ servers, edges, repeat }: { servers: number; edges: number; repeat: number }): Promise<LabFigures> {
  const seconds: number[] = [];
  for (let run = 1; ; run += 1) {
    const began = performance.now();
    const estate = await startEstate({ servers, edges, productTimeMs: 0 });
    seconds.push((performance.now() - began) / 1_000);
    try {
      if (run < repeat) continue;
      const memory = async (): Promise<LabMemory> => JSON.parse(await estate.lab('memory', '-o', 'json')) as LabMemory;
      const bare = await memory();
      await withClients((clients) => productAlone(estate.spec, clients));
      return { servers, edges, seconds, bare, working: await memory() };
    } finally {
      await estate.down();
    }
  }
}

/** For docs/benchmarks.md. Pure. */
export function labText({ servers, edges, seconds, bare, working }: LabFigures): string {
  const sorted = [...seconds].sort((a, b) => a - b);
  const told = (memory: LabMemory): string => `${memory.pssMb} MB in ${memory.processes} processes`;
  return [
    `\`lab up --servers ${servers} --edges ${edges}\` takes ${sorted[Math.floor((sorted.length - 1) / 2)]!.toFixed(1)} s (${sorted.map((one) => one.toFixed(1)).join(', ')}; aim ≤ ${aims.seconds}).`,
    `Its processes take ${told(bare)} (PSS) as it comes, and ${told(working)} with the product installed and at work on every host (aim ≤ ${aims.pssMb} MB).`,
  ].join('\n\n');
}
