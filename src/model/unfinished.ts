/** What an operation left, in words; for its own report, and for the record of one that was terminated. Pure. */
import { isUnderWay, type StepRow } from './operation';
import { shorten } from './shorten';

/** Of a step's note, in characters: the report has it whole. */
const longestNote = 300;

/**
 * What is not as it was asked for, in words: steps that failed or were left, and those that were never begun once others were. A restart is a whole for each node: one
 * that it has not come to goes on as before.
 * @param ended how the operation ended where it could not report itself, in Temporal's word: what was under way then is no more
 */
export function unfinished({ operation, steps }: { operation?: string; steps: readonly StepRow[] }, ended?: string): string[] {
  // What was taken back, or stands aside (a backup, an epoch), leaves nothing half-done.
  const begun = steps.filter(({ state, aside }) => !['planned', 'undone', ...(aside ? ['done'] : [])].includes(state));
  const isLeft = ({ node }: StepRow): boolean => (operation === 'rollingRestart' ? begun.some((one) => nodeOf(one) === nodeOf({ node })) : begun.length > 0);
  return steps
    .filter((row) => ['running', 'failed', 'waiting', 'skipped', 'undoing', 'undo failed'].includes(row.state) || (row.state === 'planned' && isLeft(row)))
    .map(({ title, node, state, note }) => `${title}${node ? ` (${node})` : ''}: ${stateWords(state, ended)}${note && !isUnderWay(state) ? `, ${shorten(note, longestNote)}` : ''}`);
}

function stateWords(state: StepRow['state'], ended: string | undefined): string {
  if (state === 'planned') return 'not begun';
  return isUnderWay(state) && ended !== undefined ? `was ${state === 'undoing' ? 'being undone' : state} when the operation ${endWords(ended)}` : state;
}

/** `TERMINATED` → `was terminated`. */
export const endWords = (status: string): string => (status === 'TERMINATED' ? 'was terminated' : status === 'CANCELLED' ? 'was cancelled' : status.toLowerCase().replaceAll('_', ' '));

/** `st1` of a step that is about `st1 at lb1`. */
const nodeOf = ({ node }: Pick<StepRow, 'node'>): string | undefined => node?.split(' at ')[0];

/** As many as the record keeps. */
export const mostUnfinished = 100;

/** The first of these lines, and how many more there are: for places that take few. */
export const firstLines = (lines: readonly string[], most: number): string[] => (lines.length <= most ? [...lines] : [...lines.slice(0, most), `and ${lines.length - most} more`]);
