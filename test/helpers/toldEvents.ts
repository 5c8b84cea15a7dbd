/** What a lab's cluster tells its program of: one that keeps each event in a file, for tests that ask who is told of what. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterEvent } from '../../src/model/events';
import type { Lab } from './lab';

/** Makes the program; answers the command for `notifications`. */
export function keepingProgram({ dir }: Lab): string[] {
  const program = join(dir, 'tell');
  writeFileSync(program, `#!/bin/sh\ncat >>'${dir}/told'\n`, { mode: 0o755 });
  return [program];
}

/** All that it was told, as it came. */
export function toldEvents({ dir }: Lab): ClusterEvent[] {
  const file = join(dir, 'told');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as ClusterEvent) : [];
}

/** "node-failed st2", sorted: events are told beside each other. */
export const kindsOf = (events: readonly ClusterEvent[]): string[] => events.map(({ kind, node }) => [kind, node].filter(Boolean).join(' ')).sort();
