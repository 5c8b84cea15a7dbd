import type { Pool } from 'pg';
import { hashPassword } from './schema';

export interface Account {
  name: string;
  /** Absolute path on the shared files. */
  homeFolder: string;
}

const limit = 3;

/**
 * Checks a password; answers undefined when it is wrong or the account is unknown or locked. Every wrong try counts, so a client that goes
 * from `password` to `keyboard-interactive` counts twice, as seen on real servers.
 */
export async function login(pool: Pool, name: string, password: string): Promise<Account | undefined> {
  const { rows } = await pool.query('select name, homefolder, salt, passwordhash, failedlogins, locked from account where name = $1', [name]);
  const found = rows[0];
  if (!found || found.locked) return undefined;
  if (hashPassword(password, found.salt).hash !== found.passwordhash) {
    await countFailure(pool, 'account', 'name', name);
    return undefined;
  }
  if (found.failedlogins > 0) await pool.query('update account set failedlogins = 0 where name = $1', [name]);
  return { name: found.name, homeFolder: found.homefolder };
}

/** How long an unknown name stays on the Denied Users list (**ours**). */
const deniedFor = '1 hour';

/**
 * The same over HTTP, where a login name that nobody has is put on the Denied Users list; a denied name is refused as a wrong password is,
 * so the list alone tells one from the other.
 */
export async function loginOverHttp(pool: Pool, name: string, password: string): Promise<Account | undefined> {
  const denied = await pool.query('select 1 from denieduser where loginname = $1 and (blockeduntil is null or blockeduntil > now())', [name]);
  if (denied.rows.length > 0) return undefined;
  const known = await pool.query('select 1 from account where name = $1', [name]);
  if (known.rows.length > 0) return login(pool, name, password);
  await pool.query(`insert into denieduser values ($1, now() + $2::interval) on conflict (loginname) do update set blockeduntil = excluded.blockeduntil`, [name, deniedFor]);
  return undefined;
}

/** The same for the administrators of the Administration Tool. */
export async function loginAdministrator(pool: Pool, name: string, password: string): Promise<boolean> {
  const { rows } = await pool.query('select salt, passwordhash, failedlogins, locked from administrator where loginname = $1', [name]);
  const found = rows[0];
  if (!found || found.locked) return false;
  if (hashPassword(password, found.salt).hash !== found.passwordhash) {
    await countFailure(pool, 'administrator', 'loginname', name);
    return false;
  }
  if (found.failedlogins > 0) await pool.query('update administrator set failedlogins = 0 where loginname = $1', [name]);
  return true;
}

async function countFailure(pool: Pool, table: 'account' | 'administrator', key: 'name' | 'loginname', name: string): Promise<void> {
  await pool.query(`update ${table} set failedlogins = failedlogins + 1, locked = failedlogins + 1 >= ${limit} where ${key} = $1`, [name]);
}
