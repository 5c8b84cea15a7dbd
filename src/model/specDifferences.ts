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

/** The same as a part of a sentence: `sites.prod.label, policies.minimumNodes and 3 more`. */
export function differencesText(before: unknown, after: unknown): string {
  const places = differences(before, after);
  const more = places.length - mostNamed;
  return `${places.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
