import { spawn, type SpawnOptions } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { transformFileSync } from '@swc/core';
import { startPostgres, type Postgres } from './postgres';
import { makeCertificate, type Certificate } from './tls';

const repository = resolve(__dirname, '../../..');

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Server {
  dir: string;
  address: string;
  certificate: Certificate;
  /** Runs `bin/<command>`. */
  run(command: string, ...args: string[]): Promise<Ran>;
  /** Puts both licence files in place. */
  license(nodes: number, more?: Record<string, string>): void;
  read(path: string): string;
  pid(service: string): number;
}

export interface Estate {
  postgres: Postgres;
  shared: string;
  /** A Server that is not installed yet: its properties by default, to be changed by the test. */
  prepare(database: string, changes?: Record<string, string | undefined>): { server: Server; install(more?: Record<string, string>): Promise<Ran> };
  /** Installs a Server and expects success. `first` is the one whose schema it shares. */
  installServer(database: string, first?: Server, changes?: Record<string, string | undefined>): Promise<Server>;
  stop(): Promise<void>;
}

export const ports = { admin: 8444, ssh: 8022, cache: 8088 };

/** A PostgreSQL, the compiled stand-in and its package; Servers live on loopback addresses of this estate's own. */
export async function startEstate(environment: Record<string, string> = {}): Promise<Estate> {
  const folder = mkdtempSync(join(tmpdir(), 'standin-'));
  const compiled = compile();
  const postgres = await startPostgres();
  const pack = join(folder, 'package');
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  cpSync(join(repository, 'lab/standin/package'), pack, { recursive: true });
  const settings = { NODE: process.execPath, STANDIN: join(compiled, 'lab/standin'), PRODUCT_TIME_MS: '40', LIES: '0', SEED: '1', ...environment };
  writeFileSync(join(pack, 'standin.env'), Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join(''));
  // Each estate takes a /16 of the loopback of its own, so that test files can run side by side.
  const network = `127.${1 + (process.pid % 250)}.${1 + (Math.floor(process.pid / 250) % 250)}`;
  const servers: Server[] = [];

  const estate: Estate = {
    postgres,
    shared,
    prepare(database, changes = {}) {
      const address = `${network}.${11 + servers.length}`;
      const host = join(folder, address);
      mkdirSync(host);
      const certificate = makeCertificate(host, address);
      const server = serverAt(join(host, 'SecureTransport'), address, certificate);
      servers.push(server);
      const properties = {
        Server: 'true', dbType: 'usePostgreSQLExternal', dbHost: '127.0.0.1', dbPort: String(postgres.port), dbName: database, dbUser: database, dbPassword: `secret-${database}`,
        externalDBUseExistingSchema: 'false', 'standin.bindAddress': address, 'standin.sharedPath': shared, 'standin.tlsKey': certificate.key, 'standin.tlsCert': certificate.cert,
        ...changes,
      };
      return {
        server,
        install(more = {}) {
          const files = join(host, 'install');
          mkdirSync(files, { recursive: true });
          const lines = (object: Record<string, string | undefined>) => Object.entries(object).flatMap(([key, value]) => (value === undefined ? [] : [`${key} = ${value}\n`])).join('');
          writeFileSync(join(files, 'second.properties'), lines({ ...properties, ...more }));
          writeFileSync(join(files, 'first.properties'), lines({ InstallDir: server.dir, 'IncludeFiles.SecureTransport': 'second.properties' }));
          return run(join(pack, 'setup.sh'), ['-s', join(files, 'first.properties')]);
        },
      };
    },
    async installServer(database, first, changes = {}) {
      const existing = first ? { externalDBUseExistingSchema: 'true', SecretFilePath: join(first.dir, 'bin/taeh') } : {};
      const { server, install } = estate.prepare(database, { ...existing, ...changes });
      const ran = await install();
      if (ran.code !== 0) throw new Error(`installation of ${server.address}: ${ran.stderr}`);
      return server;
    },
    async stop() {
      await Promise.all(servers.filter((server) => existsSync(join(server.dir, 'bin/stop_all'))).map((server) => server.run('stop_all')));
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
      rmSync(compiled, { recursive: true, force: true });
    },
  };
  return estate;
}

function serverAt(dir: string, address: string, certificate: Certificate): Server {
  return {
    dir,
    address,
    certificate,
    run: (command, ...args) => run(join(dir, 'bin', command), args),
    license(nodes, more = {}) {
      writeFileSync(join(dir, 'conf/filedrive.license'), 'Product=SecureTransport\nAccounts=100\n');
      const features = { Product: 'SecureTransport', Protocols: 'ssh', EnterpriseCluster: 'true', Database: 'PostgreSQL', ClusterNodes: String(nodes), ...more };
      writeFileSync(join(dir, 'conf/st.license'), Object.entries(features).map(([key, value]) => `${key}=${value}\n`).join(''));
    },
    read: (path) => readFileSync(join(dir, path), 'utf8'),
    pid: (service) => Number(readFileSync(join(dir, 'var/run', `${service}.pid`), 'utf8')),
  };
}

/** Compiles lab/standin to a folder inside the repository, where its packages are found. */
function compile(): string {
  mkdirSync(join(repository, '.cache'), { recursive: true });
  const target = mkdtempSync(join(repository, '.cache/standin-'));
  const source = join(repository, 'lab/standin');
  for (const entry of readdirSync(source, { recursive: true }) as string[]) {
    if (!entry.endsWith('.ts')) continue;
    const file = join(source, entry);
    // Dynamic imports stay what they are in the product's own build.
    const { code } = transformFileSync(file, {
      module: { type: 'commonjs', ignoreDynamic: true }, jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    });
    const output = join(target, relative(repository, file)).replace(/\.ts$/, '.js');
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, code);
  }
  return target;
}

/** Runs a command to its end, or fails when its output isn't closed within 10 s: a started service must not keep the caller's pipes. */
export function run(command: string, args: string[], options: SpawnOptions = {}): Promise<Ran> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 10_000, ...options });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (data) => { stdout += String(data); });
    child.stderr?.on('data', (data) => { stderr += String(data); });
    child.on('error', fail);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}

/** Polls until `probe` answers something true; fails with its last error after `ms`. */
export async function until<T>(what: string, probe: () => Promise<T> | T, ms = 8000): Promise<NonNullable<T>> {
  const deadline = Date.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${ms} ms, last: ${String(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** True when something accepts connections there. */
export function listens(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port }, () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
