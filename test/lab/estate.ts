/**
 * A lab of its own for a test file, driven by the command line as a person would, and the ways in that a worker takes.
 * The name and the folder hold the process id: test files that run at once do not meet.
 */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Client } from 'pg';
import { Client as SshClient } from 'ssh2';
import { reaches } from '../../lab/hosts';
import { until } from '../../lab/shell';
import type { LabSnapshot } from '../../lab/snapshot';
import type { HostStatus, LabStatus } from '../../lab/status';

export const name = `t${process.pid}`;
export const home = fs.mkdtempSync(path.join(os.tmpdir(), 'st-lab-'));
export const wrapper = path.resolve(__dirname, '../../scripts/lab');

export interface Ended { code: number; stdout: string; stderr: string }

export function exec(command: string, args: string[], input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { env: { ...process.env, ST_LAB_HOME: home }, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
    });
    child.stdin?.on('error', () => undefined); // a program that ends without reading is free to
    child.stdin?.end(input);
  });
}

export async function lab(...args: string[]): Promise<string> {
  const [verb = '', ...rest] = args;
  const ended = await exec(wrapper, [verb, '--name', name, ...rest]);
  if (ended.code !== 0) throw new Error(`lab ${args.join(' ')}: ${ended.stderr}`);
  return ended.stdout;
}

export const status = async (): Promise<LabStatus> => JSON.parse(await lab('status', '-o', 'json')) as LabStatus;
export const snapshot = async (): Promise<LabSnapshot> => JSON.parse(await lab('snapshot', '-o', 'json')) as LabSnapshot;

export async function host(wanted: string): Promise<HostStatus> {
  const found = (await status()).hosts.find((h) => h.name === wanted);
  if (found === undefined) throw new Error(`no host ${wanted}`);
  return found;
}

export const sshOptions = (key: string, knownHosts: string): string[] => [
  '-F', 'none', '-i', key.replace(/^file:/, ''), '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'StrictHostKeyChecking=yes',
  '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5', '-o', 'IdentitiesOnly=yes',
];

/** Runs a command on a host as a worker would: by key, with the known host key, through the jump host where the status says so. */
export async function ssh(wanted: string, command: string, { direct = false, input = '' } = {}): Promise<Ended> {
  const { ssh: to } = await host(wanted);
  const options = sshOptions(to.key, to.knownHosts);
  const proxy = to.jump === undefined || direct ? [] : ['-o', `ProxyCommand=ssh ${options.join(' ')} -W %h:%p ${to.jump.user}@${to.jump.address}`];
  return exec('ssh', [...options, ...proxy, `${to.user}@${to.address}`, command], input);
}

/** A command to HAProxy's admin socket, over SSH as ops: the way a worker takes. */
export async function balancer(command: string): Promise<string> {
  const now = await status();
  const { ssh: to } = await host(now.balancer.host);
  const client = new SshClient();
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve).once('error', reject);
      client.connect({ host: to.address, port: to.port, username: to.user, privateKey: fs.readFileSync(to.key.replace(/^file:/, '')) });
    });
    return await new Promise<string>((resolve, reject) => {
      client.openssh_forwardOutStreamLocal(now.balancer.socket, (error, stream) => {
        if (error !== undefined) return reject(error);
        let answer = '';
        stream.on('data', (chunk: Buffer) => { answer += chunk.toString(); });
        stream.on('close', () => resolve(answer.trim()));
        stream.end(`${command}\n`);
      });
    });
  } finally {
    client.end();
  }
}

/** What a TCP server says first, or undefined when it closes without a word. */
export async function greeting(address: string, port: number): Promise<string | undefined> {
  const ended = await exec('bash', ['-c', 'exec 3<>"/dev/tcp/$0/$1" && timeout 3 head -n 1 <&3', address, String(port)]);
  return ended.stdout.trim() === '' ? undefined : ended.stdout.trim();
}

/** Serves a greeting on the Server's SFTP port, in the place of a product that nobody installed. */
export async function serveGreeting(wanted: string): Promise<void> {
  const server = `require('node:net').createServer((client) => client.on('error', () => 0).end('hello from ${wanted}\\n')).listen(8022)`;
  await ssh(wanted, '. /opt/install/*/standin.env && cat > greet.js && (setsid "$NODE" greet.js >/dev/null 2>&1 &)', { input: server });
  const { address } = await host(wanted);
  await until(`${wanted} to greet`, () => reaches(address, 8022));
}

export async function connectDatabase(change: object = {}): Promise<Client> {
  const { database, dir } = await status();
  const [main] = database.databases;
  const client = new Client({
    host: database.address, port: database.port, user: main?.user, database: main?.name,
    password: fs.readFileSync(path.join(dir, 'secrets/database-password'), 'utf8').trim(),
    ssl: { ca: fs.readFileSync(database.ca, 'utf8') }, connectionTimeoutMillis: 5000, ...change,
  });
  await client.connect();
  return client;
}
