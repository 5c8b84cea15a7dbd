/** Which points a run of the fault tests looks at: CI a few, drawn by a seed, `npm run faults` (ST_FAULTS=all) every one. */

export const everyPoint = process.env['ST_FAULTS'] === 'all';

/** Another number draws other points; the same one always draws the same. */
const seed = Number(process.env['ST_FAULTS_SEED'] ?? 1);

/** Numbers from 0 to below 1, the same for one seed (mulberry32). */
export function drawing(from: number = seed): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` of the points in their order, spread over all of them; every one when all are asked for. */
export function points<T>(all: readonly T[], count: number, draw = drawing()): T[] {
  if (everyPoint || count >= all.length) return [...all];
  return Array.from({ length: count }, (_, part) => {
    const [from, to] = [Math.floor((part * all.length) / count), Math.floor(((part + 1) * all.length) / count)];
    return all[from + Math.floor(draw() * (to - from))]!;
  });
}
