/**
 * The PGP expression in `brules/local/wptdocuments/Streaming.xml` (reference §9): commented out as the product comes, and to be taken in where PGP events
 * are directed. Only the two marks of that one comment are put in or taken out; every other byte stays. Pure; texts are latin1, so that bytes survive.
 */

/** `strange`: not exactly one PGP expression, or something that is no XML of this kind. */
export type PgpExpression = 'in' | 'out' | 'strange';

const comment = /<!--([\s\S]*?)-->/g;
/** One element whose name, attributes or content speak of pgp, on its own or with its content. */
const element = /<([A-Za-z][\w.:-]*)\b[^<>]*?(?:\/>|>[^<>]*<\/\1\s*>)/g;

const speaksOfPgp = (text: string): boolean => /pgp/i.test(text);
/** A comment that holds that one element and nothing else. */
const holdsOne = (inner: string): boolean => {
  const found = [...inner.matchAll(element)];
  return found.length === 1 && inner.replace(found[0]![0], '').trim() === '' && speaksOfPgp(found[0]![0]);
};

interface Place {
  start: number;
  end: number;
  text: string;
}

function find(xml: string): { commented: Place[]; open: Place[]; broken: boolean } {
  const comments = [...xml.matchAll(comment)].map((match) => ({ start: match.index, end: match.index + match[0].length, text: match[1]! }));
  // What stands in comments is blanked, so that places stay where they are.
  const bare = comments.reduce((text, { start, end }) => text.slice(0, start) + ' '.repeat(end - start) + text.slice(end), xml);
  const open = [...bare.matchAll(element)].filter(([text]) => speaksOfPgp(text)).map((match) => ({ start: match.index, end: match.index + match[0].length, text: match[0] }));
  return { commented: comments.filter(({ text }) => holdsOne(text)), open, broken: /<!--|-->/.test(bare) || !/<[A-Za-z]/.test(bare) };
}

export function pgpExpression(xml: string): PgpExpression {
  const { commented, open, broken } = find(xml);
  if (broken || commented.length + open.length !== 1) return 'strange';
  return open.length === 1 ? 'in' : 'out';
}

/** The text with the expression in, or commented out; the same text where it is so. Undefined where the file does not look as expected. */
export function withPgpExpression(xml: string, to: 'in' | 'out'): string | undefined {
  const now = pgpExpression(xml);
  if (now === 'strange') return undefined;
  if (now === to) return xml;
  const { commented: [inside], open: [outside] } = find(xml);
  const then = to === 'in'
    ? xml.slice(0, inside!.start) + inside!.text.trim() + xml.slice(inside!.end)
    : `${xml.slice(0, outside!.start)}<!-- ${outside!.text} -->${xml.slice(outside!.end)}`;
  return pgpExpression(then) === to ? then : undefined;
}
