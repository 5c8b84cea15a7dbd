import { ApiError, page, type Api, type Route } from './http';

/** The three logs of the cluster. Filters that a log doesn't know are ignored: `accountName=` is one of them. */
export const logRoutes: Route[] = [
  ['GET', '/logs/server', async ({ query }, api) => {
    const { rows } = await api.pool.query(
      `select l.id, logged_at, component, level, message, coalesce(n.address, l.node) as node
       from logging_event l left join clusternode n on n.valid and n.localconfigurationsid = l.node
       where ($1::text[] = '{}' or component = any($1)) and ($2::text[] = '{}' or level = any($2)) and ${period('logged_at', 3)} order by l.id`,
      [query.getAll('component'), query.getAll('level'), ...dates(query)]);
    return page(rows.map((row) => ({ id: String(row.id), time: rfc2822(row.logged_at as Date), component: row.component, level: row.level, message: row.message, node: row.node })), query);
  }],
  // Newest first, unlike the server log.
  ['GET', '/logs/audit', async ({ query }, api) => {
    const { rows } = await api.pool.query(`select id, at, username, operation, objectname from auditlog where ${period('at', 1)} order by id desc`, dates(query));
    return page(rows.map((row) => ({ id: String(row.id), time: rfc2822(row.at as Date), userName: row.username, operation: row.operation, objectName: row.objectname })), query);
  }],
  // In no order that anybody could rely on, unless `sortByStartTime` is given.
  ['GET', '/logs/transfers', async ({ query }, api) => page(await readTransfers(api, query), query)],
];

async function readTransfers({ pool }: Api, query: URLSearchParams) {
  const sort = query.get('sortByStartTime');
  const order = sort === null ? 'md5(id::text)' : `start_at ${sort === 'ascending' ? 'asc' : 'desc'}, id`;
  // An exact name in any case, with * for anything.
  const account = query.get('account')?.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%') ?? '%';
  const { rows } = await pool.query(
    `select id, account, filename, size, node, status, start_at from transferdata where account ilike $1 and ${period('start_at', 2)} order by ${order}`, [account, ...dates(query)]);
  return rows.map((row) => ({
    id: String(row.id), account: row.account, filename: row.filename, size: Number(row.size), node: row.node, status: row.status, startTime: rfc2822(row.start_at as Date),
  }));
}

const period = (column: string, first: number): string => `($${first}::timestamptz is null or ${column} >= $${first}) and ($${first + 1}::timestamptz is null or ${column} <= $${first + 1})`;

/** Dates are RFC 2822 (`Wed, 07 Oct 2026 10:00:00 +0300`); anything else is 400. */
function dates(query: URLSearchParams): (string | null)[] {
  return ['fromDate', 'endDate'].map((name) => {
    const text = query.get(name);
    if (text === null || /^([A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(:\d{2})? ([+-]\d{4}|GMT|UT)$/.test(text)) return text;
    throw new ApiError(400, `Invalid value for parameter ${name}.`);
  });
}

const rfc2822 = (time: Date): string => time.toUTCString().replace('GMT', '+0000');
