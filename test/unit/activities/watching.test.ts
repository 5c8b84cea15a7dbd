/** Looks at Administration Tools that fail in every way: what is believed of each, and how soon. No Temporal, no lab. */
import type { ServerResponse } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { watchCluster } from '../../../src/activities/lookout';
import type { Clients } from '../../../src/activities/clients';
import { StError } from '../../../src/model/errors';
import type { ClusterRecord } from '../../../src/model/cluster';
import { newRecord } from '../../../src/model/clusterRecord';
import { membersOf } from '../../../src/model/members';
import { parseClusterSpec } from '../../../src/model/spec';
import type { NodeHealth } from '../../../src/model/health';
import type { Vote, Watched, WatchInput } from '../../../src/model/watch';
import { adminRemote, json, type Handler, type Remote } from '../clients/support/adminRemote';
import { demoFile } from '../model/demoFile';

jest.setTimeout(60_000);

const { remote, api } = adminRemote();
/** Quick looks; the demo cluster has three Servers. */
const quick = { cluster: 'demo', interval: 1_000, failuresToOffline: 2 };

type Act = 'well' | 'TM stopped' | 'refused login' | 'nonsense' | 'internal error' | 'headers, then silence' | 'silence' | 'hung up on';
/** What the product calls each Server, by its address. */
type Table = Record<string, 'Online' | 'Offline'>;
const behave = (act: () => Act, table: () => Table): Handler => (request, response, url) => {
  switch (act()) {
    case 'refused login': return void response.writeHead(401).end('Unauthorized');
    case 'nonsense': return void response.writeHead(200).end('<html>It works!</html>');
    case 'internal error': return void response.writeHead(500).end('NullPointerException');
    case 'headers, then silence': return startAnswer(response);
    case 'silence': return;
    case 'hung up on': return void request.socket.destroy();
    default:
  }
  if (url.pathname.endsWith('/daemons')) return json(response, { sshStatus: 'Running' });
  if (url.pathname.endsWith('/transactionManager')) return json(response, { status: act() === 'well' ? 'Running.' : 'Not running.' });
  if (url.pathname.endsWith('/clusterServices')) return json(response, { status: 'Running.' });
  if (url.pathname.endsWith('/clusterManagement')) return json(response, { isCluster: true, clusterNodes: Object.entries(table()).map(([serverAddress, status]) => ({ serverAddress, status })) });
  if (url.pathname.endsWith('/version')) return json(response, { version: '5.5' });
  return json(response, []);
};
function startAnswer(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
  response.write('{"');
}

const doors: (() => Promise<void>)[] = [];
afterEach(async () => { for (const leave of doors.splice(0)) await leave(); });

interface Estate {
  acts: Act[];
  /** By Server: its table of nodes. */
  tables: Table[];
  remotes: Remote[];
  /** As it is read from now on. */
  record: ClusterRecord;
  /** `takesMs`: until it answers; `leave`: nobody listens on its port any more. */
  database: { well: boolean; takesMs?: number; leave(): Promise<void> };
  watch(input?: Partial<WatchInput>, options?: { settleMs?: number; unheardMs?: number; signal?: AbortSignal }): Promise<Watched>;
}

/** Three Servers that do as they are told, a record that names them, no balancer and no SSH. */
async function estate(): Promise<Estate> {
  const acts: Act[] = ['well', 'well', 'well'];
  const tables = acts.map((): Table => ({ '10.86.0.11': 'Online', '10.86.0.12': 'Online', '10.86.0.13': 'Online' }));
  const remotes = await Promise.all(acts.map((_, index) => remote(behave(() => acts[index]!, () => tables[index]!))));
  const file = demoFile();
  delete file.sites.prod.loadBalancer;
  const door = createServer((socket) => void socket.on('error', () => undefined).resume().end('G'));
  await new Promise<void>((listening) => door.listen(0, '127.0.0.1', listening));
  const leave = (): Promise<void> => new Promise((gone) => (door.listening ? door.close(() => gone()) : gone()));
  doors.push(leave);
  file.sites.prod.servers = remotes.map(({ access }, index) => ({ name: `st${index + 1}`, address: `10.86.0.${11 + index}`, admin: { ...access, address: '127.0.0.1' } }));
  const { spec } = parseClusterSpec(file);
  if (!spec) throw new Error('the spec of this test is wrong');
  // No cluster file may say so: its Servers would look for the database on themselves.
  Object.assign(spec.sites['prod']!.database, { host: '127.0.0.1', port: (door.address() as AddressInfo).port });
  const record: ClusterRecord = { ...newRecord('demo'), spec, revision: 1, members: membersOf(spec, 'prod'), complete: true };
  // Operations do not answer.
  const getHandle = (id: string) => ({ query: async () => { if (id !== 'cluster/demo') throw new Error('no answer'); return record; } });
  const temporal = { withDeadline: (_: number, act: () => unknown) => act(), workflow: { getHandle } } as unknown as Client;
  const database: Estate['database'] = { well: true, leave };
  const clients = {
    admin: api(),
    postgres: { withDatabase: async (_target: unknown, _act: unknown, { signal }: { signal: AbortSignal }) => { await pause(database.takesMs ?? 0, undefined, { signal }); if (!database.well) throw new StError('Unreachable', 'database demo: connection refused'); } },
    ssh: { run: async () => { throw new StError('Unreachable', 'no SSH here'); } },
  } as unknown as Clients;
  return {
    acts, tables, remotes, database, record,
    watch: (input = {}, options = {}) => watchCluster({ clients, temporal, taskQueue: 'test' }, { ...quick, sliceMs: 30_000, ...input }, { signal: new AbortController().signal, ...options }),
  };
}

const nodeIn = ({ nodes }: Vote, name: string): NodeHealth => nodes.find(({ node }) => node === name)!;
const after = ({ vote, signature, around }: Pick<Watched, 'vote' | 'signature' | 'around'>): Partial<WatchInput> => ({ last: { fresh: true, votes: vote.votes, signature, ...(around ? { around } : {}) } });

/** Goes on until what is believed says so: what stands around, or another Server, may be told of first. */
async function watchUntil({ watch }: Estate, from: Watched, believed: (vote: Vote) => boolean): Promise<Watched> {
  let seen = from;
  for (let slices = 0; slices < 6 && !believed(seen.vote); slices += 1) seen = await watch(after(seen));
  return seen;
}

/** A first look, and what stands around looked at as well. */
const settled = async (made: Estate): Promise<Watched> => watchUntil(made, await made.watch(), ({ around }) => around.reached);

test('a first look tells at once; while nothing changes the slice goes on to its end, on one login for each Server', async () => {
  const made = await estate();
  const { watch, remotes } = made;
  const first = await settled(made);
  expect(first.vote.nodes.map(({ node, state, services, version }) => [node, state, services.running, version])).toEqual(['st1', 'st2', 'st3'].map((name) => [name, 'Online', 5, '5.5']));
  const began = Date.now();
  const second = await watch({ ...after(first), sliceMs: 2_500 });
  expect(Date.now() - began).toBeGreaterThan(2_400);
  expect(second.signature).toBe(first.signature);
  expect(nodeIn(second.vote, 'st1').since).toBe(nodeIn(first.vote, 'st1').since);
  expect(remotes.map(({ logins }) => logins())).toEqual([1, 1, 1]);
});

test.each<[Act, NodeHealth['state'], Partial<Record<keyof NodeHealth, unknown>>]>([
  ['TM stopped', 'Offline', { cause: 'TM stopped', why: 'the Transaction Manager does not run' }],
  ['nonsense', 'Unknown', { cause: 'nonsense', why: expect.stringMatching(/what nobody understands.*is this the port of the Administration Tool/) }],
  ['internal error', 'Unknown', { cause: 'nonsense', why: expect.stringMatching(/answers with 500.*NullPointerException/) }],
  ['headers, then silence', 'Unknown', { cause: 'silent' }],
  ['silence', 'Unknown', { cause: 'silent' }],
  ['hung up on', 'Unknown', { cause: 'nonsense' }],
])('%s: %s', async (act, state, seen) => {
  const made = await estate();
  const watching = made.watch(after(await settled(made)));
  await pause(100);
  made.acts[1] = act;
  const { vote } = await watchUntil(made, await watching, (seen_) => nodeIn(seen_, 'st2').state !== 'Online');
  expect(nodeIn(vote, 'st2')).toMatchObject({ state, lastSeen: expect.any(String), ...seen });
  expect([nodeIn(vote, 'st1').state, nodeIn(vote, 'st3').state]).toEqual(['Online', 'Online']);
});

/** Every Server's table says this of st2. */
const call = ({ tables }: Estate, word: Table[string], tellers = [0, 1, 2]): void => { for (const index of tellers) tables[index]!['10.86.0.12'] = word; };

test('a Server that the product hears nothing of for a while, though its Transaction Manager runs, is Offline with that cause, stays so, and is back when the product says so', async () => {
  const made = await estate();
  const first = await settled(made);
  call(made, 'Offline');
  const began = Date.now();
  const hung = await watchUntil(made, first, (seen) => nodeIn(seen, 'st2').state !== 'Online');
  // A heart that beats late is no hang, and the votes come on top.
  expect(Date.now() - began).toBeGreaterThan(6_000);
  expect(nodeIn(hung.vote, 'st2')).toMatchObject({ state: 'Offline', cause: 'TM hangs', why: 'its Transaction Manager hangs: it runs, and the product has heard nothing of it for a while', services: { running: 5, stopped: [] } });
  // Another slice, perhaps of another worker, begins with what was believed; one look without an answer takes nothing back.
  const next = made.watch({ ...after(hung), sliceMs: 4_000 });
  await pause(500);
  made.acts[1] = 'silence';
  await pause(1_200);
  made.acts[1] = 'well';
  const still = await next;
  expect([nodeIn(still.vote, 'st2').state, nodeIn(still.vote, 'st2').cause, still.signature]).toEqual(['Offline', 'TM hangs', hung.signature]);
  call(made, 'Online');
  const back = Date.now();
  const { vote } = await watchUntil(made, still, (seen) => nodeIn(seen, 'st2').state === 'Online');
  expect(nodeIn(vote, 'st2')).toMatchObject({ state: 'Online' });
  expect(Date.now() - back).toBeLessThan(5_000);
});

test('it is no hang when Servers disagree, when the database is gone, or when the Server has just come back', async () => {
  const [split, gone, started] = await Promise.all([estate(), estate(), estate()]);
  const [here, there] = await Promise.all([settled(split), settled(gone), settled(started)]);
  gone.database.well = false;
  started.acts[1] = 'TM stopped';
  const [lost, stopped] = await Promise.all([watchUntil(gone, there, ({ around }) => around.database !== undefined), watchUntil(started, await settled(started), (seen) => nodeIn(seen, 'st2').state === 'Offline')]);
  call(split, 'Offline', [0, 2]);
  call(gone, 'Offline');
  call(started, 'Offline');
  started.acts[1] = 'well';
  const long = { sliceMs: 10_000 };
  const states: string[] = [];
  await Promise.all([[split, here], [gone, lost], [started, stopped]].map(async ([made, from]) => {
    const ending = Date.now() + long.sliceMs;
    for (let seen = from as Watched; Date.now() < ending;) {
      seen = await (made as Estate).watch({ ...after(seen), ...long });
      // That of the one that came back is told at once.
      states.push(nodeIn(seen.vote, 'st2').state);
    }
  }));
  expect(new Set(states)).toEqual(new Set(['Online']));
});

test('one look alone finds it too', async () => {
  const made = await estate();
  call(made, 'Offline');
  const { vote } = await made.watch({ sliceMs: 15_000 }, { settleMs: 5_000, unheardMs: 8_000 });
  expect(nodeIn(vote, 'st2')).toMatchObject({ state: 'Offline', cause: 'TM hangs' });
  expect([nodeIn(vote, 'st1').state, nodeIn(vote, 'st3').state]).toEqual(['Online', 'Online']);
});

test('a Server that falls silent as a slice begins is missed as soon as at any other time: its login was kept', async () => {
  const made = await estate();
  const first = await settled(made);
  made.acts[1] = 'silence';
  const began = Date.now();
  const { vote } = await watchUntil(made, first, (seen) => nodeIn(seen, 'st2').state !== 'Online');
  expect(nodeIn(vote, 'st2')).toMatchObject({ state: 'Unknown', cause: 'silent' });
  expect(Date.now() - began).toBeLessThan(4_000);
});

test('a refused login is tried once: Unknown, and the cause is named for the whole cluster', async () => {
  const made = await estate();
  const { watch, acts, remotes } = made;
  const first = await settled(made);
  const logins = remotes[1]!.logins();
  const watching = watch(after(first));
  acts[1] = 'refused login';
  const { vote } = await watchUntil(made, await watching, (seen) => nodeIn(seen, 'st2').state !== 'Online');
  expect(nodeIn(vote, 'st2')).toMatchObject({ state: 'Unknown', cause: 'credentials' });
  expect(vote.cause).toMatchObject({ code: 'credentials', sentence: expect.stringMatching(/nothing more is tried with this password/) });
  // The session was refused, one fresh login came, and its session was refused too: no further one in many looks.
  await watch({ ...after({ vote, signature: (await watch({ ...after({ vote, signature: '' }), sliceMs: 2_500 })).signature }), sliceMs: 2_500 });
  expect(remotes[1]!.logins()).toBe(logins + 1);
});

test('a port that refuses is Offline, and Online again as soon as it answers', async () => {
  const made = await estate();
  const { watch, remotes } = made;
  const watching = watch(after(await settled(made)));
  const { server, access } = remotes[1]!;
  server.close();
  server.closeAllConnections();
  const gone = await watchUntil(made, await watching, (seen) => nodeIn(seen, 'st2').state !== 'Online');
  expect(nodeIn(gone.vote, 'st2')).toMatchObject({ state: 'Offline', cause: 'refused', why: 'the Administration Tool does not run: its port refuses', services: { running: 0, stopped: ['Administration Tool'] } });
  const back = watch(after(gone));
  await new Promise<void>((resolve) => server.listen(access.port, '127.0.0.1', resolve));
  expect(nodeIn((await watchUntil(made, await back, (seen) => nodeIn(seen, 'st2').state === 'Online')).vote, 'st2')).toMatchObject({ state: 'Online' });
});

test('of what fails at the same time the last is told soon after the first, with the one cause', async () => {
  const made = await estate();
  const watching = made.watch(after(await settled(made)));
  await pause(100);
  made.acts.fill('TM stopped');
  made.database.well = false;
  const { vote } = await watchUntil(made, await watching, (seen) => seen.cause !== undefined && seen.nodes.every(({ state }) => state !== 'Online'));
  expect(vote.nodes.map(({ state }) => state)).toEqual(['Offline', 'Offline', 'Offline']);
  expect(vote.cause).toMatchObject({ code: 'database' });
});

test('a database whose port refuses is looked at soon, though every node goes on as ever', async () => {
  const made = await estate();
  const watching = made.watch(after(await settled(made)));
  await pause(1_500);
  const began = Date.now();
  made.database.well = false;
  await made.database.leave();
  const named = await watchUntil(made, await watching, ({ cause }) => cause !== undefined);
  expect([named.vote.cause?.code, named.vote.nodes.map(({ state }) => state)]).toEqual(['database', ['Online', 'Online', 'Online']]);
  expect(Date.now() - began).toBeLessThan(4_000);
  const { vote } = await watchUntil(made, named, ({ around }) => around.down !== undefined);
  expect(vote.around.down).toEqual([{ what: 'database', name: 'demo', why: 'database demo: connection refused' }]);
  // Two misses long, a second each, and the look that says so.
  expect(Date.now() - began).toBeGreaterThan(2_000);
  expect(Date.now() - began).toBeLessThan(6_000);
});

test('a database is not believed to be gone while nobody else answers', async () => {
  const made = await estate();
  const first = await settled(made);
  made.acts.fill('silence');
  made.database.well = false;
  await made.database.leave();
  const fallen = await watchUntil(made, first, ({ cause, nodes }) => cause !== undefined && nodes.every(({ state }) => state === 'Unknown'));
  const { vote } = await made.watch({ ...after(fallen), sliceMs: 4_000 });
  expect([vote.around.database, vote.around.down]).toEqual(['database demo: connection refused', undefined]);
});

test('an operation that does not answer goes on to excuse whom it excused, in the next slice too, until it holds the lease no more', async () => {
  const made = await estate();
  const first = await settled(made);
  const excused = { st2: 'rolling-restart/demo', st3: 'replace-node/demo/st3' };
  const next = async (): Promise<(string | undefined)[]> => (await made.watch({ last: { ...after(first).last!, signature: 'another', excused } })).vote.nodes.map((node) => node.excused);
  made.record.lease = { workflowId: 'rolling-restart/demo', firstExecutionRunId: 'r', operation: 'rollingRestart', epoch: 1, since: '2026-11-30T12:00:00Z' };
  expect(await next()).toEqual([undefined, 'rolling-restart/demo', undefined]);
  made.record.lease = null;
  expect(await next()).toEqual([undefined, undefined, undefined]);
});

test('a Server that was taken out of the cluster is in no vote any more, though it was looked at until then', async () => {
  const made = await estate();
  const watching = made.watch(after(await settled(made)));
  await pause(100);
  // It is stopped, and the record says it in the same moment.
  made.record.members = made.record.members.filter(({ node }) => node !== 'st2');
  made.acts[1] = 'TM stopped';
  const { vote } = await watching;
  expect(vote.nodes.map(({ node, state }) => [node, state])).toEqual([['st1', 'Online'], ['st3', 'Online']]);
});

test('a slice begins with what was believed of what stands around, until that has been looked at again', async () => {
  const made = await estate();
  const { watch, database } = made;
  const first = await settled(made);
  database.well = false;
  const seen = await watchUntil(made, first, ({ cause }) => cause !== undefined);
  expect(seen.vote.cause).toMatchObject({ code: 'database' });
  // The look around takes longer than anybody waits for it.
  database.takesMs = 1_500;
  const next = await watch({ ...after(seen), sliceMs: 2_500 });
  expect([next.signature, next.vote.cause?.code, next.vote.around.reached]).toEqual([seen.signature, 'database', seen.vote.around.reached]);
  database.well = true;
  expect((await watchUntil(made, next, ({ cause }) => cause === undefined)).vote.cause).toBeUndefined();
});

test('a Server that takes longer than a miss for each answer stays Online', async () => {
  const made = await estate();
  const { watch, remotes } = made;
  const first = await settled(made);
  const [slow] = remotes;
  const listeners = slow!.server.listeners('request') as ((...args: unknown[]) => void)[];
  slow!.server.removeAllListeners('request');
  slow!.server.on('request', (...args) => void setTimeout(() => listeners.forEach((listener) => listener(...args)), 1_300));
  const { signature } = await watch({ ...after(first), sliceMs: 6_000 });
  expect(signature).toBe(first.signature);
});

test('a watcher that takes over confirms what was believed, with its time, or calls it Unknown', async () => {
  const { watch, acts } = await estate();
  const first = await watch();
  acts[2] = 'silence';
  const { vote } = await watch({ last: { fresh: false, votes: first.vote.votes, signature: first.signature } });
  expect(nodeIn(vote, 'st1')).toMatchObject({ state: 'Online', since: nodeIn(first.vote, 'st1').since });
  expect(nodeIn(vote, 'st3').state).toBe('Unknown');
});

test('called off, it ends at once and leaves nothing that looks on', async () => {
  const { watch, remotes } = await estate();
  const first = await watch();
  const stop = new AbortController();
  const watching = watch(after(first), { signal: stop.signal });
  await pause(300);
  const began = Date.now();
  stop.abort(new Error('called off'));
  await expect(watching).rejects.toThrow();
  expect(Date.now() - began).toBeLessThan(2_000);
  await pause(300);
  const calls = remotes.map(({ calls: made }) => made.length);
  await pause(600);
  expect(remotes.map(({ calls: made }) => made.length)).toEqual(calls);
});
