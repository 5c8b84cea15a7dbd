import { inTransaction } from '../database';
import { ApiError, json, noContent, ok, page, select, type Api, type Route } from './http';
import { applyPatch } from './jsonPatch';

interface Option {
  name: string;
  values: string[];
  defaultValues: string[];
  /** Local values belong to the Server that is asked. */
  scope: 'shared' | 'local';
  /** Describes the web page; the API may change it all the same. */
  readOnly: boolean;
}

const base = '/configurations/options';

export const optionRoutes: Route[] = [
  ['GET', base, async ({ query }, api) => {
    const name = query.get('name');
    return page((await readOptions(api)).filter((option) => name === null || option.name === name), query);
  }],
  ['PUT', base, async (request, api) => {
    const list = json<unknown>(request);
    if (!Array.isArray(list)) throw new ApiError(400, 'A list of options is expected.');
    return write(api, list as Option[]);
  }],
  ['GET', `${base}/{name}`, async ({ params, query }, api) => ok(select(await find(api, params['name'] ?? ''), query))],
  ['PATCH', `${base}/{name}`, async (request, api) => write(api, [applyPatch(await find(api, request.params['name'] ?? ''), json(request))])],
];

async function readOptions({ pool, home }: Api): Promise<Option[]> {
  const { rows } = await pool.query(
    `select o.name, coalesce(l.value, o.value) as values, o.defaultvalue as "defaultValues", o.scope, o.readonly as "readOnly"
     from configurationoption o left join configurationoptionlocal l on l.name = o.name and l.localconfigurationsid = $1 and o.scope = 'local' order by o.name`, [home.id]);
  return rows as Option[];
}

async function find(api: Api, name: string): Promise<Option> {
  const found = (await readOptions(api)).find((option) => option.name === name);
  if (!found) throw new ApiError(404, `The option ${name} was not found.`);
  return found;
}

/** All or nothing: an unknown name is 404 and an empty list of values 400, and then nothing changes. */
async function write(api: Api, list: Option[]) {
  const known = new Map((await readOptions(api)).map((option) => [option.name, option]));
  for (const { name, values } of list) {
    if (!known.has(name)) throw new ApiError(404, `The option ${name} was not found.`);
    if (!Array.isArray(values) || values.length === 0) throw new ApiError(400, 'Invalid argument length.');
    if (!values.every((value) => typeof value === 'string')) throw new ApiError(400, `${name}: values must be strings`);
  }
  await inTransaction(api.pool, async (client) => {
    for (const { name, values } of list) {
      if (known.get(name)?.scope === 'shared') await client.query('update configurationoption set value = $2 where name = $1', [name, JSON.stringify(values)]);
      else await client.query(
        `insert into configurationoptionlocal values ($1, $2, $3)
         on conflict (localconfigurationsid, name) do update set value = excluded.value`, [api.home.id, name, JSON.stringify(values)]);
    }
  });
  return noContent;
}
