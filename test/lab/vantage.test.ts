/** Two vantage points, each a worker of its own that stands at another place of the network: what one of them alone sees is no event. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { resolve } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { until } from '../../lab/shell';
import type { ClusterEvent } from '../../src/model/events';
import type { ClusterHealth, NodeState } from '../../src/model/health';
import { startLab, type Lab } from '../helpers/lab';
import { servingWorker, type ServingWorker } from '../helpers/servingWorker';
import { keepingProgram, kindsOf, toldEvents } from '../helpers/toldEvents';
import { connectGround, type Ground } from '../helpers/workflows';

jest.setTimeout(180_000);

let ground: Ground;
let lab: Lab;
let worker: ServingWorker;
let monitor: WorkflowHandle;
/** Hosts of the lab have no way to the machine's own loopback. */
let wayToTemporal: Server;
const workers = new Map<string, ChildProcess>();
const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n', '-E', '--'];
/** By the host at which the worker stands. */
const vantage = { st3: 'st-site-prod', st4: 'st-site-office' } as const;
const watched = { interval: 500, failuresToOffline: 2, calm: 1_000, for: 2_000, vantage: Object.values(vantage) };

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 2, reserve: 2 })]);
  worker = await servingWorker(ground, { maxCachedWorkflows: 100 });
  const [host, port] = process.env['TEMPORAL_ADDRESS']!.split(':');
  wayToTemporal = createServer((from) => {
    const to = connect(Number(port), host);
    for (const [one, other] of [[from, to], [to, from]] as const) one.on('error', () => other.destroy()).on('close', () => other.destroy()).pipe(other);
  });
  const { gateway } = await lab.status();
  await new Promise<void>((listening) => wayToTemporal.listen(0, gateway, listening));
  await Promise.all([worker.run('setUpCluster', { cluster: lab.name, spec: { ...lab.spec(), notifications: { command: keepingProgram(lab) } } }), standAt('st3'), standAt('st4')]);
  monitor = await worker.start('monitorCluster', { cluster: lab.name, ...watched }, `monitor/${lab.name}`);
});
afterAll(async () => {
  await monitor?.terminate().catch(() => undefined);
  for (const host of workers.keys()) killAt(host);
  await worker?.end();
  wayToTemporal?.close();
  await lab?.down();
  await ground?.close();
});

/** Starts the product's worker in the network of a host; answers once it polls. */
async function standAt(host: keyof typeof vantage): Promise<void> {
  const namespaces = `/proc/${(await lab.status()).hosts.find(({ name }) => name === host)!.pids['sshd']}/ns/net`;
  const { address, port } = wayToTemporal.address() as AddressInfo;
  const [program, ...args] = [...asRoot, 'nsenter', `--net=${namespaces}`, '--', process.execPath, resolve(__dirname, '../../dist/src/worker/main.js')];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TEMPORAL_ADDRESS: `${address}:${port}`, ST_TASK_QUEUE: vantage[host], ST_LOG_LEVEL: 'error' } });
  workers.set(host, child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-2_000); });
  await new Promise<void>((ready, failed) => {
    child.stdout.on('data', (chunk: Buffer) => { if (chunk.toString().includes('worker ready')) ready(); });
    child.once('close', () => failed(new Error(`the worker at ${host} ended: ${said}`)));
  });
}

/** At once, as a machine that loses its power. */
function killAt(host: string): void {
  const { pid, exitCode } = workers.get(host)!;
  if (exitCode !== null) return;
  // sudo passes no SIGKILL on.
  const victim = asRoot.length === 0 ? String(pid) : readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const [program, ...args] = [...asRoot, 'kill', '-KILL', victim];
  execFileSync(program, args);
}

const status = (): Promise<ClusterHealth> => monitor.query<ClusterHealth>('status');
const told = (): ClusterEvent[] => toldEvents(lab).filter(({ kind }) => kind !== 'operation-ended');
async function seen(what: string, test: (health: ClusterHealth) => boolean, withinMs = 30_000): Promise<number> {
  const began = Date.now();
  let health: ClusterHealth | undefined;
  await until(what, async () => test(health = await status()), withinMs).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(health, null, 1)}`);
  });
  return Date.now() - began;
}
const isSt2 = (state: NodeState) => ({ nodes }: ClusterHealth): boolean => nodes.find(({ node }) => node === 'st2')?.state === state;
const votedAt = ({ watch }: ClusterHealth, name: string): number => Date.parse(watch!.vantage.find((one) => one.name === name)!.votedAt!);

test('what one of two vantage points does not see is no event; what both don\'t is told, and confirmed by both', async () => {
  console.log(`both vantage points agree after ${await seen('all is well', ({ health, watch }) => health === 'ok' && watch!.vantage.every(({ fresh }) => fresh), 40_000)} ms`);
  const before = votedAt(await status(), vantage.st3);
  await lab.run('block', 'st3', 'st2');
  await seen('another vote of the one that is cut off', (health) => votedAt(health, vantage.st3) > before);
  expect(await status()).toMatchObject({ health: 'ok', online: 2, watch: { quorum: 2, incidents: [] } });
  const began = Date.now();
  await lab.run('block', 'st4', 'st2');
  await seen('st2 Unknown', isSt2('Unknown'));
  console.log(`the second cut off too → Unknown ${Date.now() - began} ms after the order`);
  expect(Date.now() - began).toBeLessThan(6_000);
  await until('all three are told', () => told().length >= 3);
  expect(kindsOf(told())).toEqual(['below-threshold', 'node-failed st2', 'threshold-lost']);
  // One that sees it outvotes nobody who must agree.
  await lab.run('unblock', 'st3', 'st2');
  await seen('st2 Online', isSt2('Online'));
  await until('the way back is told', () => told().length >= 5);
  expect(kindsOf(told())).toEqual(['below-threshold', 'node-failed st2', 'node-recovered st2', 'threshold-lost', 'threshold-restored']);
  await lab.run('unblock', 'st4', 'st2');
});

test('a vantage point whose worker is killed is missed within 10 s and claims nothing; its successor is heard at once', async () => {
  await seen('all is well', ({ health, watch }) => health === 'ok' && watch!.vantage.every(({ fresh }) => fresh));
  const before = told().length;
  const began = Date.now();
  killAt('st4');
  await seen('too few look', ({ health }) => health === 'unknown');
  console.log(`a worker killed → missed after ${Date.now() - began} ms`);
  expect(Date.now() - began).toBeLessThan(10_000);
  expect(await status()).toMatchObject({ online: 0, problems: [expect.stringMatching(/^Too few look at .* now: st-site-office: /)], watch: { vantage: [{ name: vantage.st3, fresh: true }, { name: vantage.st4, fresh: false }] } });
  await standAt('st4');
  const back = await seen('all is well', ({ health, watch }) => health === 'ok' && watch!.vantage.every(({ fresh }) => fresh));
  console.log(`its successor ready → heard after ${back} ms`);
  expect(told().length).toBe(before);
});
