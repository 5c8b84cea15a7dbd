import { ApiError, created, json, noContent, ok, page, type Api, type Route } from './http';

interface BusinessUnit {
  name: string;
  /** The network zone that the unit's accounts use; null when it names none. */
  dmz: string | null;
}

/** As much of the business units as the network zones depend on: a name and the zone. */
export const businessUnitRoutes: Route[] = [
  ['GET', '/businessUnits', async ({ query }, api) => page(await readUnits(api), query)],
  ['POST', '/businessUnits', async (request, api) => {
    const { name, dmz = null } = json<Partial<BusinessUnit>>(request);
    if (typeof name !== 'string' || name === '') throw new ApiError(400, 'name: must not be empty');
    if ((await readUnits(api)).some((unit) => unit.name === name)) throw new ApiError(400, 'The business unit name is not unique.');
    const { rows } = await api.pool.query('select 1 from dmz_zone where name = $1', [dmz]);
    if (dmz !== null && rows.length === 0) throw new ApiError(400, `No such DMZ zone with name ${dmz}`);
    await api.pool.query('insert into ht_businessunit (name, dmz) values ($1, $2)', [name, dmz]);
    return created('/businessUnits', name);
  }],
  ['GET', '/businessUnits/{name}', async ({ params }, api) => ok(await find(api, params['name']))],
  ['DELETE', '/businessUnits/{name}', async ({ params }, api) => {
    const { name } = await find(api, params['name']);
    await api.pool.query('delete from ht_businessunit where name = $1', [name]);
    return noContent;
  }],
];

async function readUnits({ pool }: Api): Promise<BusinessUnit[]> {
  const { rows } = await pool.query('select name, dmz from ht_businessunit order by name');
  return rows as BusinessUnit[];
}

async function find(api: Api, name: string | undefined): Promise<BusinessUnit> {
  const found = (await readUnits(api)).find((unit) => unit.name === name);
  if (!found) throw new ApiError(404, `The business unit ${name} was not found.`);
  return found;
}
