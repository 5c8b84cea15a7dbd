/** The silent installation of one Server, its licences, and the secret file that all Servers share. */
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { awaitJob, forgetJob, listJobs, runJob } from '../clients/remoteJobs';
import { resolveSecret } from '../clients/secrets';
import { StError } from '../model/errors';
import type { LicenceFacts } from '../model/facts';
import { isSecretProperty } from '../model/fields';
import type { CheckResult, Outcome, Problem } from '../model/operation';
import type { LicenceFiles } from '../model/spec';
import type { Authority, DatabaseTarget, HostTarget, ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { script } from '../clients/quote';
import { installationStateFunction, readInstallationState, type FoundInstallation } from './installationState';
import { productOn, sha256, type Product } from './product';

export interface Installer {
  package: string;
  properties: Record<string, string>;
  /** The Server puts its own address into the table of nodes. */
  autoRegister: boolean;
}

export interface InstallInput {
  server: ServerTarget;
  installer: Installer;
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

const installMs = 30 * 60_000;
const installerTries = 3;
const betweenTriesMs = 5_000;
const completed = 'Installation completed.';
/** Beside FILEDRIVEHOME; one name for all tries, so that what an interrupted one left there, a password too, is overwritten by the next. */
const preparedFolder = 'st-orchestrator-install';

/** What an installation is prepared with: its folder, the copied secret file, the first properties file and the second, which holds passwords. */
export const preparedFiles = (product: Product): Record<'folder' | 'taeh' | 'first' | 'second', string> => {
  const folder = product.beside(preparedFolder);
  return { folder, taeh: `${folder}/taeh`, first: `${folder}/Install_Axway_Installer_V4.10.properties`, second: `${folder}/Install_SecureTransport_V5.5.properties` };
};
/** The marker of the detached installer on its host. */
const job = 'install';
const limits = () => ({ timeoutMs: installMs, signal: abortSignal() });

export function installationActivities({ clients }: { clients: Clients }): InstallationActivities {
  return {
    checkLicences,
    async ensureInstalled(input, authority) {
      const { node } = input.server;
      await productOn(clients, input.server).claim(authority);
      for (let tries = 1; ; tries += 1) {
        const outcome = await install(clients, input, authority);
        if (!(outcome instanceof StError)) return outcome;
        // The network or the database may have been away for a moment of the many minutes that an installation takes; what stays is for a person.
        if (tries === installerTries) throw new StError('Refused', `${node}: the installer failed ${tries} times. ${outcome.message}`, { cause: outcome });
        await pause(betweenTriesMs, undefined, { signal: abortSignal() });
      }
    },
    async ensureEmptied({ server }, authority) {
      const product = productOn(clients, server);
      const { state } = await installation(product, server);
      if (state !== 'complete') throw new StError('Refused', `${server.node}: the installation is not complete (${state}): what it was prepared with may still be needed`);
      await empty(product, server, authority);
      return { changed: true, note: 'emptied' };
    },
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

/** A shell function that empties file $2 as user $1. What sudo does not let us look at is emptied too: only "it is empty, or not there" ends well. */
const emptyFunction = 'empty() { sudo -n -u "$1" /usr/bin/test ! -s "$2" || sudo -n -u "$1" /usr/bin/tee "$2" </dev/null; }';

/**
 * What the detached job does: the installer, and then the prepared files are emptied, which hold a password (removing files is not on the allow-list). In the
 * job and not after it, since whoever started it may be gone by then. After a failure the secret file stays: the next try may need it.
 * $1 user, $2 setup.sh, $3 first properties file, $4 second, $5 secret file.
 */
const installScript = String.raw`
sudo -n -u "$1" "$2" -s "$3"; code=$?
${emptyFunction}
empty "$1" "$4"
if [ $code -eq 0 ]; then empty "$1" "$5"; fi
exit $code
`;

/** The same after the fact: the job's host may have died between the installer's end and the emptying. $1 user, then the files. */
const emptyScript = `user=$1; shift
${emptyFunction}
for file in "$@"; do empty "$user" "$file" || exit; done
`;

/** One try: the outcome, or with what the installer failed. One that vanished, or whose end is not known, is thrown like any lost call. */
async function install(clients: Clients, { server, installer, database, taehFrom }: InstallInput, authority: Authority): Promise<Outcome | StError> {
  const product = productOn(clients, server);
  const resumed = await settleInstaller(clients, server);
  const { state: found, why } = await installation(product, server);
  if (found === 'unknown') throw new StError('Refused', `${server.node}: ${why}. What stands in ${product.path()} is not known, so nothing was changed there.`);
  if (found === 'half') await refuseServing(product, server);
  if (found === 'complete') {
    await forgetJob(clients.ssh, server.ssh, authority, job, limits());
    await empty(product, server, authority);
    return resumed ? { changed: true, note: 'installed; an earlier attempt had begun it' } : { changed: false, note: 'installed already' };
  }
  const existing = taehFrom !== undefined || (await clients.postgres.readFacts(database, [])).productTables > 0;
  const { folder, taeh: taehCopy, first, second } = preparedFiles(product);
  const taeh = existing ? await secretFile(clients, taehFrom ?? server, [product.path('bin', 'taeh'), ...(taehFrom ? [] : [taehCopy])]) : undefined;
  await product.writeFiles(authority, [
    ...(taeh !== undefined ? [{ path: taehCopy, content: taeh, mode: '600' }] : []),
    ...(database.ca ? [{ path: product.beside('database-ca.pem'), content: await readFile(database.ca), mode: '644' }] : []),
    { path: second, content: await propertiesOf({ server, installer, database, product, taehCopy, existing }), mode: '600' },
    { path: first, content: propertiesText({ InstallDir: server.fileDriveHome, 'IncludeFiles.SecureTransport': posix.basename(second) }), mode: '600' },
  ], { folder });
  // Only now: the secret file of a schema that exists must not be lost between two tries.
  if (found === 'half') await moveAway(product, authority);
  const command = script(installScript, [server.productUser, `${installer.package}/setup.sh`, first, second, taehCopy]);
  const failed = await runJob(clients.ssh, server.ssh, authority, { key: job, command }, limits()).then(() => undefined, howItFailed);
  if (failed) return failed;
  if ((await installation(product, server)).state !== 'complete') throw new StError('RemoteCommandFailed', `${server.node}: the installer ended, but ${product.path('install.log')} does not end in "${completed}"`);
  await forgetJob(clients.ssh, server.ssh, authority, job, limits());
  return { changed: true, note: taehFrom ? 'installed on the existing schema' : 'installed with a new schema' };
}

async function empty(product: Product, { productUser }: HostTarget, authority: Authority): Promise<void> {
  const { second, taeh } = preparedFiles(product);
  await product.actScript(authority, emptyScript, [productUser, second, taeh], { purpose: `emptying ${second} and ${taeh}` });
}

/** Waits for an installer that an earlier attempt started: looking at its files while it works would show them half-made. */
async function settleInstaller(clients: Clients, server: HostTarget): Promise<boolean> {
  const jobs = await listJobs(clients.ssh, server.ssh, { timeoutMs: 20_000, signal: abortSignal() });
  const running = jobs.some(({ key, state }) => key === job && state === 'running');
  if (running) await awaitJob(clients.ssh, server.ssh, job, limits());
  return running;
}

function howItFailed(error: unknown): StError {
  if (error instanceof StError && error.code === 'RemoteCommandFailed') return error;
  throw error;
}

const stateScript = `user=$1; home=$2
${installationStateFunction}
installation_state
`;

async function installation(product: Product, { productUser }: HostTarget): Promise<FoundInstallation> {
  const { stdout } = await product.readScript(stateScript, [productUser, product.path()], { purpose: 'looking for an installation' });
  return readInstallationState(stdout);
}

/** $1 product user, $2 FILEDRIVEHOME, $3 address and $4 port of the Administration Tool. Says what of the product runs on the host. */
const runningScript = String.raw`
ps -o args= -u "$1" 2>/dev/null | grep -F "$2" | cut -c 1-200 | head -n 3
for at in "$3" 127.0.0.1; do
  if timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$at" "$4" 2>/dev/null; then echo "port $4 answers"; break; fi
done
`;

/** What a broken log makes look half may serve: nothing that runs is taken apart. */
async function refuseServing(product: Product, { node, productUser, admin }: ServerTarget): Promise<void> {
  const { stdout } = await product.readScript(runningScript, [productUser, product.path(), admin.address, String(admin.port)], { purpose: 'looking for services that run' });
  const running = stdout.trim().split('\n').filter(Boolean);
  if (running.length === 0) return;
  throw new StError('Refused', `${node}: ${product.path('install.log')} does not end in "${completed}", but the product runs there (${running.join('; ')}), so nothing was changed. If it serves, restore that file; if it does not, stop its services and run this again.`);
}

/**
 * The secret file to import: that of the first Server. For the first Server itself only when its own earlier installation got as far as the schema;
 * then the file that was made for it is in the half-installed folder, or already where the next installer reads it.
 */
async function secretFile(clients: Clients, source: HostTarget, places: readonly string[]): Promise<Buffer> {
  for (const place of places) {
    const taeh = await productOn(clients, source).readBytes(place);
    if (taeh !== undefined && taeh.length > 0) return taeh;
  }
  throw new StError('Refused', `${source.node}: the secret file that belongs to the schema is missing; looked for ${places.join(' and ')}`);
}

async function moveAway(product: Product, authority: Authority): Promise<void> {
  await product.act(authority, ['/usr/bin/mv', '-f', product.path(), `${product.path()}.half-${authority.epoch}-${Date.now()}`], { purpose: 'moving a half-finished installation away' });
}

interface Properties {
  server: ServerTarget;
  installer: Installer;
  database: DatabaseTarget;
  product: Product;
  taehCopy: string;
  existing: boolean;
}

async function propertiesOf({ server, installer, database, product, taehCopy, existing }: Properties): Promise<string> {
  const [password, adminPassword] = await Promise.all([resolveSecret(database.password), resolveSecret(server.admin.password)]);
  const own = await Promise.all(Object.entries(installer.properties).map(async ([name, value]) => [name, isSecretProperty(name) ? (await resolveSecret(value)).reveal() : value]));
  return propertiesText({
    ...Object.fromEntries(own),
    Server: 'true',
    dbType: 'usePostgreSQLExternal',
    dbHost: database.host, dbPort: String(database.port), dbName: database.name, dbUser: database.user, dbPassword: password.reveal(),
    externalDBUseSecureConnection: String(database.ca !== undefined),
    ...(database.ca ? { externalDBTrustStore: product.beside('database-ca.pem') } : {}),
    externalDBUseExistingSchema: String(existing),
    ...(existing ? { SecretFilePath: taehCopy } : { adminPassword: adminPassword.reveal() }),
    sslAdminPort: String(server.admin.port),
    ...(installer.autoRegister ? { clusterNodeValue: server.address } : {}),
  });
}

/**
 * `key = value` lines; a backslash escapes the next character; empty values must not appear.
 * @throws StError InvalidInput for a value that would go on as another line; it may be a secret, so it is not repeated
 */
export function propertiesText(properties: Record<string, string>): string {
  const broken = Object.keys(properties).find((key) => /[\0-\x1f\x7f\u2028\u2029]/.test(properties[key]!));
  if (broken !== undefined) throw new StError('InvalidInput', `The installer's property ${broken} has a line break or another control character in it; nothing was installed. Where it comes from a secret, correct that.`);
  const lines = Object.entries(properties).filter(([, value]) => value !== '').map(([key, value]) => `${key} = ${value.replaceAll('\\', '\\\\')}`);
  return `${lines.join('\n')}\n`;
}

async function checkLicences({ licences, servers }: { licences: LicenceFiles; servers: number }): Promise<CheckResult<LicenceFacts>> {
  const [core, features] = await Promise.all([licences.core, licences.features].map((path) => readFile(path).catch(() => undefined)));
  const problems: Problem[] = [];
  for (const [content, path] of [[core, licences.core], [features, licences.features]] as const) {
    if (!content) problems.push({ what: `the licence file ${path} can't be read on the worker's host`, remedy: 'put it there, readable for the worker' });
    else if (expired(content.toString())) problems.push({ what: `the licence ${path} has expired`, remedy: 'get a new one from the vendor' });
  }
  const nodes = Number(/^ClusterNodes=(\d+)\s*$/m.exec(features?.toString() ?? '')?.[1] ?? 0);
  if (features && nodes < servers) problems.push({ what: `the features licence covers ${nodes} cluster nodes, ${servers} Servers are listed`, remedy: 'get a licence for more nodes, or list fewer Servers' });
  return { facts: { core: sha256(core ?? ''), features: sha256(features ?? ''), clusterNodes: nodes }, problems };
}

function expired(licence: string): boolean {
  const until = /^ValidTo=(\d{4}-\d{2}-\d{2})\s*$/m.exec(licence)?.[1];
  return until !== undefined && Date.parse(`${until}T23:59:59Z`) < Date.now();
}
