/** The Scheduler: a service of the whole cluster, so one Server's does the work, and another's goes on when that one is gone. */
import type { Pool } from 'pg';
import { inTransaction } from './database';
import type { Home } from './home';
import { submit } from './queue/dispatch';
import { join } from 'node:path';

const service = 'Scheduler';

/** Whether the Scheduler of this Server is the one that works now. A second call soon after keeps it so; 4 s without one let another take over. */
export async function lead(pool: Pool, home: Home): Promise<boolean> {
  const { rowCount } = await pool.query(
    `insert into clusterservice (service, node) select $1, $2 where exists (select 1 from onlinenode where node = $2)
     on conflict (service) do update set node = excluded.node, beat_at = now()
     where clusterservice.node = excluded.node or clusterservice.beat_at < now() - interval '4 seconds'`, [service, home.id]);
  return rowCount === 1;
}

/** Leaves the work to another Server's Scheduler at once. */
export async function resign(pool: Pool, home: Home): Promise<void> {
  await pool.query('delete from clusterservice where service = $1 and node = $2', [service, home.id]);
}

/** Puts an event into the queue for every pull that is due. One that is still under way is not begun a second time. */
export async function submitDuePulls(pool: Pool): Promise<void> {
  const { rows } = await pool.query('select exists (select 1 from subscription where pulleveryseconds is not null and pull_at <= now()) as due');
  if (!rows[0].due) return;
  await inTransaction(pool, async (client) => {
    const due = await client.query(
      `update subscription s set pull_at = now() + make_interval(secs => pulleveryseconds) from account a
       where a.name = s.account and pulleveryseconds is not null and pull_at <= now()
       returning s.account, s.folder, s.attributes, s.rulespackage, a.homefolder`);
    for (const { account, folder, attributes, rulespackage, homefolder } of due.rows) {
      const path = join(homefolder, folder);
      const { rowCount } = await client.query(`select 1 from event where kind = 'PULL' and path = $1`, [path]);
      if (rowCount === 0) await submit(client, { account, kind: 'PULL', attributes, filename: folder, path, transfer: null, rulesPackage: rulespackage });
    }
  });
}
