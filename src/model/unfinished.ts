/** What an operation left, in words; for its own report, and for the record of one that was terminated. Pure. */
import { isUnderWay, type StepRow } from './operation';

/** Of a step's note, in characters: the report has it whole. */
const longestNote = 300;

/** What is not as it was asked for, in words: steps that failed or were left, and those that were never begun once others were. */
export function unfinished({ steps }: { steps: readonly StepRow[] }): string[] {
  // What was taken back, or stands aside (a backup, an epoch), leaves nothing half-done.
  const begun = steps.some(({ state, aside }) => !['planned', 'undone', ...(aside ? ['done'] : [])].includes(state));
  return steps
    .filter(({ state }) => ['running', 'failed', 'waiting', 'skipped', 'undoing', 'undo failed'].includes(state) || (begun && state === 'planned'))
    .map(({ title, node, state, note }) => `${title}${node ? ` (${node})` : ''}: ${state === 'planned' ? 'not begun' : state}${note && !isUnderWay(state) ? `, ${note.slice(0, longestNote)}` : ''}`);
}

/** As many as the record keeps. */
export const mostUnfinished = 100;

/** The first of these lines, and how many more there are: for places that take few. */
export const firstLines = (lines: readonly string[], most: number): string[] => (lines.length <= most ? [...lines] : [...lines.slice(0, most), `and ${lines.length - most} more`]);
