/** Reads a mail as our own mailer writes it: headers in ASCII with encoded words, and a text and an HTML part, plain, quoted-printable or base64. Pure. */

export interface ReadMail {
  subject: string;
  messageId: string;
  references: string[];
  text: string;
  html: string;
}

export function parseMail(raw: string): ReadMail {
  const { headers, body } = split(raw);
  const parts = partsOf(headers, body);
  return {
    subject: words(headers['subject'] ?? ''),
    messageId: headers['message-id'] ?? '',
    references: (headers['references'] ?? '').split(/\s+/).filter(Boolean),
    text: parts.find(({ type }) => type.startsWith('text/plain'))?.content ?? '',
    html: parts.find(({ type }) => type.startsWith('text/html'))?.content ?? '',
  };
}

function split(raw: string): { headers: Record<string, string>; body: string } {
  const text = raw.replaceAll('\r\n', '\n');
  const end = text.indexOf('\n\n');
  const head = (end < 0 ? text : text.slice(0, end)).replace(/\n[ \t]+/g, ' ');
  const headers = Object.fromEntries(head.split('\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  return { headers, body: end < 0 ? '' : text.slice(end + 2) };
}

interface Part {
  type: string;
  content: string;
}

function partsOf(headers: Record<string, string>, body: string): Part[] {
  const type = headers['content-type'] ?? 'text/plain';
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1];
  if (boundary === undefined) return [{ type, content: decoded(headers['content-transfer-encoding'] ?? '7bit', body) }];
  return body.split(`--${boundary}`).slice(1, -1).flatMap((part) => {
    const inner = split(part.replace(/^\n/, '').replace(/\n$/, ''));
    return partsOf(inner.headers, inner.body);
  });
}

function decoded(encoding: string, body: string): string {
  if (/base64/i.test(encoding)) return Buffer.from(body, 'base64').toString('utf8');
  return /quoted-printable/i.test(encoding) ? quotedPrintable(body.replace(/=\n/g, '')) : body;
}

const quotedPrintable = (text: string): string => Buffer.from(text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))), 'latin1').toString('utf8');

/** RFC 2047: `=?UTF-8?Q?…?=`; blanks between two of them mean nothing. */
const words = (text: string): string => text.replace(/(=\?[^?]+\?[BQ]\?[^?]*\?=)\s+(?==\?)/gi, '$1').replace(/=\?[^?]+\?([BQ])\?([^?]*)\?=/gi, (_, encoding: string, word: string) =>
  (encoding.toUpperCase() === 'B' ? Buffer.from(word, 'base64').toString('utf8') : quotedPrintable(word.replaceAll('_', ' '))));
