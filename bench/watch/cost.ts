/** What watching costs: many clusters by one worker, and the history of a quiet monitor. The Servers are one process with many ports. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { clusterWorkflowId, monitorWorkflowId } from '../../src/model/ids';
import { newRecord } from '../../src/model/clusterRecord';
import type { ClusterHealth } from '../../src/model/health';
import { membersOf } from '../../src/model/members';
import { formatProblem, parseClusterSpec, type ClusterSpec } from '../../src/model/spec';
import type { SiteSpec } from '../../src/model/specTypes';
import { startEstate, startWorker } from '../estate';

export interface CostFigures {
  clusters: number;
  servers: number;
  /** Milliseconds between two looks. */
  interval: number;
  /** How long was measured, in seconds, and the processor time that the worker took meanwhile. */
  seconds: number;
  cores: number;
  /** Resident memory of the worker, in MB. */
  memory: number;
  online: number;
  /** History events that each slice of a quiet monitor leaves. */
  eventsPerSlice: number;
}

export interface CostOptions {
  clusters: number;
  servers: number;
  interval: number;
  seconds: number;
}

const firstPort = 21_000;
/** Nobody listens there: the hosts refuse at once. */
const closedPort = 1;

export async function measureCost(client: Client, options: CostOptions): Promise<CostFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'st-bench-watch-'));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', join(folder, 'tls.key'), '-out', join(folder, 'tls.crt')], { stdio: 'ignore' });
  for (const name of ['password', 'key']) writeFileSync(join(folder, name), 'pw', { mode: 0o600 });
  // What is watched around the nodes is well: the database is that of a lab.
  const estate = await startEstate({ servers: 1, productTimeMs: 0 });
  const { database } = Object.values(estate.spec.sites)[0]!;
  const servers = await startServers(folder, options.clusters * options.servers);
  const taskQueue = `bench-${randomBytes(4).toString('hex')}`;
  const worker = await startWorker(taskQueue);
  const names = Array.from({ length: options.clusters }, (_, index) => `w${randomBytes(2).toString('hex')}${index}`);
  const handles: WorkflowHandle[] = [];
  try {
    for (const [index, name] of names.entries()) handles.push(...await startMonitor(client, { name, taskQueue, spec: specOf(folder, name, index, { ...options, database }) }, { interval: options.interval }));
    const monitors = handles.filter(({ workflowId }) => workflowId.startsWith('monitor/'));
    await allOnline(monitors, options.servers);
    const before = processorSeconds(worker.pid);
    await pause(options.seconds * 1_000);
    const cores = (processorSeconds(worker.pid) - before) / options.seconds;
    const online = (await healths(monitors)).reduce((sum, health) => sum + health.online, 0);
    const eventsPerSlice = await eventsOfSlices(client, taskQueue, specOf(folder, `${names[0]}q`, 0, { ...options, database }));
    return { ...options, cores, memory: residentMb(worker.pid), online, eventsPerSlice };
  } finally {
    await Promise.allSettled(handles.map((handle) => handle.terminate('the measurement is over')));
    await worker.stop();
    servers.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    await estate.down();
  }
}

/** Slices of a second, and what each adds to the history of one monitor of which nothing changes. */
async function eventsOfSlices(client: Client, taskQueue: string, spec: ClusterSpec): Promise<number> {
  const handles = await startMonitor(client, { name: spec.metadata.name, taskQueue, spec }, { interval: 1_000, sliceMs: 1_500 });
  const monitor = handles.find(({ workflowId }) => workflowId.startsWith('monitor/'))!;
  try {
    await allOnline([monitor], Object.values(spec.sites)[0]!.servers.length);
    await pause(20_000);
    const events = (await monitor.fetchHistory()).events ?? [];
    const ended = events.filter((event) => event.activityTaskCompletedEventAttributes).map((event) => events.indexOf(event));
    const [from, to] = [ended[2]!, ended.at(-1)!];
    return (to - from) / (ended.length - 3);
  } finally {
    await Promise.allSettled(handles.map((handle) => handle.terminate('the measurement is over')));
  }
}

async function startMonitor(client: Client, { name, taskQueue, spec }: { name: string; taskQueue: string; spec: ClusterSpec }, settings: object): Promise<WorkflowHandle[]> {
  const site = Object.keys(spec.sites)[0]!;
  const record = { ...newRecord(name), spec, revision: 1, phase: 'active', complete: true, activeSite: site, members: membersOf(spec, site) };
  const start = (type: string, workflowId: string, input: object): Promise<WorkflowHandle> => client.workflow.start(type, { taskQueue, workflowId, args: [input], workflowTaskTimeout: '3s' });
  return [await start('cluster', clusterWorkflowId(name), { name, record }), await start('monitorCluster', monitorWorkflowId(name), { cluster: name, ...settings })];
}

const healths = (monitors: readonly WorkflowHandle[]): Promise<ClusterHealth[]> => Promise.all(monitors.map((monitor) => monitor.query<ClusterHealth>('status')));

async function allOnline(monitors: readonly WorkflowHandle[], servers: number): Promise<void> {
  for (let tries = 0; tries < 120; tries += 1) {
    // While all of them begin, one may not be answered in time.
    const seen = await healths(monitors).catch(() => undefined);
    if (seen?.every(({ online }) => online === servers)) return;
    await pause(1_000);
  }
  throw new Error('not every Server was seen Online within two minutes');
}

function specOf(folder: string, name: string, cluster: number, { servers, database }: { servers: number; database: SiteSpec['database'] }): ClusterSpec {
  const nodes = Array.from({ length: servers }, (_, index) => ({
    name: `st${index + 1}`, address: `10.${100 + cluster}.0.${index + 1}`, admin: { address: '127.0.0.1', port: firstPort + cluster * servers + index, user: 'admin', password: `file:${folder}/password`, ca: `${folder}/tls.crt` },
    ssh: { address: `127.1.${cluster}.${index + 1}`, port: closedPort, user: 'ops', key: `file:${folder}/key`, knownHosts: `${folder}/known_hosts` },
  }));
  const { spec, problems } = parseClusterSpec({
    apiVersion: 'st-orchestrator/v1', kind: 'Cluster', metadata: { name },
    product: { version: '5.5', fileDriveHome: '/opt/axway/SecureTransport', user: 'axway', installer: { package: '/opt/install/SecureTransport_5.5', properties: {} }, protocols: ['ssh'] },
    licences: { core: `${folder}/filedrive.license`, features: `${folder}/st.license` },
    sites: { prod: { servers: nodes, edges: [], database, sharedFiles: { path: '/srv/st/shared' } } },
  });
  if (!spec) throw new Error(problems.map(formatProblem).join('\n'));
  return spec;
}

function startServers(folder: string, count: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(__dirname, 'manyServers.js'), folder, String(firstPort), String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the Servers of this measurement did not start (exit code ${code})`)));
    child.stdout.once('data', () => resolve(child));
  });
}

const ticksPerSecond = 100;
/** User and system time of a process so far, all its threads. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

const residentMb = (pid: number): number => Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
