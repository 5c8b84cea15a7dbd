/** What no input may contain, whatever its meaning: checked before anything else looks at the value. */
import type { InputProblem } from './problems';

export const limits = { text: 1024, entries: 1000, depth: 16, values: 20_000 } as const;

/** Control, format and unpaired characters and line separators have no place in any input; quotes none in a name, path, address or reference. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** What people write to be read has lines. */
const invisibleInProse = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const proseLimit = 2 * limits.text;
const invisibleOrQuote = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}"'`]/u;

/** Problems of plain data that comes from outside; `quotes` allows them (sentences that people write), `prose` says where texts of several lines stand. `fatal` when the rest can't be looked at safely (too deep, too large, not plain). */
export function checkHygiene(value: unknown, { quotes = false, prose = () => false }: { quotes?: boolean; prose?: (path: InputProblem['path']) => boolean } = {}): { problems: InputProblem[]; fatal: boolean } {
  const forbidden = quotes ? invisible : invisibleOrQuote;
  const problems: InputProblem[] = [];
  let seen = 0;
  let fatal = false;
  const stop = (path: InputProblem['path'], message: string) => {
    problems.push({ path, message });
    fatal = true;
  };
  const text = (found: string, path: InputProblem['path'], what: string) => {
    const [longest, wrong] = prose(path) ? [proseLimit, invisibleInProse] : [limits.text, forbidden];
    if (found.length > longest) problems.push({ path, message: `${what} is ${found.length} characters long; at most ${longest} are allowed` });
    else if (wrong.test(found)) problems.push({ path, message: `${what} contains ${nameOf(wrong.exec(found)![0])}, which is not allowed` });
  };
  const walk = (found: unknown, path: InputProblem['path'], depth: number): void => {
    if (fatal) return;
    if (++seen > limits.values) return stop([], `more than ${limits.values} values: this is no input for one cluster`);
    if (typeof found === 'string') return text(found, path, 'the text');
    if (found === null || found === undefined || typeof found === 'boolean') return;
    if (typeof found === 'number') return Number.isFinite(found) ? undefined : void problems.push({ path, message: `expected a finite number, found ${found}` });
    if (typeof found !== 'object') return stop(path, `expected plain data, found a ${typeof found}`);
    if (depth >= limits.depth) return stop(path, `nested deeper than ${limits.depth} levels`);
    const list = Array.isArray(found);
    const proto: unknown = Object.getPrototypeOf(found);
    // Another realm's Object.prototype (a workflow's sandbox) has no prototype either.
    if (!list && proto !== null && Object.getPrototypeOf(proto) !== null) return stop(path, 'expected plain data, found an object of a class');
    const entries: [string | number, unknown][] = list ? Array.from(found as unknown[], (entry, i) => [i, entry]) : Object.entries(found);
    if (entries.length > limits.entries) return stop(path, `${entries.length} entries; at most ${limits.entries} are allowed`);
    for (const [key, entry] of entries) {
      if (typeof key === 'string') {
        if (key === '__proto__' || key === 'constructor' || key === 'prototype') return stop(path, `the key ${key} is not allowed`);
        if (key.length > 128) return stop(path, `a key is ${key.length} characters long; at most 128 are allowed`);
        text(key, path, 'a key');
      }
      walk(entry, [...path, key], depth + 1);
    }
  };
  walk(value, [], 0);
  return { problems, fatal };
}

function nameOf(character: string): string {
  if (character === '\n' || character === '\r') return 'a line break';
  if (character === '\0') return 'a NUL character';
  if (character === '"' || character === "'" || character === '`') return `a quote (${character})`;
  return `the invisible character U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}
