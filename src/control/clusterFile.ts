/** Reading a cluster file: YAML to a normalised spec, or problems that name line and column. The same for every door that takes a file. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { LineCounter, isAlias, isMap, isNode, isScalar, isSeq, parseDocument, visit, type Alias, type Document, type Node } from 'yaml';
import { clusterFileSchema } from '../model/clusterFileSchema';
import { isSecretProperty } from '../model/fields';
import { formatProblem, type InputProblem } from '../model/problems';
import { textAt } from '../model/raw';
import { parseClusterSeed, type ClusterSeed } from '../model/clusterSeed';
import { parseClusterSpec, type ClusterSpec } from '../model/spec';
import { decodeText } from './textFile';

const mostAliases = 50;

/** Far above the file of the largest cluster; keeps a wrong file from keeping the parser busy. */
const largestFile = 256 * 1024;
/** Most bytes that may be needed for so many characters: more of a file is never read. */
export const largestFileBytes = 4 * largestFile;

export type LoadedClusterFile = { spec: ClusterSpec } | { problems: string[] };

/**
 * Reads the text of a cluster file. Problems read `cluster.yaml:14:7 sites.prod.servers[2].address: …`, in the order of the file.
 * Relative paths are resolved against `baseDir`, the folder of the file. Nothing else is expanded: no templates, no merge keys.
 */
export function loadClusterFile(text: string, fileName: string, { baseDir }: { baseDir: string }): LoadedClusterFile {
  const loaded = load(text, fileName, baseDir, (value) => parseClusterSpec(value));
  return 'problems' in loaded ? loaded : { spec: loaded.value };
}

/** The same for a file that may also be a seed (`kind: ClusterSeed`), as adoptCluster takes it. */
export function loadAdoptionFile(text: string, fileName: string, { baseDir }: { baseDir: string }): { spec: ClusterSpec } | { seed: ClusterSeed } | { problems: string[] } {
  const isSeed = (value: unknown): boolean => textAt(value, 'kind') === 'ClusterSeed';
  const loaded = load<{ spec: ClusterSpec } | { seed: ClusterSeed }>(text, fileName, baseDir, (value) => {
    const parsed = isSeed(value) ? parseClusterSeed(value) : parseClusterSpec(value);
    return parsed.problems ? { problems: parsed.problems } : { spec: parsed };
  });
  return 'problems' in loaded ? loaded : loaded.value;
}

type Parse<T> = (value: unknown) => { spec: T; problems?: undefined } | { spec?: undefined; problems: InputProblem[] };

function load<T>(text: string, fileName: string, baseDir: string, parse: Parse<T>): { value: T } | { problems: string[] } {
  if (text.length > largestFile) return { problems: [`${fileName}: ${text.length} characters; a cluster file has at most ${largestFile}`] };
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${fileName}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  let document: Document.Parsed;
  let value: unknown;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error', merge: false });
    const faults = [...document.errors, ...document.warnings];
    if (faults.length > 0) return { problems: faults.map(({ code, message, pos }) => `${at(pos[0])} ${syntaxMessage(code, message)}`) };
    const dangling = aliasProblems(document);
    if (dangling.length > 0) return { problems: dangling.map(({ offset, message }) => `${at(offset)} ${message}`) };
    value = document.toJS({ maxAliasCount: mostAliases });
  } catch (error) {
    return { problems: [`${fileName}:1:1 ${unreadable(error)}`] };
  }
  if (value === null || value === undefined) return { problems: [`${fileName}:1:1 the file is empty; expected a cluster (see examples/cluster.yaml)`] };
  const parsed = parse(resolvePaths(value, baseDir));
  if (!parsed.problems) return { value: parsed.spec };
  const placed = parsed.problems.map((problem) => ({ problem, offset: offsetOf(document, problem) }));
  placed.sort((a, b) => a.offset - b.offset);
  return { problems: placed.map(({ problem, offset }) => `${at(offset)} ${formatProblem(problem)}`) };
}

/** Reads the text of a file of one kind. */
export type TextLoader<T> = (text: string, fileName: string, options: { baseDir: string }) => T | { problems: string[] };

/** The same for the bytes of a file, of which at most one more than `largestFileBytes` need be there. */
export function loadBytes<T>(bytes: Buffer, fileName: string, options: { baseDir: string }, read: TextLoader<T>): T | { problems: string[] } {
  if (bytes.length > largestFileBytes) return { problems: [`${fileName}: more than ${largestFileBytes} bytes; a cluster file has at most ${largestFile} characters`] };
  const decoded = decodeText(bytes);
  if ('text' in decoded) return read(decoded.text, fileName, options);
  return { problems: [`${fileName}:${decoded.line}:${decoded.column} ${decoded.message}`] };
}
export const loadClusterBytes = (bytes: Buffer, fileName: string, options: { baseDir: string }): LoadedClusterFile => loadBytes(bytes, fileName, options, loadClusterFile);

/** The JSON Schema of cluster files (draft 7) that editors use; committed as schema/st-cluster.schema.json. */
export function clusterJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(clusterFileSchema(), { target: 'draft-7', io: 'input' });
  return { $schema, title: 'A cluster file of st-orchestrator', ...rest };
}

/** The parser's own words may repeat a part of the file, and with it a secret that stands there by mistake. */
function syntaxMessage(code: string, message: string): string {
  const words: Record<string, string> = {
    DUPLICATE_KEY: 'this key is already given in the same mapping',
    TAB_AS_INDENT: 'tabs can\'t be used to indent; use spaces',
    BAD_INDENT: 'the indentation does not fit the lines above',
    MULTIPLE_DOCS: 'a second document begins here; a file holds one cluster',
    MISSING_CHAR: 'a closing quote, bracket or separator is missing here',
    TAG_RESOLVE_FAILED: 'tags (!…) are not understood here; write plain values',
    MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; is a colon or quote missing?',
    BLOCK_AS_IMPLICIT_KEY: 'a mapping begins inside a value; is the indentation right?',
  };
  return `not valid YAML: ${words[code] ?? (/^[^"'`:]*/.exec(message)?.[0]?.trim() || code)}`;
}

function aliasProblems(document: Document.Parsed): { offset: number; message: string }[] {
  const aliases: Alias[] = [];
  visit(document, { Alias: (_, alias) => void aliases.push(alias) });
  // Resolving one looks through the whole file, so the count comes first.
  if (aliases.length > mostAliases) return [{ offset: startOf(aliases[mostAliases]!), message: `more than ${mostAliases} aliases (*name); write the values out` }];
  return aliases.filter((alias) => !alias.resolve(document)).map((alias) => ({ offset: startOf(alias), message: 'not valid YAML: this alias names no anchor above it' }));
}

function unreadable(error: unknown): string {
  if (error instanceof RangeError) return 'not readable: nested too deeply';
  if (error instanceof ReferenceError) return 'not readable: its aliases (*name) stand for too much or for themselves; write the values out';
  return 'not readable as YAML';
}

const pathKeys = new Set(['knownHosts', 'ca']);
const secretKeys = new Set(['key', 'passphrase', 'password', 'secret']);

/** A copy with the paths of the worker's host made absolute. Aliased parts are copied; depth is bounded as the model bounds it. */
function resolvePaths(value: unknown, baseDir: string, parents: string[] = []): unknown {
  if (parents.length > 20) return value;
  if (Array.isArray(value)) return value.map((entry, i) => resolvePaths(entry, baseDir, [...parents, String(i)]));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, entry]) => [key, resolvePaths(entry, baseDir, [...parents, key])] as const);
    return entries.some(([key]) => key === '__proto__') ? value : Object.fromEntries(entries);
  }
  if (typeof value !== 'string') return value;
  const key = parents.at(-1) ?? '';
  const parent = parents.at(-2);
  if (pathKeys.has(key) || ((parent === 'licences' || parent === 'edge') && (key === 'core' || key === 'features')) || (parent === 'command' && key === '0')) return absolute(value, baseDir);
  if ((secretKeys.has(key) || (parent === 'properties' && isSecretProperty(key))) && value.startsWith('file:')) return `file:${absolute(value.slice('file:'.length), baseDir)}`;
  return value;
}

/** Leaves what is no relative path (`~/…`, `C:\…`) for the model to refuse with a reason. */
function absolute(path: string, baseDir: string): string {
  return path === '' || /^(~|[A-Za-z]:[\\/]|\\\\)/.test(path) ? path : resolve(baseDir, path);
}

/** Where people look for a problem: the key when it is about the key or a whole mapping, the value when it is about that, the nearest parent when it is missing. */
function offsetOf(document: Document.Parsed, { path: found, message }: InputProblem): number {
  // The path of a forbidden key is that of its mapping: nothing may be reached by such a key.
  const forbidden = /^the key (\w+) is not allowed/.exec(message)?.[1];
  const path = forbidden === undefined ? found : [...found, forbidden];
  let here: unknown = document.contents;
  let offset = isNode(here) ? startOf(here) : 0;
  for (const [i, part] of path.entries()) {
    const node = isAlias(here) ? here.resolve(document) : here;
    let key: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => String(isScalar(item.key) ? item.key.value : item.key) === String(part));
      if (!pair) break;
      [key, here] = [pair.key, pair.value];
    } else if (isSeq(node) && typeof part === 'number' && node.items[part]) {
      here = node.items[part];
    } else break;
    const last = i === path.length - 1;
    const aboutKey = last && /^(unknown key|a key |the key |is set by)/.test(message);
    const place = isNode(key) && (aboutKey || !isScalar(here)) ? key : here;
    if (isNode(place)) offset = startOf(place);
  }
  return offset;
}

const startOf = (node: Node): number => node.range?.[0] ?? 0;
