/**
 * PostgreSQL: one named server is dialled, never "whichever is writable"; one connection a call, ended afterwards.
 * Bounded in time on both ends. TLS is always asked for and verified, against the CA of the spec or else the system's.
 */
import { endpoint } from '../model/fields';
import type { TLSSocket } from 'node:tls';
import { isNativeError } from 'node:util/types';
import { Client, DatabaseError } from 'pg';
import { StError } from '../model/errors';
import type { Authority, DatabaseTarget } from '../model/targets';
import { readCa } from './caFile';
import { certificateFacts, type CertificateFacts } from './certificates';
import { createRefusals } from './refusals';
import { credentialFingerprint, resolveSecret } from './secrets';

export interface DatabaseOptions {
  /** Connect by another database's name on the same server (our own state database); the target's by default. */
  database?: string;
  /** Connecting, in milliseconds; 5 s by default. */
  connectTimeoutMs?: number;
  /** Each statement, in milliseconds; 10 s by default. */
  statementTimeoutMs?: number;
  signal?: AbortSignal;
}

export interface DatabaseFacts {
  /** `15.18` */
  version: string;
  /** 150018 */
  versionNumber: number;
  /** Sizes in bytes, all else as PostgreSQL writes it. */
  settings: Record<string, string>;
  certificate: CertificateFacts;
  tablespaces: { name: string; exists: boolean; mayCreate: boolean }[];
  defaultTablespace: string;
  ownsDatabase: boolean;
  superuser: boolean;
  /** How many tables the product's schema holds; 0 before the first set-up. */
  productTables: number;
}

/** Our own small database: may the role make a table in it? */
export type StateDatabase = 'ready' | 'missing' | 'closed';

export interface Postgres {
  /** Dials the one named server, runs `fn` on a connection of its own and ends it. Errors by SQLSTATE. */
  withDatabase<T>(target: DatabaseTarget, fn: (client: Client) => Promise<T>, options?: DatabaseOptions): Promise<T>;
  /** What the prerequisites look at. `settings` names the settings to read. */
  readFacts(target: DatabaseTarget, settings: readonly string[], options?: DatabaseOptions): Promise<DatabaseFacts>;
  /** Only looks; makes nothing. */
  readStateDatabase(target: DatabaseTarget, stateDatabase: string, options?: DatabaseOptions): Promise<StateDatabase>;
  /** Compares and raises the epoch in our own database; creates the table when missing. @throws StError StaleEpoch when a higher one stands. */
  ensureEpoch(target: DatabaseTarget, stateDatabase: string, authority: Authority, options?: DatabaseOptions): Promise<void>;
  /** The highest epoch of this cluster that our own database has seen; null when it has seen none. */
  readEpoch(target: DatabaseTarget, stateDatabase: string, options?: DatabaseOptions): Promise<number | null>;
  forget(target?: DatabaseTarget): void;
}

/**
 * GSSENCRequest: answered with one letter before any login, from PostgreSQL 12 on. Unlike an SSLRequest it leaves no line in the server's log when nothing follows.
 */
export const helloPostgres = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30);

const defaults = { connectTimeoutMs: 5_000, statementTimeoutMs: 10_000 };

export function createPostgres({ env }: { env?: NodeJS.ProcessEnv } = {}): Postgres {
  const refusals = createRefusals();
  const secrets = env ? { env } : {};

  const postgres: Postgres = {
    async withDatabase(target, fn, options = {}) {
      const { signal, database = target.name } = options;
      const where = `database ${database} at ${endpoint(target.host, target.port)}`;
      signal?.throwIfAborted();
      const key = loginOf(target);
      const credential = await credentialFingerprint(target.password, secrets);
      refusals.check(key, credential);
      const password = await resolveSecret(target.password, secrets);
      const ca = target.ca === undefined ? undefined : await readCa(where, target.ca);
      const client = new Client({
        host: target.host, port: target.port, database, user: target.user, password: password.reveal(), application_name: 'st-orchestrator',
        connectionTimeoutMillis: options.connectTimeoutMs ?? defaults.connectTimeoutMs,
        statement_timeout: options.statementTimeoutMs ?? defaults.statementTimeoutMs,
        query_timeout: (options.statementTimeoutMs ?? defaults.statementTimeoutMs) + 2_000,
        ssl: { ca, rejectUnauthorized: true },
      });
      // A connection that dies between two statements says so here; the next statement fails with it.
      client.on('error', () => undefined);
      const abort = (): void => void hangUp(client);
      signal?.addEventListener('abort', abort, { once: true });
      try {
        await client.connect();
        return await fn(client);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        const sorted = sort(error, where, target);
        if (sorted instanceof StError && sorted.code === 'AuthenticationFailed') throw refusals.remember(key, credential, sorted.message);
        throw sorted;
      } finally {
        signal?.removeEventListener('abort', abort);
        await hangUp(client);
      }
    },
    readFacts: (target, settings, options) => postgres.withDatabase(target, (client) => readFacts(client, target, settings), options),
    async readStateDatabase(target, stateDatabase, options) {
      const [found] = await postgres.withDatabase(target, async (client) => (await client.query<{ may: boolean }>("select has_database_privilege(oid, 'connect') as may from pg_database where datname = $1", [stateDatabase])).rows, options);
      if (!found) return 'missing';
      if (!found.may) return 'closed';
      const [schema] = await postgres.withDatabase(target, async (client) => (await client.query<{ may: boolean }>("select has_schema_privilege('public', 'create') as may")).rows, { ...options, database: stateDatabase });
      return schema?.may ? 'ready' : 'closed';
    },
    ensureEpoch: (target, stateDatabase, authority, options) =>
      postgres.withDatabase(target, (client) => raiseEpoch(client, authority), { ...options, database: stateDatabase }),
    readEpoch: (target, stateDatabase, options) => postgres.withDatabase(target, (client) => seenEpoch(client, target), { ...options, database: stateDatabase }),
    forget: (target) => refusals.forget(target && loginOf(target)),
  };
  return postgres;
}

/** A polite end, or after a second an impolite one: a server that froze never answers the first. */
async function hangUp(client: Client): Promise<void> {
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
  const timer = setTimeout(() => stream.destroy(), 1000);
  await client.end().catch(() => undefined);
  clearTimeout(timer);
}

const loginOf = ({ user, host, port }: DatabaseTarget): string => `${user}@${endpoint(host, port)}`;

async function readFacts(client: Client, target: DatabaseTarget, settings: readonly string[]): Promise<DatabaseFacts> {
  const [own] = (await client.query<{ version: string; number: number; tablespace: string; owner: string; me: string; superuser: boolean; tables: number }>(`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as number, current_user as me, r.rolsuper as superuser,
           s.spcname as tablespace, pg_get_userbyid(d.datdba) as owner,
           (select count(*)::int from pg_tables where schemaname = 'public') as tables
    from pg_database d join pg_tablespace s on s.oid = d.dattablespace join pg_roles r on r.rolname = current_user
    where d.datname = current_database()`)).rows;
  const found = (await client.query<{ name: string; may: boolean }>("select spcname as name, has_tablespace_privilege(spcname, 'create') as may from pg_tablespace")).rows;
  const values = (await client.query<{ name: string; setting: string }>(`
    select name, case when unit in ('B', 'kB', '8kB', 'MB') and setting not like '-%' then pg_size_bytes(current_setting(name))::text else setting end as setting
    from pg_settings where name = any($1)`, [settings])).rows;
  if (!own) throw new StError('Refused', `database ${target.name} at ${endpoint(target.host, target.port)} does not describe itself`);
  return {
    version: own.version.split(' ')[0]!, versionNumber: own.number, superuser: own.superuser, ownsDatabase: own.owner === own.me,
    defaultTablespace: own.tablespace, productTables: own.tables,
    certificate: certificateOf(client),
    settings: Object.fromEntries(values.map(({ name, setting }) => [name, setting])),
    tablespaces: target.tablespaces.map((name) => {
      const there = found.find((one) => one.name === name);
      return { name, exists: there !== undefined, mayCreate: there?.may ?? false };
    }),
  };
}

/** Of the connection's own TLS: what was shown and verified, not what may stand in a file. */
function certificateOf(client: Client): CertificateFacts {
  const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
  const shown = stream.getPeerX509Certificate();
  if (!shown) throw new StError('TlsRejected', 'the database showed no certificate');
  return certificateFacts(shown);
}

/** Compares and raises in one statement; no row comes back when a higher epoch stands. */
async function raiseEpoch(client: Client, { cluster, epoch, operation }: Authority): Promise<void> {
  // Two sessions that both find no table would both create it, and "if not exists" does not hold between them.
  await client.query("select pg_advisory_lock(hashtext('st_orchestrator_epoch'))");
  await client.query('create table if not exists st_orchestrator_epoch (cluster text primary key, epoch bigint not null, operation text not null)');
  const { rowCount } = await client.query(
    `insert into st_orchestrator_epoch as kept values ($1, $2, $3)
     on conflict (cluster) do update set epoch = excluded.epoch, operation = excluded.operation where kept.epoch <= excluded.epoch`, [cluster, epoch, operation]);
  if (rowCount === 0) throw new StError('StaleEpoch', `the database has seen a newer operation of cluster ${cluster} than ${operation} (epoch ${epoch})`);
}

async function seenEpoch(client: Client, { cluster }: DatabaseTarget): Promise<number | null> {
  const [table] = (await client.query<{ there: boolean }>("select to_regclass('st_orchestrator_epoch') is not null as there")).rows;
  if (!table?.there) return null;
  const [row] = (await client.query<{ epoch: string }>('select epoch from st_orchestrator_epoch where cluster = $1', [cluster])).rows;
  return row ? Number(row.epoch) : null;
}

const networkErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE']);

/** By SQLSTATE class (PostgreSQL documentation, appendix A), by Node's code, else by what pg says. */
function sort(error: unknown, where: string, target: DatabaseTarget): unknown {
  if (error instanceof StError || !isNativeError(error)) return error;
  const told = (code: StError['code'], text: string): StError => new StError(code, `${where}: ${text}`, { cause: error });
  const code = (error as { code?: string }).code ?? '';
  if (error instanceof DatabaseError) {
    if (code.startsWith('28')) return told('AuthenticationFailed', `the login of ${target.user} was refused (${error.message}). Check the user, and the password that ${target.password} names.`);
    if (code.startsWith('08') || code.startsWith('57P') || code.startsWith('53')) return told('Unreachable', error.message);
    if (code === '42501') return told('PermissionDenied', error.message);
    if (code === '57014') return told('NotYet', `a statement took too long (${error.message})`);
    if (code.startsWith('40')) return told('NotYet', error.message);
    return told('Refused', `${error.message} (SQLSTATE ${code})`);
  }
  if (networkErrors.has(code)) return told('Unreachable', error.message);
  if (code === 'CERT_HAS_EXPIRED') return told('TlsRejected', 'its certificate, or that of the authority that signed it, has expired. The database needs one that is valid.');
  if (/CERT|TLS|SSL/i.test(code) || /certificate|does not support SSL/i.test(error.message)) return told('TlsRejected', error.message);
  if (/timeout|terminated|Connection ended|not queryable/i.test(error.message)) return told('Unreachable', error.message);
  return error;
}
