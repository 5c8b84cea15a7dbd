import type { PoolClient } from 'pg';
import { inTransaction } from '../database';
import { ApiError, created, json, noContent, ok, page, select, type Api, type Reply, type Route } from './http';
import { applyPatch } from './jsonPatch';

interface Proxy {
  /** Kept, and never told: `isUsePassword` says whether there is one. */
  password?: string;
  [field: string]: unknown;
}

interface Edge {
  title: string;
  deploymentSite: string;
  proxies?: Proxy[];
  [field: string]: unknown;
}

interface Zone {
  name: string;
  description: string;
  isDefault: boolean;
  edges: Edge[];
}

const zoneFields = ['name', 'description', 'isDefault', 'edges'];
const edgeFields = ['title', 'addresses', 'protocols', 'proxies', 'deploymentSite', 'description'];

export const zoneRoutes: Route[] = [
  ['GET', '/zones', async ({ query }, api) => page((await readZones(api)).map(told), query)],
  ['POST', '/zones', async (request, api) => {
    const zone = complete(json(request));
    if ((await readZones(api)).some((one) => one.name === zone.name)) throw new ApiError(400, 'The zone name is not unique.');
    await store(api, zone);
    return created('/zones', zone.name);
  }],
  ['GET', '/zones/{name}', async ({ params, query }, api) => ok(select(told(await find(api, params['name'])), query))],
  ['PUT', '/zones/{name}', async (request, api) => {
    const old = await find(api, request.params['name']);
    const body = json(request);
    if (body['name'] !== old.name) throw new ApiError(400, 'The name in the body is not that of the path.');
    // Every field left out is reset, the edges alone are kept.
    return store(api, complete({ edges: old.edges, ...body }, old));
  }],
  ['PATCH', '/zones/{name}', async (request, api) => {
    const old = await find(api, request.params['name']);
    const patched = applyPatch(told(old), json(request));
    if (patched.name !== old.name) throw new ApiError(400, 'The name of a zone can not be changed.');
    return store(api, complete({ ...patched }, old));
  }],
  ['DELETE', '/zones/{name}', async (request, api) => {
    const { name } = await find(api, request.params['name']);
    const { rows } = await api.pool.query('select 1 from ht_businessunit where dmz = $1', [name]);
    if (rows.length > 0) throw new ApiError(500, `Database error deleting DMZ zone: ${name}`);
    await api.pool.query('delete from dmz_zone where name = $1', [name]);
    return noContent;
  }],
];

async function readZones({ pool }: Api): Promise<Zone[]> {
  const { rows } = await pool.query('select body from dmz_zone order by name');
  return rows.map((row) => row.body as Zone);
}

/** What a read tells of a zone: all but its passwords. */
function told(zone: Zone): Zone {
  const proxy = ({ password, ...rest }: Proxy): Proxy => ({ ...rest, isUsePassword: password !== undefined });
  return { ...zone, edges: zone.edges.map((edge) => (edge.proxies ? { ...edge, proxies: edge.proxies.map(proxy) } : edge)) };
}

async function find(api: Api, name: string | undefined): Promise<Zone> {
  const found = (await readZones(api)).find((zone) => zone.name === name);
  if (!found) throw new ApiError(404, `The zone ${name} was not found.`);
  return found;
}

async function store(api: Api, zone: Zone): Promise<Reply> {
  await inTransaction(api.pool, async (client: PoolClient) => {
    if (zone.isDefault) await client.query(`update dmz_zone set body = jsonb_set(body, '{isDefault}', 'false') where name <> $1`, [zone.name]);
    await client.query('insert into dmz_zone values ($1, $2) on conflict (name) do update set body = excluded.body', [zone.name, JSON.stringify(zone)]);
  });
  return noContent;
}

/** Checks a zone as the product does and fills in its defaults, and the passwords that the `old` one has. */
function complete(body: Record<string, unknown>, old?: Zone): Zone {
  refuseUnknown(body, zoneFields, 'zone');
  const { name, description = '', isDefault = false, edges = [] } = body;
  refuseName(name, 'name');
  if (!Array.isArray(edges)) throw new ApiError(400, 'edges: must be a list');
  return { name: name as string, description: String(description), isDefault: isDefault === true, edges: edges.map((edge: Record<string, unknown>) => completeEdge(edge, old)) };
}

function completeEdge(edge: Record<string, unknown>, old?: Zone): Edge {
  refuseUnknown(edge, edgeFields, 'edge');
  refuseName(edge['title'], 'title');
  for (const protocol of (Array.isArray(edge['protocols']) ? edge['protocols'] : []) as Record<string, unknown>[]) {
    if (protocol['port'] !== undefined && !(Number(protocol['port']) >= 1024 && Number(protocol['port']) < 65536)) throw new ApiError(400, 'port: must be between 1024 and 65535');
  }
  // An edge is known by its title: under another one it is new, and its saved passwords are lost.
  const saved = old?.edges.find(({ title }) => title === edge['title'])?.proxies ?? [];
  const proxies = Array.isArray(edge['proxies']) ? (edge['proxies'] as Proxy[]).map(({ isUsePassword, ...proxy }, index) => {
    const password = proxy.password ?? (isUsePassword === false ? undefined : saved[index]?.password);
    return { ...proxy, ...(password !== undefined && { password }) };
  }) : undefined;
  return { ...edge, title: edge['title'] as string, deploymentSite: String(edge['deploymentSite'] ?? 'Prod'), ...(proxies && { proxies }) };
}

function refuseUnknown(body: Record<string, unknown>, known: string[], what: string): void {
  const unknown = Object.keys(body).find((field) => !known.includes(field));
  if (unknown) throw new ApiError(400, `Unknown field ${unknown} of a ${what}.`);
}

function refuseName(name: unknown, field: string): void {
  if (typeof name !== 'string' || name === '') throw new ApiError(400, `${field}: must not be empty`);
  if (/[/\\;']/.test(name)) throw new ApiError(400, `${field}: must not contain / \\ ; '`);
}
