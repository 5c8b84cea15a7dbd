/** A file that a partner sent: noted in the shared database, and in the queue when its folder is subscribed, before the partner hears that it was taken. */
import { dirname, join } from 'node:path';
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../database';
import type { Home } from '../home';
import { submit } from './dispatch';
import type { Attributes } from './policy';

export interface Subscription {
  /** Below the account's home folder, `/upload`. */
  folder: string;
  attributes: Attributes;
  /** A rules package that the TM needs to process its files. */
  rulesPackage: string | null;
}

/** What an account has that nobody gave a subscription (**ours**). */
const byDefault: Subscription = { folder: '/upload', attributes: {}, rulesPackage: null };

/** The subscriptions of an account. */
export async function readSubscriptions(client: Pick<PoolClient, 'query'>, account: string): Promise<Subscription[]> {
  const { rows } = await client.query('select folder, attributes, rulespackage as "rulesPackage" from subscription where account = $1 order by id', [account]);
  return rows.length > 0 ? (rows as Subscription[]) : [byDefault];
}

/** Beside a file that is being processed lies an empty one of this name. */
export const markerOf = (path: string): string => `${path}.m_inproc`;

export interface Received {
  account: string;
  homeFolder: string;
  /** Path as the partner names it, `/upload/x`. */
  filename: string;
  size: number;
  protocol: string;
}

/** When this resolves, the file is the server's: it is in the transfer log, and in the queue if there is something to do with it. */
export async function receiveFile(pool: Pool, home: Home, file: Received): Promise<void> {
  await inTransaction(pool, async (client) => {
    const subscription = (await readSubscriptions(client, file.account)).find(({ folder }) => dirname(file.filename) === folder);
    const path = join(file.homeFolder, file.filename);
    const { rows } = await client.query(
      `insert into transferdata (account, direction, protocol, filename, path, size, node, status, end_at)
       values ($1, 'Incoming', $2, $3, $4, $5, $6, $7, now()) returning id`,
      [file.account, file.protocol, file.filename, path, file.size, home.id, subscription ? 'Received' : 'Processed']);
    if (!subscription) return;
    await submit(client, {
      account: file.account, kind: file.filename.endsWith('.pgp') ? 'PGP' : 'PUSH', attributes: subscription.attributes,
      filename: file.filename, path, transfer: rows[0].id as number, rulesPackage: subscription.rulesPackage,
    });
  });
}

/** A file of which the partner sent only a part. */
export async function refuseFile(pool: Pool, home: Home, file: Received): Promise<void> {
  await pool.query(
    `insert into transferdata (account, direction, protocol, filename, path, size, node, status, end_at) values ($1, 'Incoming', $2, $3, $4, $5, $6, 'Failed', now())`,
    [file.account, file.protocol, file.filename, join(file.homeFolder, file.filename), file.size, home.id]);
}
