/** The embedded database of an Edge, by the product's own export: it asks for a password at a terminal, and so it gets one. */
import { resolveSecret } from '../clients/secrets';
import { noTalk, passwordTalk } from '../clients/sshTerminal';
import { backupFolder, edgeBackup, exportPassword, silentEdge, sizeText } from '../model/backups';
import { StError, unlessSilent } from '../model/errors';
import type { CheckResult, Outcome, Problem } from '../model/operation';
import type { BackupSpec } from '../model/spec';
import type { Authority, SecretRef, ServerTarget } from '../model/targets';
import { edgeReadyScript, exportExit, exportScript, pruneScript, readWords } from './backupScripts';
import type { Clients } from './clients';
import { abortSignal } from './context';
import { productOn } from './product';

export interface EdgeBackup {
  edge: ServerTarget;
  backups: BackupSpec;
}

export interface EdgeBackupFacts {
  node: string;
  /** What is to be exported answers. */
  exports: boolean;
}

/** How long an export may take, in milliseconds. */
export const exportMs = 10 * 60_000;
const pruneMs = 10 * 60_000;
const lookMs = 10_000;
/** A password and its confirmation. */
const asked = 2;

const passwordOf = ({ edges }: BackupSpec): SecretRef => {
  if (edges?.by === 'system_export') return edges.password;
  throw new StError('InvalidInput', 'the cluster file names no password for exports (backups.edges.password)');
};

const badPassword: Problem = { what: 'the password of the Edges\' exports (backups.edges.password) is not 8 to 128 letters, digits and signs of ASCII, without blanks', remedy: 'choose another one, and keep the old one as long as there are exports that were made with it' };

/** Whether there is a password, and whether it can be typed. */
export async function checkExportPassword({ backups }: { backups: BackupSpec }): Promise<CheckResult<{ by: string }>> {
  const password = await resolveSecret(passwordOf(backups));
  return { facts: { by: 'system_export' }, problems: exportPassword.test(password.reveal()) ? [] : [badPassword] };
}

/** What an export needs of an Edge, tried at a terminal as it will be. */
export async function checkEdge(clients: Clients, { edge, backups: { path } }: EdgeBackup): Promise<CheckResult<EdgeBackupFacts>> {
  const { node, ssh, fileDriveHome, productUser } = edge;
  const without = (problems: Problem[]): CheckResult<EdgeBackupFacts> => ({ facts: { node, exports: false }, problems });
  const looking = productOn(clients, edge).readScript(edgeReadyScript, [productUser, fileDriveHome, path], { purpose: 'looking whether its configuration can be exported', timeoutMs: lookMs, terminal: noTalk });
  const [said, answers] = await Promise.all([
    unlessSilent(looking.then(({ stdout }) => readWords(stdout)), null),
    unlessSilent(clients.admin.server(edge.admin).version({ signal: abortSignal(), timeoutMs: lookMs }).then(() => true), false),
  ]);
  if (!said) return without([silentEdge(node, 'does not answer')]);
  if (said.get('installed') !== 'yes') return without([]);
  if (!answers && said.get('runs') === 'no') return without([silentEdge(node, 'stands still')]);
  const problems: Problem[] = [];
  const add = (what: string, remedy: string): void => void problems.push({ what: `${node}: ${what}`, remedy });
  if (!answers) add('its Administration Tool does not answer, and something of the product runs, or may run: its embedded database can\'t be exported', 'start it there (bin/start_db, bin/start_admin), or stop everything (bin/stop_all)');
  if (said.get('program') !== 'yes') add('FILEDRIVEHOME/bin/system_export is not there', 'restore it from the installer\'s package, or choose another way (backups.edges)');
  const refused = said.get('refused') ?? '';
  if (refused !== '') add(`sudo refuses ${ssh.user} what an export to ${path} needs: ${refused}`, 'allow the commands of docs/sudoers.example, for this path too');
  return { facts: { node, exports: true }, problems };
}

/** Exports it, unless an earlier try of this operation has; what was written is there whole and for the product's user alone. */
export async function ensureEdge(clients: Clients, { edge, backups }: EdgeBackup, authority: Authority): Promise<Outcome> {
  const root = backupFolder(backups, authority.cluster);
  const folder = `${root}/epoch-${authority.epoch}`;
  const name = edgeBackup(edge.node);
  const product = productOn(clients, edge);
  const password = await resolveSecret(passwordOf(backups));
  if (!exportPassword.test(password.reveal())) throw new StError('InvalidInput', `${badPassword.what}: ${badPassword.remedy}`);
  const { code, stdout } = await product.actScript(authority, exportScript, [edge.productUser, edge.fileDriveHome, root, folder, name, String(backups.maximumSize)], {
    purpose: 'exporting its configuration (bin/system_export)', timeoutMs: exportMs, terminal: passwordTalk(password, asked), ok: [0, exportExit.tooLarge],
  }).catch((error: unknown) => {
    // What a talk was broken off for names the question alone.
    if (error instanceof StError && error.code === 'Refused') throw new StError('Refused', `${edge.node}: bin/system_export: ${error.message}. No backup was made.`, { cause: error });
    throw error;
  });
  const words = readWords(stdout);
  if (code === exportExit.tooLarge) throw new StError('Refused', `${edge.node}: the export takes ${sizeText(Number(words.get('size')))}, more than ${sizeText(backups.maximumSize)} (backups.maximumSize); it was removed`);
  await product.actScript(authority, pruneScript, [edge.productUser, root, String(backups.keep)], { purpose: 'removing the oldest backups', timeoutMs: pruneMs });
  return { changed: true, note: `${edge.node}:${folder}/${name}, ${sizeText(Number(words.get('size')))}, sha256 ${words.get('sha256')}` };
}
