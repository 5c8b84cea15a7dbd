/** The last net against secrets in messages and logs: every resolved value is remembered and replaced wherever it would be printed. */

const mask = '***';
/** Shorter values are words of every message ("admin"); as secrets they protect nothing anyway. */
const shortest = 6;
/** Enough for every credential of a large estate; the oldest go first, so that rotated ones do not pile up. */
const most = 2_000;

const known = new Set<string>();
let longestFirst: string[] | undefined;

/** To be called with every secret at the moment it is resolved. Several lines (keys) are remembered line by line as well. */
export function rememberSecret(value: string): void {
  for (const form of formsOf(value)) {
    if (form.length < shortest) continue;
    if (known.delete(form)) {
      known.add(form);
      continue;
    }
    known.add(form);
    longestFirst = undefined;
    if (known.size > most) known.delete(known.values().next().value!);
  }
}

/** The text with every remembered secret replaced by `***`. */
export function scrub(text: string): string {
  longestFirst ??= [...known].sort((a, b) => b.length - a.length);
  let clean = text;
  for (const value of longestFirst) if (clean.includes(value)) clean = clean.replaceAll(value, mask);
  return clean;
}

/** As it is, as JSON and URLs write it, and as HTTP's basic authentication and PEM files break it up. */
function formsOf(value: string): Set<string> {
  const lines = value.split(/\r?\n/).filter((line) => line.length >= 20 && !line.startsWith('-----'));
  return new Set([value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), Buffer.from(value).toString('base64'), ...(lines.length > 1 ? lines : [])]);
}
