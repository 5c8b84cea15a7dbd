/**
 * The content of a database for a snapshot: every table, its rows sorted, without columns that are times, numbers that count on, or random.
 */
import type { Client } from 'pg';
import type { Names } from './randomNames';

export type Table = Record<string, unknown>[];

/** The server log and the audit log are logs, and so is what was written down of tries that may have been cut off; the others are as random as salts are. `offlinelogged` tells whether a line of that log was written. */
const logs = new Set(['logging_event', 'auditlog', 'st_orchestrator_login_try']);
/** Which Server leads a cluster service is as it happens. */
const leads = new Set(['clusterservice']);
const random = new Set(['salt', 'passwordhash', 'pem', 'epoch', 'offlinelogged']);

interface Column {
  table: string;
  name: string;
  type: string;
  counts: boolean;
}

/** Tables of a database by `schema.table` (`public` left out). Ends the client. */
export async function tablesOf(client: Client, names: Names): Promise<Record<string, Table>> {
  try {
    const { rows } = await client.query<Column>(`
      select case table_schema when 'public' then '' else table_schema || '.' end || table_name as "table", column_name as name, data_type as type,
        coalesce(column_default like 'nextval(%', false) or is_identity = 'YES' as counts
      from information_schema.columns join information_schema.tables using (table_schema, table_name)
      where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'
      order by 1, ordinal_position`);
    const tables: Record<string, Table> = {};
    for (const table of [...new Set(rows.map((r) => r.table))].filter((t) => !logs.has(t) && !leads.has(t))) {
      const kept = rows.filter((r) => r.table === table && !r.counts && !/^(timestamp|date|time|interval)/.test(r.type) && !random.has(r.name));
      const from = table.split('.').map((part) => client.escapeIdentifier(part)).join('.');
      const columns = kept.map((c) => client.escapeIdentifier(c.name)).join(', ');
      const content = await client.query<Record<string, unknown>>(`select ${columns} from ${from}`);
      tables[table] = content.rows.map((row) => names.replace(JSON.stringify(row))).sort().map((row) => JSON.parse(row) as Record<string, unknown>);
    }
    return tables;
  } finally {
    await client.end();
  }
}
