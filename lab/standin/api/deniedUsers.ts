import { ApiError, created, json, noContent, page, type Route } from './http';

/** The Denied Users list: login names that are refused over HTTP, for a time or for good. One name can't be read by itself. */
export const deniedUserRoutes: Route[] = [
  ['GET', '/deniedUsers', async ({ query }, { pool }) => {
    const { rows } = await pool.query('select loginname, blockeduntil from denieduser order by loginname');
    return page(rows.map((row) => ({ loginName: row.loginname as string, blockedUntil: (row.blockeduntil as Date | null)?.getTime() ?? null })), query);
  }],
  ['POST', '/deniedUsers', async (request, { pool }) => {
    const { loginName, ttl } = json<{ loginName?: string; ttl?: number }>(request);
    if (!loginName) throw new ApiError(400, 'loginName: must not be empty');
    const { rowCount } = await pool.query(
      'insert into denieduser values ($1, now() + make_interval(hours => $2)) on conflict do nothing', [loginName, ttl === undefined ? null : Number(ttl)]);
    if (rowCount === 0) throw new ApiError(400, `The user ${loginName} is denied already.`);
    return created('/deniedUsers', loginName);
  }],
  ['DELETE', '/deniedUsers/{name}', async ({ params }, { pool }) => {
    const { rowCount } = await pool.query('delete from denieduser where loginname = $1', [params['name']]);
    if (rowCount === 0) throw new ApiError(400, `The user ${params['name']} is not denied.`);
    return noContent;
  }],
];
