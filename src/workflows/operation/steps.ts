/**
 * The book of one operation: which checks ran, which steps are planned, where each stands, what can be undone. Pure; tested without Temporal.
 */
import { isSilent } from '../../model/errors';
import { isWarning, type CheckRow, type Outcome, type Problem, type StepRow, type Task } from '../../model/operation';

export { unfinished } from '../../model/unfinished';

export interface UndoEntry {
  key: string;
  title: string;
  node?: string;
  task: Task<Outcome<unknown>>;
  /** The fan-out it belongs to, and how many of its nodes are changed at once. */
  group: string;
  parallel: number;
}

export interface Book {
  checks: CheckRow[];
  steps: StepRow[];
  undo: UndoEntry[];
}

export const newBook = (): Book => ({ checks: [], steps: [], undo: [] });

/** What a step is known by: its own key, else the activity; and the node. */
export const stepKey = (key: string, node?: string): string => (node === undefined ? key : `${key}/${node}`);

export interface PlannedStep {
  key: string;
  title: string;
  node?: string;
  undo?: string;
  aside?: boolean;
  need?: StepRow['need'];
}

/** Adds one planned step; two of the same key would be one activity id, and a wedged run. Answers what is wrong, if anything. */
export function plan(book: Book, step: PlannedStep): string | undefined {
  if (book.steps.some((row) => row.key === step.key)) return `two steps share the key "${step.key}"`;
  book.steps.push({ ...step, state: 'planned' });
  return undefined;
}

/** The planned row of this key; a step that was not planned must never run. */
export const rowOf = (book: Book, key: string): StepRow | undefined => book.steps.find((row) => row.key === key);

export function begin(row: StepRow, at: string): void {
  row.state = 'running';
  row.startedAt = at;
}

/** Seen while it is at work, and named as left when the run is terminated meanwhile. */
export function beginUndo(row: StepRow, at: string): void {
  row.state = 'undoing';
  row.startedAt = at;
  delete row.took;
}

export function end(row: StepRow, state: StepRow['state'], at: string, result: { changed?: boolean; note?: string } = {}): void {
  row.state = state;
  if (row.startedAt !== undefined) row.took = Date.parse(at) - Date.parse(row.startedAt);
  if (result.changed !== undefined) row.changed = result.changed;
  if (result.note !== undefined) row.note = result.note;
}

/** What is to be undone, last first; what one fan-out began together is one group. Steps that were never begun are not in the stack. */
export function undoGroups(book: Book): UndoEntry[][] {
  const groups: UndoEntry[][] = [];
  for (const entry of [...book.undo].reverse()) {
    const last = groups.at(-1);
    if (last && last[0]!.group === entry.group) last.push(entry);
    else groups.push([entry]);
  }
  return groups;
}

/** What refuses: warnings are shown, and don't. */
export const refusing = (problems: readonly Problem[]): Problem[] => problems.filter((problem) => !isWarning(problem));

export const problemsOf = (book: Book): Problem[] => refusing(book.checks.flatMap((check) => check.problems));

/** What a read that failed is as a problem; `silent`: the remedy where the far side gave no answer. A refused login or a file that is missing tells its own. */
export function unread({ code, message }: { code: string; message: string }, { node, silent }: { node?: string | undefined; silent?: string | undefined }): Problem {
  const place = node !== undefined && !message.startsWith(`${node}:`) ? `${node}: ` : '';
  return { what: `${place}${message} [${code}]`, remedy: (isSilent(code) && silent) || '', code };
}

/** "3 checks failed; …" with every failure and its remedy, at most `limit` characters. */
export function problemsText(problems: Problem[], limit = 1_900): string {
  const lines = [...new Set(problems.map(({ what, remedy }) => (remedy ? `- ${what}. Remedy: ${remedy}` : `- ${what}`)))];
  const head = lines.length === 1 ? '1 prerequisite does not hold; nothing was changed:' : `${lines.length} prerequisites do not hold; nothing was changed:`;
  const shown: string[] = [head];
  let size = head.length;
  for (const [index, line] of lines.entries()) {
    if (size + line.length > limit) {
      shown.push(`- and ${lines.length - index} more: see the query "report".`);
      break;
    }
    shown.push(line);
    size += line.length + 1;
  }
  return shown.join('\n');
}
