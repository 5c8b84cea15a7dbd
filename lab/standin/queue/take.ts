/** What a Transaction Manager does with the events that were given to it, as the shared database sees it. */
import type { Pool } from 'pg';
import { inTransaction } from '../database';
import type { Home } from '../home';
import type { EventKind } from './policy';

/** An event that this TM took. */
export interface Task {
  id: string;
  account: string;
  kind: EventKind;
  filename: string;
  path: string;
  transfer: number | null;
  rulesPackage: string | null;
}

const columns = 'e.id, e.account, e.kind, e.filename, e.path, e.transfer, e.rulespackage as "rulesPackage"';

/**
 * Takes up to `count` events of this Server's queue, oldest first, while the Server is Online; their transfers are *In Progress* from here on.
 * `taker` names the process: what a process took is nobody else's, also not of the next one on the same Server.
 */
export async function takeEvents(pool: Pool, home: Home, taker: string, count: number): Promise<Task[]> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query(
      `update event e set status = 'active', taker = $2, heartbeat_at = now()
       where id in (select id from event where status = 'ready' and node = $1 and exists (select 1 from onlinenode where node = $1)
         order by arrival_at, id limit $3 for update skip locked) returning ${columns}`, [home.id, taker, count]);
    if (rows.length === 0) return [];
    await client.query(`update transferdata set status = 'In Progress', node = $2, end_at = null where id = any($1)`, [rows.flatMap((row) => row.transfer ?? []), home.id]);
    return rows as Task[];
  });
}

/** Events that this process took without having heard of it: the answer was lost on the way. */
export async function findTaken(pool: Pool, taker: string, known: string[]): Promise<Task[]> {
  const { rows } = await pool.query(`select ${columns} from event e where taker = $1 and status = 'active' and not id = any($2)`, [taker, known]);
  return rows as Task[];
}

/** Says that the events this process works on are still being worked on. */
export async function beatEvents(pool: Pool, ids: string[]): Promise<void> {
  await pool.query('update event set heartbeat_at = now() where id = any($1)', [ids]);
}

/** A file that went out, or came in by a pull. */
export interface Moved {
  direction: 'Outgoing' | 'Incoming';
  filename: string;
  path: string;
  size: number;
  sha256: string;
}

/** Ends a task with success: the event goes, its transfer is Processed, what was moved is logged. Done twice it does nothing the second time. */
export async function finish(pool: Pool, home: Home, task: Task, { sha256, moved }: { sha256?: string; moved: Moved[] }): Promise<void> {
  await inTransaction(pool, async (client) => {
    const gone = await client.query('delete from event where id = $1', [task.id]);
    if (gone.rowCount === 0) return;
    await client.query(`update transferdata set status = 'Processed', sha256 = $2, end_at = now() where id = $1`, [task.transfer, sha256 ?? null]);
    for (const one of moved) {
      await client.query(
        `insert into transferdata (account, direction, protocol, filename, path, size, sha256, node, status, end_at) values ($1, $2, 'folder', $3, $4, $5, $6, $7, 'Processed', now())`,
        [task.account, one.direction, one.filename, one.path, one.size, one.sha256, home.id]);
      await client.query(`insert into logging_event (node, component, level, message) values ($1, 'TM', 'INFO', $2)`,
        [home.id, `${one.direction} file ${one.filename} of account ${task.account} was processed.`]);
    }
  });
}

/** Ends a task without success. `linger`: the event stays *active* though nobody works on it, as seen on real servers. */
export async function fail(pool: Pool, home: Home, task: Task, why: string, { linger }: { linger: boolean }): Promise<void> {
  await inTransaction(pool, async (client) => {
    if (linger) await client.query('update event set taker = null where id = $1', [task.id]);
    else await client.query('delete from event where id = $1', [task.id]);
    await client.query(`update transferdata set status = 'Failed', end_at = now() where id = $1`, [task.transfer]);
    await client.query(`insert into logging_event (node, component, level, message) values ($1, 'TM', 'ERROR', $2)`,
      [home.id, `File ${task.filename} of account ${task.account} was not processed: ${why}`]);
  });
}
