/**
 * HAProxy by its admin socket (infrastructure reference §5). One connection, one command, one reply; an empty reply to `set` is success, any text is a
 * refusal. HAProxy believes whatever it is told (a mistyped backend too), so every change is checked before and read back after.
 */
import type { Duplex } from 'node:stream';
import { StError } from '../model/errors';
import { shorten } from '../model/shorten';
import type { Authority, SshAccess } from '../model/targets';
import { guardedCommand } from './guard';
import { script } from './quote';
import type { SshPool } from './ssh';

/** Opens one connection to the admin socket. */
export type SocketOpener = (limits: CallLimits) => Promise<Duplex>;
export interface CallLimits { timeoutMs: number; signal?: AbortSignal }

export type ServerMode = 'ready' | 'drain' | 'maint';

export interface ServerState {
  backend: string;
  server: string;
  address: string;
  /** 0 stopped, 1 starting, 2 running, 3 stopping. */
  operational: number;
  /** As set by configuration or command, 0 to 256. */
  weight: number;
  /** Seconds since its state changed the last time. */
  sinceChange: number;
  admin: AdminState;
}
export interface AdminState { forcedMaint: boolean; inheritedMaint: boolean; configMaint: boolean; forcedDrain: boolean; inheritedDrain: boolean; dnsMaint: boolean; fqdnFromSocket: boolean }

export interface Haproxy {
  showBackends(limits: CallLimits): Promise<string[]>;
  /** Paths of all maps. */
  showMaps(limits: CallLimits): Promise<string[]>;
  /** The map as it is in memory. */
  showMap(path: string, limits: CallLimits): Promise<Record<string, string>>;
  /** Sets one key in memory and reads it back. `backends`: full names that must exist, since HAProxy accepts any text. @throws StError Refused. */
  setMap(path: string, key: string, value: string, backends: readonly string[], limits: CallLimits): Promise<void>;
  /** The states of all servers as HAProxy writes and reads them. */
  serversState(limits: CallLimits): Promise<string>;
  /** Of one backend, or of all. @throws StError Refused when there is no such backend. */
  showServersState(backend: string | undefined, limits: CallLimits): Promise<ServerState[]>;
  /** Seconds since HAProxy was started, or reloaded. */
  uptime(limits: CallLimits): Promise<number>;
  /** One record per line, by the header's names. */
  showStat(limits: CallLimits): Promise<Record<string, string>[]>;
  /** Sets the state and reads it back. */
  setServerState(backend: string, server: string, state: ServerMode, limits: CallLimits): Promise<void>;
  /** Sets the weight in one backend, 0 to 256, and reads it back. A server that tracks another has a weight of its own. */
  setServerWeight(backend: string, server: string, weight: number, limits: CallLimits): Promise<void>;
}

/** More than any reply: 20 nodes in a dozen backends are some 100 KB. */
const mostReply = 4 * 1024 * 1024;

export function createHaproxy(open: SocketOpener): Haproxy {
  const ask = async (command: string, limits: CallLimits): Promise<string> => {
    // A line break or a semicolon would begin another command.
    if (/[\n\r;]/.test(command)) throw new StError('InvalidInput', `HAProxy: "${command.slice(0, 120)}" is more than one command`);
    return readReply(await open(limits), command, limits);
  };
  const set = async (command: string, limits: CallLimits): Promise<void> => {
    const reply = (await ask(command, limits)).trim();
    if (reply !== '') throw new StError('Refused', `HAProxy refused "${command}": ${shorten(reply, 300)}`);
  };
  const haproxy: Haproxy = {
    showBackends: async (limits) => rows(await ask('show backend', limits)),
    // A line is: number, path in brackets, what it is.
    showMaps: async (limits) => rows(await ask('show map', limits)).flatMap((line) => /^-?\d+ \((.+?)\) /.exec(line)?.slice(1) ?? []),
    async showMap(path, limits) {
      const reply = await ask(`show map ${path}`, limits);
      if (/^Unknown map/i.test(reply)) throw new StError('Refused', `HAProxy knows no map ${path}: ${reply.trim()}`);
      // A line is: address of the entry, key, value.
      return Object.fromEntries(rows(reply).map((line) => line.split(/\s+/)).map(([, key = '', value = '']) => [key, value]));
    },
    async setMap(path, key, value, backends, limits) {
      const known = await haproxy.showBackends(limits);
      const missing = backends.filter((name) => !known.includes(name));
      if (backends.length === 0 || missing.length > 0) throw new StError('Refused', `HAProxy has no backend for ${value}${missing.length > 0 ? `: ${missing.join(', ')}` : ''}; the map ${path} was not changed`);
      const before = await haproxy.showMap(path, limits);
      await set(key in before ? `set map ${path} ${key} ${value}` : `add map ${path} ${key} ${value}`, limits);
      const after = (await haproxy.showMap(path, limits))[key];
      if (after !== value) throw new StError('NotYet', `HAProxy: the map ${path} says ${key} ${after ?? '(nothing)'} after it was set to ${value}`);
    },
    async showServersState(backend, limits) {
      const reply = await ask(backend === undefined ? 'show servers state' : `show servers state ${backend}`, limits);
      if (!/^# /m.test(reply)) throw new StError('Refused', `HAProxy: ${reply.trim().slice(0, 300) || `no backend ${backend ?? 'at all'}`}`);
      return parseServersState(reply);
    },
    async uptime(limits) {
      const told = /^Uptime_sec: (\d+)$/m.exec(await ask('show info', limits))?.[1];
      if (told === undefined) throw new StError('Refused', 'HAProxy does not tell since when it runs (show info: Uptime_sec)');
      return Number(told);
    },
    serversState: (limits) => ask('show servers state', limits),
    async showStat(limits) {
      const [header = '', ...lines] = (await ask('show stat', limits)).split('\n').filter((line) => line.trim() !== '');
      return lines.map((line) => record(header.replace(/^# /, '').split(','), line.split(',')));
    },
    async setServerState(backend, server, state, limits) {
      await set(`set server ${backend}/${server} state ${state}`, limits);
      const found = (await haproxy.showServersState(backend, limits)).find((one) => one.server === server);
      const is = found === undefined ? undefined : found.admin.forcedMaint ? 'maint' : found.admin.forcedDrain ? 'drain' : 'ready';
      if (is !== state) throw new StError('NotYet', `HAProxy: ${backend}/${server} is ${is ?? 'unknown'} after it was set to ${state}`);
    },
    async setServerWeight(backend, server, weight, limits) {
      await set(`set server ${backend}/${server} weight ${weight}`, limits);
      const found = (await haproxy.showServersState(backend, limits)).find((one) => one.server === server)?.weight;
      if (found !== weight) throw new StError('NotYet', `HAProxy: ${backend}/${server} has weight ${found ?? 'unknown'} after it was set to ${weight}`);
    },
  };
  return haproxy;
}

/** A reply to `show servers state`, or the file that such replies are kept in. */
export function parseServersState(text: string): ServerState[] {
  const header = text.split('\n').find((line) => line.startsWith('# '))?.slice(2).trim().split(/\s+/) ?? [];
  return rows(text).filter((line) => line.includes(' ')).map((line) => serverState(record(header, line.split(/\s+/))));
}

/** HAProxy on a host, through SSH. */
export function haproxyOverSsh(pool: SshPool, access: SshAccess, socket: string): Haproxy {
  return createHaproxy((limits) => pool.openUnixSocket(access, socket, limits));
}

/** The map file on the host. */
export async function readMapFile(pool: SshPool, access: SshAccess, path: string, limits: CallLimits): Promise<Record<string, string>> {
  const { stdout } = await pool.run(access, ['cat', path], { ...limits, purpose: `reading ${path}` });
  return Object.fromEntries(rows(stdout).map((line) => line.split(/\s+/)).map(([key = '', value = '']) => [key, value]));
}

/**
 * $1 path, $2 key, $3 value. The new content goes to a file beside, is flushed and renamed: a reload meanwhile reads the old file or the new one.
 * In a folder that may not be written the file itself is, since a map that is half-written for a moment beats one that reverts at the next reload.
 * Clusters that share the balancer share the file: the lock keeps one from undoing the line of another.
 */
const persistScript = String.raw`
set -e
umask 022
exec 7>>"$HOME/.st-orchestrator/map.lock"
flock -w 10 7
new="$1.st-orchestrator"
edit() { awk -v key="$2" -v value="$3" '$1 == key { if (!found) print key, value; found = 1; next } { print } END { if (!found) print key, value }' "$1"; }
if edit "$1" "$2" "$3" 2>/dev/null >"$new"; then
  sync "$new"
  mv -f "$new" "$1"
else
  rm -f "$new"
  content=$(edit "$1" "$2" "$3")
  printf '%s\n' "$content" >"$1"
  sync "$1"
fi
`;

/** Writes one key into the map file on the host, guarded by the cluster's epoch there; reads it back. Answers whether it changed. */
export async function persistMap(pool: SshPool, access: SshAccess, authority: Authority, map: { path: string; key: string; value: string }, limits: CallLimits): Promise<boolean> {
  const { path, key, value } = map;
  // Blanks separate the fields of the file, and awk reads backslashes.
  if (![key, value].every((word) => /^[^\s\\#]+$/.test(word))) throw new StError('InvalidInput', `${path}: "${key} ${value}" is no line of a map`);
  if ((await readMapFile(pool, access, path, limits))[key] === value) return false;
  await pool.run(access, guardedCommand(authority, script(persistScript, [path, key, value]), { sharedHost: true }), { ...limits, purpose: `writing ${path}` });
  const after = (await readMapFile(pool, access, path, limits))[key];
  if (after !== value) throw new StError('NotYet', `${access.address}: ${path} says ${key} ${after ?? '(nothing)'} after ${value} was written`);
  return true;
}

function readReply(stream: Duplex, command: string, { timeoutMs, signal }: CallLimits): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => end(new StError('NotYet', `HAProxy did not answer "${command}" within ${timeoutMs} ms`)), timeoutMs);
    const abort = (): void => end(signal?.reason as Error);
    const end = (error?: Error): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      stream.destroy();
      if (error) reject(error);
      else resolve(Buffer.concat(chunks).toString());
    };
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > mostReply) end(new StError('Refused', `HAProxy's answer to "${command}" is longer than ${mostReply} bytes`));
      else chunks.push(chunk);
    });
    stream.once('error', (error) => end(new StError('ConnectionLost', `HAProxy: the connection was lost during "${command}": ${error.message}`, { cause: error })));
    // A lost connection ends the stream just like a finished answer, but an answer always ends with an empty line.
    const ended = (): void => {
      const text = Buffer.concat(chunks).toString();
      end(text === '\n' || text.endsWith('\n\n') ? undefined : new StError('ConnectionLost', `HAProxy: the connection was lost during "${command}"; it may or may not have happened`));
    };
    stream.once('end', ended);
    stream.once('close', ended);
    stream.write(`${command}\n`);
  });
}

/** Lines with content that are no comments. */
const rows = (reply: string): string[] => reply.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));

const record = (header: readonly string[], values: readonly string[]): Record<string, string> => Object.fromEntries(header.map((name, index) => [name, values[index] ?? '']));

function serverState(row: Record<string, string>): ServerState {
  const bits = Number(row['srv_admin_state']);
  const bit = (value: number): boolean => (bits & value) !== 0;
  return {
    backend: row['be_name'] ?? '', server: row['srv_name'] ?? '', address: row['srv_addr'] ?? '', operational: Number(row['srv_op_state']), weight: Number(row['srv_uweight']), sinceChange: Number(row['srv_time_since_last_change']),
    admin: { forcedMaint: bit(1), inheritedMaint: bit(2), configMaint: bit(4), forcedDrain: bit(8), inheritedDrain: bit(16), dnsMaint: bit(32), fqdnFromSocket: bit(64) },
  };
}
