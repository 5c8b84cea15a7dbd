/** The cluster's external database: what must hold before the first installation, and our own record of the epoch beside it. */
import { resolveSecret } from '../clients/secrets';
import { StError } from '../model/errors';
import type { DatabaseFacts } from '../model/facts';
import type { CheckResult, Outcome, Problem } from '../model/operation';
import type { Authority, DatabaseTarget } from '../model/targets';
import type { Clients } from './clients';

export interface DatabaseActivities {
  checkDatabase(input: { database: DatabaseTarget }): Promise<CheckResult<DatabaseFacts>>;
  /** Raises the epoch in the small database of our own beside the product's; an older operation is refused there from then on. */
  ensureEpoch(input: { database: DatabaseTarget }, authority: Authority): Promise<Outcome>;
}

/** Vendor: the installer of a cluster fails on `$`, PostgreSQL also on `%`, `&` and `+`. */
const forbidden = /[$%&+]/;
const oldest = 120_000;

export function databaseActivities({ clients }: { clients: Clients }): DatabaseActivities {
  return {
    async checkDatabase({ database }) {
      const password = await resolveSecret(database.password);
      const found = await clients.postgres.readFacts(database, ['autovacuum', 'max_connections']);
      const where = `database ${database.name} at ${database.host}:${database.port}`;
      const problems: Problem[] = [];
      const add = (what: string, remedy: string): void => void problems.push({ what: `${where}: ${what}`, remedy });
      if (forbidden.test(password.reveal())) add('its password holds one of $ % & +, which the installer can\'t take', 'change the password');
      if (found.versionNumber < oldest) add(`PostgreSQL ${found.version}, expected 12 or newer`, 'use a version that the vendor supports');
      if (found.settings['autovacuum'] !== 'on') add('autovacuum is off', 'set autovacuum = on');
      if (!found.ownsDatabase) add(`the role ${database.user} does not own the database`, `ALTER DATABASE ${database.name} OWNER TO ${database.user}`);
      for (const { name, exists, mayCreate } of found.tablespaces) {
        if (!exists) add(`the tablespace ${name} is missing`, `CREATE TABLESPACE ${name} …`);
        else if (!mayCreate) add(`the role ${database.user} may not create in the tablespace ${name}`, `GRANT CREATE ON TABLESPACE ${name} TO ${database.user}`);
      }
      const [first] = database.tablespaces;
      if (first && found.tablespaces.some(({ name, exists }) => name === first && exists) && found.defaultTablespace !== first) {
        add(`its default tablespace is ${found.defaultTablespace}, expected ${first}`, `ALTER DATABASE ${database.name} SET TABLESPACE ${first}`);
      }
      const own = database.stateDatabase;
      const epoch = own === undefined ? null : await clients.postgres.readEpoch(database, own).catch((error: unknown) => {
        if (!(error instanceof StError) || error.code !== 'Refused') throw error;
        problems.push({ what: error.message, remedy: `CREATE DATABASE ${own} OWNER ${database.user}: the small database of our own, beside the product's` });
        return null;
      });
      return { facts: { schema: found.productTables > 0, epoch }, problems };
    },
    async ensureEpoch({ database }, authority) {
      if (!database.stateDatabase) return { changed: false, note: 'no database of our own is configured' };
      await clients.postgres.ensureEpoch(database, database.stateDatabase, authority);
      return { changed: true, note: `epoch ${authority.epoch} recorded in ${database.stateDatabase}` };
    },
  };
}
