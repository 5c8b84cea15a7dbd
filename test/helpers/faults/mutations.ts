/** Cluster files with mistakes in them: what people mistype, what programs write, and what somebody may put there on purpose. */
import * as fc from 'fast-check';
import { demoFile, recoverySite } from '../../unit/model/demoFile';
import { everyPoint } from './points';

/** CI tries always the same; `npm run faults` many more, others each time unless ST_FAULTS_SEED names them. */
export const trials = (count: number): { numRuns: number; seed?: number } => {
  const { ST_FAULTS_SEED: seed } = process.env;
  return { numRuns: everyPoint ? 20 * count : count, ...(seed !== undefined ? { seed: Number(seed) } : everyPoint ? {} : { seed: 1 }) };
};

type Path = (string | number)[];
type Holder = Record<string | number, unknown>;

/** Every place of a value, mappings and lists too; the whole is none. */
function placesOf(value: unknown, path: Path = [], found: Path[] = []): Path[] {
  if (path.length > 0) found.push(path);
  if (Array.isArray(value)) value.forEach((entry, i) => placesOf(entry, [...path, i], found));
  else if (typeof value === 'object' && value !== null) for (const [key, entry] of Object.entries(value)) placesOf(entry, [...path, key], found);
  return found;
}

const holderOf = (value: unknown, path: Path): Holder | undefined => {
  let here = value;
  for (const key of path.slice(0, -1)) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Holder)[key];
  }
  return typeof here === 'object' && here !== null ? (here as Holder) : undefined;
};

/** For shells, YAML, JSON, SQL, paths, addresses, ranges, terminals and parsers. */
const hostile = [
  '', ' ', 'a b', ' padded ', '$(touch /tmp/st-hostile)', '`id`', '; rm -rf /', '| cat', '&& true', '> x', '*', '~', '#', '!', '%00', '\\', '\'', '"', '\'; DROP TABLE x; --', '{{x}}', '${HOME}', '<b>',
  'a\nb', 'a\r\nb', '\t', '\0', 'a\0b', '\u001b[2J', '\u202eabc', '\u200b', '\ufeff', '\ud800', 'é', '日本', '👩‍👩‍👧', 'ſt1', 'a'.repeat(64), 'a'.repeat(1_000), 'a'.repeat(10_240), '../../etc/passwd', '/etc/../root', '//x//', '/', '.', '..',
  'C:\\Axway', '\\\\nas\\share', '-rf', '--help', '10.0.0.1', '::1', '0x7f000001', '256.1.1.1', 'localhost', 'st[1:3]', 'st[01:21]', '[1:99]', 'st[9:1]', 'file:', 'file:x', 'file:/x', 'file:/../x', 'env:', 'env:A B', 'env:PW', 'command:', 'command:x; y', 'hunter2', 'null', 'true', '1e9', '-1',
  '__proto__', 'constructor', 'toString', 'root', 'root@localhost', 'a@b', 'windows', 'StandardCluster', '5.5', '99999999999999999999', '30s', '-5s', '1e3ms',
];
const odd: unknown[] = [null, true, false, 0, -0, -1, 1, 22, 65_536, 1.5, 1e21, [], {}, [[]], [{}], { a: 1 }, Array(1_001).fill('x'), Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, i]))];

const anyText = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...hostile) }, { weight: 1, arbitrary: fc.string({ maxLength: 40 }) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) });
const anyKey = fc.oneof(fc.constantFrom('x', 'adress', 'Name', 'passwrod', '__proto__', 'constructor', 'prototype', '<<', 'on', '0', '', 'a b', 'a.b', 'k'.repeat(129), 'a\nb'), anyText);
/** Fair ones too: a file that is only ever refused proves little of what is accepted. */
const fair = fc.constantFrom<unknown>('10.9.9.9', 'fd00::9', 'host-9.example.com', 'st9', 'ops2', '/srv/other', '/etc/st/x.pem', 'file:/etc/st/x', 'env:OTHER', 'command:/usr/bin/pass show x', 1, 3, 2222, true, '45s', 2_000, ['ssh', 'http'], 'x_y', 'Prod', 'DR', 'label text');

interface Edit { place: number; kind: 'set' | 'fair' | 'append' | 'prepend' | 'remove' | 'add' | 'rename' | 'repeat' | 'wrap' | 'copy'; text: string; key: string; value: unknown; fair: unknown; from: number }
const edit = fc.record<Edit>({
  place: fc.nat(), kind: fc.constantFrom('set', 'fair', 'fair', 'append', 'prepend', 'remove', 'add', 'rename', 'repeat', 'wrap', 'copy'), text: anyText, key: anyKey,
  value: fc.oneof(anyText, fc.constantFrom(...odd)), fair, from: fc.nat(),
});

/** A property of one's own also when its name is that of an object's inner part, as JSON.parse makes it. */
const put = (holder: Holder, key: string | number, value: unknown): void => void Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });

function apply(file: unknown, { place, kind, text, key, value, fair: better, from }: Edit): void {
  const places = placesOf(file);
  if (places.length === 0) return;
  const path = places[place % places.length]!;
  const holder = holderOf(file, path);
  const at = path.at(-1)!;
  if (!holder) return;
  const found = holder[at];
  const copy = (one: unknown): unknown => structuredClone(one);
  switch (kind) {
    case 'set': return put(holder, at, copy(value));
    case 'fair': return put(holder, at, copy(better));
    case 'append': return put(holder, at, `${String(found)}${text}`);
    case 'prepend': return put(holder, at, `${text}${String(found)}`);
    case 'remove': return void (Array.isArray(holder) ? holder.splice(Number(at), 1) : delete holder[at]);
    case 'add': return put(typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Holder) : (file as Holder), key, copy(value));
    case 'rename':
      if (Array.isArray(holder)) return void holder.reverse();
      delete holder[at];
      return put(holder, key, found);
    case 'repeat': return void (Array.isArray(holder) ? holder.push(copy(found)) : put(holder, at, [copy(found), copy(found)]));
    case 'wrap': return put(holder, at, [found]);
    case 'copy': {
      const other = places[from % places.length]!;
      return put(holder, at, copy(holderOf(file, other)?.[other.at(-1)!]));
    }
  }
}

/** A file of one site or two. */
function base(two: boolean): any {
  const file = demoFile();
  if (two) {
    file.sites.dr = structuredClone(recoverySite());
    file.product.installer.properties = { tomcatShutdownPort: 8005, caPassword: 'env:CA_PASSWORD' };
    file.sites.prod.edges = [{ name: 'edge[1:2]', address: '10.86.1.[1:2]', admin: { user: 'edgeadmin' } }];
  }
  return file;
}

/** A cluster file as a value, with one mistake to three. */
export const mutatedFile = fc.record({ two: fc.boolean(), edits: fc.array(edit, { minLength: 1, maxLength: 3 }) }).map(({ two, edits }) => {
  const file = base(two);
  for (const one of edits) apply(file, one);
  return file as unknown;
});

const cut = fc.record({ at: fc.nat(), length: fc.nat(12), put: fc.oneof(fc.constantFrom('\n', '\t', '  ', ': ', '- ', '{', '}', '[', ']', '"', '\'', '&a ', '*a', '#', '!', '|', '>', '%', '@', '---\n', '...\n', '? ', '<<: ', '\0', '\ufeff', '\r', '\u2028', '!!binary '), anyText) });

/** A text with some places overwritten. */
export const mutatedText = (text: string): fc.Arbitrary<string> =>
  fc.array(cut, { minLength: 1, maxLength: 4 }).map((cuts) => cuts.reduce((whole, { at, length, put: put_ }) => {
    const place = at % (whole.length + 1);
    return whole.slice(0, place) + put_ + whole.slice(place + length);
  }, text));
