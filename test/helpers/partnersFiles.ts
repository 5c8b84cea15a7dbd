/** What partners send to a cluster of a lab, and what became of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { LedgerReport } from '../../lab/load/ledger';
import { until } from '../../lab/shell';
import type { Lab } from './lab';

export const ledger = async (lab: Lab): Promise<LedgerReport> => JSON.parse(await lab.run('ledger', '-o', 'json')) as LedgerReport;

/**
 * Waits until nothing is queued and nothing is worked on. A Transaction Manager that waits for the database says no more that it works on a file, and is
 * about to: what is stranded is so a second look later too.
 */
export async function settledLedger(lab: Lab): Promise<LedgerReport> {
  let seen: string | undefined;
  return until('every file to be processed or left behind', async () => {
    const report = await ledger(lab);
    const stranded = report.underWay > 0 ? undefined : report.stranded.join();
    const settled = stranded === '' || (stranded !== undefined && stranded === seen);
    seen = stranded;
    return settled && report;
  }, 30_000, 1_000);
}

/** The main cluster's database, as its owner. */
export async function clusterDatabase(lab: Lab): Promise<Client> {
  const { database } = await lab.status();
  const [main] = database.databases;
  const client = new Client({
    host: database.address, port: database.port, user: main?.user, database: main?.name, ssl: { ca: readFileSync(database.ca, 'utf8') },
    password: readFileSync(join(lab.dir, 'secrets/database-password'), 'utf8').trim(),
  });
  client.on('error', () => undefined); // a lab that goes down takes its database along
  await client.connect();
  return client;
}

/** Files that the Transaction Manager of the Server at `address` is processing, as `account/name`, sorted. */
export async function activeOn(database: Client, address: string): Promise<string[]> {
  const { rows } = await database.query<{ file: string }>(
    `select e.account || regexp_replace(e.filename, '^.*/', '/') as file from event e join clusternode n on n.localconfigurationsid = e.node
     where e.status = 'active' and n.address = $1`, [address]);
  return rows.map(({ file }) => file).sort();
}
