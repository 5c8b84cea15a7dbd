/** A Server as its Administration Tool shows it, and its start until it is Online. */
import type { AdminServer } from '../clients/adminApi';
import { statusOf } from '../clients/adminErrors';
import { waitFor } from '../clients/waitFor';
import { isSilence, StError, unlessSilent } from '../model/errors';
import type { ServerFacts } from '../model/facts';
import { statusIn } from '../model/nodeTable';
import type { Protocol } from '../model/spec';
import { abortSignal, waitsFor } from './context';
import { blamesLicence, loggedErrors } from './lookAtNode';

/** How long a start may take, in milliseconds. */
export const startMs = 5 * 60_000;
/** A start that takes longer tells what is still missing, in milliseconds. */
const usualStartMs = 10_000;
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
  return unlessSilent(admin.version({ signal: abortSignal(), timeoutMs: 5_000 }).then(() => true), false);
}

/** Waits until an Administration Tool answers. @throws NotYet with what it said last, or why nothing was heard */
export const awaitAnswers = (admin: AdminServer, node: string): Promise<unknown> =>
  waitFor(`${node}: the Administration Tool answers`, () => admin.version({ signal: abortSignal(), timeoutMs: 5_000 }), () => true, { timeoutMs: startMs, signal: abortSignal() });

/** A later Server's Administration Tool answers 503 until its node was added and it was restarted. */
const notOperational = (error: unknown): boolean => statusOf(error) === 503;

export interface Starting {
  /** What is waited for: `st2 is Online`. */
  what: string;
  admin: AdminServer;
  order: () => Promise<unknown>;
  /** In words what does not run yet; undefined when all does. */
  missing: () => Promise<string | undefined>;
}

/** Orders the start of a Server or an Edge, waits for two looks in a row that miss nothing, and orders again what was lost meanwhile. */
export async function startUntilOnline({ what, admin, order, missing }: Starting): Promise<void> {
  const began = performance.now();
  let ordered = -Infinity;
  let inARow = 0;
  await withLastWords(admin, () => waitFor(what, async () => {
    const seen = await missing();
    inARow = seen === undefined ? inARow + 1 : 0;
    const waited = performance.now() - began;
    if (seen !== undefined && waited - ordered > startAgainMs) {
      await order();
      ordered = waited;
    }
    if (seen !== undefined && waited > usualStartMs) waitsFor({ for: 'Online', names: seen, leftMs: startMs - waited });
    return seen ?? 'all of it runs';
  }, () => inARow >= 2, { timeoutMs: startMs, signal: abortSignal() }));
  waitsFor(undefined);
}

/** What of a Server keeps it from being Online; undefined when it is. */
export const missingOf = (look: Look): string | undefined => (online(look) ? undefined : inWords(look));

function inWords({ admin, tm, daemons, status }: Look): string {
  const runs = (what: string, running: boolean): string => `${what} ${running ? 'runs' : 'does not run'}`;
  return [`its Administration Tool is ${admin}`, runs('its Transaction Manager', tm), daemons ? 'all its protocol servers run' : 'not all its protocol servers run', ...(status === undefined ? [] : [`the product calls it ${status}`])].join(', ');
}

/** Adds what the log says last to a start that did not come to its end in time: a licence that is refused is told nowhere else. */
export async function withLastWords<T>(admin: AdminServer, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof StError && error.code === 'NotYet')) throw error;
    const errors = await loggedErrors(admin, { timeoutMs: 5_000 });
    const licence = blamesLicence(errors);
    const words = licence ?? errors.slice(-3).join(' | ').slice(0, 600);
    if (words === '') throw error;
    throw new StError('NotYet', licence === undefined ? `${error.message}. Its log: ${words}` : `Its log blames the licence: ${words} Put the right one there (FILEDRIVEHOME/conf), and on the worker's host. ${error.message}`, { cause: error });
  }
}
