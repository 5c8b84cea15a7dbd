/** What a graceful stop may do and must wait for (reference §8.5, §11.1, §16), decided from what was seen. Pure. */
import { hangsText } from './nodeLook';
import type { Problem, Waits } from './operation';
import type { Protocol } from './specTypes';
import type { AdminAccess, ServerTarget, SshAccess } from './targets';

/** The service behind each protocol, as the commands in `bin/` call it. */
export const daemonOf: Record<Protocol, string> = { ssh: 'sshd', http: 'httpd', ftp: 'ftpd', as2: 'as2d', pesit: 'pesitd' };

/** The product wants at least so many seconds for the Transaction Manager (reference §8.5). */
const leastTmSeconds = 30;
export const tmSeconds = (gracefulSeconds: number): number => Math.max(leastTmSeconds, gracefulSeconds);

/** The longest that a whole drain may take: daemons, the events at work, the Transaction Manager, and what the product needs besides. Milliseconds. */
export const drainLimitMs = (gracefulSeconds: number): number => (2 * gracefulSeconds + tmSeconds(gracefulSeconds) + 300) * 1_000;

/** A graceful stop that was asked for on a host and has not been seen to land. */
export interface PendingStop {
  service: string;
  /** Seconds until its time limit; 0 or less: over. */
  left: number;
  epoch: number;
  operation: string;
}

/** Lines of `service<TAB>seconds left<TAB>epoch<TAB>operation`, and one `processes<TAB>count` of the product. */
export function readPending(stdout: string): { pending: PendingStop[]; processes: number } {
  const rows = stdout.split('\n').filter((line) => line.includes('\t')).map((line) => line.split('\t'));
  const processes = Number(rows.find(([key]) => key === 'processes')?.[1] ?? NaN);
  return { pending: rows.filter(([key]) => key !== 'processes').map(([service = '', left, epoch, operation = '']) => ({ service, left: Number(left), epoch: Number(epoch), operation })), processes };
}

/** What of the pending stops may still undo a start: of services that run, or of which nobody can say, within their time. `running` is null where nobody could say. */
export const stillPending = (pending: readonly PendingStop[], running: readonly string[] | null): PendingStop[] =>
  pending.filter(({ service, left }) => left > -lateSeconds && (running === null || running.includes(service)));

/** A stop whose time is over takes a moment longer to be felt. */
const lateSeconds = 3;

export interface WorkEvent {
  id: string;
  account: string;
  file: string;
  /** Of the Server that it was given to, as the product names it; empty where it does not say. */
  node: string;
  status: string;
  /** Milliseconds since 1970 by the product's clock; 0 where it does not say. */
  heartbeat: number;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** An entry of `GET /events` in our words. */
export function eventOf(raw: { id: string; status: string; [field: string]: unknown }): WorkEvent {
  const { id, status } = raw;
  return { id, status, account: text(raw['accountName']) || text(raw['account']), file: text(raw['fileName']), node: text(raw['node']), heartbeat: Number(raw['lastHeartbeat'] ?? 0) };
}

/** Events of this Server; one that names no Server may be its own. `node` empty: nobody knows how it is called, and every event may be. */
export const eventsAt = (events: readonly WorkEvent[], node: string): WorkEvent[] => events.filter((event) => event.node === '' || node === '' || event.node === node);

/**
 * Events that were at work at the first look and still are. New ones need not be waited for: a Transaction Manager that is stopped gracefully takes no more
 * and ends those, but what does not end by itself would be cut.
 */
export const stuckOf = (first: readonly WorkEvent[], now: readonly WorkEvent[]): WorkEvent[] => now.filter(({ id }) => first.some((event) => event.id === id));

/** Whether events gave no sign of life between two looks: a failed transfer may stay active for ever. */
export const silent = (before: readonly WorkEvent[], now: readonly WorkEvent[]): boolean =>
  now.every(({ id, heartbeat }) => before.some((event) => event.id === id && event.heartbeat === heartbeat));

const mostNamed = 15;

/** "alice/a.dat, bob/b.dat and 3 more". */
export function nameFiles(files: readonly { account: string; file: string }[]): string {
  const names = files.map(({ account, file }) => `${account}${file.startsWith('/') ? '' : '/'}${file}`);
  return names.length <= mostNamed ? names.join(', ') : `${names.slice(0, mostNamed).join(', ')} and ${names.length - mostNamed} more`;
}

/** What a drain waits for: "3 events in process and 2 sessions", or the services where nothing is known to be at work. */
export function drainWait(services: readonly string[], { sessions, events }: { sessions: readonly string[]; events: readonly { account: string; file: string }[] }): Waits {
  const some = (count: number, what: string, more = ''): string[] => (count === 0 ? [] : [`${count} ${what}${count === 1 ? '' : 's'}${more}`]);
  const counts = [...some(events.length, 'event', ' in process'), ...some(sessions.length, 'session')].join(' and ');
  const names = [nameFiles(events), [...new Set(sessions)].slice(0, mostNamed).join(', ')].filter(Boolean).join('; ').slice(0, mostWaitNames);
  return { for: counts || `${services.map((service) => (service === 'tm' ? 'the Transaction Manager' : service)).join(', ')} to end`, ...(names ? { names } : {}) };
}

/** It goes with every heartbeat. */
const mostWaitNames = 300;

/** What the stop of one node would cut, as it was seen; another at every look. */
export interface Work {
  node: string;
  sessions: number;
  /** Open sessions by account. */
  accounts: Record<string, number>;
  transfers: { account: string; file?: string; bytes?: number }[];
  active: { account: string; file: string }[];
  ready: number;
  /** Its Transaction Manager runs, and the product hears nothing of it. */
  hangs?: true;
}

/** Accounts or files named as blocking that are at work on the node. */
export function blockedBy({ accounts, transfers, active }: Work, blocking: readonly string[]): string[] {
  const files = [...transfers, ...active].flatMap(({ account, file }) => [account, ...(file === undefined ? [] : [file, file.replace(/^.*\//, ''), `${account}${file}`])]);
  const atWork = new Set([...Object.keys(accounts), ...files]);
  return blocking.filter((name) => atWork.has(name));
}

/** An Edge does not know whose its sessions are. */
function byAccount(accounts: Work['accounts']): string {
  const named = Object.entries(accounts).filter(([account]) => account !== '').slice(0, mostNamed);
  return named.length === 0 ? '' : ` (${named.map(([account, count]) => `${account} ${count}`).join(', ')})`;
}

/** What a person reads before anything is stopped: a warning with what would be cut, and a refusal for each blocking account or job at work, and for files that a Transaction Manager holds which hangs. */
export function workProblems(work: Work, blocked: readonly string[], { acceptActive }: { acceptActive: boolean }): Problem[] {
  const { node, sessions, accounts, transfers, active, ready } = work;
  const problems: Problem[] = blocked.map((name) => ({ what: `${node}: "${name}" is at work there, and was named as blocking`, remedy: 'wait until it has ended and run this again, or leave it out of "blocking"' }));
  if (work.hangs) {
    const hangs = `${node}: ${hangsText}`;
    if (active.length === 0) problems.push({ what: `${hangs}. It works on nothing`, remedy: '', level: 'warning' });
    else {
      const held = `${hangs}. It holds ${nameFiles(active)}, which no graceful stop ends: stopped with it they stay "In Progress", and nobody processes them`;
      problems.push(acceptActive ? { what: held, remedy: '', level: 'warning' } : { what: held, remedy: 'see its log, and whether it comes back; or accept the cut with "acceptActive": they are listed, and with "sweep" released for resubmission' });
    }
  }
  const bytes = transfers.reduce((sum, transfer) => sum + (transfer.bytes ?? 0), 0);
  const parts = [
    ...(sessions > 0 ? [`${sessions} open session${sessions === 1 ? '' : 's'}${byAccount(accounts)}`] : []),
    ...(transfers.length > 0 ? [`${transfers.length} transfer${transfers.length === 1 ? '' : 's'} in progress, ${bytes} bytes (${nameFiles(transfers.map(({ account, file = '' }) => ({ account, file })))})`] : []),
    ...(active.length > 0 ? [`${active.length} event${active.length === 1 ? '' : 's'} in process (${nameFiles(active)})`] : []),
    ...(ready > 0 ? [`${ready} queued, which go to other Servers`] : []),
  ];
  if (parts.length > 0) problems.push({ what: `${node}: stopping it touches ${parts.join('; ')}. They get the time of the graceful stop to end; which schedules fall into it the product does not tell`, remedy: '', level: 'warning' });
  return problems;
}

/** A mark `.m_inproc` beside a file. */
export interface Mark {
  path: string;
  /** Seconds since 1970 by the host's clock. */
  at: number;
}

/**
 * Marks that nobody works under any more: older than the stop, and of no file by the name of which an event is at work. `node` is the stopped one; an event of its own
 * that has not beaten since the stop is taken up by nobody. Folders are not compared: an account's home may be anywhere. None where an event does not name its file.
 */
export function leftBehind(marks: readonly Mark[], { stoppedAt, node, active }: { stoppedAt: number; node: string; active: readonly WorkEvent[] }): Mark[] {
  const dead = (event: WorkEvent): boolean => node !== '' && event.node === node && event.heartbeat > 0 && event.heartbeat / 1_000 <= stoppedAt + lateSeconds;
  const atWork = active.filter((event) => !dead(event)).map(({ file }) => baseName(file));
  if (atWork.includes('')) return [];
  return marks.filter(({ path, at }) => at <= stoppedAt && !atWork.includes(baseName(path.replace(/\.m_inproc$/, ''))));
}

const baseName = (path: string): string => path.replace(/^.*\//s, '');

/** Several things that are reached alike, short enough for one slice: what their accesses have in common is told once. */
interface Alike<Access extends { address: string }> {
  accesses: Omit<Access, 'address'>[];
  nodes: { address: string; access: number }[];
}

function alike<Access extends { address: string }>(all: readonly Access[]): Alike<Access> {
  const accesses: Omit<Access, 'address'>[] = [];
  const nodes = all.map(({ address, ...rest }) => {
    const key = JSON.stringify(rest);
    const known = accesses.findIndex((access) => JSON.stringify(access) === key);
    return { address, access: known >= 0 ? known : accesses.push(rest) - 1 };
  });
  return { accesses, nodes };
}

/** The other nodes of a role, with their Administration Tools. */
export interface Neighbours extends Alike<AdminAccess> {
  nodes: { node: string; address: string; access: number }[];
}

export function neighboursOf(targets: readonly ServerTarget[]): Neighbours {
  const { accesses, nodes } = alike(targets.map(({ admin }) => admin));
  return { accesses, nodes: nodes.map((one, index) => ({ node: targets[index]!.node, ...one })) };
}

/** The others that must be Online while a node is down. */
export interface Room {
  role: 'server' | 'edge';
  others: Neighbours;
  /** How many of them. */
  keep: number;
  /** Of Edges: what each must run and be connected on, and their hosts in the order of `others`, whose kernels know who is connected. */
  doors?: { protocols: Protocol[]; hosts: Alike<SshAccess> };
}

/** An Edge counts only where a Transaction Manager is connected to it: without one it serves nobody (reference §14). */
export const roomFor = (role: Room['role'], others: readonly ServerTarget[], keep: number, protocols: Protocol[]): Room =>
  ({ role, others: neighboursOf(others), keep, ...(role === 'edge' ? { doors: { protocols, hosts: alike(others.map(({ ssh }) => ssh)) } } : {}) });

/** What was seen of one of the others; null where nobody could say. `served`: of an Edge that runs. */
export interface RoomState {
  node: string;
  online: boolean | null;
  served?: boolean | null;
}

/** Where it was not looked at, it is not missed. */
export const serves = ({ online, served = true }: Pick<RoomState, 'online' | 'served'>): boolean => online === true && served === true;

/** What is wrong with a node that does not serve. */
export function whyNot({ node, online, served }: RoomState): string {
  if (online === null) return `${node} does not answer`;
  if (!online) return `${node} is not Online`;
  return served === null ? `${node}: whether a Transaction Manager is connected to it can't be told` : `${node} runs, and no Transaction Manager is connected to it`;
}

/** Why a node must not be taken down now; undefined when it may. */
export function roomProblem(node: string, { role, keep }: Room, states: readonly RoomState[]): string | undefined {
  const online = states.filter(serves).length;
  if (online >= keep) return undefined;
  const what = role === 'server' ? 'Server' : 'Edge';
  const others = states.filter((state) => !serves(state)).map(whyNot);
  return `${node} is not taken down: of the other ${what}s ${online} ${online === 1 ? 'is' : 'are'} Online and ${keep} must stay${others.length > 0 ? ` (${others.join(', ')})` : ''}`;
}
