/** A seeded source of the product's half-truths: the same seed and order of questions give the same answers. */
export interface Lies {
  /** True with probability `p`; always false when lies are switched off. */
  tell(p: number): boolean;
}

/** `who` (the Server's address) makes Servers of one seed lie at different moments. */
export function makeLies(who: string, environment: NodeJS.ProcessEnv = process.env): Lies {
  if (environment['LIES'] === '0') return { tell: () => false };
  let state = Number(environment['SEED'] ?? 1) >>> 0;
  for (const character of who) state = (Math.imul(state, 31) + character.charCodeAt(0)) >>> 0;
  return { tell: (p) => next() < p };

  // mulberry32: small, fast and good enough to decide about lies.
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
}
