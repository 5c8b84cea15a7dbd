/** The cluster's external database: what must hold before the first installation, and our own record of the epoch beside it. */
import { resolveSecret } from '../clients/secrets';
import type { DatabaseFacts } from '../model/facts';
import type { CheckResult, Outcome } from '../model/operation';
import type { Authority, DatabaseTarget } from '../model/targets';
import type { Clients } from './clients';
import { databaseProblems } from './databaseProblems';

export interface DatabaseActivities {
  checkDatabase(input: { database: DatabaseTarget }): Promise<CheckResult<DatabaseFacts>>;
  /** Raises the epoch in the small database of our own beside the product's; an older operation is refused there from then on. */
  ensureEpoch(input: { database: DatabaseTarget }, authority: Authority): Promise<Outcome>;
}

const settingsLookedAt = ['autovacuum', 'max_connections', 'maintenance_work_mem', 'shared_buffers', 'effective_cache_size'];
/** Vendor: the installer of a cluster fails on `$`, PostgreSQL also on `%`, `&` and `+`. */
const forbidden = /[$%&+]/;

export function databaseActivities({ clients }: { clients: Clients }): DatabaseActivities {
  return {
    async checkDatabase({ database }) {
      const password = await resolveSecret(database.password);
      const found = await clients.postgres.readFacts(database, settingsLookedAt);
      const own = database.stateDatabase;
      const state = own === undefined ? 'ready' : await clients.postgres.readStateDatabase(database, own);
      const epoch = own !== undefined && state === 'ready' ? await clients.postgres.readEpoch(database, own) : null;
      return { facts: { schema: found.productTables > 0, epoch }, problems: databaseProblems(database, found, { state, badPassword: forbidden.test(password.reveal()), now: Date.now() }) };
    },
    async ensureEpoch({ database }, authority) {
      if (!database.stateDatabase) return { changed: false, note: 'no database of our own is configured' };
      await clients.postgres.ensureEpoch(database, database.stateDatabase, authority);
      return { changed: true, note: `epoch ${authority.epoch} recorded in ${database.stateDatabase}` };
    },
  };
}
