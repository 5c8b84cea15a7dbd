/** Host ranges: `st[01:20]` stands for st01 … st20. One range in a text, as in Ansible inventories, without steps. */

/** A longer range is a slip of the finger in an inventory of at most 20 Servers a site. */
export const longestRange = 100;

export type Expansion = { texts: string[] } | { problem: string };

/** The texts that a text with at most one range stands for; a text without a range stands for itself. Zero padding is kept. */
export function expandRange(text: string): Expansion {
  if (!/[[\]]/.test(text)) return { texts: [text] };
  const parts = /^([^[\]]*)\[(\d{1,6}):(\d{1,6})\]([^[\]]*)$/.exec(text);
  if (!parts) return { problem: 'expected one range of the form [1:3] or [01:20] and no other brackets' };
  const [, before, first, last, after] = parts as unknown as [string, string, string, string, string];
  const from = Number(first);
  const to = Number(last);
  if (to < from) return { problem: `the range [${first}:${last}] ends before it begins` };
  if (to - from + 1 > longestRange) return { problem: `the range [${first}:${last}] is longer than ${longestRange}` };
  const padded = first.length > 1 && first.startsWith('0');
  if (padded && last.length !== first.length) return { problem: `expected both ends of the range [${first}:${last}] to have the same number of digits` };
  const texts = Array.from({ length: to - from + 1 }, (_, i) => `${before}${padded ? String(from + i).padStart(first.length, '0') : from + i}${after}`);
  return { texts };
}
