import { hostname } from 'node:os';
import { daemons, protocols } from '../home';
import { build } from '../build';
import { readLicences } from '../licences';
import { askService } from '../service';
import { readSessions, type Session } from '../sessions';
import { ApiError, json, noContent, ok, oneOf, page, select, type Api, type Route } from './http';

const sessionId = /^(SSH|HTTP|AS2|PESIT):[0-9a-f]+$|^FTP:[0-9a-f]+:\d+$/;

/** What can be looked at: version, sessions, events, the log, maintenance mode, replication. */
export const observeRoutes: Route[] = [
  ['GET', '/version', (_request, { home }) => {
    const licences = readLicences(home);
    return ok({
      product: 'SecureTransport', version: '5.5', build, serverType: 'Server', hostName: hostname(),
      coreLicense: licences.core, featuresLicense: licences.features, licensedClusterNodes: licences.clusterNodes,
    });
  }],
  // One read may miss sessions: two equal reads in a row are the least to believe.
  ['GET', '/sessions', (_request, api) => ok(allSessions(api).filter(() => !api.lies.tell(0.2)))],
  ['GET', '/sessions/{id}', ({ params }, api) => ok(findSession(api, params['id'] ?? ''))],
  ['DELETE', '/sessions/{id}', async ({ params }, api) => {
    const id = params['id'] ?? '';
    if (!sessionId.test(id)) throw new ApiError(400, `Invalid session id ${id}.`);
    const { protocol } = findSession(api, id);
    const service = protocols.find((one) => one === protocol);
    if (service) await askService(api.home, daemons[service].service, { disconnect: id });
    return noContent;
  }],
  ['GET', '/events', async ({ query }, api) => {
    for (const name of ['arrivalTime', 'lastHeartbeatAfter', 'lastHeartbeatBefore']) {
      if (query.has(name) && !/^\d+$/.test(query.get(name) ?? '')) throw new ApiError(400, `Invalid value for parameter ${name}.`);
    }
    const status = query.get('status');
    return page((await readEvents(api)).filter((event) => status === null || event.status === status), query);
  }],
  ['GET', '/events/{id}', async ({ params, query }, api) => {
    const found = (await readEvents(api)).find((event) => event.id === params['id']);
    if (!found) throw new ApiError(404, `The event ${params['id']} was not found.`);
    return ok(select(found, query));
  }],
  ['POST', '/events/operations', async (request, api) => {
    // Any other operation answers 200 and does nothing, as seen.
    if (request.query.get('operation') !== 'delete') return ok({});
    const ids = json<{ ids?: string[] }>(request).ids ?? [];
    const { rows } = await api.pool.query('delete from event where id = any($1) returning id', [ids]);
    const deleted = new Set(rows.map((row) => row.id as string));
    return ok(Object.fromEntries(ids.map((id) => [id, deleted.has(id) ? 'deleted' : 'not found'])));
  }],
  ['GET', '/configurations/maintenance', async (_request, api) => {
    const { rows } = await api.pool.query('select running from maintenance');
    return ok({ status: rows[0].running ? 'Running.' : 'Not running.' });
  }],
  ['POST', '/configurations/maintenance/operations', async ({ query }, api) => {
    const operation = oneOf(query, 'operation', ['start', 'stop'] as const);
    await api.pool.query('update maintenance set running = $1', [operation === 'start']);
    return ok({ isSuccessful: true, message: `The maintenance mode was ${operation === 'start' ? 'started' : 'stopped'}.` });
  }],
  ['GET', '/configurations/replication', () => ok({ enabled: false, subscriptions: [] })],
  ['GET', '/logs/server', async ({ query }, api) => {
    for (const name of ['startTime', 'endTime']) if (query.has(name)) rfc2822(query.get(name) ?? '', name);
    const { rows } = await api.pool.query(
      `select l.id, logged_at, component, level, message, coalesce(n.address, l.node) as node
       from logging_event l left join clusternode n on n.valid and n.localconfigurationsid = l.node
       where ($1::text[] = '{}' or component = any($1)) and ($2::text[] = '{}' or level = any($2))
         and ($3::timestamptz is null or logged_at >= $3) and ($4::timestamptz is null or logged_at <= $4) order by l.id`,
      [query.getAll('component'), query.getAll('level'), query.get('startTime'), query.get('endTime')]);
    return page(rows.map((row) => ({
      id: String(row.id), time: (row.logged_at as Date).toUTCString().replace('GMT', '+0000'), component: row.component, level: row.level, message: row.message, node: row.node,
    })), query);
  }],
];

function allSessions({ home }: Api): Session[] {
  return protocols.flatMap((protocol) => readSessions(home, protocol));
}

function findSession(api: Api, id: string): Session {
  const found = allSessions(api).find((session) => session.id === id);
  if (!found) throw new ApiError(404, `The session ${id} was not found.`);
  return found;
}

async function readEvents({ pool }: Api) {
  const { rows } = await pool.query('select id, account, status, node, filename, arrival_at from event order by arrival_at, id');
  return rows.map((row) => ({
    id: row.id as string, accountName: row.account as string, status: row.status as string, node: row.node as string, fileName: row.filename as string,
    arrivalTime: (row.arrival_at as Date).getTime(),
  }));
}

/** Dates are RFC 2822 (`Wed, 07 Oct 2026 10:00:00 +0300`); anything else is 400. */
function rfc2822(text: string, name: string): void {
  if (!/^([A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(:\d{2})? ([+-]\d{4}|GMT|UT)$/.test(text)) throw new ApiError(400, `Invalid value for parameter ${name}.`);
}
