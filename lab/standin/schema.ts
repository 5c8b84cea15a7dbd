import { createHash, randomBytes } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';

/** SHA-256 of the secret file's bytes: what the schema remembers of `taeh`. */
export function fingerprint(taeh: Buffer): string {
  return createHash('sha256').update(taeh).digest('hex');
}

/**
 * A salted SHA-256. A real product takes a slow hash; here every API call of every Server carries Basic credentials and shares two cores.
 */
export function hashPassword(password: string, salt: string = randomBytes(12).toString('hex')): { salt: string; hash: string } {
  return { salt, hash: createHash('sha256').update(`${salt}:${password}`).digest('hex') };
}

/** The fingerprint recorded by the schema, or undefined when the database holds none. */
export async function readSchema(pool: Pool): Promise<{ fingerprint: string; version: string } | undefined> {
  const found = await pool.query(`select to_regclass('public.schemaversion') is not null as there`);
  if (!found.rows[0].there) return undefined;
  const { rows } = await pool.query('select version, secretfingerprint from schemaversion');
  return rows[0] && { version: rows[0].version, fingerprint: rows[0].secretfingerprint };
}

export const tablespaces = ['st_data', 'st_filetracking', 'st_serverlog'] as const;

/** Which of the required tablespaces the user may not create in, or are not there. */
export async function unusableTablespaces(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query(
    `select name from unnest($1::text[]) as name
     where not coalesce((select has_tablespace_privilege(t.oid, 'CREATE') from pg_tablespace t where t.spcname = name), false)`,
    [[...tablespaces]],
  );
  return rows.map((row) => row.name as string);
}

const ddl = `
create table schemaversion (version text not null, build text not null, secretfingerprint text not null, setupby text, created_at timestamptz not null default now());
create table clusternode (id serial primary key, address text not null, valid boolean not null, localconfigurationsid text, deploymentsite text not null default 'Prod');
create table nodeservice (localconfigurationsid text not null, service text not null, state text not null, offlinelogged boolean not null default false,
  accepting boolean not null default true, attributes jsonb not null default '{}', threshold integer not null default 100, beat_at timestamptz not null default now(), primary key (localconfigurationsid, service));
create table configurationoption (name text primary key, scope text not null, value jsonb not null, defaultvalue jsonb not null, readonly boolean not null default false);
create table configurationoptionlocal (localconfigurationsid text not null, name text not null references configurationoption, value jsonb not null,
  primary key (localconfigurationsid, name));
create table nodethreshold (numberofnodes integer not null, sendnotification boolean not null, subject text not null, notification text not null);
create table administrator (loginname text primary key, salt text not null, passwordhash text not null, failedlogins integer not null default 0, locked boolean not null default false);
create table administratorapikey (id text primary key, loginname text not null, hash text not null, permissions text not null, expires_at timestamptz not null);
create table account (name text primary key, homefolder text not null, salt text not null, passwordhash text not null, failedlogins integer not null default 0, locked boolean not null default false);
create table denieduser (loginname text primary key, blockeduntil timestamptz);
create table certificate (alias text primary key, pem text not null);
create table dmz_zone (name text primary key, body jsonb not null);
create table ht_businessunit (name text primary key, dmz text);
create table auditlog (id bigserial primary key, username text not null, operation text not null, objectname text not null, at timestamptz not null default now());
create table maintenance (running boolean not null);
create table event (id text primary key, account text not null, kind text not null, attributes jsonb not null, status text not null, node text not null,
  filename text not null, path text not null, transfer integer, rulespackage text, taker text, arrival_at timestamptz not null default now(), heartbeat_at timestamptz)
  tablespace st_filetracking;
create index on event (node) tablespace st_filetracking where status = 'ready';
create sequence eventturn;
create table subscription (id serial primary key, account text not null references account on delete cascade, folder text not null, attributes jsonb not null default '{}',
  rulespackage text, pulleveryseconds integer, pull_at timestamptz not null default now(), unique (account, folder));
create table clusterservice (service text primary key, node text not null, beat_at timestamptz not null default now());
create table transferdata (id serial primary key, account text not null, direction text not null, protocol text not null, filename text not null, path text not null, size bigint not null,
  sha256 text, node text not null, status text not null, start_at timestamptz not null default now(), end_at timestamptz) tablespace st_filetracking;
create index on transferdata (account, path) tablespace st_filetracking;
create table logging_event (id bigserial primary key, node text not null, component text not null, level text not null, message text not null,
  logged_at timestamptz not null default now()) tablespace st_serverlog;
create view onlinenode as select n.id, n.address, n.localconfigurationsid as node from clusternode n where n.valid and 2 = (
  select count(*) from nodeservice s where s.localconfigurationsid = n.localconfigurationsid and s.service in ('admin', 'tm') and s.state = 'Running' and s.beat_at > now() - interval '4 seconds');
insert into nodethreshold values (0, false, 'SecureTransport cluster: number of nodes below the limit', 'The number of online nodes is below the configured minimum.');
insert into maintenance values (false);
`;

const options: [name: string, scope: 'shared' | 'local', value: string][] = [
  ['As2d.GracefulShutdownTimeout', 'shared', '86400'],
  ['Cluster.DeploymentSite', 'local', 'Prod'],
  ['Cluster.EnableDRConfiguration', 'shared', 'false'],
  ['Cluster.enable.SSL', 'shared', 'true'],
  ['EventQueue.DispatchPolicy.name', 'shared', 'cacheBasedPolicy'],
  ['EventQueue.submissionConfigurator.additionalAttributes', 'shared', ''],
  ['EventQueue.taskProcessor.attributes', 'local', 'PGP=false, PUSH=false, PULL=false, FM_TRIGGERED=false, MAINTENANCE=false'],
  ['EventQueue.taskProcessor.threshold', 'local', '100'],
  ['Ftpd.GracefulShutdownTimeout', 'shared', '86400'],
  ['Httpd.GracefulShutdownTimeout', 'shared', '30'],
  ['Notification.emailAddress', 'shared', 'root@localhost'],
  ['Pesitd.GracefulShutdownTimeout', 'shared', '86400'],
  ['Sshd.GracefulShutdownTimeout', 'shared', '86400'],
  ['Sshd.Port', 'shared', ''],
  ['TM.GracefulShutdownTimeout', 'shared', '86400'],
  ['node.ip', 'local', ''],
];

/** Creates the schema and its first content inside the caller's transaction. Throws when there is one. */
export async function createSchema(client: PoolClient, facts: { version: string; build: string; fingerprint: string; adminPassword: string; hostKey: string }): Promise<void> {
  await client.query(ddl);
  await client.query('insert into schemaversion (version, build, secretfingerprint) values ($1, $2, $3)', [facts.version, facts.build, facts.fingerprint]);
  for (const [name, scope, value] of options) {
    await client.query('insert into configurationoption (name, scope, value, defaultvalue) values ($1, $2, $3, $3)', [name, scope, JSON.stringify([value])]);
  }
  // Read-only on the web page; the API changes it all the same.
  await client.query(`update configurationoption set readonly = true where name = 'Cluster.enable.SSL'`);
  // As delivered each has its own name for a password, until a person changes it.
  const administrators = { admin: facts.adminPassword, setup: 'setup', account: 'account', application: 'application' };
  for (const [name, password] of Object.entries(administrators)) {
    const { salt, hash } = hashPassword(password);
    await client.query('insert into administrator (loginname, salt, passwordhash) values ($1, $2, $3)', [name, salt, hash]);
  }
  await client.query('insert into certificate values ($1, $2)', ['sshd', facts.hostKey]);
  await client.query('insert into dmz_zone values ($1, $2)', ['Private', JSON.stringify({ name: 'Private', isDefault: true, description: '', edges: [] })]);
}
