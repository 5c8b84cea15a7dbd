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

/** Every entry of a list. A list that grows or shrinks while it is read is read as far as it goes. */
export async function readList<T>(session: AdminSession, path: string, query: Query, options?: CallOptions): Promise<T[]> {
  const found: T[] = [];
  for (let page = 0; page < mostPages; page += 1) {
    const { result, total, whole } = await readPage<T>(session, path, query, found.length, pageSize, options);
    found.push(...result);
    if (whole || result.length === 0 || found.length >= total) return found;
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
