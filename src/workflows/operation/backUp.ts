/** What every operation does before it changes the configuration of a cluster that exists: one line, before its first step. */
import { edgesWithoutBackup, silentEdge } from '../../model/backups';
import { memberSite } from '../../model/members';
import { balancerTargets, databaseTarget, serverTarget } from '../../model/slices';
import type { ServerTarget } from '../../model/targets';
import { check, checkEachNode, type OperationContext, type OperationInput } from './context';
import { backups } from './groups';

const filesMs = 30 * 60_000;
const databaseMs = 12 * 60 * 60_000;
const edgeMs = 25 * 60_000;

/** An operation that may be told of the DBA's own backup of the database. */
export interface BackedUpInput extends OperationInput {
  databaseBackup?: string | undefined;
}

/**
 * Files of these Servers (of those on which a product stands), the database, the embedded ones of the Edges and the balancer's map. Its checks come before any step, so it
 * does too. `silent`: Edges that the operation itself found silent, or is still to start.
 */
export async function backUp({ input, cluster: { spec, members }, checks, step, forEachNode }: OperationContext<BackedUpInput>, site: string, nodes: readonly { name: string; server: ServerTarget }[], { silent = [] }: { silent?: readonly string[] } = {}): Promise<void> {
  const [first] = nodes;
  if (!first) return;
  const settings = spec.backups;
  const databaseBackup = { database: databaseTarget(spec, site), server: first.server, backups: settings, ...(input.databaseBackup === undefined ? {} : { attested: input.databaseBackup }) };
  const balancers = balancerTargets(spec, site).map((balancer) => ({ name: balancer.name, balancer }));
  const gateways = memberSite(spec, site, members).edges.map(({ name }) => name);
  const exporting = settings.edges?.by === 'system_export' ? gateways.filter((name) => !silent.includes(name)).map((name) => ({ name, edge: serverTarget(spec, site, name) })) : [];
  const unasked = settings.edges?.by === 'system_export' ? gateways.filter((name) => silent.includes(name)).map((name) => silentEdge(name, 'does not answer')) : [];
  const told = [...edgesWithoutBackup(settings, gateways), ...unasked];
  const edgeChecks = {
    backupPassword: check('There is a password for the exports of the Edges', backups.checkExportPassword({ backups: settings })),
    backupEdges: checkEachNode('The configuration of the Edge can be exported', exporting, ({ edge }) => backups.checkEdge({ edge, backups: settings })),
  };
  const found = await checks({
    backupFiles: checkEachNode('There is room for a backup', nodes, ({ server }) => backups.checkFiles({ server, backups: settings }, { limitMs: filesMs })),
    backupDatabase: check('The database can be backed up', backups.checkDatabase(databaseBackup)),
    ...(exporting.length > 0 ? edgeChecks : ({} as typeof edgeChecks)),
  }, ...(told.length > 0 ? [{ title: 'The embedded databases of the Edges are backed up', problems: () => told }] : []));
  await forEachNode('Back up the files of the Server', nodes, ({ server }) => backups.ensureFiles({ server, backups: settings }, { limitMs: filesMs }), { key: 'backup-files', aside: true });
  await step('Back up the database', backups.ensureDatabase(databaseBackup, { limitMs: databaseMs }), { key: 'backup-database', aside: true });
  const asked = exporting.filter(({ name }) => (found.backupEdges ?? []).some(({ node, exports }) => node === name && exports));
  await forEachNode('Export the configuration of the Edge', asked, ({ edge }) => backups.ensureEdge({ edge, backups: settings }, { limitMs: edgeMs }), { key: 'backup-edges', aside: true });
  await forEachNode('Back up the balancer\'s map', balancers, ({ balancer }) => backups.ensureMap({ balancer, keep: settings.keep }), { key: 'backup-map', aside: true });
}
