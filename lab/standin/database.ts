import { readFileSync } from 'node:fs';
import { Pool, type ClientConfig, type PoolClient } from 'pg';
import type { Properties } from './properties';

/** The `pg` settings of `dbHost …` properties. Throws when the CA certificate can't be read. */
export function connectionOf(properties: Properties): ClientConfig {
  const common = { connectionTimeoutMillis: 3000, query_timeout: 5000, keepAlive: true, application_name: 'SecureTransport' };
  // The embedded database of an Edge listens on a socket below FILEDRIVEHOME only.
  if (properties['dbSocket'] !== undefined) return { ...common, host: properties['dbSocket'], user: 'st', database: properties['dbName'] ?? 'st' };
  const secure = properties['externalDBUseSecureConnection'] === 'true';
  const host = properties['dbHost'] ?? '';
  return {
    host,
    port: Number(properties['dbPort'] ?? 5432),
    database: properties['dbName'] ?? '',
    user: properties['dbUser'] ?? '',
    password: properties['dbPassword'] ?? '',
    ...common,
    // A partner was told that the file arrived: a database that does not flush at every commit would forget it when it is killed.
    options: '-c synchronous_commit=on',
    ...(secure && { ssl: { ca: readFileSync(properties['externalDBTrustStore'] ?? '', 'utf8') } }),
  };
}

/** A small pool: twenty Servers with three processes each share one database. */
export function openDatabase(properties: Properties): Pool {
  const pool = new Pool({ ...connectionOf(properties), max: 2, idleTimeoutMillis: 10_000 });
  // An idle connection that breaks is replaced at the next query, which reports the failure if there still is one.
  pool.on('error', () => undefined);
  return pool;
}

/** Runs `work` in one transaction; rolls back and rethrows when it throws. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that ends between two statements says so to nobody but this: unheard it would end the whole process, and with a TM what it processes.
  const lost = (error: Error): void => { broken = error; };
  client.on('error', lost);
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => { broken = failure; });
    throw error;
  } finally {
    client.off('error', lost);
    client.release(broken);
  }
}

/** Waits for the database as the product does at its start: for as long as it takes, asking twice a second. */
export async function awaitDatabase(pool: Pool, stopped: () => boolean, complain: (why: string) => void): Promise<void> {
  let said = '';
  while (!stopped()) {
    try {
      await pool.query('select 1 from schemaversion');
      return;
    } catch (error) {
      const why = (error as Error).message;
      if (why !== said) complain(`The database does not answer: ${why}`);
      said = why;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
