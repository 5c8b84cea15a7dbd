import type { PoolClient } from 'pg';
import { inTransaction } from '../database';
import { ApiError, json, noContent, ok, page, select, type Api, type Reply, type Route } from './http';
import { applyPatch } from './jsonPatch';

interface Edge {
  title: string;
  deploymentSite: string;
  [field: string]: unknown;
}

interface Zone {
  name: string;
  description: string;
  isDefault: boolean;
  edges: Edge[];
}

const zoneFields = ['name', 'description', 'isDefault', 'edges'];
const edgeFields = ['title', 'addresses', 'protocols', 'proxy', 'deploymentSite', 'description'];

export const zoneRoutes: Route[] = [
  ['GET', '/zones', async ({ query }, api) => page(await readZones(api), query)],
  ['POST', '/zones', async (request, api) => {
    const zone = complete(json(request));
    if ((await readZones(api)).some((one) => one.name === zone.name)) throw new ApiError(400, 'The zone name is not unique.');
    await store(api, zone);
    return { status: 201, headers: { location: `/api/v2.0/zones/${encodeURIComponent(zone.name)}` } };
  }],
  ['GET', '/zones/{name}', async ({ params, query }, api) => ok(select(await find(api, params['name']), query))],
  ['PUT', '/zones/{name}', async (request, api) => {
    const old = await find(api, request.params['name']);
    const body = json(request);
    if (body['name'] !== old.name) throw new ApiError(400, 'The name in the body is not that of the path.');
    // Every field left out is reset, the edges alone are kept.
    return store(api, complete({ edges: old.edges, ...body }));
  }],
  ['PATCH', '/zones/{name}', async (request, api) => {
    const old = await find(api, request.params['name']);
    return store(api, complete({ ...applyPatch(old, json(request)), name: old.name }));
  }],
  ['DELETE', '/zones/{name}', async (request, api) => {
    const { name } = await find(api, request.params['name']);
    await api.pool.query('delete from dmz_zone where name = $1', [name]);
    return noContent;
  }],
];

async function readZones({ pool }: Api): Promise<Zone[]> {
  const { rows } = await pool.query('select body from dmz_zone order by name');
  return rows.map((row) => row.body as Zone);
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

/** Checks a zone as the product does and fills in its defaults. */
function complete(body: Record<string, unknown>): Zone {
  refuseUnknown(body, zoneFields, 'zone');
  const { name, description = '', isDefault = false, edges = [] } = body;
  refuseName(name, 'name');
  if (!Array.isArray(edges)) throw new ApiError(400, 'edges: must be a list');
  return { name: name as string, description: String(description), isDefault: isDefault === true, edges: edges.map(completeEdge) };
}

function completeEdge(edge: Record<string, unknown>): Edge {
  refuseUnknown(edge, edgeFields, 'edge');
  refuseName(edge['title'], 'title');
  for (const protocol of (Array.isArray(edge['protocols']) ? edge['protocols'] : []) as Record<string, unknown>[]) {
    if (protocol['port'] !== undefined && !(Number(protocol['port']) >= 1024 && Number(protocol['port']) < 65536)) throw new ApiError(400, 'port: must be between 1024 and 65535');
  }
  return { ...edge, title: edge['title'] as string, deploymentSite: String(edge['deploymentSite'] ?? 'Prod') };
}

function refuseUnknown(body: Record<string, unknown>, known: string[], what: string): void {
  const unknown = Object.keys(body).find((field) => !known.includes(field));
  if (unknown) throw new ApiError(400, `Unknown field ${unknown} of a ${what}.`);
}

function refuseName(name: unknown, field: string): void {
  if (typeof name !== 'string' || name === '') throw new ApiError(400, `${field}: must not be empty`);
  if (/[/\\;']/.test(name)) throw new ApiError(400, `${field}: must not contain / \\ ; '`);
}
