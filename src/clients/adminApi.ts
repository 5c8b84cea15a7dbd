/** Typed calls to the Admin REST API v2.0 of SecureTransport (reference §§11, 11.1). */
import { endpoint } from '../model/fields';
import { FormData } from 'undici';
import { StError } from '../model/errors';
import type { AdminAccess } from '../model/targets';
import { edgeCalls, type EdgeCalls } from './adminEdges';
import { readList, readPage, readTwice } from './adminLists';
import { createLogins, type Logins } from './adminLogins';
import { createAdminSession, type AdminSession, type CallOptions, type Method } from './adminSession';

export type { Certificate, Listener, Zone, ZoneEdge } from './adminEdges';
export type { CallOptions } from './adminSession';

/** Daemons by protocol as the API names them. */
export type Protocol = 'ssh' | 'http' | 'ftp' | 'as2' | 'pesit';
export type ClusterServiceName = 'Scheduler' | 'FolderMonitor';

export interface ClusterNode { serverAddress: string; [field: string]: unknown }
export interface ClusterManagement { isCluster: boolean; clusterMode?: string; clusterNodes?: ClusterNode[] }
export interface NodeThreshold { numberOfNodes: number; sendNotification: boolean; subject: string; notification: string }
export interface Option { name: string; values: string[]; [field: string]: unknown }
export interface DatabaseConfiguration { databaseType: string; host: string; port: number | string; databaseName: string; username: string; useSecureConnection?: boolean }
export interface Session { id: string; [field: string]: unknown }
export interface Event { id: string; status: string; [field: string]: unknown }
export interface Transfer { id: string; account?: string; filename?: string; size?: number; node?: string; status?: string; [field: string]: unknown }
export interface LogEntry { [field: string]: unknown }
export interface OperationResult { isSuccessful: boolean; message: string }
export interface ServiceStatus { running: boolean; status: string }
/**
 * How a service is stopped; always said, since what is left out means at once, and a graceful stop without a limit may wait a day. A graceful stop runs on
 * the Server's own clock and can't be called off: it lands within its time, also on what was started meanwhile.
 */
export type Stop = { graceful: false } | { graceful: true; timeoutSeconds: number };

/**
 * The calls to one Server. Each throws StError: Unreachable (no answer, 5xx), ConnectionLost (a write without an answer), TlsRejected,
 * AuthenticationFailed, PermissionDenied (403), Refused (other 4xx), SecretUnavailable, FileUnavailable. An operation that the Server answers with
 * `isSuccessful: false` throws NotYet: live Servers say so for a moment and then do it. Success of a call is no proof of a state: wait for the state.
 */
export interface AdminServer extends EdgeCalls {
  /** Whether a login is kept, so that the next call is answered as fast as the Server answers. */
  loggedIn(): boolean;
  version(options?: CallOptions): Promise<{ version: string; build?: string; raw: Record<string, unknown> }>;
  /** True per protocol: `Running`. */
  daemons(options?: CallOptions): Promise<Partial<Record<Protocol, boolean>>>;
  startDaemon(daemon: Protocol, options?: CallOptions): Promise<OperationResult>;
  stopDaemon(daemon: Protocol, stop: Stop, options?: CallOptions): Promise<OperationResult>;
  transactionManager(options?: CallOptions): Promise<ServiceStatus>;
  /** There is no start in the API. */
  stopTransactionManager(stop: Stop, options?: CallOptions): Promise<OperationResult>;
  clusterService(name: ClusterServiceName, options?: CallOptions): Promise<ServiceStatus>;
  operateClusterService(operation: 'start' | 'stop', name: ClusterServiceName, options?: CallOptions): Promise<OperationResult>;
  clusterManagement(options?: CallOptions): Promise<ClusterManagement>;
  /** None on a standalone Server. */
  clusterNodes(options?: CallOptions): Promise<ClusterNode[]>;
  addClusterNode(address: string, options?: CallOptions): Promise<void>;
  removeClusterNode(address: string, options?: CallOptions): Promise<void>;
  nodeThreshold(options?: CallOptions): Promise<NodeThreshold>;
  setNodeThreshold(threshold: NodeThreshold, options?: CallOptions): Promise<void>;
  /** The external database that this Server uses; never its password. */
  database(options?: CallOptions): Promise<DatabaseConfiguration>;
  options(options?: CallOptions): Promise<Option[]>;
  option(name: string, options?: CallOptions): Promise<Option>;
  /** All or nothing; an unknown name is Refused and nothing changes. `['']` clears. */
  setOptions(values: Record<string, string[]>, options?: CallOptions): Promise<void>;
  /** Sets one option by JSON Patch. */
  patchOption(name: string, values: string[], options?: CallOptions): Promise<void>;
  /** What two reads in a row agree on: one may miss sessions that are open. Where none agree, all that were seen: nobody is taken for gone who may be there. */
  sessions(options?: CallOptions): Promise<Session[]>;
  events(filter?: { status?: 'ready' | 'active' }, options?: CallOptions): Promise<Event[]>;
  /** What the transfer log has begun last, newest first: at most 100. A read that misses some is no proof of anything. */
  newestTransfers(options?: CallOptions): Promise<Transfer[]>;
  /** The newest `limit` entries (100 by default, which is the most), oldest first. */
  serverLog(query?: { limit?: number; level?: string[]; component?: string[] }, options?: CallOptions): Promise<LogEntry[]>;
  /** Asks the Server to try this database; a "no" is an answer here. */
  testDatabase(database: { host: string; port: number; databaseName: string; username: string; password: string }, options?: CallOptions): Promise<OperationResult>;
}

export interface AdminApi {
  /** The Server behind this access; its connections and its login are shared and kept. */
  server(access: AdminAccess): AdminServer;
  /**
   * One login with a password that may be wrong, and a logout when it was right. True when it was; one that is wrong counts against that account, so the caller keeps
   * count. Touches neither the shared login nor what is known of refused credentials. @throws StError when there was no answer.
   */
  tryPassword(access: Pick<AdminAccess, 'address' | 'port' | 'ca'>, login: { user: string; password: string }, options?: CallOptions): Promise<boolean>;
  /** Lets refused credentials be tried again: of one access, or of all. */
  forget(access?: AdminAccess): void;
  /** Logs out and ends every connection. */
  close(): Promise<void>;
}

/** Makes the client that one worker shares. `timeoutMs`: of one request, 10 s by default. */
export function createAdminApi({ env, timeoutMs = 10_000 }: { env?: NodeJS.ProcessEnv; timeoutMs?: number } = {}): AdminApi {
  const logins = createLogins({ env });
  const servers = new Map<string, { session: AdminSession; server: AdminServer }>();
  return {
    server(access) {
      const key = JSON.stringify([access.address, access.port, access.user, access.password, access.ca]);
      let known = servers.get(key);
      if (!known) {
        const session = createAdminSession(access, logins, timeoutMs);
        known = { session, server: serverOver(session, endpoint(access.address, access.port)) };
        servers.set(key, known);
      }
      return known.server;
    },
    async tryPassword({ address, port, ca }, { user, password }, options) {
      const session = createAdminSession({ address, port, ca, user, password: '' }, oneTry(password), timeoutMs);
      try {
        await session.call('GET', '/myself', options);
        return true;
      } catch (error) {
        if (error instanceof StError && error.code === 'AuthenticationFailed') return false;
        throw error;
      } finally {
        await session.close();
      }
    },
    forget: (access) => logins.forget(access),
    async close() {
      const open = [...servers.values()];
      servers.clear();
      await Promise.allSettled(open.map(({ session }) => session.close()));
    },
  };
}

/** Logins that know one password and remember nothing: a second try is never made, since the session's first login is told as it was answered. */
function oneTry(password: string): Logins {
  let tried = false;
  return {
    logIn: async (_access, tryPassword) => {
      if (tried) throw new StError('ConnectionLost', 'the session of the one login was lost; another is not made');
      tried = true;
      return tryPassword(password, '');
    },
    fingerprint: async () => '',
    refused: async (_access, message) => new StError('ConnectionLost', message),
    forget: () => undefined,
  };
}

const management = '/configurations/clusterManagement';
const settings = '/configurations/options';

function serverOver(session: AdminSession, place: string): AdminServer {
  const get = async <T>(path: string, call: CallOptions & { query?: Record<string, string> } = {}): Promise<T> => (await session.call('GET', path, call)).body as T;
  const write = async (method: Method, path: string, body: unknown, options?: CallOptions): Promise<void> => void (await session.call(method, path, { ...options, body }));
  const status = async (path: string, call: CallOptions & { query?: Record<string, string> } = {}): Promise<ServiceStatus> => {
    const found = (await get<{ status?: unknown } | undefined>(path, call))?.status;
    if (typeof found !== 'string') throw new StError('Refused', `GET ${path} at ${place}: the answer has no status.`);
    return { running: isRunning(found), status: found };
  };
  const operate = async (path: string, query: Record<string, string | number | boolean | undefined>, options: CallOptions = {}): Promise<OperationResult> => {
    const { body } = await session.call('POST', path, { timeoutMs: options.timeoutMs, signal: options.signal, query });
    const result = resultOf(body);
    if (!result.isSuccessful) throw new StError('NotYet', `POST ${path} (${Object.values(query).filter((value) => value !== undefined).join(' ')}) at ${place}: not successful: ${result.message}`);
    return result;
  };
  const clusterManagement = (options?: CallOptions): Promise<ClusterManagement> => get(management, options);

  return {
    ...edgeCalls(session),
    loggedIn: () => session.loggedIn(),
    async version(options) {
      const raw = (await get<{ version?: string | number; build?: string | number } | undefined>('/version', options)) ?? {};
      return { version: String(raw.version ?? ''), ...(raw.build === undefined ? {} : { build: String(raw.build) }), raw };
    },
    async daemons(options) {
      const found = (await get<Record<string, unknown> | undefined>('/daemons', options)) ?? {};
      const entries = Object.entries(found).filter(([name, value]) => name.endsWith('Status') && typeof value === 'string');
      return Object.fromEntries(entries.map(([name, value]) => [name.slice(0, -'Status'.length), isRunning(value as string)]));
    },
    startDaemon: (daemon, options) => operate('/daemons/operations', { operation: 'start', daemon }, options),
    stopDaemon: (daemon, stop, options) => operate('/daemons/operations', { operation: 'stop', daemon, ...stopQuery(stop) }, options),
    transactionManager: (options) => status('/transactionManager', options),
    stopTransactionManager: (stop, options) => operate('/transactionManager/operations', { operation: 'stop', ...stopQuery(stop) }, options),
    clusterService: (name, options) => status('/clusterServices', { ...options, query: { serviceName: name } }),
    operateClusterService: (operation, name, options) => operate('/clusterServices/operations', { operation, serviceName: name }, options),
    clusterManagement,
    clusterNodes: async (options) => (await clusterManagement(options)).clusterNodes ?? [],
    addClusterNode: (address, options) => write('POST', `${management}/nodes`, { serverAddress: address }, options),
    removeClusterNode: (address, options) => write('DELETE', `${management}/nodes/${encodeURIComponent(address)}`, undefined, options),
    nodeThreshold: (options) => get(`${management}/nodeThreshold`, options),
    setNodeThreshold: (threshold, options) => write('PUT', `${management}/nodeThreshold`, threshold, options),
    database: (options) => get('/configurations/database', options),
    options: (options) => readList<Option>(session, settings, {}, ({ name }) => name, options),
    option: (name, options) => get(`${settings}/${encodeURIComponent(name)}`, options),
    setOptions: (values, options) => write('PUT', settings, Object.entries(values).map(([name, one]) => ({ name, values: one })), options),
    patchOption: (name, values, options) => write('PATCH', `${settings}/${encodeURIComponent(name)}`, [{ op: 'replace', path: '/values', value: values }], options),
    sessions: (options) => readTwice(() => readList<Session>(session, '/sessions', {}, idOf, options)),
    async events(filter = {}, options) {
      const found = await readList<Event>(session, '/events', { status: filter.status }, idOf, options);
      // Filters that a resource does not know are ignored, not refused.
      return filter.status === undefined ? found : found.filter((event) => event.status === filter.status);
    },
    newestTransfers: async (options) => (await readPage<Transfer>(session, '/logs/transfers', { sortByStartTime: 'descending' }, 0, 100, options)).result,
    async serverLog({ limit = 100, level, component } = {}, options) {
      const query = { level, component };
      const { total } = await readPage(session, '/logs/server', query, 0, 1, options);
      const most = Math.min(limit, 100);
      return (await readPage<LogEntry>(session, '/logs/server', query, Math.max(0, total - most), most, options)).result;
    },
    async testDatabase(database, options) {
      const form = new FormData();
      for (const [name, value] of Object.entries(database)) form.append(name, String(value));
      return resultOf((await session.call('POST', '/configurations/database/operations', { ...options, query: { operation: 'test' }, body: form })).body);
    },
  };
}

const idOf = ({ id }: { id: string }): string => id;

const stopQuery = (stop: Stop): Record<string, number | boolean | undefined> => ({ graceful: stop.graceful, timeout: stop.graceful ? stop.timeoutSeconds : undefined });

/** Some resources end the word with a full stop, others don't. */
const isRunning = (status: string): boolean => /^running\.?$/i.test(status.trim());

/** `{isSuccessful, message}`, or the same one level down, for one thing or a list of them: all must have worked. */
function resultOf(body: unknown): OperationResult {
  const silent = { isSuccessful: false, message: 'the answer does not say whether it worked' };
  if (typeof body !== 'object' || body === null) return silent;
  const results = 'isSuccessful' in body ? [body] : Object.values(body).flat();
  const said = results.filter((one): one is OperationResult => typeof one === 'object' && one !== null && 'isSuccessful' in one);
  if (said.length === 0) return silent;
  return { isSuccessful: said.every((one) => one.isSuccessful === true), message: said.map((one) => one.message ?? '').join('; ') };
}
