import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { PoolClient } from 'pg';
import { version } from './build';
import { inTransaction, openDatabase } from './database';
import { readHome, takeProductTime, type Home } from './home';

/**
 * What `system_export` and `system_import` of an Edge run once they know the password, which is the first line of standard input:
 * `node systemtransfer.js FILEDRIVEHOME export FILE` and `… import FILE COE IVM ILO`.
 */

/** The configuration in the embedded database, in an order in which it can be put back. Logs, sessions and who runs are no configuration. */
const tables = [
  'configurationoption', 'configurationoptionlocal', 'administrator', 'administratorapikey', 'account', 'denieduser', 'certificate', 'dmz_zone', 'ht_businessunit', 'nodethreshold',
];
/** Local options belong to whoever imports them. */
const itself = 'this Edge';

interface Content {
  version: string;
  tables: Record<string, Record<string, unknown>[]>;
}

const shortest = 8;
const magic = Buffer.from('STSYSTEM1\n');

class Refused extends Error {}

async function main(): Promise<void> {
  const [dir = '', verb = '', file = '', ...flags] = process.argv.slice(2);
  const home = readHome(dir);
  const password = readFileSync(0, 'utf8').split('\n')[0] ?? '';
  if (verb === 'export') return exportTo(home, file, password);
  const [continueOnError, ignoreVersion, leaveLocal] = flags.map((flag) => flag === 'true');
  return importFrom(home, file, password, { continueOnError: continueOnError === true, ignoreVersion: ignoreVersion === true, leaveLocal: leaveLocal === true });
}

async function exportTo(home: Home, file: string, password: string): Promise<void> {
  if (password.length < shortest) throw new Refused(`The password must contain at least ${shortest} characters. Nothing was exported.`);
  await takeProductTime(1);
  const pool = openDatabase(home.database);
  const content: Content = { version, tables: {} };
  for (const table of tables) {
    const { rows } = await pool.query(`select to_jsonb(t) as row from ${table} t order by 1`);
    content.tables[table] = rows.map(({ row }) => own(row as Record<string, unknown>, home.id, itself));
  }
  await pool.end();
  try {
    // Written over nothing: what stands there may be the only copy.
    writeFileSync(file, sealed(JSON.stringify(content), password), { flag: 'wx', mode: 0o640 });
  } catch (error) {
    throw new Refused(`${file} could not be written: ${(error as Error).message}`);
  }
  console.log(`The system configuration was exported to ${file}.`);
}

interface Flags {
  continueOnError: boolean;
  ignoreVersion: boolean;
  leaveLocal: boolean;
}

async function importFrom(home: Home, file: string, password: string, { continueOnError, ignoreVersion, leaveLocal }: Flags): Promise<void> {
  const content = JSON.parse(opened(readFileSync(file), password)) as Content;
  if (content.version !== version && !ignoreVersion) throw new Refused(`${file} is of version ${content.version}, this is ${version}. Nothing was imported.`);
  await takeProductTime(1);
  const wanted = tables.filter((table) => content.tables[table] !== undefined && !(leaveLocal && table === 'configurationoptionlocal'));
  const pool = openDatabase(home.database);
  const failed: string[] = [];
  await inTransaction(pool, async (client) => {
    // Local options hang on the shared ones, also those that stay.
    const kept = leaveLocal ? (await client.query('select to_jsonb(t) as row from configurationoptionlocal t')).rows.map(({ row }) => row as Record<string, unknown>) : [];
    await client.query('delete from configurationoptionlocal');
    for (const table of wanted) {
      const put = (): Promise<void> => replace(client, table, content.tables[table]!.map((row) => own(row, itself, home.id)));
      if (continueOnError) await guarded(client, put).catch((error: Error) => { failed.push(`${table}: ${error.message}`); });
      else await put();
    }
    if (leaveLocal) await insert(client, 'configurationoptionlocal', kept);
  });
  await pool.end();
  for (const line of failed) console.error(`Not imported: ${line}`);
  console.log(`The system configuration was imported from ${file}. Restart the services.`);
}

async function replace(client: PoolClient, table: string, rows: Record<string, unknown>[]): Promise<void> {
  await client.query(`delete from ${table}`);
  await insert(client, table, rows);
}

async function insert(client: PoolClient, table: string, rows: Record<string, unknown>[]): Promise<void> {
  await client.query(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1)`, [JSON.stringify(rows)]);
}

async function guarded(client: PoolClient, act: () => Promise<void>): Promise<void> {
  await client.query('savepoint one');
  try {
    await act();
  } catch (error) {
    await client.query('rollback to savepoint one');
    throw error;
  }
}

const own = (row: Record<string, unknown>, from: string, to: string): Record<string, unknown> =>
  (row['localconfigurationsid'] === from ? { ...row, localconfigurationsid: to } : row);

function sealed(text: string, password: string): Buffer {
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', scryptSync(password, salt, 32), iv);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([magic, salt, iv, cipher.getAuthTag(), body]);
}

function opened(file: Buffer, password: string): string {
  if (!file.subarray(0, magic.length).equals(magic)) throw new Refused('This is no exported system configuration. Nothing was imported.');
  const at = (from: number, length: number): Buffer => file.subarray(magic.length + from, magic.length + from + length);
  try {
    const decipher = createDecipheriv('aes-256-gcm', scryptSync(password, at(0, 16), 32), at(16, 12)).setAuthTag(at(28, 16));
    return Buffer.concat([decipher.update(file.subarray(magic.length + 44)), decipher.final()]).toString('utf8');
  } catch {
    throw new Refused('The password is wrong, or the file is damaged. Nothing was imported.');
  }
}

main().catch((error: Error) => {
  console.error(error instanceof Refused ? error.message : `Failed, and nothing was changed: ${error.message}`);
  process.exit(1);
});
