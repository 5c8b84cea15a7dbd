/** How a node is emptied: the order of reference §8.5, with what each step waits for. */
import { setTimeout as delay } from 'node:timers/promises';
import type { AdminServer, CallOptions, ClusterServiceName } from '../clients/adminApi';
import { inTime, waitFor } from '../clients/waitFor';
import { StError, unlessSilent } from '../model/errors';
import type { Outcome, Waits } from '../model/operation';
import type { Protocol } from '../model/spec';
import { daemonOf, drainWait, eventOf, eventsAt, nameFiles, silent, stuckOf, tmSeconds, type Room, type WorkEvent } from '../model/stopPlan';
import type { Authority, HostTarget, ServerTarget } from '../model/targets';
import { abortSignal, waitsFor } from './context';
import type { Clients } from './clients';
import { productOn } from './product';
import { requireRoom } from './room';
import { askStops, awaitStops, markLanded, stopsUnderWay } from './stopMarkers';

interface How {
  protocols: Protocol[];
  gracefulSeconds: number;
  room?: Room;
}

/** How a Server was drained before it is stopped at once. */
export interface Drained {
  protocols: Protocol[];
  gracefulSeconds: number;
  acceptActive: boolean;
}

const clusterServices: ClusterServiceName[] = ['Scheduler', 'FolderMonitor'];
const lookMs = 5_000;
const stateMs = 60_000;
/** A stop whose time is over takes a moment longer to be seen. */
const lateMs = 15_000;
/** The same of one that an earlier try asked for: it is asked for anew, so less is lost by not waiting. */
const rememberedLateMs = 3_000;
/** Between two looks that must agree. */
const settleMs = 1_000;
/** How long an event that gives no sign of life is watched before it is believed to be dead. */
const silentMs = 10_000;

const limits = (): CallOptions => ({ signal: abortSignal(), timeoutMs: lookMs });

/** The name of a Server in the event queue (`LocalConfigurationsId`); empty where it can't be read. */
export async function localId(clients: Clients, server: HostTarget): Promise<string> {
  const product = productOn(clients, server);
  const { stdout } = await product.read(['/usr/bin/cat', product.path('conf', 'configuration.xml')], { purpose: 'reading its configuration.xml' });
  return /<LocalConfigurationsId>\s*([^<\s]+)\s*</.exec(stdout)?.[1] ?? '';
}

/** The daemons that run, by the names of their commands; null where nobody can say. */
async function runningServices(admin: AdminServer): Promise<string[]> {
  const [daemons, tm] = await Promise.all([admin.daemons(limits()), admin.transactionManager(limits()).catch(noTm)]);
  return [...Object.entries(daemons).filter(([, runs]) => runs).map(([protocol]) => daemonOf[protocol as Protocol]), ...(tm.running ? ['tm'] : [])];
}

/** An Edge has none. */
function noTm(error: unknown): { running: boolean } {
  if (error instanceof StError && error.code === 'Refused') return { running: false };
  throw error;
}

/** What runs, or null: for those who must not start anything before a graceful stop has landed. */
export const runningOrUnknown = (clients: Clients, server: ServerTarget) => (): Promise<string[] | null> =>
  unlessSilent(runningServices(clients.admin.server(server.admin)), null);

export async function drainServer(clients: Clients, server: ServerTarget, { room, protocols, gracefulSeconds, acceptActive }: How & { acceptActive: boolean }, authority: Authority): Promise<Outcome> {
  const admin = clients.admin.server(server.admin);
  const before = await patiently(server, () => runningServices(admin));
  if (before.length === 0) {
    await awaitStops(clients, server, authority, runningOrUnknown(clients, server));
    return { changed: false, note: 'nothing of it runs' };
  }
  if (room) await requireRoom(clients, server.node, room);
  const id = await localId(clients, server);
  await command(clients, server, authority, 'stop_monitord');
  if (before.includes('tm')) await setClusterServices(admin, 'stop');
  const daemons = before.filter((service) => service !== 'tm');
  const tmMs = before.includes('tm') ? tmSeconds(gracefulSeconds) * 1_000 + lateMs : 0;
  const cut = await endDaemons(clients, server, authority, daemons, gracefulSeconds, { events: () => activeAt(admin, id), afterMs: tmMs > 0 ? gracefulSeconds * 1_000 + tmMs : 0 });
  const byHand: string[] = [];
  const notes = [`${daemons.join(', ') || 'no daemon'} ended${cut}`];
  if (before.includes('tm')) {
    const landing = (await stopsUnderWay(clients, server, authority)).pending.find(({ service, left }) => service === 'tm' && left > 0);
    const lands = Date.now() + (landing?.left ?? 0) * 1_000 + rememberedLateMs;
    const left = await awaitEvents(admin, { server, id, gracefulSeconds, acceptActive, afterMs: tmMs });
    // A stop that an earlier try has asked for can't be called off: once it has landed there is nothing left to refuse, and what it cut is listed below.
    if (left.length > 0 && !acceptActive && !(landing && (await tmEnds(admin, server, lands - Date.now())))) {
      // An earlier try may have stopped daemons that this one did not see.
      const back = await startAgain(clients, server, authority, [...new Set([...daemons, ...protocols.map((protocol) => daemonOf[protocol])])]);
      throw new StError('Refused', `${server.node}: its Transaction Manager is not stopped: after ${gracefulSeconds} s it still works on ${nameFiles(left)}; stopped now, they would be left "In Progress". ${back} Wait until they have ended (one that failed may stay active for ever: see its log), or run this again with "acceptActive".`);
    }
    if (left.length > 0 && acceptActive) notes.push(`accepted as still in process: ${nameFiles(left)}`);
    await endGracefully(clients, server, authority, ['tm'], tmSeconds(gracefulSeconds));
    const stranded = await activeAt(admin, id);
    if (stranded.length > 0) byHand.push(`${server.node}: its Transaction Manager ended while it worked on ${nameFiles(stranded)}: they stand as "In Progress", and nobody processes them; submit them again`);
    notes.push(stranded.length === 0 ? 'Transaction Manager ended as its Administration Tool says, nothing stranded' : `Transaction Manager ended as its Administration Tool says; stranded: ${nameFiles(stranded)}`);
  }
  return { changed: true, note: notes.join('; '), ...(byHand.length > 0 ? { byHand } : {}) };
}

/**
 * Right before a Server is stopped at once: its host may have been restarted since it was drained, and its init have started the product, which works again. Undefined where its
 * Transaction Manager does not run, or nobody answers who could say.
 */
export async function drainAgain(clients: Clients, server: ServerTarget, how: Drained, authority: Authority): Promise<Outcome | undefined> {
  const look = runningOrUnknown(clients, server);
  const up = (await look()) ?? (await look());
  return up?.includes('tm') ? drainServer(clients, server, how, authority) : undefined;
}

/** One outcome of a stop and of the drain that was needed again before it. */
export const withDrain = (again: Outcome | undefined, stopped: Outcome): Outcome => (again === undefined ? stopped
  : { ...again, changed: true, note: `it had been started again since it was drained, and was drained again: ${again.note}; ${stopped.note}` });

export async function drainEdge(clients: Clients, edge: ServerTarget, { room, gracefulSeconds }: How, authority: Authority): Promise<Outcome> {
  const daemons = await patiently(edge, () => runningServices(clients.admin.server(edge.admin)));
  if (daemons.length === 0) {
    await awaitStops(clients, edge, authority, runningOrUnknown(clients, edge));
    return { changed: false, note: 'no daemon of it runs' };
  }
  if (room) await requireRoom(clients, edge.node, room);
  await command(clients, edge, authority, 'stop_monitord');
  const cut = await endDaemons(clients, edge, authority, daemons, gracefulSeconds);
  return { changed: true, note: `${daemons.join(', ')} ended${cut}` };
}

/** Scheduler and FolderMonitor: a start of the Transaction Manager starts them, but nobody else does. */
export async function setClusterServices(admin: AdminServer, operation: 'start' | 'stop'): Promise<string[]> {
  const wanted = operation === 'start';
  const changed: string[] = [];
  for (const name of clusterServices) {
    const differs = async (): Promise<boolean> => (await admin.clusterService(name, limits())).running !== wanted;
    if (!(await differs())) continue;
    await waitFor(`${name} is ${wanted ? 'running' : 'stopped'}`, async () => {
      if (!(await differs())) return true;
      await admin.operateClusterService(operation, name, limits());
      return !(await differs());
    }, (done) => done, { timeoutMs: stateMs, signal: abortSignal() });
    changed.push(name);
  }
  return changed;
}

interface Beside {
  /** What is in process there, to be told with what is waited for. */
  events?: () => Promise<WorkEvent[]>;
  /** How much longer the whole drain may take after this wait, in milliseconds. */
  afterMs?: number;
}

/** What the wait for daemons ended with, as the end of a sentence: whose sessions were cut when the time was over. */
async function endDaemons(clients: Clients, server: ServerTarget, authority: Authority, daemons: string[], seconds: number, { events = async () => [], afterMs = 0 }: Beside = {}): Promise<string> {
  if (daemons.length === 0) return '';
  const admin = clients.admin.server(server.admin);
  let open: string[] = [];
  const watch = async (): Promise<Waits> => {
    const [sessions, active] = await Promise.all([admin.sessions(limits()), events().catch(() => [])]);
    open = sessions.map(({ accountName }) => (typeof accountName === 'string' ? accountName : 'unknown'));
    return drainWait(daemons, { sessions: open, events: active });
  };
  const late = await endGracefully(clients, server, authority, daemons, seconds, { watch, afterMs });
  return late && open.length > 0 ? ` at their time limit; sessions cut: ${open.length} (${[...new Set(open)].slice(0, 15).join(', ')})` : '';
}

/** Asks, waits until they are down, twice, and notes that they have landed. Answers whether the time limit ended them. What outlives its own limit is stopped at once. */
async function endGracefully(clients: Clients, server: ServerTarget, authority: Authority, services: string[], seconds: number, { watch, afterMs = 0 }: { watch?: () => Promise<Waits>; afterMs?: number } = {}): Promise<boolean> {
  const admin = clients.admin.server(server.admin);
  const asked = await askStops(clients, server, authority, services, seconds);
  const most = Math.max(...asked.map(({ left }) => left), 0) * 1_000;
  const began = Date.now();
  const stillUp = async (): Promise<string[]> => {
    const up = await runningServices(admin);
    return services.filter((service) => up.includes(service));
  };
  let inARow = 0;
  let waits = drainWait(services, { sessions: [], events: [] });
  const wait = (timeoutMs: number): Promise<unknown> => {
    const until = performance.now() + timeoutMs;
    return waitFor(`${server.node}: ${services.join(', ')} end`, async () => {
      const up = await stillUp();
      inARow = up.length === 0 ? inARow + 1 : 0;
      if (up.length > 0) {
        waits = await watch?.().catch(() => undefined) ?? waits;
        waitsFor({ ...waits, leftMs: until + afterMs - performance.now() });
      }
      // Between the two looks that must agree, not after them.
      else if (inARow === 1) await delay(settleMs, undefined, { signal: abortSignal() });
      return up;
    }, () => inARow >= 2, { timeoutMs, signal: abortSignal() });
  };
  const remembered = asked.some((one) => one.remembered);
  let down = await inTime(wait(most + (remembered ? rememberedLateMs : lateMs)));
  // A stop that is only remembered may have landed unseen, and the service may have been started since: it is asked for anew before anything is cut.
  if (!down && remembered) {
    const anew = await askStops(clients, server, authority, await stillUp(), seconds);
    down = await inTime(wait(Math.max(...anew.map(({ left }) => left), 0) * 1_000 + lateMs));
  }
  if (!down) {
    // The time that was given is over, and the product did not act on it.
    for (const service of await stillUp()) await command(clients, server, authority, `stop_${service}`);
    await wait(stateMs);
  }
  waitsFor(undefined);
  await markLanded(clients, server, authority, services);
  return Date.now() - began >= most;
}

const activeAt = async (admin: AdminServer, id: string): Promise<WorkEvent[]> => eventsAt((await admin.events({ status: 'active' }, limits())).map(eventOf), id);

/** Waits until what is at work now has ended; answers what has not when its time is over, or earlier, when that is accepted and nothing of it gives a sign of life. */
async function awaitEvents(admin: AdminServer, { server, id, gracefulSeconds, acceptActive, afterMs }: { server: ServerTarget; id: string; gracefulSeconds: number; acceptActive: boolean; afterMs: number }): Promise<WorkEvent[]> {
  const first = await activeAt(admin, id);
  if (first.length === 0) return [];
  let left = first;
  let seen = first;
  let silentSince = Date.now();
  const until = performance.now() + gracefulSeconds * 1_000 + afterMs;
  const look = async (): Promise<WorkEvent[]> => {
    left = stuckOf(first, await activeAt(admin, id));
    if (!silent(seen, left)) silentSince = Date.now();
    seen = left;
    if (left.length > 0) waitsFor({ ...drainWait([], { sessions: [], events: left }), leftMs: until - performance.now() });
    return left;
  };
  const ended = (now: WorkEvent[]): boolean => now.length === 0 || (acceptActive && Date.now() - silentSince > silentMs);
  await inTime(waitFor(`${server.node}: what is in process has ended`, look, ended, { timeoutMs: gracefulSeconds * 1_000, signal: abortSignal() }));
  waitsFor(undefined);
  return left;
}

/** Whether the Transaction Manager is seen to be down within this time, in milliseconds. */
const tmEnds = (admin: AdminServer, server: ServerTarget, timeoutMs: number): Promise<boolean> =>
  inTime(waitFor(`${server.node}: its Transaction Manager ends`, () => runningServices(admin), (up) => !up.includes('tm'), { timeoutMs: Math.max(1, timeoutMs), signal: abortSignal() }));

/** Takes back what a refused stop has stopped already; says what could not be. */
async function startAgain(clients: Clients, server: ServerTarget, authority: Authority, daemons: readonly string[]): Promise<string> {
  try {
    const admin = clients.admin.server(server.admin);
    for (const daemon of daemons) await command(clients, server, authority, `start_${daemon}`);
    await command(clients, server, authority, 'start_monitord');
    await setClusterServices(admin, 'start');
    await waitFor(`${server.node}: ${daemons.join(', ')} run`, () => runningServices(admin), (up) => daemons.every((daemon) => up.includes(daemon)), { timeoutMs: stateMs, signal: abortSignal() });
    return 'What had been stopped for it (Monitor, Scheduler, FolderMonitor, daemons) runs again.';
  } catch (error) {
    return `What had been stopped for it (Monitor, Scheduler, FolderMonitor, ${daemons.join(', ')}) could not all be started again: ${(error as Error).message}`;
  }
}

async function command(clients: Clients, server: HostTarget, authority: Authority, name: string): Promise<void> {
  const product = productOn(clients, server);
  await product.act(authority, [product.path('bin', name)], { purpose: name });
}

/** A node whose Administration Tool restarts other things may not answer for a moment. */
const patiently = <T>(server: ServerTarget, read: () => Promise<T>): Promise<T> =>
  waitFor(`${server.node}: its Administration Tool says what runs`, read, () => true, { timeoutMs: 20_000, signal: abortSignal() });
