/**
 * The database host: a PostgreSQL of the machine's packages, with TLS, the three tablespaces, and per cluster a role and two databases.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Client } from 'pg';
import { boot, initOf, insideOf, listens } from './hosts';
import { hostFolder, labFolder } from './place';
import { hostOf, subnet, tablespaces, users, type LabPlan } from './plan';
import { run, until } from './shell';

/** Where PostgreSQL's programs are: the newest major version installed. */
export function postgresPrograms(): string {
  const parent = '/usr/lib/postgresql';
  const versions = fs.existsSync(parent) ? fs.readdirSync(parent).map(Number).filter((v) => v >= 13).sort((a, b) => b - a) : [];
  if (versions[0] === undefined) throw new Error('PostgreSQL 13 or newer is not installed (package postgresql); run scripts/prepare');
  return path.join(parent, String(versions[0]), 'bin');
}

/** Script that the database host runs at power-on. */
export function databaseInit(): string {
  return `#!/bin/sh
# A pid file can only be left from before the power went: nothing else runs yet.
install -d -o postgres -g postgres -m 0755 /run/postgresql
[ -s /var/lib/postgresql/data/PG_VERSION ] || exit 0
rm -f /var/lib/postgresql/data/postmaster.pid
cd /var/lib/postgresql
exec setpriv --reuid=postgres --regid=postgres --init-groups ${postgresPrograms()}/postgres --config-file=/etc/postgresql/postgresql.conf
`;
}

/**
 * Settings of the lab's PostgreSQL. What the product asks for is met where it costs nothing; shared_buffers can't be a
 * quarter of a developer's memory, and nothing is flushed to disk: `reset` and power cuts of the whole machine lose it.
 */
export function postgresSettings(replaced: Record<string, string>): Record<string, string> {
  return {
    data_directory: '/var/lib/postgresql/data',
    hba_file: '/etc/postgresql/pg_hba.conf',
    ident_file: '/etc/postgresql/pg_ident.conf',
    listen_addresses: '*',
    unix_socket_directories: '/run/postgresql',
    ssl: 'on',
    ssl_cert_file: '/etc/st-lab/tls.crt',
    ssl_key_file: '/etc/st-lab/tls.key',
    max_connections: '1000',
    shared_buffers: '64MB',
    effective_cache_size: '3GB',
    maintenance_work_mem: '512MB',
    autovacuum: 'on',
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    wal_level: 'replica',
    wal_log_hints: 'on',
    max_wal_senders: '5',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...replaced,
  };
}

/** Lays PostgreSQL's configuration into the host's folder, outside the data, as Debian does. */
export function layConfiguration(plan: LabPlan): void {
  const folder = path.join(hostFolder(plan.name, hostOf(plan, 'database').name), 'postgresql-conf');
  const write = (name: string, text: string): void => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    fs.chownSync(file, users.postgres.uid, users.postgres.uid);
  };
  const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`;
  write('postgresql.conf', Object.entries(postgresSettings(plan.options.postgres)).map(([k, v]) => `${k} = ${quote(v)}\n`).join(''));
  write('pg_hba.conf', [
    'local all postgres peer map=lab',
    `hostssl all all ${subnet(plan).cidr} scram-sha-256`,
    `hostssl replication all ${subnet(plan).cidr} scram-sha-256`,
    '',
  ].join('\n'));
  write('pg_ident.conf', 'lab root postgres\nlab postgres postgres\n');
}

/** Runs a program on the database host as postgres. */
function asPostgres(plan: LabPlan, command: string[]): Promise<string> {
  const init = initOf(plan, hostOf(plan, 'database'));
  return run('nsenter', [
    `--target=${init}`, '--mount', '--uts', '--ipc', '--net', '--pid', `--setgid=${users.postgres.uid}`, `--setuid=${users.postgres.uid}`, '--',
    'env', '--chdir=/var/lib/postgresql', ...command,
  ]);
}

/** Opens a connection as superuser over the host's own socket. The caller ends it. */
export async function superuser(plan: LabPlan, database = 'postgres'): Promise<Client> {
  const client = new Client({ host: insideOf(plan, hostOf(plan, 'database'), 'run/postgresql'), user: 'postgres', database });
  client.on('error', () => undefined); // the server may be stopped under us; the query says so
  await client.connect();
  return client;
}

/** Waits until the database host accepts connections. */
export async function databaseReady(plan: LabPlan): Promise<void> {
  const init = initOf(plan, hostOf(plan, 'database'));
  await until('PostgreSQL on the database host', async () => {
    if (init === undefined || !listens(init, 5432)) return false;
    const client = await superuser(plan);
    await client.end();
    return true;
  }, 15_000, 30);
}

/** Password of the clusters' database roles. */
export const databasePassword = (lab: string): string => fs.readFileSync(path.join(labFolder(lab), 'secrets/database-password'), 'utf8').trim();

async function createDatabases(plan: LabPlan): Promise<void> {
  const client = await superuser(plan);
  try {
    for (const space of tablespaces) await client.query(`CREATE TABLESPACE ${space} LOCATION '/var/lib/postgresql/tablespaces/${space}'`);
    for (const { database } of plan.clusters) {
      const role = client.escapeIdentifier(database);
      await client.query(`CREATE ROLE ${role} LOGIN PASSWORD ${client.escapeLiteral(databasePassword(plan.name))}`);
      await client.query(`GRANT CREATE ON TABLESPACE ${tablespaces.join(', ')} TO ${role}`);
      await client.query(`CREATE DATABASE ${role} OWNER ${role} TABLESPACE st_data STRATEGY file_copy`);
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(`${database}_orchestrator`)} OWNER ${role} STRATEGY file_copy`);
    }
  } finally {
    await client.end();
  }
}

const templateFolder = (lab: string): string => path.join(labFolder(lab), 'template/postgresql');

/** Makes the database from nothing, once per lab, keeps a copy of its files as the template, and leaves it running. The host is up. */
export async function makeDatabase(plan: LabPlan): Promise<void> {
  const programs = postgresPrograms();
  for (const space of tablespaces) await asPostgres(plan, ['mkdir', '-p', `tablespaces/${space}`]);
  await asPostgres(plan, [
    `${programs}/initdb`, '--pgdata=data', '--no-sync', '--no-instructions', '--auth=scram-sha-256', '--auth-local=peer', '--encoding=UTF8', '--locale=C.UTF-8',
  ]);
  const pgCtl = (...args: string[]): Promise<string> => asPostgres(plan, [
    `${programs}/pg_ctl`, ...args, '-s', '-w', '-D', 'data', '-o', '--config-file=/etc/postgresql/postgresql.conf', '-l', 'server.log',
  ]);
  await pgCtl('start');
  await createDatabases(plan);
  await pgCtl('stop', '-m', 'fast');
  const live = path.join(hostFolder(plan.name, hostOf(plan, 'database').name), 'postgresql');
  fs.mkdirSync(path.dirname(templateFolder(plan.name)), { recursive: true });
  await run('cp', ['-a', '--reflink=auto', live, templateFolder(plan.name)]);
  await pgCtl('start');
  await databaseReady(plan);
}

/** Puts the template's files in the place of the live ones. The database host is off. */
export async function restoreDatabase(plan: LabPlan): Promise<void> {
  const live = path.join(hostFolder(plan.name, hostOf(plan, 'database').name), 'postgresql');
  await fs.promises.rm(live, { recursive: true, force: true });
  await run('cp', ['-a', '--reflink=auto', templateFolder(plan.name), live]);
}

/** Boots the database host and waits for the database. */
export async function bootDatabase(plan: LabPlan): Promise<void> {
  await boot(plan, hostOf(plan, 'database'));
  await databaseReady(plan);
}
