/**
 * `lab status`: what the lab is and how its hosts are now, read from the kernel each time.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { cableFault, type CableFault } from './badCable';
import { initOf, states, type HostState } from './hosts';
import { fixedPath, fixedTarget, giveToCaller, hostFolder, labFolder } from './place';
import { balancerSocket, endpoint, fileDriveHome, fronted, hasProduct, hostOf, siteMap, subnet, tablespaces, type LabHost, type LabPlan } from './plan';
import { processesOfNamespace, type NamespaceProcess } from './processes';

export interface LabSsh {
  address: string;
  port: number;
  user: string;
  key: string;
  knownHosts: string;
  jump?: Omit<LabSsh, 'jump'>;
}

export interface HostStatus {
  name: string;
  role: string;
  cluster?: string;
  site?: string;
  address: string;
  state: HostState;
  /** Only where the host's cable is slow or loses packets. */
  cable?: CableFault;
  ssh: LabSsh;
  /** Servers and Edges only. */
  adminUrl?: string;
  credentials?: { adminUser: string; adminPassword: string };
  /** Folder of the host's own pieces on the machine. */
  dir: string;
  /** Running services, by process id as the machine knows it. */
  pids: Record<string, number>;
}

export interface LabStatus {
  name: string;
  dir: string;
  gateway: string;
  hosts: HostStatus[];
  balancer: {
    host: string; address: string; socket: string; map: string;
    fronts: { cluster: string; nodes: string[]; ssh: number; https: number; healthBackend: string; siteBackends: Record<string, string> }[];
  };
  database: {
    host: string; address: string; port: number; ca: string; password: string; tablespaces: string[];
    databases: { cluster: string; name: string; user: string; stateDatabase: string }[];
  };
  clusters: { name: string; file: string }[];
}

/** How the worker logs in to a host. */
export function sshOf(plan: LabPlan, host: LabHost): LabSsh {
  const lab = labFolder(plan.name);
  const direct = (address: string): LabSsh => ({
    address, port: 22, user: 'ops', key: `file:${path.join(lab, 'keys/id_ed25519')}`, knownHosts: path.join(lab, 'known_hosts'),
  });
  return host.behindJump === true ? { ...direct(host.address), jump: direct(hostOf(plan, 'jump').address) } : direct(host.address);
}

/** Services of the product are named by their pid files; its SSH daemon is not to be mistaken for the host's. */
const serviceName = (pidFile: string): string => {
  const name = path.basename(pidFile, '.pid');
  return name === 'sshd' ? 'sshdaemon' : name;
};

function readPid(file: string): number | undefined {
  try {
    const pid = Number.parseInt(fs.readFileSync(file, 'utf8'), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Arguments of a process, each ended by a NUL; empty when it is gone. */
function commandLine(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Services of a host that run, by the machine's process id. */
export function runningServices(plan: LabPlan, host: LabHost): Record<string, number> {
  const init = initOf(plan, host);
  if (init === undefined) return {};
  const processes: NamespaceProcess[] = processesOfNamespace(init);
  const pids: Record<string, number> = { sshd: init };
  // A pid file may be older than the last power cut, and its number somebody else's by now: the command line must fit too.
  const add = (name: string, file: string, fits: (command: string) => boolean): void => {
    const inner = readPid(file);
    const found = processes.find((p) => p.inner === inner);
    if (found !== undefined && fits(commandLine(found.pid))) pids[name] = found.pid;
  };
  const folder = hostFolder(plan.name, host.name);
  if (host.role === 'database') add('postgresql', path.join(folder, 'postgresql/data/postmaster.pid'), (c) => c.includes('/postgres'));
  if (host.role === 'balancer') add('haproxy', `/proc/${init}/root/run/haproxy/haproxy.pid`, (c) => c.includes('haproxy'));
  if (host.role === 'mail') {
    const sink = processes.find((p) => commandLine(p.pid).includes('/lab/mail/sink.js'));
    if (sink) pids['smtp'] = sink.pid;
  }
  const run = path.join(folder, 'axway/SecureTransport/var/run');
  if (hasProduct(host) && fs.existsSync(run)) {
    for (const file of fs.readdirSync(run).filter((f) => f.endsWith('.pid')).sort()) {
      const service = path.basename(file, '.pid');
      // The embedded database of an Edge is no program of ours: its last argument tells.
      add(serviceName(file), path.join(run, file), (c) => c.endsWith(`\0${fileDriveHome}\0${service}\0`) || c.endsWith(`=${fileDriveHome}${service}\0`));
    }
  }
  return pids;
}

/** The whole status, as printed by `status -o json`. */
export async function status(plan: LabPlan): Promise<LabStatus> {
  const lab = labFolder(plan.name);
  const now = await states(plan);
  const balancer = hostOf(plan, 'balancer');
  const database = hostOf(plan, 'database');
  return {
    name: plan.name,
    dir: lab,
    gateway: subnet(plan).at(1),
    hosts: plan.hosts.map((host) => ({
      name: host.name, role: host.role,
      ...(host.cluster === undefined ? {} : { cluster: host.cluster }),
      ...(host.site === undefined ? {} : { site: host.site }),
      address: host.address,
      state: now.get(host.name) ?? 'off',
      ...cableOf(plan, host),
      ssh: sshOf(plan, host),
      ...(hasProduct(host) ? {
        adminUrl: `https://${endpoint(host.address, 8444)}`,
        credentials: { adminUser: 'admin', adminPassword: `file:${path.join(lab, 'secrets/admin-password')}` },
      } : {}),
      dir: hostFolder(plan.name, host.name),
      pids: runningServices(plan, host),
    })),
    balancer: {
      host: balancer.name, address: balancer.address, socket: balancerSocket, map: siteMap,
      fronts: plan.clusters.map((c) => ({
        cluster: c.name, nodes: fronted(c), ...c.ports, healthBackend: `${c.name}_hc`, siteBackends: { prod: `${c.name}_prod` },
      })),
    },
    database: {
      host: database.name, address: database.address, port: 5432, ca: path.join(lab, 'ca.pem'),
      password: `file:${path.join(lab, 'secrets/database-password')}`, tablespaces,
      databases: plan.clusters.map((c) => ({ cluster: c.name, name: c.database, user: c.database, stateDatabase: `${c.database}_orchestrator` })),
    },
    clusters: plan.clusters.map((c) => ({ name: c.name, file: path.join(lab, c.file) })),
  };
}

function cableOf(plan: LabPlan, host: LabHost): { cable?: CableFault } {
  const fault = cableFault(plan, host);
  return fault.slowMs > 0 || fault.lossPercent > 0 ? { cable: fault } : {};
}

const stateText = ({ state, cable }: HostStatus): string =>
  [state, ...(cable && cable.slowMs > 0 ? [`slow ${cable.slowMs} ms`] : []), ...(cable && cable.lossPercent > 0 ? [`loses ${cable.lossPercent} %`] : [])].join(', ');

/** Keeps the status of the moment in the lab's folder, for people who look there. */
export async function writeStatus(plan: LabPlan): Promise<void> {
  const file = path.join(labFolder(plan.name), 'status.json');
  fs.writeFileSync(file, `${JSON.stringify(await status(plan), null, 2)}\n`);
  giveToCaller(file);
}

/** The status for a person. */
export function describe(now: LabStatus): string {
  const rows = now.hosts.map((h) => [h.name, h.address, stateText(h), h.cluster ?? h.role, Object.keys(h.pids).join(' ')]);
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((r) => (r[i] ?? '').length)));
  const table = rows.map((r) => r.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ').trimEnd());
  // Paths in a cluster file are its own folder's: who read it by one path and then by another gave two specs.
  const shown = (file: string): string => (fixedTarget(now.name) === now.dir ? file.replace(now.dir, fixedPath(now.name)) : file);
  const files = now.clusters.map((c) => `cluster ${c.name}: ${shown(c.file)}`);
  return [`lab ${now.name} in ${shown(now.dir)}`, ...table, ...files].join('\n');
}
