/** Backup before change: the product's files on each Server, the database, the Edges' embedded ones, the balancer's map. What was written is read back, and told with its hash. */
import { endpoint } from '../model/fields';
import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { guardedCommand } from '../clients/guard';
import { dumpVersion, startDump } from '../clients/pgDump';
import { script } from '../clients/quote';
import { backedUpFiles, backupFolder, databaseBackup, filesBackup, sizeText } from '../model/backups';
import { StError } from '../model/errors';
import type { CheckResult, Outcome, Problem } from '../model/operation';
import type { BackupSpec } from '../model/spec';
import type { Authority, BalancerTarget, DatabaseTarget, HostTarget } from '../model/targets';
import { acceptScript, archiveScript, mapScript, measureScript, pruneScript, readWords, receiveScript, standingScript } from './backupScripts';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { checkEdge, checkExportPassword, ensureEdge, type EdgeBackup, type EdgeBackupFacts } from './edgeBackups';
import { productOn } from './product';

/** A dump of our own, kept on this Server's host; or the backup that somebody says there is. */
export interface DatabaseBackup {
  database: DatabaseTarget;
  server: HostTarget;
  backups: BackupSpec;
  attested?: string;
}

export interface BackupActivities {
  checkFiles(input: { server: HostTarget; backups: BackupSpec }): Promise<CheckResult<{ node: string }>>;
  checkDatabase(input: DatabaseBackup): Promise<CheckResult<{ by: string }>>;
  ensureFiles(input: { server: HostTarget; backups: BackupSpec }, authority: Authority): Promise<Outcome>;
  ensureDatabase(input: DatabaseBackup, authority: Authority): Promise<Outcome>;
  checkExportPassword(input: { backups: BackupSpec }): Promise<CheckResult<{ by: string }>>;
  /** Of an Edge that can't be asked nothing is exported, and that is told. */
  checkEdge(input: EdgeBackup): Promise<CheckResult<EdgeBackupFacts>>;
  ensureEdge(input: EdgeBackup, authority: Authority): Promise<Outcome>;
  ensureMap(input: { balancer: BalancerTarget; keep: number }, authority: Authority): Promise<Outcome>;
}

/** Long enough for slow disks; the activity's own limit is what counts. */
const filesMs = 30 * 60_000;
const dumpMs = 12 * 60 * 60_000;
const defaultProgram = 'pg_dump';

const programOf = ({ database }: BackupSpec): string => database.program ?? defaultProgram;
const told = (words: Map<string, string>, path: string): string => `${path}, ${sizeText(Number(words.get('size') ?? 0))}, sha256 ${words.get('sha256') ?? 'unknown'}`;

export function backupActivities({ clients }: { clients: Clients }): BackupActivities {
  const placeOf = (backups: BackupSpec, { cluster, epoch }: Authority): { root: string; folder: string } => {
    const root = backupFolder(backups, cluster);
    return { root, folder: `${root}/epoch-${epoch}` };
  };
  const measure = async (server: HostTarget, { path, maximumSize }: BackupSpec) => {
    const { stdout } = await productOn(clients, server).readScript(measureScript, [server.productUser, server.fileDriveHome, path, String(maximumSize), ...backedUpFiles], { purpose: 'measuring what a backup takes' });
    const words = readWords(stdout);
    return { size: Number(words.get('size')), free: Number(words.get('free')), refused: words.get('refused') ?? '' };
  };

  return {
    async checkFiles({ server, backups }) {
      const { size, free, refused } = await measure(server, backups);
      const problems: Problem[] = [];
      const add = (what: string, remedy: string): void => void problems.push({ what: `${server.node}: ${what}`, remedy });
      if (refused !== '') add(`sudo refuses ${server.ssh.user} what a backup in ${backups.path} needs: ${refused}`, 'allow the commands of docs/sudoers.example for this path');
      if (size > backups.maximumSize) add(`the files to back up take more than ${sizeText(backups.maximumSize)} (backups.maximumSize)`, 'raise it, or tidy up');
      if (size > free) add(`a backup may take ${sizeText(size)}, and ${sizeText(free)} are free below ${backups.path}`, 'make room, or name another path (backups.path)');
      return { facts: { node: server.node }, problems };
    },
    async checkDatabase({ database, server, backups, attested }) {
      if (attested !== undefined) return { facts: { by: 'attested' }, problems: [] };
      const where = `database ${database.name} at ${endpoint(database.host, database.port)}`;
      const instead = 'name the DBA\'s own backup: databaseBackup';
      const no = (what: string, remedy: string): CheckResult<{ by: string }> => ({ facts: { by: backups.database.by }, problems: [{ what, remedy }] });
      if (backups.database.by === 'attested') return no(`${where}: its backups are the DBA's (backups.database.by), and none was named`, `have one made, and ${instead}`);
      const program = programOf(backups);
      const [version, size, { free }] = await Promise.all([dumpVersion(program), sizeOf(clients, database), measure(server, backups)]);
      if (version === undefined) return no(`${where} can't be backed up: the worker's host has no ${program}`, `install the PostgreSQL client there (backups.database.program), or ${instead}`);
      if (version < size.major) return no(`${where} can't be backed up: ${program} is of version ${version}, the server of ${size.major}`, `install a PostgreSQL client of version ${size.major} or newer on the worker's host, or ${instead}`);
      if (size.bytes > backups.maximumSize) return no(`${where} holds ${sizeText(size.bytes)}, a dump may take ${sizeText(backups.maximumSize)} at most (backups.maximumSize)`, `raise it, or ${instead}`);
      if (size.bytes > free) return no(`${where} holds ${sizeText(size.bytes)}, and ${sizeText(free)} are free below ${backups.path} on ${server.node}`, `make room, or ${instead}`);
      return { facts: { by: 'pg_dump' }, problems: [] };
    },
    async ensureFiles({ server, backups }, authority) {
      const { root, folder } = placeOf(backups, authority);
      const product = productOn(clients, server);
      const name = filesBackup(server.node);
      const args = [server.productUser, server.fileDriveHome, root, folder, name, String(backups.maximumSize), ...backedUpFiles];
      const { stdout } = await product.actScript(authority, archiveScript, args, { purpose: 'backing up its files', timeoutMs: filesMs });
      await product.actScript(authority, pruneScript, [server.productUser, root, String(backups.keep)], { purpose: 'removing the oldest backups', timeoutMs: filesMs });
      return { changed: true, note: told(readWords(stdout), `${server.node}:${folder}/${name}`) };
    },
    async ensureDatabase({ database, server, backups, attested }, authority) {
      if (attested !== undefined) return { changed: false, note: `the backup "${attested}" is attested, as claimed; no dump was made` };
      const { root, folder } = placeOf(backups, authority);
      const product = productOn(clients, server);
      const file = `${folder}/${databaseBackup}`;
      const standing = async (): Promise<Map<string, string>> => readWords((await product.readScript(standingScript, [server.productUser, file], { purpose: 'reading a backup back', timeoutMs: filesMs })).stdout);
      if (!(await standing()).has('sha256')) await sendDump(clients, { database, server, backups }, authority, { root, folder, file });
      return { changed: true, note: told(await standing(), `${server.node}:${file}`) };
    },
    checkExportPassword,
    checkEdge: (input) => checkEdge(clients, input),
    ensureEdge: (input, authority) => ensureEdge(clients, input, authority),
    async ensureMap({ balancer, keep }, authority) {
      const command = guardedCommand(authority, script(mapScript, [balancer.map, balancer.cluster, String(authority.epoch), String(keep)]), { sharedHost: true });
      const { stdout } = await clients.ssh.run(balancer.ssh, command, { timeoutMs: 60_000, signal: abortSignal(), purpose: `${balancer.name}: backing up ${balancer.map}` });
      const words = readWords(stdout);
      return { changed: true, note: told(words, `${balancer.name}:${words.get('path') ?? ''}`) };
    },
  };
}

/** From the program on the worker's host straight to the file on the Server's: nothing lies on the worker's disk. */
async function sendDump(clients: Clients, { database, server, backups }: DatabaseBackup, authority: Authority, { root, folder, file }: { root: string; folder: string; file: string }): Promise<void> {
  const product = productOn(clients, server);
  const stop = new AbortController();
  const dump = await startDump(programOf(backups), database, { signal: AbortSignal.any([abortSignal(), stop.signal]) });
  const hash = createHash('sha256');
  let size = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(size > backups.maximumSize ? new StError('Refused', `the dump of database ${database.name} is larger than ${sizeText(backups.maximumSize)} (backups.maximumSize)`) : null, chunk);
    },
  });
  const flowed = pipeline(dump.stream, counted);
  try {
    const received = product.actScript(authority, receiveScript, [server.productUser, root, folder, databaseBackup], { purpose: 'receiving the dump of the database', timeoutMs: dumpMs, stdin: counted });
    // Whatever breaks off first says why; a dump that did not end well is never accepted.
    await Promise.all([flowed, dump.ended, received]);
  } finally {
    stop.abort();
    await flowed.catch(() => undefined);
  }
  await product.actScript(authority, acceptScript, [server.productUser, file, hash.digest('hex')], { purpose: 'reading the dump back', timeoutMs: filesMs });
}

async function sizeOf(clients: Clients, database: DatabaseTarget): Promise<{ bytes: number; major: number }> {
  return clients.postgres.withDatabase(database, async (client) => {
    const { rows: [row] } = await client.query<{ bytes: string; version: number }>("select pg_database_size(current_database()) as bytes, current_setting('server_version_num')::int as version");
    return { bytes: Number(row?.bytes ?? 0), major: Math.floor((row?.version ?? 0) / 10_000) };
  }, { signal: abortSignal() });
}
