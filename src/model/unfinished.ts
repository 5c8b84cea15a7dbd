/** What an operation left, in words; for its own report, and for the record of one that was terminated. Pure. */
import type { StepRow } from './operation';

/** What is not as it was asked for, in words: steps that failed or were left, and those that were never begun once others were done. */
export function unfinished({ steps }: { steps: readonly StepRow[] }): string[] {
  // What was taken back, or stands aside (a backup, an epoch), leaves nothing half-done.
  const begun = steps.some(({ state, aside }) => !['planned', 'undone', ...(aside ? ['done'] : [])].includes(state));
  return steps
    .filter(({ state }) => ['running', 'failed', 'waiting', 'skipped', 'undo failed'].includes(state) || (begun && state === 'planned'))
    .map(({ title, node, state, note }) => `${title}${node ? ` (${node})` : ''}: ${state === 'planned' ? 'not begun' : state}${note ? `, ${note}` : ''}`);
}
