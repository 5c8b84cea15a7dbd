import type { IncomingHttpHeaders } from 'node:http';
import type { Pool } from 'pg';
import type { Home } from '../home';
import type { Lies } from '../lies';
import type { Log } from '../log';

/** What every resource of the API works with. */
export interface Api {
  home: Home;
  pool: Pool;
  log: Log;
  lies: Lies;
  /** `Date.now()` of this admin service's start. */
  startedAt: number;
  /** Tells the server that a daemon was started or stopped: it may become unreachable for a moment. */
  disturb(): void;
}

export interface Request {
  method: string;
  /** Decoded path below `/api/v2.0`. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The named parts of the route's path. */
  params: Record<string, string>;
  administrator: string;
}

export interface Reply {
  status: number;
  /** JSON when an object, plain text when a string, empty when left out. */
  body?: unknown;
  headers?: Record<string, string>;
}

export type Handler = (request: Request, api: Api) => Promise<Reply> | Reply;

/** `[method, path, handler]`; `{name}` in a path takes one segment. */
export type Route = [method: string, path: string, handler: Handler];

/** An answer other than success; the message goes out as the product words it. */
export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly plain = false) {
    super(message);
  }
}

/** Finds the handler; throws 404 for an unknown path and 405 for a known path with another method. */
export function route(routes: Route[], method: string, path: string): { handler: Handler; params: Record<string, string> } {
  const wanted = method === 'HEAD' ? 'GET' : method;
  let known = false;
  for (const [one, pattern, handler] of routes) {
    const params = match(pattern, path);
    if (!params) continue;
    if (one === wanted) return { handler, params };
    known = true;
  }
  throw new ApiError(known ? 405 : 404, known ? `Method ${method} is not allowed.` : 'The resource was not found.');
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith('{')) {
      if (value === '') return undefined;
      params[part.slice(1, -1)] = decodeURIComponent(value);
    } else if (part !== value) return undefined;
  }
  return params;
}

export const ok = (body: unknown): Reply => ({ status: 200, body });
/** The answer to a POST that creates. */
export const created = (path: string, name: string, body?: unknown): Reply =>
  ({ status: 201, headers: { location: linkTo(path, name) }, ...(body !== undefined && { body }) });
/** The links that the product builds encode a space twice, as `%2B`: nobody finds anything by them. */
export const linkTo = (path: string, name: string): string => `/api/v2.0${path}/${encodeURIComponent(name.replaceAll(' ', '+'))}`;
export const noContent: Reply = { status: 204 };

/** The JSON body; 400 when it is none. */
export function json<T = Record<string, unknown>>(request: Request): T {
  try {
    return JSON.parse(request.body.toString('utf8')) as T;
  } catch {
    throw new ApiError(400, 'The request body is not valid JSON.');
  }
}

/** A page of a list in the product's envelope: 100 entries unless `limit` says less, `limit=0` means all, a negative one is 400. */
export function page(list: unknown[], query: URLSearchParams): Reply {
  const number = (name: string, fallback: number) => {
    const value = query.get(name) === null ? fallback : Number(query.get(name));
    if (!Number.isInteger(value) || value < 0) throw new ApiError(400, `Invalid value for parameter ${name}.`);
    return value;
  };
  const offset = number('offset', 0);
  const limit = number('limit', 100);
  const result = list.slice(offset, limit === 0 ? undefined : offset + Math.min(limit, 100)).map((entry) => select(entry, query));
  return ok({ resultSet: { returnCount: result.length, totalCount: list.length }, result });
}

/** Only the `fields=` asked for, and always those in `always`. */
export function select(entry: unknown, query: URLSearchParams, always: string[] = []): unknown {
  const fields = query.get('fields')?.split(',').map((field) => field.trim());
  if (!fields || typeof entry !== 'object' || entry === null) return entry;
  return Object.fromEntries(Object.entries(entry).filter(([key]) => fields.includes(key) || always.includes(key)));
}

/** The value of a required parameter; 400 unless it is one of `allowed` (case doesn't matter). */
export function oneOf<T extends string>(query: URLSearchParams, name: string, allowed: readonly T[]): T {
  const value = query.get(name)?.toLowerCase();
  const found = allowed.find((one) => one.toLowerCase() === value);
  if (!found) throw new ApiError(400, `${name}: must match "(?i)(${allowed.join('|')})"`);
  return found;
}
