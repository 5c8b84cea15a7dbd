import { join, resolve } from 'node:path';
import { hashPassword } from '../schema';
import { ApiError, created, json, noContent, ok, page, type Api, type Route } from './http';

/** As much of the accounts as the SFTP daemon needs: a name, a password, a home folder on the shared files. */
export const accountRoutes: Route[] = [
  ['GET', '/accounts', async ({ query }, api) => page(await readAccounts(api), query)],
  ['POST', '/accounts', async (request, api) => {
    const body = json<{ name?: string; homeFolder?: string; user?: { passwordCredentials?: { password?: string } } }>(request);
    const password = body.user?.passwordCredentials?.password;
    if (!body.name || /[/\\;'\s]/.test(body.name)) throw new ApiError(400, 'name: must be a name');
    if (!password) throw new ApiError(400, 'user.passwordCredentials.password: must not be empty');
    if ((await readAccounts(api)).some((account) => account.name === body.name)) throw new ApiError(400, 'The account name is not unique.');
    const shared = api.home.settings['standin.sharedPath'] ?? '';
    const homeFolder = resolve(shared, body.homeFolder ?? join('home', body.name));
    const { salt, hash } = hashPassword(password);
    await api.pool.query('insert into account (name, homefolder, salt, passwordhash) values ($1, $2, $3, $4)', [body.name, homeFolder, salt, hash]);
    return created('/accounts', body.name);
  }],
  ['GET', '/accounts/{name}', async ({ params }, api) => ok(await find(api, params['name']))],
  ['DELETE', '/accounts/{name}', async ({ params }, api) => {
    const { name } = await find(api, params['name']);
    // The log entries and the home folder stay.
    await api.pool.query('delete from account where name = $1', [name]);
    return noContent;
  }],
];

async function readAccounts({ pool }: Api) {
  const { rows } = await pool.query('select name, homefolder as "homeFolder", locked as "isLocked" from account order by name');
  return rows.map((row) => ({ type: 'user', ...row }) as { type: string; name: string; homeFolder: string; isLocked: boolean });
}

async function find(api: Api, name: string | undefined) {
  const found = (await readAccounts(api)).find((account) => account.name === name);
  if (!found) throw new ApiError(404, `The account ${name} was not found.`);
  return found;
}
