/**
 * Power-on and power-off of a host: process 1 and everything below it.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { code } from './code';
import { isFrozen, makeGroup, removeGroup, setFrozen } from './freezer';
import { cable, hostNamespace, pulledCables } from './network';
import { checkout, hostFolder, labFolder } from './place';
import { hasProduct, installPackage, users, type LabHost, type LabPlan } from './plan';
import { childrenOf, identify, isAlive, signal, type ProcessId } from './processes';
import { until } from './shell';

export type HostState = 'up' | 'off' | 'frozen' | 'cut';

interface HostProcesses {
  /** `unshare`, in the machine's process namespace: ends when the host does. */
  outer: ProcessId;
  /** Process 1 of the host, as the machine knows it. */
  init: ProcessId;
  /** Control group of the host, where the kernel has a freezer. */
  group?: string;
}

const recordOf = (plan: LabPlan, host: LabHost): string => path.join(hostFolder(plan.name, host.name), 'host.json');

function readRecord(plan: LabPlan, host: LabHost): HostProcesses | undefined {
  const file = recordOf(plan, host);
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) as HostProcesses : undefined;
}

/** Process 1 of a host that runs, as the machine knows it. */
export function initOf(plan: LabPlan, host: LabHost): number | undefined {
  const record = readRecord(plan, host);
  return record !== undefined && isAlive(record.init) ? record.init.pid : undefined;
}

/** A path of a running host, as the machine sees it; sockets below it can be connected to. */
export function insideOf(plan: LabPlan, host: LabHost, file: string): string {
  const init = initOf(plan, host);
  if (init === undefined) throw new Error(`${host.name} is off`);
  return path.join(`/proc/${init}/root`, file);
}

/** Folders that a host has of its own: path below its state folder, path in the host, owner. */
export function ownFolders(host: LabHost): { from: string; to: string; owner: number }[] {
  const folders: { from: string; to: string; owner: number }[] = [{ from: 'home/ops', to: users.ops.home, owner: users.ops.uid }];
  if (hasProduct(host)) {
    folders.push({ from: 'home/axway', to: users.axway.home, owner: users.axway.uid });
    folders.push({ from: 'axway', to: '/opt/axway', owner: users.axway.uid });
  } else if (host.role === 'database') {
    folders.push({ from: 'postgresql', to: '/var/lib/postgresql', owner: users.postgres.uid });
    folders.push({ from: 'postgresql-conf', to: '/etc/postgresql', owner: users.postgres.uid });
  } else if (host.role === 'balancer') {
    folders.push({ from: 'haproxy', to: '/etc/haproxy', owner: 0 });
    folders.push({ from: 'haproxy-state', to: '/var/lib/haproxy', owner: users.ops.uid });
  }
  if (host.role === 'mail') folders.push({ from: 'mails', to: '/srv/mails', owner: users.axway.uid });
  return folders;
}

/** Folder of the shared files of a cluster's site, on the machine. */
export const sharedFolder = (lab: string, host: LabHost): string => path.join(labFolder(lab), 'shared', `${host.cluster}-${host.site}`);

function writeMounts(plan: LabPlan, host: LabHost): string {
  const folder = hostFolder(plan.name, host.name);
  const lines = ownFolders(host).map((f) => [path.join(folder, f.from), f.to, 'rw']);
  // No file is stored on an Edge: it has no shared files.
  if (host.role === 'server') lines.push([sharedFolder(plan.name, host), '/srv/st/shared', 'rw']);
  if (hasProduct(host)) {
    lines.push([path.join(labFolder(plan.name), 'package'), path.dirname(installPackage), 'ro']);
  }
  if (hasProduct(host) || host.role === 'mail') lines.push(...code(plan.name).mounts.map((m) => [m.from, m.to, 'ro']));
  const file = path.join(folder, 'mounts');
  fs.writeFileSync(file, lines.map((l) => `${l.join('\t')}\n`).join(''));
  return file;
}

/**
 * Powers a host on and returns when its sshd greets.
 * @throws Error with the end of the host's boot log when it does not.
 */
export async function boot(plan: LabPlan, host: LabHost): Promise<void> {
  if (initOf(plan, host) !== undefined) return;
  const folder = hostFolder(plan.name, host.name);
  fs.mkdirSync(path.join(folder, 'root'), { recursive: true });
  const group = makeGroup(plan.name, host.name);
  const log = fs.openSync(path.join(folder, 'boot.log'), 'w');
  // The shell enters the control group before anything else, so that everything of the host is born in it.
  const enter = 'if [ -n "$1" ]; then echo $$ > "$1/cgroup.procs" || :; fi; shift; exec "$@"';
  const child = spawn('/bin/sh', [
    '-c', enter, 'sh', group ?? '',
    'nsenter', `--net=/run/netns/${hostNamespace(plan.index, host.name)}`, '--',
    'unshare', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--',
    '/bin/sh', path.join(checkout, 'lab/host-boot.sh'),
  ], {
    detached: true, stdio: ['ignore', log, log], cwd: '/',
    env: { PATH: process.env['PATH'], HOST: host.name, FOLDER: folder, MOUNTS: writeMounts(plan, host) },
  });
  fs.closeSync(log);
  child.unref();
  const outer = child.pid;
  if (outer === undefined) throw new Error(`could not start ${host.name}`);
  try {
    const init = await until(`process 1 of ${host.name}`, () => {
      if (child.exitCode !== null) throw new Error('it has ended');
      // Before unshare forks, the process has no child; the short shell before it has none either.
      return childrenOf(outer)[0];
    }, 5000, 5);
    const ids = { outer: identify(outer), init: identify(init) };
    if (ids.outer === undefined || ids.init === undefined) throw new Error('it has ended');
    const record: HostProcesses = { outer: ids.outer, init: ids.init, ...(group === undefined ? {} : { group }) };
    fs.writeFileSync(recordOf(plan, host), JSON.stringify(record));
    await until(`sshd of ${host.name}`, () => {
      if (!isAlive(record.init)) throw new Error('it has ended');
      return listens(record.init.pid, 22);
    }, 10_000, 10);
  } catch (error) {
    const text = fs.readFileSync(path.join(folder, 'boot.log'), 'utf8').slice(-1000);
    throw new Error(`${host.name} did not boot: ${(error as Error).message}\n${text}`, { cause: error });
  }
}

/** Whether something listens on this TCP port in the network namespace of a process. Works without a route to it. */
export function listens(pid: number, port: number): boolean {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = ['tcp', 'tcp6'].flatMap((f) => fs.readFileSync(`/proc/${pid}/net/${f}`, 'utf8').split('\n'));
  return lines.some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === '0A' && local?.endsWith(wanted) === true;
  });
}

/** Cuts a host's power: process 1 is killed and all goes with it, unsaved and unasked. Off already is fine. Answers when that was. */
export async function powerOff(plan: LabPlan, host: LabHost): Promise<Date> {
  const record = readRecord(plan, host);
  const at = new Date();
  if (record === undefined) return at;
  if (isAlive(record.init)) {
    signal(record.init, 'SIGKILL');
    // Frozen processes end only when thawed: with the signal waiting, none of them runs again.
    if (isFrozen(record.group, record.init.pid)) await setFrozen(record.group, record.init.pid, false).catch(() => undefined);
  }
  await until(`${host.name} to be off`, () => !isAlive(record.init) && !isAlive(record.outer), 10_000, 5);
  fs.rmSync(recordOf(plan, host), { force: true });
  await removeGroup(plan.name, host.name);
  return at;
}

/** Freezes or thaws a host that runs. */
export async function freeze(plan: LabPlan, host: LabHost, frozen: boolean): Promise<void> {
  const record = readRecord(plan, host);
  if (record === undefined || !isAlive(record.init)) throw new Error(`${host.name} is off`);
  await setFrozen(record.group, record.init.pid, frozen);
}

/** State of every host, by name. A host that is both frozen and cut is `frozen`. */
export async function states(plan: LabPlan): Promise<Map<string, HostState>> {
  const pulled = await pulledCables(plan.index);
  return new Map(plan.hosts.map((host) => {
    const record = readRecord(plan, host);
    if (record === undefined || !isAlive(record.init)) return [host.name, 'off'];
    if (isFrozen(record.group, record.init.pid)) return [host.name, 'frozen'];
    return [host.name, pulled.has(cable(plan.index, host)) ? 'cut' : 'up'];
  }));
}

/** Connects to a TCP port and gives up after `ms`. */
export function reaches(address: string, port: number, ms = 500): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: address, port, timeout: ms });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
