import { createHash, randomBytes } from 'node:crypto';
import { ApiError, created, json, noContent, ok, page, type Api, type Route } from './http';

interface Key {
  id: string;
  loginName: string;
  /** The HTTP methods that the key covers (the shape is ours). */
  permissions: string[];
  expiresAt: number;
}

const mostKeys = 2;
const dayMs = 24 * 60 * 60_000;
const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');
const base = '/administrators/{name}/api-keys';

/** The API keys of an administrator: two at most, and the key itself is told once. */
export const apiKeyRoutes: Route[] = [
  ['GET', base, async ({ params, query }, api) => page(await readKeys(api, params['name'] ?? ''), query)],
  ['POST', base, async (request, api) => {
    const { validityDays = 30, permissions = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] } = json<{ validityDays?: number; permissions?: string[] }>(request);
    if (!(Number(validityDays) > 0)) throw new ApiError(400, 'validityDays: must be a number of days');
    const loginName = request.params['name'] ?? '';
    if ((await readKeys(api, loginName)).length >= mostKeys) throw new ApiError(409, `An administrator has at most ${mostKeys} API keys.`);
    const key = { id: randomBytes(8).toString('hex'), loginName, permissions, expiresAt: Date.now() + Number(validityDays) * dayMs };
    const apiKey = randomBytes(24).toString('hex');
    await api.pool.query('insert into administratorapikey (id, loginname, hash, permissions, expires_at) values ($1, $2, $3, $4, $5)',
      [key.id, loginName, hashOf(apiKey), permissions.join(','), new Date(key.expiresAt)]);
    return created(`/administrators/${loginName}/api-keys`, key.id, { ...key, apiKey });
  }],
  ['GET', `${base}/{id}`, async ({ params }, api) => ok(await find(api, params))],
  ['DELETE', `${base}/{id}`, async ({ params }, api) => {
    const { id } = await find(api, params);
    await api.pool.query('delete from administratorapikey where id = $1', [id]);
    return noContent;
  }],
];

/** Who calls with this key. Throws the plain-text 401 of a revoked one and the plain-text 403 of a method that it does not cover. */
export async function authenticateByKey({ pool }: Api, apiKey: string, method: string): Promise<string> {
  const { rows } = await pool.query('select loginname, permissions from administratorapikey where hash = $1 and expires_at > now()', [hashOf(apiKey)]);
  if (!rows[0]) throw new ApiError(401, 'Authentication required.', true);
  const covered = (rows[0].permissions as string).split(',');
  if (!covered.includes(method === 'HEAD' ? 'GET' : method)) throw new ApiError(403, `The API key does not cover ${method}.`, true);
  return rows[0].loginname as string;
}

async function readKeys({ pool }: Api, loginName: string): Promise<Key[]> {
  const known = await pool.query('select 1 from administrator where loginname = $1', [loginName]);
  if (!known.rows[0]) throw new ApiError(404, `The administrator ${loginName} was not found.`);
  const { rows } = await pool.query('select id, permissions, expires_at from administratorapikey where loginname = $1 order by id', [loginName]);
  return rows.map((row) => ({ id: row.id as string, loginName, permissions: (row.permissions as string).split(','), expiresAt: (row.expires_at as Date).getTime() }));
}

async function find(api: Api, { name = '', id = '' }: Record<string, string>): Promise<Key> {
  const found = (await readKeys(api, name)).find((key) => key.id === id);
  if (!found) throw new ApiError(404, `The API key ${id} was not found.`);
  return found;
}
