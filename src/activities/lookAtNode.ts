/** One look at one Server or Edge by its Administration Tool: two short calls on a kept connection, and a second opinion when it says nothing. */
import type { AdminServer, CallOptions, ClusterServiceName } from '../clients/adminApi';
import { statusOf, transportCodeOf } from '../clients/adminErrors';
import { knock } from '../clients/knock';
import { StError } from '../model/errors';
import { adminService, judgeEdge, judgeFailure, judgeServer, mayBeAnOldConnection, transactionManager, type FailedCall, type NodeLook } from '../model/nodeLook';
import { shorten } from '../model/shorten';
import type { Protocol } from '../model/spec';
import type { ServerTarget } from '../model/targets';
import type { Clients } from './clients';

export interface LookedAt {
  role: 'server' | 'edge';
  target: ServerTarget;
  protocols: readonly Protocol[];
}

/** What changes slowly, and is asked seldom. What does not answer is left out. */
export interface NodeDetails {
  version?: string;
  sessions?: number;
  services: Record<string, boolean>;
}

/** Never throws but for an abort: what goes wrong is what was seen. */
export async function lookAtNode({ admin }: Pick<Clients, 'admin'>, node: LookedAt, limits: CallOptions): Promise<NodeLook> {
  const server = admin.server(node.target.admin);
  try {
    return await ask(server, node, limits);
  } catch (first) {
    limits.signal?.throwIfAborted();
    if (!mayBeAnOldConnection(failedCall(first))) return judgeFailure(failedCall(first));
  }
  try {
    return await ask(server, node, limits);
  } catch (second) {
    limits.signal?.throwIfAborted();
    return judgeFailure(failedCall(second));
  }
}

/** What the port alone tells of an Administration Tool that can't be asked; undefined when somebody listens. */
export async function lookBeforeLogin({ target: { admin: { address, port } } }: LookedAt, limits: { timeoutMs: number }): Promise<NodeLook | undefined> {
  const found = await knock(address, port, limits);
  return found === 'open' ? undefined : judgeFailure({ code: 'Unreachable', message: '', ...(found === 'refused' ? { transport: 'ECONNREFUSED' } : {}) });
}

async function ask(server: AdminServer, { role, protocols }: LookedAt, limits: CallOptions): Promise<NodeLook> {
  // Both calls are awaited: one that is left behind would fail unheard.
  const [daemons, manager] = await Promise.allSettled([server.daemons(limits), role === 'server' ? server.transactionManager(limits) : undefined]);
  if (daemons.status === 'rejected') throw daemons.reason;
  if (manager.status === 'rejected') throw manager.reason;
  const services: Record<string, boolean> = { [adminService]: true, ...Object.fromEntries(protocols.map((protocol) => [protocol, daemons.value[protocol] === true])) };
  if (protocols.every((protocol) => daemons.value[protocol] === undefined)) throw new StError('Refused', 'GET /daemons names none of the protocols.');
  if (manager.value) services[transactionManager] = manager.value.running;
  return role === 'server' ? judgeServer(services) : judgeEdge(services, protocols);
}

function failedCall(error: unknown): FailedCall {
  const status = statusOf(error);
  const transport = transportCodeOf(error);
  return {
    code: error instanceof StError ? error.code : 'Bug', message: shorten(error instanceof Error ? error.message : String(error), 300),
    ...(status === undefined ? {} : { status }), ...(transport === undefined ? {} : { transport }),
  };
}

/** Whether the host itself is there, in words; a host behind a jump host can't be asked so. */
export async function hostSign({ ssh }: ServerTarget, limits: { timeoutMs: number; signal?: AbortSignal }): Promise<{ answers: boolean; words: string } | undefined> {
  if (ssh.jump) return undefined;
  const found = await knock(ssh.address, ssh.port, limits);
  if (found === 'silent') return { answers: false, words: 'nor does anything else of its host' };
  return { answers: true, words: `its host does (port ${ssh.port} ${found === 'open' ? 'is open' : 'refuses'})` };
}

const clusterServices: ClusterServiceName[] = ['Scheduler', 'FolderMonitor'];

export async function readDetails({ admin }: Pick<Clients, 'admin'>, { role, target }: LookedAt, limits: CallOptions): Promise<NodeDetails> {
  const server = admin.server(target.admin);
  const quietly = <T>(read: Promise<T>): Promise<T | undefined> => read.catch(() => undefined);
  const [version, sessions, ...running] = await Promise.all([
    quietly(server.version(limits)), quietly(server.sessions(limits)),
    ...(role === 'server' ? clusterServices.map((name) => quietly(server.clusterService(name, limits))) : []),
  ]);
  const services = Object.fromEntries(running.flatMap((found, index) => (found ? [[clusterServices[index]!, found.running]] : [])));
  return { services, ...(version?.version ? { version: version.version } : {}), ...(sessions ? { sessions: sessions.length } : {}) };
}

/** The log of a Server whose Transaction Manager does not run, when it blames the licence (the product says so nowhere else). */
export async function licenceComplaint({ admin }: Pick<Clients, 'admin'>, { target }: LookedAt, limits: CallOptions): Promise<string | undefined> {
  return blamesLicence(await loggedErrors(admin.server(target.admin), limits));
}

/** The last errors of a log, the latest last; none where it can't be read. */
export async function loggedErrors(admin: AdminServer, limits: CallOptions): Promise<string[]> {
  const log = await admin.serverLog({ limit: 20, level: ['ERROR'] }, limits).catch(() => []);
  return log.flatMap(({ message }) => (typeof message === 'string' && message !== '' ? [message] : []));
}

/** The latest of these errors, when it is about a licence. */
export function blamesLicence(errors: readonly string[]): string | undefined {
  const last = errors.at(-1);
  return last !== undefined && /licen[cs]e/i.test(last) ? shorten(last, 300) : undefined;
}
