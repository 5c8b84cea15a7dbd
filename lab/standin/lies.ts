import { makeRandom } from './random';

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
  const next = makeRandom(state);
  return { tell: (p) => next() < p };
}
