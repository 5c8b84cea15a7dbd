/** Where two specs differ. Pure. */
import { canonicalJson } from './fingerprint';

const mostDifferences = 50;

/** The places where two plain values differ: `sites.prod.servers[2].address`. */
export function differences(before: unknown, after: unknown, path = ''): string[] {
  if (before === undefined || canonicalJson(before) === canonicalJson(after ?? null)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, i) => (i < before.length && i < after.length ? differences(before[i], after[i], `${path}[${i}]`) : [`${path}[${i}] ${i < after.length ? 'added' : 'removed'}`])).flat().slice(0, mostDifferences);
  }
  if (isMapping(before) && isMapping(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => {
      const place = path ? `${path}.${key}` : key;
      if (after[key] === undefined) return before[key] === undefined ? [] : [`${place} removed`];
      return before[key] === undefined ? [`${place} added`] : differences(before[key], after[key], place);
    }).slice(0, mostDifferences);
  }
  return [path];
}

const isMapping = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const mostNamed = 8;
const longestValue = 80;

/**
 * The same as a part of a sentence, with what stands and what was given: `policies.minimumNodes (2, given 3) and 3 more`. Paths of the worker's host come last: a file that was
 * read in another folder differs in all of them, and would hide what matters.
 */
export function differencesText(before: unknown, after: unknown): string {
  const places = differences(before, after).map((place) => ({ place, old: valueAt(before, place), new: valueAt(after, place) }));
  const sorted = [...places.filter((one) => !isPath(one.old)), ...places.filter((one) => isPath(one.old))];
  const named = sorted.slice(0, mostNamed).map((one) => (isPlain(one.old) && isPlain(one.new) ? `${one.place} (${shown(one.old)}, given ${shown(one.new)})` : one.place));
  const more = places.length - mostNamed;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** What stands at a place as `differences` writes it; undefined where nothing does. */
function valueAt(value: unknown, place: string): unknown {
  let here = value;
  for (const key of place.split(/[.[\]]+/).filter((part) => part !== '')) here = typeof here === 'object' && here !== null ? (here as Record<string, unknown>)[key] : undefined;
  return here;
}

const isPlain = (value: unknown): value is string | number | boolean => ['string', 'number', 'boolean'].includes(typeof value);
const isPath = (value: unknown): boolean => typeof value === 'string' && /^(file:)?\//.test(value);
const shown = (value: string | number | boolean): string => (String(value).length > longestValue ? `…${String(value).slice(-longestValue)}` : String(value));
