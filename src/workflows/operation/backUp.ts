/** What every operation does before it changes the configuration of a cluster that exists: one line, before its first step. */
import { balancerTargets, databaseTarget } from '../../model/slices';
import type { ServerTarget } from '../../model/targets';
import { check, checkEachNode, type OperationContext, type OperationInput } from './context';
import { backups } from './groups';

const filesMs = 30 * 60_000;
const databaseMs = 12 * 60 * 60_000;

/** An operation that may be told of the DBA's own backup of the database. */
export interface BackedUpInput extends OperationInput {
  databaseBackup?: string | undefined;
}

/** Files of these Servers (of those on which a product stands), the database and the balancer's map. Its checks come before any step, so it does too. */
export async function backUp({ input, cluster: { spec }, checks, step, forEachNode }: OperationContext<BackedUpInput>, site: string, nodes: readonly { name: string; server: ServerTarget }[]): Promise<void> {
  const [first] = nodes;
  if (!first) return;
  const settings = spec.backups;
  const databaseBackup = { database: databaseTarget(spec, site), server: first.server, backups: settings, ...(input.databaseBackup === undefined ? {} : { attested: input.databaseBackup }) };
  const balancers = balancerTargets(spec, site).map((balancer) => ({ name: balancer.name, balancer }));
  await checks({
    backupFiles: checkEachNode('There is room for a backup', nodes, ({ server }) => backups.checkFiles({ server, backups: settings }, { limitMs: filesMs })),
    backupDatabase: check('The database can be backed up', backups.checkDatabase(databaseBackup)),
  });
  await forEachNode('Back up the files of the Server', nodes, ({ server }) => backups.ensureFiles({ server, backups: settings }, { limitMs: filesMs }), { key: 'backup-files', aside: true });
  await step('Back up the database', backups.ensureDatabase(databaseBackup, { limitMs: databaseMs }), { key: 'backup-database', aside: true });
  await forEachNode('Back up the balancer\'s map', balancers, ({ balancer }) => backups.ensureMap({ balancer, keep: settings.keep }), { key: 'backup-map', aside: true });
}
