import { hostname } from 'node:os';
import type { Home } from './home';
import { makeRandom } from './random';

/** The product's half-truths by name; told unless they are switched off. */
const known = [
  /** A daemon that was just stopped says "port is in use" and does not start. */
  'daemonStart',
  /** A listener of a daemon that was just started says that the daemon is not started. */
  'listenerStart',
  /** The API refuses or does not answer while daemons restart. */
  'unreachable',
  /** Lists of sessions miss some and show closed ones. */
  'sessions',
  /** An event stays active after its transfer failed. */
  'activeEvents',
  /** Adding a node resets the SSH port of the cluster to 22. */
  'sshPort',
] as const;
export type Lie = (typeof known)[number];
export const lieNames: readonly string[] = known;

/** A seeded source of the product's half-truths: the same seed and order of questions give the same answers. */
export interface Lies {
  /** True with probability `p`; always false when that lie is switched off. */
  tell(p: number, lie: Lie): boolean;
}

/** `LIES` is `0` (none), `1` (all) or a list of names. `who` makes Servers of one seed lie at different moments. */
export function makeLies(who: string, environment: NodeJS.ProcessEnv = process.env): Lies {
  const told = environment['LIES'] ?? '1';
  const isTold = (lie: Lie): boolean => told === '1' || told.split(',').includes(lie);
  let state = Number(environment['SEED'] ?? 1) >>> 0;
  for (const character of who) state = (Math.imul(state, 31) + character.charCodeAt(0)) >>> 0;
  const next = makeRandom(state);
  return { tell: (p, lie) => isTold(lie) && next() < p };
}

/** A service of this Server, by what stays the same from one run to the next. */
export const liarOf = (home: Home, service: string): string => `${hostname()} ${home.bindAddress} ${service}`;
