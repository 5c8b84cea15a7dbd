import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { makeCertificate, type Certificate } from './tls';

export interface Postgres {
  port: number;
  /** Its own certificate, for `externalDBTrustStore`. */
  certificate: Certificate;
  /** Creates a database and a role of this name with the three tablespaces' rights; the password is `secret-<name>`. */
  createDatabase(name: string): Promise<void>;
  /** Runs one statement in `database` as its owner. */
  query(database: string, sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Ends the server at once, as a crash does; `up` starts it on the same data. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a real PostgreSQL in a folder of its own; as `postgres` (else `nobody`) when we are root, because the server refuses root. */
export async function startPostgres(): Promise<Postgres> {
  const home = mkdtempSync(join(tmpdir(), 'standin-pg-'));
  const bin = binaries();
  const user = unprivileged();
  const own = (path: string) => { if (user) chownSync(path, user.uid, user.gid); };
  own(home);
  const certificate = makeCertificate(home, '127.0.0.1');
  for (const file of [certificate.key, certificate.cert]) own(file);
  const password = join(home, 'password');
  writeFileSync(password, 'super');
  own(password);
  const prefix = user ? ['setpriv', '--pdeathsig=KILL', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : ['setpriv', '--pdeathsig=KILL'];
  const run = [...prefix, join(bin, 'initdb')];
  execFileSync(run[0] as string, [...run.slice(1), '-D', join(home, 'data'), '-U', 'super', '-A', 'scram-sha-256', `--pwfile=${password}`, '--no-sync', '-E', 'UTF8', '--locale=C'],
    { stdio: 'pipe', cwd: '/' });
  const port = await freePort();
  const start = [...prefix, join(bin, 'postgres')];
  const settings = { fsync: 'off', listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', shared_buffers: '16MB', ssl: 'on', ssl_cert_file: certificate.cert, ssl_key_file: certificate.key };
  const args = [...start.slice(1), '-D', join(home, 'data'), ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])];
  let server = spawn(start[0] as string, args, { stdio: 'ignore', cwd: '/' });
  const end = () => new Promise<void>((resolve) => {
    server.once('exit', () => resolve());
    server.kill('SIGQUIT');
  });

  const as = async <T>(credentials: { user: string; password: string; database: string }, work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ host: '127.0.0.1', port, ...credentials });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  const administrate = <T>(work: (client: Client) => Promise<T>) => as({ user: 'super', password: 'super', database: 'postgres' }, work);
  const ready = async () => {
    const deadline = Date.now() + 10_000;
    for (;;) {
      try {
        await administrate((client) => client.query('select 1'));
        return;
      } catch (error) {
        if (Date.now() > deadline || server.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  await ready();
  await administrate(async (client) => {
    for (const name of ['st_data', 'st_filetracking', 'st_serverlog']) {
      mkdirSync(join(home, name));
      own(join(home, name));
      await client.query(`create tablespace ${name} location '${join(home, name)}'`);
    }
  });

  return {
    port,
    certificate,
    createDatabase: (name) => administrate(async (client) => {
      await client.query(`create role ${name} login password 'secret-${name}'`);
      for (const space of ['st_data', 'st_filetracking', 'st_serverlog']) await client.query(`grant create on tablespace ${space} to ${name}`);
      await client.query(`create database ${name} owner ${name} tablespace st_data`);
    }),
    query: (database, sql, values) => as({ user: database, password: `secret-${database}`, database }, async (client) => (await client.query(sql, values)).rows),
    down: end,
    async up() {
      server = spawn(start[0] as string, args, { stdio: 'ignore', cwd: '/' });
      await ready();
    },
    async stop() {
      await end();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function binaries(): string {
  const versions = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a));
  return `/usr/lib/postgresql/${versions[0]}/bin`;
}

function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (user: string) => ({ uid: Number(execFileSync('id', ['-u', user])), gid: Number(execFileSync('id', ['-g', user])) });
  try {
    return idOf('postgres');
  } catch {
    return idOf('nobody');
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
