/**
 * Graceful stops of one node, in the product's order, each step after the one before has ended (reference §8.5). Nothing of it is trusted to have happened:
 * a service is down when its Server says so twice, and a Transaction Manager is stopped only when what it works on ends (reference §16).
 */
import { isSilence, StError } from '../model/errors';
import type { CheckResult, Outcome } from '../model/operation';
import type { Protocol } from '../model/spec';
import { blockedBy, eventOf, eventsAt, workProblems, type Room, type Work } from '../model/stopPlan';
import type { Authority, ServerTarget } from '../model/targets';
import type { Clients } from './clients';
import { drainEdge, drainServer, localId } from './draining';
import { isHeard, requireRoom } from './room';
import { abortSignal } from './context';
import { sweep } from './sweeping';

export interface StopActivities {
  /**
   * What a stop of this node would cut. Facts: only what a plan depends on; measured: the work. Problems: a blocking account or job at work; a Transaction Manager that hangs with
   * events in process, unless they are accepted; as a warning, the work.
   */
  checkWork(input: { node: ServerTarget; role: 'server' | 'edge'; blocking: string[]; acceptActive?: boolean }): Promise<CheckResult<{ node: string; blocked: string[] }, Work>>;
  /** Refuses when too few of the others are Online at this moment; changes nothing. */
  ensureRoom(input: { node: ServerTarget; room: Room }, authority: Authority): Promise<Outcome>;
  /**
   * Monitor, Scheduler and FolderMonitor, daemons, Transaction Manager; each awaited; all but the Administration Tool. Each graceful stop is remembered on the host until it has landed.
   * Events at work get `gracefulSeconds` to end: where some do not, they are accepted, or all that was stopped is started again and the stop refused (Refused, with their names).
   * Needs `drainLimitMs(gracefulSeconds)`. Undo: `servers.ensureOnline`.
   */
  ensureDrained(input: { server: ServerTarget; protocols: Protocol[]; gracefulSeconds: number; acceptActive: boolean; room?: Room }, authority: Authority): Promise<Outcome>;
  /** Monitor and daemons of an Edge; its database, proxy and Administration Tool go on. Undo: `edges.ensureOnline`. */
  ensureEdgeDrained(input: { edge: ServerTarget; protocols: Protocol[]; gracefulSeconds: number; room?: Room }, authority: Authority): Promise<Outcome>;
  /** Looks for marks `.m_inproc` older than the last stop of this Server that nobody works under; `release` removes them, so that the files can be submitted again. Notes name them. */
  ensureSwept(input: { server: ServerTarget; sharedPath: string; release: boolean }, authority: Authority): Promise<Outcome>;
}

export function stopActivities({ clients }: { clients: Clients }): StopActivities {
  return {
    async checkWork({ node, role, blocking, acceptActive = false }) {
      const work = await readWork(clients, node, role);
      const blocked = blockedBy(work, blocking);
      return { facts: { node: node.node, blocked }, problems: workProblems(work, blocked, { acceptActive }), measured: work };
    },
    async ensureRoom({ node, room }) {
      return { changed: false, note: await requireRoom(clients, node.node, room) };
    },
    async ensureDrained({ server, room, ...how }, authority) {
      return drainServer(clients, server, { ...how, ...(room ? { room } : {}) }, authority);
    },
    async ensureEdgeDrained({ edge, room, ...how }, authority) {
      return drainEdge(clients, edge, { ...how, ...(room ? { room } : {}) }, authority);
    },
    ensureSwept: (input, authority) => sweep(clients, input, authority),
  };
}

/** Whom a node serves now. A node that does not answer is asked nothing: what it does is unknown, and told so. */
async function readWork(clients: Clients, node: ServerTarget, role: 'server' | 'edge'): Promise<Work> {
  const admin = clients.admin.server(node.admin);
  const limits = { signal: abortSignal(), timeoutMs: 5_000 };
  const sessions = await admin.sessions(limits).catch(noAnswer(node.node));
  const accounts: Record<string, number> = {};
  for (const session of sessions) {
    const account = typeof session['accountName'] === 'string' ? session['accountName'] : 'unknown';
    accounts[account] = (accounts[account] ?? 0) + 1;
  }
  if (role === 'edge') return { node: node.node, sessions: sessions.length, accounts, transfers: [], active: [], ready: 0 };
  const hanging = async (): Promise<boolean> => (await admin.transactionManager(limits)).running && !(await isHeard(admin, node.address));
  const [id, events, transfers, hangs] = await Promise.all([localId(clients, node), admin.events({}, limits), admin.newestTransfers(limits).catch(() => []), hanging()]);
  const own = eventsAt(events.map(eventOf), id);
  return {
    node: node.node, sessions: sessions.length, accounts,
    transfers: transfers.filter(({ status, node: at }) => status === 'In Progress' && (at === undefined || at === id))
      .map(({ account = '', filename, size }) => ({ account, ...(filename === undefined ? {} : { file: filename }), ...(size === undefined ? {} : { bytes: size }) })),
    active: own.filter(({ status }) => status === 'active').map(({ account, file }) => ({ account, file })),
    ready: own.filter(({ status }) => status === 'ready').length,
    ...(hangs ? { hangs: true as const } : {}),
  };
}

const noAnswer = (node: string) => (error: unknown): never => {
  if (isSilence(error)) {
    throw new StError(error.code, `${node}: whom it serves could not be asked: ${error.message} A node that does not answer can't be stopped gracefully.`, { cause: error });
  }
  throw error;
};
