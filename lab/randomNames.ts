/**
 * Names for random values. A value of one cluster that two hosts share (the secret file) has one name; a second value under
 * a name that is taken is told apart, so that hosts which should agree and do not are seen in a snapshot.
 */
export class Names {
  readonly #known = new Map<string, string>();

  /** Remembers a value by a name. */
  add(value: string, name: string): void {
    if (value === '' || this.#known.has(value)) return;
    const taken = [...this.#known.values()].filter((n) => n === `<${name}>` || n.startsWith(`<${name}, another `)).length;
    this.#known.set(value, taken === 0 ? `<${name}>` : `<${name}, another ${taken}>`);
  }

  /** Replaces every known value, and every UUID that nobody named. */
  replace(text: string): string {
    let replaced = text;
    for (const [value, name] of this.#known) replaced = replaced.replaceAll(value, name);
    return replaced.replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '<an id>');
  }
}
