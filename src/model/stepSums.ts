/** How many steps of an operation are in which state, in the words of reports and mails. Pure. */
import type { StepRow } from './operation';

/** `40 done, 8 already as wanted`. */
export function stepSums(steps: readonly StepRow[]): string {
  const states = new Map<string, number>();
  for (const row of steps) {
    const state = row.state === 'done' && row.changed === false ? 'already as wanted' : row.state;
    states.set(state, (states.get(state) ?? 0) + 1);
  }
  return [...states].map(([state, n]) => `${n} ${state}`).join(', ');
}
