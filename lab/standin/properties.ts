/** Java-like properties as the product's installer and configuration files use them. */

export type Properties = Record<string, string>;

/**
 * Parses `key = value` (or `:`) lines. `#` and `!` start a comment line; a backslash escapes the next character.
 * A key without a value yields the empty string: the caller decides whether that is allowed.
 */
export function parseProperties(text: string): Properties {
  const out: Properties = {};
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue;
    const separator = /(?<!\\)[=:]/.exec(line);
    const key = separator ? line.slice(0, separator.index) : line;
    const value = separator ? line.slice(separator.index + 1) : '';
    out[unescape(key.trim())] = unescape(value.trim());
  }
  return out;
}

/** Writes properties so that `parseProperties` reads the same ones back, sorted by key. */
export function formatProperties(properties: Properties): string {
  const lines = Object.keys(properties).sort().map((key) => `${escape(key)}=${escape(properties[key] ?? '')}`);
  return lines.join('\n') + '\n';
}

const unescape = (text: string): string => text.replace(/\\(.)/g, '$1');
const escape = (text: string): string => text.replace(/[\\=:]/g, '\\$&');
