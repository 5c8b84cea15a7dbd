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
