import { hostname } from 'node:os';
import { readLicences } from '../licences';
import { ApiError, json, ok, oneOf, page, select, type Api, type Route } from './http';

/** What can be looked at: version, events, maintenance mode, replication. */
export const observeRoutes: Route[] = [
  ['GET', '/version', (_request, { home }) => {
    const licences = readLicences(home);
    return ok({
      product: 'SecureTransport', version: '5.5', build: home.build, serverType: home.kind, hostName: hostname(),
      coreLicense: licences.core, featuresLicense: licences.features, licensedClusterNodes: licences.clusterNodes,
    });
  }],
  ['GET', '/events', async ({ query }, api) => {
    for (const name of ['arrivalTime', 'lastHeartbeatAfter', 'lastHeartbeatBefore']) {
      if (query.has(name) && !/^\d+$/.test(query.get(name) ?? '')) throw new ApiError(400, `For input string: "${query.get(name)}"`);
    }
    const [status, after, before] = ['status', 'lastHeartbeatAfter', 'lastHeartbeatBefore'].map((name) => query.get(name));
    const wanted = (event: Awaited<ReturnType<typeof readEvents>>[number]): boolean =>
      (status === null || event.status === status) && (after === null || event.lastHeartbeat > Number(after)) && (before === null || event.lastHeartbeat < Number(before));
    return page((await readEvents(api)).filter(wanted), query);
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
];

async function readEvents({ pool }: Api) {
  const { rows } = await pool.query('select id, account, kind, status, node, filename, arrival_at, coalesce(heartbeat_at, arrival_at) as heartbeat from event order by arrival_at, id');
  return rows.map((row) => ({
    id: row.id as string, accountName: row.account as string, eventType: row.kind as string, status: row.status as string, node: row.node as string, fileName: row.filename as string,
    arrivalTime: (row.arrival_at as Date).getTime(), lastHeartbeat: (row.heartbeat as Date).getTime(),
  }));
}
