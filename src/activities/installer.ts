/** The silent installer on one host: run once, as a job that outlives its caller, on a host where nothing serves. */
import { posix } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { script } from '../clients/quote';
import { awaitJob, forgetJob, listJobs, runJob } from '../clients/remoteJobs';
import { resolveSecret } from '../clients/secrets';
import { StError } from '../model/errors';
import { isSecretProperty } from '../model/fields';
import type { Outcome } from '../model/operation';
import type { Authority, HostTarget, ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { installationStateFunction, readInstallationState, type FoundInstallation } from './installationState';
import { requireInstalled } from './installedVersion';
import { processesFunction, seen } from './processLook';
import { productOn, type FileToWrite, type Product } from './product';

export interface Installer {
  package: string;
  properties: Record<string, string>;
  /** The Server puts its own address into the table of nodes. */
  autoRegister: boolean;
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

/** What the installer needs on a host, made ready when it is clear that it will run. */
export interface Prepared {
  taeh?: Buffer;
  files: FileToWrite[];
  properties: Record<string, string>;
  note: string;
}

export interface Place {
  product: Product;
  /** Where the installer reads the secret file to import. */
  taehCopy: string;
}

export interface Recipe {
  server: ServerTarget;
  installer: Installer;
  /** What must have been installed: product.version. */
  version: string;
  prepare: (place: Place) => Promise<Prepared>;
}

/** Installs unless a complete installation is there; tries again what the installer could not do for a moment. */
export async function installUntilDone(clients: Clients, recipe: Recipe, authority: Authority): Promise<Outcome> {
  const { node } = recipe.server;
  await productOn(clients, recipe.server).claim(authority);
  for (let tries = 1; ; tries += 1) {
    const outcome = await install(clients, recipe, authority);
    if (!(outcome instanceof StError)) return outcome;
    // The network or the database may have been away for a moment of the many minutes that an installation takes; what stays is for a person.
    if (tries === installerTries) throw new StError('Refused', `${node}: the installer failed ${tries} times. ${outcome.message}`, { cause: outcome });
    await pause(betweenTriesMs, undefined, { signal: abortSignal() });
  }
}

/** Empties what an installation was prepared with, which holds passwords; only where the installation is complete. */
export async function emptyPrepared(clients: Clients, server: HostTarget, authority: Authority): Promise<Outcome> {
  const product = productOn(clients, server);
  const { state } = await installation(product, server);
  if (state !== 'complete') throw new StError('Refused', `${server.node}: the installation is not complete (${state}): what it was prepared with may still be needed`);
  await empty(product, server, authority);
  return { changed: true, note: 'emptied' };
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
async function install(clients: Clients, { server, installer, version, prepare }: Recipe, authority: Authority): Promise<Outcome | StError> {
  const product = productOn(clients, server);
  const resumed = await settleInstaller(clients, server);
  const { state: found, why } = await installation(product, server);
  if (found === 'unknown') throw new StError('Refused', `${server.node}: ${why}. What stands in ${product.path()} is not known, so nothing was changed there.`);
  if (found === 'half') await refuseServing(product, server);
  if (found === 'complete') {
    await forgetJob(clients.ssh, server.ssh, authority, job, limits());
    await empty(product, server, authority);
    await requireInstalled(clients, server, version);
    return resumed ? { changed: true, note: 'installed; an earlier attempt had begun it' } : { changed: false, note: 'installed already' };
  }
  const { folder, taeh: taehCopy, first, second } = preparedFiles(product);
  const { taeh, files, properties, note } = await prepare({ product, taehCopy });
  await product.writeFiles(authority, [
    ...(taeh !== undefined ? [{ path: taehCopy, content: taeh, mode: '600' }] : []),
    ...files,
    { path: second, content: propertiesText(properties), mode: '600' },
    { path: first, content: propertiesText({ InstallDir: server.fileDriveHome, 'IncludeFiles.SecureTransport': posix.basename(second) }), mode: '600' },
  ], { folder });
  // Only now: the secret file of a schema that exists must not be lost between two tries.
  if (found === 'half') await moveAway(product, authority);
  const command = script(installScript, [server.productUser, `${installer.package}/setup.sh`, first, second, taehCopy]);
  const failed = await runJob(clients.ssh, server.ssh, authority, { key: job, command }, limits()).then(() => undefined, howItFailed);
  if (failed) return failed;
  if ((await installation(product, server)).state !== 'complete') throw new StError('RemoteCommandFailed', `${server.node}: the installer ended, but ${product.path('install.log')} does not end in "${completed}"`);
  await forgetJob(clients.ssh, server.ssh, authority, job, limits());
  await requireInstalled(clients, server, version);
  return { changed: true, note };
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

/** What the script below says where processes can't be seen. */
const hidden = 'hidden';

/** $1 product user, $2 FILEDRIVEHOME, $3 address and $4 port of the Administration Tool. Says what of the product runs on the host. */
const runningScript = String.raw`${processesFunction}
if running=$(product_processes "$1" "$2"); then printf '%s\n' "$running" | sed -n 's/^[0-9]* //p' | cut -c 1-200 | head -n 3; else echo ${hidden}; fi
for at in "$3" 127.0.0.1; do
  if timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$at" "$4" 2>/dev/null; then echo "port $4 answers"; break; fi
done
`;

/** What a broken log makes look half may serve: nothing that runs is taken apart. */
async function refuseServing(product: Product, server: ServerTarget): Promise<void> {
  const { node, productUser, admin } = server;
  const { stdout } = await product.readScript(runningScript, [productUser, product.path(), admin.address, String(admin.port)], { purpose: 'looking for services that run' });
  const told = stdout.trim().split('\n').filter(Boolean);
  const running = told.filter((line) => line !== hidden);
  if (running.length === 0) return void seen(server, told.includes(hidden) ? null : told, `${product.path('install.log')} does not end in "${completed}", and whether the product runs there can't be told, so nothing was changed`);
  throw new StError('Refused', `${node}: ${product.path('install.log')} does not end in "${completed}", but the product runs there (${running.join('; ')}), so nothing was changed. If it serves, restore that file; if it does not, stop its services and run this again.`);
}

/**
 * The secret file to import: that of the first Server. For the first Server itself only when its own earlier installation got as far as the schema;
 * then the file that was made for it is in the half-installed folder, or already where the next installer reads it.
 */
export async function secretFile(clients: Clients, source: HostTarget, places: readonly string[]): Promise<Buffer> {
  for (const place of places) {
    const taeh = await productOn(clients, source).readBytes(place);
    if (taeh !== undefined && taeh.length > 0) return taeh;
  }
  throw new StError('Refused', `${source.node}: the secret file that belongs to the schema is missing; looked for ${places.join(' and ')}`);
}

async function moveAway(product: Product, authority: Authority): Promise<void> {
  await product.act(authority, ['/usr/bin/mv', '-f', product.path(), `${product.path()}.half-${authority.epoch}-${Date.now()}`], { purpose: 'moving a half-finished installation away' });
}

/** The properties that people added, secrets among them resolved. */
export async function ownProperties({ properties }: Installer): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all(Object.entries(properties).map(async ([name, value]) => [name, isSecretProperty(name) ? (await resolveSecret(value)).reveal() : value] as const)));
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
