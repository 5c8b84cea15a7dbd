import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { inTransaction } from './database';
import type { Home } from './home';
import type { Log } from './log';
import { fingerprint, readSchema } from './schema';

/** Why this Server can't work with the schema of its database; undefined when it can. */
export async function schemaComplaint(pool: Pool, home: Home, log: Log): Promise<string | undefined> {
  // What is secret in the shared configuration is encrypted with it.
  const schema = await readSchema(pool);
  if (schema?.fingerprint !== fingerprint(readFileSync(join(home.dir, 'bin/taeh')))) return 'The secret file bin/taeh is not that of the cluster';
  return home.kind === 'Edge' ? undefined : versionComplaint(pool, home, log);
}

/**
 * A Server that is newer than the schema converts it at its start, for good: an older one does not start on it any more. It does not ask
 * whether Servers of the old version still run: on a schema in use the conversion goes wrong, and nobody can queue an event from then on. Only an update whose
 * notes allow it leaves a schema in use as it is, for builds of both kinds.
 */
function versionComplaint(pool: Pool, home: Home, log: Log): Promise<string | undefined> {
  return inTransaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock(8089)');
    const { rows } = await client.query(
      `select build, exists (select 1 from nodeservice where localconfigurationsid <> $1 and state <> 'Not running' and beat_at > now() - interval '4 seconds') as "inUse"
       from schemaversion`, [home.id]);
    const { build, inUse } = rows[0] as { build: string; inUse: boolean };
    if (home.build === build) return undefined;
    if (home.besideOlder && inUse) return undefined;
    if (home.build < build) return `The schema is of the newer build ${build}, this Server of ${home.build}`;
    await client.query('update schemaversion set build = $1', [home.build]);
    const message = `The schema was converted from build ${build} to ${home.build}${inUse ? ' while other Servers used it: column event.account is damaged.' : '.'}`;
    if (inUse) await client.query('alter table event rename column account to account_damaged');
    await client.query('insert into logging_event (node, component, level, message) values ($1, $2, $3, $4)', [home.id, 'ADMIN', inUse ? 'ERROR' : 'INFO', message]);
    log(inUse ? 'ERROR' : 'INFO', message);
    return undefined;
  });
}
