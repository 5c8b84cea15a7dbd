/** Lists of the Admin API: pages of at most 100 with a result set, or plain arrays. */
import type { AdminSession, CallOptions, Query } from './adminSession';
import { StError } from '../model/errors';

interface Page<T> {
  result: T[];
  total: number;
  /** A plain array: everything came at once. */
  whole: boolean;
}

const pageSize = 100;
/** No list of a cluster is longer; a Server that ignores `offset` must not keep us for ever. */
const mostPages = 500;
/** Of a list that changes all the time no two reads are equal. */
const mostReads = 6;

/**
 * Every entry of a list, once: `identify` tells what makes an entry the same. A list that grows or shrinks while it is read is read as far as it goes.
 * @throws StError Refused when the pages repeat themselves: filters are mostly ignored, not refused, and `offset` may be among them (reference §11.1).
 */
export async function readList<T>(session: AdminSession, path: string, query: Query, identify: (entry: T) => string, options?: CallOptions): Promise<T[]> {
  const found = new Map<string, T>();
  let read = 0;
  for (let page = 0; page < mostPages; page += 1) {
    const { result, total, whole } = await readPage<T>(session, path, query, read, pageSize, options);
    const before = found.size;
    for (const entry of result) found.set(identify(entry), entry);
    read += result.length;
    if (whole || result.length === 0 || found.size >= total) return [...found.values()];
    if (found.size === before) throw new StError('Refused', `GET ${path}: the pages repeat themselves: ${found.size} of ${total} entries were read.`);
  }
  throw new StError('Refused', `GET ${path}: the list does not end after ${mostPages} pages.`);
}

/** One page from `offset`. */
export async function readPage<T>(session: AdminSession, path: string, query: Query, offset: number, limit: number, options?: CallOptions): Promise<Page<T>> {
  const { body } = await session.call('GET', path, { ...options, query: { ...query, offset, limit } });
  if (Array.isArray(body)) return { result: body as T[], total: body.length, whole: true };
  const { result, resultSet } = (body ?? {}) as { result?: unknown; resultSet?: { totalCount?: unknown } };
  if (!Array.isArray(result)) throw new StError('Refused', `GET ${path}: the answer is no list.`);
  return { result: result as T[], total: typeof resultSet?.totalCount === 'number' ? resultSet.totalCount : offset + result.length, whole: false };
}

/** Reads until two answers in a row hold the same entries, and answers those; after `mostReads` all that any of them held. */
export async function readTwice<T extends { id: string }>(read: () => Promise<T[]>): Promise<T[]> {
  const seen = new Map<string, T>();
  let last: string | undefined;
  for (let reads = 0; reads < mostReads; reads += 1) {
    const found = await read();
    const ids = found.map(({ id }) => id).sort().join('\n');
    if (ids === last) return found;
    last = ids;
    for (const entry of found) seen.set(entry.id, entry);
  }
  return [...seen.values()];
}
