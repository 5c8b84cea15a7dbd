import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { build, version } from './build';
import { inTransaction, openDatabase } from './database';
import { placeOf, takeProductTime } from './home';
import { copyTree, makeHostKey, Refusal, writeConfiguration, writeSecret, type Target } from './installtree';
import { formatProperties } from './properties';
import { createSchema, fingerprint, tablespaces } from './schema';
import { privateZone } from './streamingports';
import { makeTrust, storeTrust } from './trust';

/** Installs an Edge: the same tree with a database of its own. Throws `Refusal` before the first change. */
export async function installEdge(asked: Target, packageDir: string): Promise<void> {
  const { dir } = asked;
  const programs = postgresPrograms();
  const target: Target = { dir, properties: { ...asked.properties, dbSocket: join(dir, 'var/db') } };
  // The secret file of the primary Edge, where Edges are to be synchronised.
  const taeh = secretFile(target.properties['SecretFilePath']);
  await takeProductTime(1);
  copyTree(target, 'Edge', packageDir);
  const say = (text: string) => appendFileSync(join(dir, 'install.log'), `${new Date().toISOString()} ${text}\n`);
  say(`SecureTransport Edge ${build} copied to ${dir}.`);
  writeSecret(dir, taeh);
  await takeProductTime(1);
  makeCluster(dir, programs);
  command(join(dir, 'bin/start_db'), []);
  writeConfiguration(target);
  await fill(target, taeh);
  say('The embedded database was created.');
  await takeProductTime(1);
  writeFileSync(join(dir, 'lib/version.properties'), formatProperties({ Version: version, Build: build, ServerType: 'Edge' }));
  command(join(dir, 'bin/start_admin'), []);
  say('The Administration Tool was started.');
  say('Installation completed.');
}

function secretFile(path: string | undefined): Buffer {
  if (path === undefined) return randomBytes(64);
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Refusal(`SecretFilePath: ${(error as Error).message}`);
  }
}

/** The newest PostgreSQL of the host plays the embedded database. */
function postgresPrograms(): string {
  const parent = '/usr/lib/postgresql';
  const newest = readdirSync(parent).map(Number).sort((a, b) => b - a)[0];
  return join(parent, String(newest), 'bin');
}

function makeCluster(dir: string, programs: string): void {
  const base = join(dir, 'var/db');
  mkdirSync(base, { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, 'lib/database.path'), `${programs}\n`);
  command(join(programs, 'initdb'), ['--pgdata', join(base, 'data'), '--username=st', '--auth=trust', '--no-sync', '--no-instructions', '--encoding=UTF8', '--locale=C.UTF-8']);
  // As small as it goes: it serves one host's configuration.
  appendFileSync(join(base, 'data/postgresql.conf'), [
    `listen_addresses = ''`, 'unix_socket_permissions = 0700', 'max_connections = 20', 'shared_buffers = 1MB', 'fsync = off', 'full_page_writes = off', 'synchronous_commit = off',
    'wal_level = minimal', 'max_wal_senders = 0', 'max_wal_size = 32MB', 'min_wal_size = 32MB', 'autovacuum = off', 'jit = off', 'max_logical_replication_workers = 0', `timezone = 'UTC'`, '',
  ].join('\n'));
  for (const space of tablespaces) mkdirSync(join(base, 'tablespaces', space), { recursive: true, mode: 0o700 });
}

async function fill({ dir, properties }: Target, taeh: Buffer): Promise<void> {
  const socket = { dbSocket: properties['dbSocket'] ?? '' };
  const trust = makeTrust(join(dir, 'var/tmp'), hostname());
  const first = openDatabase({ ...socket, dbName: 'postgres' });
  await awaitAnswer(() => first.query('select 1'));
  for (const space of tablespaces) await first.query(`create tablespace ${space} location '${join(dir, 'var/db/tablespaces', space)}'`);
  await first.query('create database st');
  await first.end();
  const pool = openDatabase(socket);
  await inTransaction(pool, async (client) => {
    await createSchema(client, { version, build, fingerprint: fingerprint(taeh), adminPassword: properties['adminPassword'] ?? 'admin', hostKey: makeHostKey() });
    await storeTrust(client, trust);
    await client.query('update schemaversion set setupby = $1', [placeOf(dir)]);
    await client.query('update dmz_zone set body = $1 where name = $2', [JSON.stringify(privateZone), privateZone.name]);
  });
  await pool.end();
}

/** A start answers before the service is up. */
async function awaitAnswer(ask: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await ask();
      return;
    } catch (error) {
      if (tries > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function command(program: string, args: string[]): void {
  const ran = spawnSync(program, args, { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`${program}: ${ran.stderr || ran.error?.message}`);
}
