/** Messages that are too long for their place. Pure. */

const gap = ' … ';

/**
 * A text of at most `most` characters: what is too long loses its middle. Where it happened stands at the beginning of a message, and why at its end.
 * Cut between words where one ends nearby, and never inside of a character.
 */
export function shorten(text: string, most: number): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  const kept = most - gap.length;
  if (kept < 2) return characters.slice(0, Math.max(0, most)).join('');
  const end = Math.floor(kept / 2);
  const head = characters.slice(0, kept - end).join('').replace(/\s\S{0,12}$/u, '');
  const tail = characters.slice(characters.length - end).join('').replace(/^\S{0,12}\s/u, '');
  return `${head}${gap}${tail}`;
}
