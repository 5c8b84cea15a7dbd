/** The silent installation of one Server, its licences, and the secret file that all Servers share. */
import { readFile } from 'node:fs/promises';
import { readCa } from '../clients/caFile';
import { resolveSecret } from '../clients/secrets';
import type { LicenceFacts } from '../model/facts';
import type { CheckResult, Outcome, Problem } from '../model/operation';
import type { LicenceFiles } from '../model/spec';
import type { Authority, DatabaseTarget, HostTarget, ServerTarget } from '../model/targets';
import type { Clients } from './clients';
import { emptyPrepared, installUntilDone, ownProperties, secretFile, type Installer, type Place, type Prepared } from './installer';
import { productOn, sha256, type Product } from './product';

export interface InstallInput {
  server: ServerTarget;
  installer: Installer;
  /** product.version: another one that was installed is refused. */
  version: string;
  database: DatabaseTarget;
  /** The first Server creates the schema and the secret file; the others use the schema and import the file from it. */
  taehFrom?: HostTarget;
}

export interface InstallationActivities {
  checkLicences(input: { licences: LicenceFiles; servers: number }): Promise<CheckResult<LicenceFacts>>;
  ensureInstalled(input: InstallInput, authority: Authority): Promise<Outcome>;
  /** Empties what an installation was prepared with, which holds passwords; only on a Server whose installation is complete. */
  ensureEmptied(input: { server: HostTarget }, authority: Authority): Promise<Outcome>;
  ensureLicensed(input: { server: HostTarget; licences: LicenceFiles }, authority: Authority): Promise<Outcome>;
}

export function installationActivities({ clients }: { clients: Clients }): InstallationActivities {
  return {
    checkLicences,
    ensureInstalled: (input, authority) => installUntilDone(clients, { ...input, prepare: (place) => prepareServer(clients, input, place) }, authority),
    ensureEmptied: ({ server }, authority) => emptyPrepared(clients, server, authority),
    async ensureLicensed({ server, licences }, authority) {
      const product = productOn(clients, server);
      const wanted = await Promise.all([['filedrive.license', licences.core], ['st.license', licences.features]].map(async ([name = '', source = '']) => ({ name, path: product.path('conf', name), content: await readFile(source), mode: '644' })));
      const there = await product.read(['/usr/bin/sha256sum', ...wanted.map(({ path }) => path)], { purpose: 'reading the licences', ok: [0, 1] });
      const missing = wanted.filter(({ path, content }) => !there.stdout.split('\n').includes(`${sha256(content)}  ${path}`));
      if (missing.length > 0) await product.writeFiles(authority, missing);
      const changed = missing.map(({ name }) => name);
      return changed.length > 0 ? { changed: true, note: `installed ${changed.join(' and ')}` } : { changed: false, note: 'licensed already' };
    },
  };
}

async function prepareServer(clients: Clients, { server, installer, database, taehFrom }: InstallInput, { product, taehCopy }: Place): Promise<Prepared> {
  const existing = taehFrom !== undefined || (await clients.postgres.readFacts(database, [])).productTables > 0;
  const taeh = existing ? await secretFile(clients, taehFrom ?? server, [product.path('bin', 'taeh'), ...(taehFrom ? [] : [taehCopy])]) : undefined;
  return {
    ...(taeh ? { taeh } : {}),
    files: database.ca ? [{ path: product.beside('database-ca.pem'), content: await readCa('The database', database.ca), mode: '644' }] : [],
    properties: await propertiesOf({ server, installer, database, product, taehCopy, existing }),
    note: existing ? 'installed on the existing schema' : 'installed with a new schema',
  };
}

interface Properties {
  server: ServerTarget;
  installer: Installer;
  database: DatabaseTarget;
  product: Product;
  taehCopy: string;
  existing: boolean;
}

async function propertiesOf({ server, installer, database, product, taehCopy, existing }: Properties): Promise<Record<string, string>> {
  const [password, adminPassword] = await Promise.all([resolveSecret(database.password), resolveSecret(server.admin.password)]);
  return {
    ...(await ownProperties(installer)),
    Server: 'true',
    dbType: 'usePostgreSQLExternal',
    dbHost: database.host, dbPort: String(database.port), dbName: database.name, dbUser: database.user, dbPassword: password.reveal(),
    externalDBUseSecureConnection: String(database.ca !== undefined),
    ...(database.ca ? { externalDBTrustStore: product.beside('database-ca.pem') } : {}),
    externalDBUseExistingSchema: String(existing),
    ...(existing ? { SecretFilePath: taehCopy } : { adminPassword: adminPassword.reveal() }),
    sslAdminPort: String(server.admin.port),
    ...(installer.autoRegister ? { clusterNodeValue: server.address } : {}),
  };
}

async function checkLicences({ licences, servers }: { licences: LicenceFiles; servers: number }): Promise<CheckResult<LicenceFacts>> {
  const [core, features] = await Promise.all([licences.core, licences.features].map((path) => readFile(path).catch(() => undefined)));
  const problems: Problem[] = [];
  for (const [content, path] of [[core, licences.core], [features, licences.features]] as const) {
    if (!content) problems.push({ what: `the licence file ${path} can't be read on the worker's host`, remedy: 'put it there, readable for the worker' });
    else problems.push(...licenceProblems(path, content.toString()));
  }
  const named = /^ClusterNodes=(\d+)\s*$/m.exec(features?.toString() ?? '')?.[1];
  const nodes = Number(named ?? 0);
  if (features && servers > 0 && named === undefined) problems.push({ what: `the features licence ${licences.features} names no number of cluster nodes (ClusterNodes)`, remedy: 'put the features licence of an Enterprise Cluster there, as the vendor made it' });
  else if (features && nodes < servers) problems.push({ what: `the features licence covers ${nodes} cluster nodes, ${servers} Servers are listed`, remedy: 'get a licence for more nodes, or list fewer Servers' });
  return { facts: { core: sha256(core ?? ''), features: sha256(features ?? ''), clusterNodes: nodes }, problems };
}

/** A file that is none, or that the product would refuse: told now, not when no Transaction Manager starts. */
function licenceProblems(path: string, licence: string): Problem[] {
  const value = (key: string): string | undefined => new RegExp(`^${key}=(.*?)\\s*$`, 'm').exec(licence)?.[1];
  const product = value('Product');
  if (product === undefined ? !/^(?:Accounts|ClusterNodes)=\d+\s*$/m.test(licence) : product !== 'SecureTransport') {
    return [{ what: `${path} is no licence of SecureTransport: ${product === undefined ? 'it names neither a product nor a number of accounts or cluster nodes' : `it is for ${product.slice(0, 60)}`}`, remedy: 'put the file there that the vendor made, unchanged' }];
  }
  const until = value('ValidTo');
  if (until === undefined) return [];
  const ends = /^\d{4}-\d{2}-\d{2}$/.test(until) ? Date.parse(`${until}T23:59:59Z`) : Number.NaN;
  if (Number.isNaN(ends)) return [{ what: `the end of the licence ${path} can't be read: ValidTo=${until.slice(0, 60)}, expected a date such as 2027-01-31`, remedy: 'put the file there that the vendor made, unchanged' }];
  return ends < Date.now() ? [{ what: `the licence ${path} has expired`, remedy: 'get a new one from the vendor' }] : [];
}
