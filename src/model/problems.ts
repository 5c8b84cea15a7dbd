/** What is wrong with an input: where, what was expected, and what was found. Messages never repeat a value that may be a secret. */
import type { z } from 'zod';

export interface InputProblem {
  /** Keys and list positions from the top of the value: `['sites', 'prod', 'servers', 2, 'address']`. */
  path: (string | number)[];
  message: string;
}

/** `['sites', 'prod', 'servers', 2, 'address']` → `sites.prod.servers[2].address`. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z0-9_-]+$/.test(part)) text += text ? `.${part}` : part;
    else text += `[${quoted(part)}]`;
  }
  return text;
}

/** One problem as people read it; problems of the whole value have no path. */
export function formatProblem({ path, message }: InputProblem): string {
  return visible(path.length ? `${formatPath(path)}: ${message}` : message);
}

/** As many problems as fit a failure's message, and how many more there are. */
export function listProblems(problems: readonly string[], limit = 1_700): string {
  let room = limit;
  const shown = problems.filter((problem) => (room -= problem.length + 2) >= 0);
  const more = problems.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more problems`] : [])].join('; ');
}

/** A value in a few safe words: never more than 40 characters of a text, control characters written out. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return value === '' ? 'an empty text' : quoted(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value}`;
}

function quoted(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return visible(JSON.stringify(short));
}

/** A message may repeat names as they were written: what would break its line or hide in it is written out. */
const visible = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (found) => `\\u{${found.codePointAt(0)!.toString(16)}}`);

/** `; did you mean "address"?` when one of the words is close enough to be meant, otherwise nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const limit = word.length < 4 ? 1 : Math.ceil(Math.min(word.length, 24) / 4) + 1;
  const near = known
    .map((name) => ({ name, away: distance(word.slice(0, 64).toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, away }) => away <= limit && away < name.length)
    .sort((a, b) => a.away - b.away)[0];
  return near ? `; did you mean "${near.name}"?` : '';
}

/** Number of letters to insert, remove, change or swap with their neighbour to get from one word to the other. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let best = Math.min(above[j - 1]! + (same ? 0 : 1), above[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = above;
    above = row;
  }
  return above[to.length]!;
}

const nouns: Record<string, string> = { object: 'a mapping', record: 'a mapping', array: 'a list', string: 'text', number: 'a number', int: 'a whole number', boolean: 'true or false' };

/** The problems that zod found, in our words. Expects `reportInput: true`, and schemas whose own messages are complete sentences. */
export function problemsFromZod(error: z.ZodError): InputProblem[] {
  return error.issues.flatMap((issue): InputProblem[] => {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    const found = describe(issue.input);
    switch (issue.code) {
      case 'unrecognized_keys': {
        const messages = issue.message.split('\n');
        return issue.keys.map((key, i) => ({ path: [...path, key], message: messages[i] ?? 'unknown key' }));
      }
      case 'invalid_type':
        if (issue.input === undefined) return [{ path, message: `missing; expected ${nouns[issue.expected] ?? issue.expected}` }];
        if (issue.message.startsWith('expected')) return [{ path, message: issue.message }];
        // A text where a mapping, list or number is due may be a secret that slipped a level: say what it is, not what it says.
        return [{ path, message: `expected ${nouns[issue.expected] ?? issue.expected}, found ${typeof issue.input === 'string' ? 'text' : found}` }];
      case 'invalid_value':
        if (issue.message.startsWith('expected')) return [{ path, message: issue.message }];
        return [{ path, message: `${issue.input === undefined ? 'missing; ' : ''}expected ${issue.values.join(' or ')}${issue.input === undefined ? '' : `, found ${found}`}` }];
      case 'too_small':
      case 'too_big': {
        const over = issue.code === 'too_big';
        const limit = over ? issue.maximum : issue.minimum;
        const unit = issue.origin === 'string' ? (limit === 1 ? ' character' : ' characters') : issue.origin === 'array' ? (limit === 1 ? ' entry' : ' entries') : '';
        const size = typeof issue.input === 'string' || Array.isArray(issue.input) ? String(issue.input.length) : found;
        return [{ path, message: `expected at ${over ? 'most' : 'least'} ${limit}${unit}, found ${size}` }];
      }
      case 'invalid_key':
        return [{ path, message: issue.issues[0]?.message ?? 'this name is not allowed' }];
      default:
        return [{ path, message: issue.message }];
    }
  });
}
