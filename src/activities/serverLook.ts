/** A Server as its Administration Tool shows it, and its start until it is Online. */
import type { AdminServer } from '../clients/adminApi';
import { statusOf } from '../clients/adminErrors';
import { waitFor } from '../clients/waitFor';
import { isSilence, StError } from '../model/errors';
import type { ServerFacts } from '../model/facts';
import { statusIn } from '../model/nodeTable';
import type { Protocol } from '../model/spec';
import type { ServerTarget } from '../model/targets';
import { abortSignal } from './context';

/** How long a start may take, in milliseconds. */
export const startMs = 5 * 60_000;
/** Between two orders to start what did not come up: the product's start can be lost while it restarts other things. */
const startAgainMs = 10_000;

/** What one look at a Server tells. */
export interface Look {
  admin: ServerFacts['admin'];
  tm: boolean;
  daemons: boolean;
  members: string[] | null;
  /** The product's own word for this node, where it has one. */
  status: string | undefined;
}

const down: Look = { admin: 'not running', tm: false, daemons: false, members: null, status: undefined };

/** A Server whose Administration Tool does not answer is seen as down; a login that is refused is never seen so. */
async function look(admin: AdminServer, protocols: Protocol[], address: string): Promise<Look> {
  try {
    const options = { signal: abortSignal(), timeoutMs: 5_000 };
    const cluster = await admin.clusterManagement(options);
    const [tm, daemons] = await Promise.all([admin.transactionManager(options), admin.daemons(options)]);
    const nodes = cluster.clusterNodes ?? [];
    return { admin: 'running', tm: tm.running, daemons: protocols.every((protocol) => daemons[protocol] === true), members: nodes.map(({ serverAddress }) => serverAddress), status: statusIn(nodes, address) };
  } catch (error) {
    if (notOperational(error)) return { ...down, admin: 'not operational' };
    if (isSilence(error)) return down;
    throw error;
  }
}

/** A kept connection that the Server closed meanwhile looks like one that is down: only a second look, on a new connection, is believed. */
export async function lookTwice(...what: Parameters<typeof look>): Promise<Look> {
  const first = await look(...what);
  return first.admin === 'not running' ? look(...what) : first;
}

export const online = ({ admin, tm, daemons, status }: Look): boolean => admin === 'running' && tm && daemons && (status === undefined || status === 'Online');

export async function answering(admin: AdminServer): Promise<boolean> {
  try {
    await admin.version({ signal: abortSignal(), timeoutMs: 5_000 });
    return true;
  } catch (error) {
    if (isSilence(error)) return false;
    throw error;
  }
}


/** A later Server's Administration Tool answers 503 until its node was added and it was restarted. */
const notOperational = (error: unknown): boolean => statusOf(error) === 503;

export interface Starting {
  server: ServerTarget;
  read: () => Promise<Look>;
  order: () => Promise<unknown>;
  admin: AdminServer;
}

/** Orders the start, waits for two looks in a row that say Online, and orders again what was lost meanwhile. */
export async function startUntilOnline({ server, read, order, admin }: Starting): Promise<void> {
  let ordered = 0;
  let inARow = 0;
  try {
    await waitFor(`${server.node} is Online`, async () => {
      const seen = await read();
      inARow = online(seen) ? inARow + 1 : 0;
      if (inARow === 0 && Date.now() - ordered > startAgainMs) {
        await order();
        ordered = Date.now();
      }
      return { ...seen, inARow };
    }, () => inARow >= 2, { timeoutMs: startMs, signal: abortSignal() });
  } catch (error) {
    if (error instanceof StError && error.code === 'NotYet') throw new StError('NotYet', `${error.message}${await lastWords(admin)}`, { cause: error });
    throw error;
  }
}

async function lastWords(admin: AdminServer): Promise<string> {
  const entries = await admin.serverLog({ level: ['ERROR'], limit: 3 }, { timeoutMs: 5_000 }).catch(() => []);
  return entries.length > 0 ? `. Its log: ${JSON.stringify(entries).slice(0, 600)}` : '';
}
