/** A database that goes away under a service of the stand-in: the call fails, and the service lives. */
import { Pool, type PoolClient } from 'pg';
import { inTransaction } from '../../../lab/standin/database';
import { startPostgres, type Postgres } from './postgres';

let postgres: Postgres;
let pool: Pool;
beforeAll(async () => {
  postgres = await startPostgres();
  await postgres.createDatabase('gone');
  pool = new Pool({ host: '127.0.0.1', port: postgres.port, database: 'gone', user: 'gone', password: 'secret-gone', max: 1 });
  pool.on('error', () => undefined);
});
afterAll(async () => {
  await pool?.end();
  await postgres?.stop();
});

test.each<[string, (client: PoolClient) => Promise<unknown>]>([
  ['in the middle of a statement', (client) => client.query('select pg_terminate_backend(pg_backend_pid())')],
  ['between two statements', async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const ended = new Promise((resolve) => client.once('end', resolve));
    await postgres.query('gone', 'select pg_terminate_backend($1)', [rows[0]!.pid]);
    await ended;
    return client.query('select 1');
  }],
])('a connection that ends %s of a transaction is an error of that transaction, and the next one has another', async (_, work) => {
  await expect(inTransaction(pool, work)).rejects.toThrow(/terminat|not queryable|connection/i);
  expect(await inTransaction(pool, async (client) => (await client.query('select 1 as one')).rows)).toEqual([{ one: 1 }]);
});
