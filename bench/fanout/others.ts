/** The same tasks by the tools that engineers know, from PyPI, in a Python environment of their own in the user's cache folder. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { content, path } from './tasks';

const here = resolve(__dirname, '../../../bench/fanout');
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'st-orchestrator', 'bench-python');

export interface Hosts {
  addresses: string[];
  user: string;
  /** Files on this machine. */
  key: string;
  knownHosts: string;
}

/** Seconds: with connections made anew, and with those that are open; each as often as it was measured. */
export interface Times {
  cold: number[];
  open: number[];
}

interface Run {
  stdout: string;
  seconds: number;
}

function run(program: string, args: string[], options: { cwd?: string; env?: Record<string, string>; timeoutMs?: number } = {}): Promise<Run> {
  const began = performance.now();
  return new Promise((done, fail) => {
    execFile(program, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, timeout: options.timeoutMs ?? 300_000, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error) fail(new Error(`${program}: ${error.message}\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`));
      else done({ stdout, seconds: (performance.now() - began) / 1000 });
    });
  });
}

/** Installs what requirements.txt says, once. @throws Error with the way to have Python where it is missing */
export async function prepareOthers(): Promise<void> {
  const wanted = readFileSync(join(here, 'requirements.txt'), 'utf8');
  const stamp = join(cache, 'installed.txt');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error(`installing ${wanted.trim().split('\n').join(', ')} into ${cache} …`);
  await run('python3', ['-m', 'venv', cache]).catch((error: Error) => {
    throw new Error(`Fabric, pyinfra and Ansible need Python 3 with venv (apt-get install python3-venv): ${error.message}`);
  });
  await run(join(cache, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', join(here, 'requirements.txt')], { timeoutMs: 900_000 });
  writeFileSync(stamp, wanted);
}

/** In one process that runs already: the time of its start is not in it. */
export async function fabric({ addresses, user, key }: Hosts, repeat: number): Promise<Times> {
  const { stdout } = await run(join(cache, 'bin/python'), [join(here, 'fabric_tasks.py'), JSON.stringify({ addresses, user, key, repeat, path, content })]);
  return JSON.parse(stdout) as Times;
}

/** A command each time, as people run it; it keeps no connections. */
export async function pyinfra({ addresses, user, key, knownHosts }: Hosts, repeat: number, dir: string): Promise<Times> {
  const data = { ssh_user: user, ssh_key: key, ssh_known_hosts_file: knownHosts, ssh_look_for_keys: false, ssh_allow_agent: false };
  const python = JSON.stringify(addresses.map((address) => [address, data])).replaceAll('false', 'False');
  writeFileSync(join(dir, 'inventory.py'), `hosts = [(address, data) for address, data in ${python}]\n`);
  const cold: number[] = [];
  for (let i = 0; i < repeat; i += 1) cold.push((await run(join(cache, 'bin/pyinfra'), ['-y', '--no-wait', 'inventory.py', join(here, 'pyinfra_deploy.py')], { cwd: dir, env: fileEnv(dir) })).seconds);
  return { cold, open: [] };
}

/** A command each time; OpenSSH keeps the connections from one to the next (ControlPersist). */
export async function ansible({ addresses, user, key, knownHosts }: Hosts, repeat: number, dir: string): Promise<Times> {
  writeFileSync(join(dir, 'inventory.ini'), `${addresses.map((address) => `${address} ansible_user=${user} ansible_ssh_private_key_file=${key} ansible_python_interpreter=/usr/bin/python3`).join('\n')}\n`);
  const times: Times = { cold: [], open: [] };
  for (let i = 0; i < repeat; i += 1) {
    const control = join(dir, `cp${i}`);
    mkdirSync(control);
    const env = {
      ...fileEnv(dir), ANSIBLE_FORKS: String(addresses.length), ANSIBLE_PIPELINING: '1', ANSIBLE_LOCAL_TEMP: join(dir, 'ansible'), ANSIBLE_SSH_CONTROL_PATH_DIR: control, LC_ALL: 'C.UTF-8',
      ANSIBLE_SSH_ARGS: `-C -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${knownHosts} -o StrictHostKeyChecking=yes`,
    };
    const play = (): Promise<Run> => run(join(cache, 'bin/ansible-playbook'), ['-i', 'inventory.ini', join(here, 'playbook.yml')], { cwd: dir, env });
    times.cold.push((await play()).seconds);
    times.open.push((await play()).seconds);
  }
  return times;
}

function fileEnv(dir: string): Record<string, string> {
  const source = join(dir, 'source.txt');
  writeFileSync(source, content);
  return { ST_FANOUT_SOURCE: source, ST_FANOUT_PATH: path };
}
