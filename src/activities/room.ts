/** Whether enough other nodes are Online to take one down, looked at the moment before: another may have died since the plan was made. */
import type { AdminServer } from '../clients/adminApi';
import { inTime, waitFor } from '../clients/waitFor';
import { StError, unlessSilent } from '../model/errors';
import { lateBeatMs, statusIn } from '../model/nodeTable';
import type { Protocol } from '../model/spec';
import { roomProblem, serves, type Room, type RoomState } from '../model/stopPlan';
import type { AdminAccess, ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { isServed } from './edgeConnections';

const limits = () => ({ signal: abortSignal(), timeoutMs: 4_000 });

/** Answers a sentence about the others. @throws StError Refused when the node must stay: unlike PreconditionFailed, it says nothing of what was changed before. */
export async function requireRoom(clients: Clients, node: string, room: Room): Promise<string> {
  const { others: { accesses, nodes }, doors } = room;
  const states = await Promise.all(nodes.map(async ({ node: other, address, access }, index): Promise<RoomState> => {
    const admin = { ...accesses[access]!, address };
    const host = doors?.hosts.nodes[index];
    if (!doors || !host) {
      const online = await roomLook(clients, admin, room.role);
      return { node: other, online: online && room.role === 'server' ? await isHeard(clients.admin.server(admin), address) : online };
    }
    return { node: other, ...(await doorLook(clients, { node: other, admin, ssh: { ...doors.hosts.accesses[host.access]!, address: host.address } }, doors.protocols)) };
  }));
  const problem = roomProblem(node, room, states);
  if (problem) throw new StError('Refused', `${problem}.`);
  return `${states.filter(serves).length} of ${nodes.length} others are Online, ${room.keep} must be`;
}

/**
 * Whether a node is Online; null where nobody could say: that is no reason to count on it. `protocols`: those that must all run; left out: any does.
 * Of an Edge it says nothing about who stands behind it: see `doorLook`.
 */
export async function roomLook(clients: Clients, access: AdminAccess, role: Room['role'], protocols?: readonly Protocol[]): Promise<boolean | null> {
  const admin = clients.admin.server(access);
  return twice(async () => {
    const [daemons, tm] = await Promise.all([admin.daemons(limits()), role === 'server' ? admin.transactionManager(limits()) : { running: true }]);
    return tm.running && (protocols ? protocols.every((protocol) => daemons[protocol] === true) : Object.values(daemons).some((runs) => runs));
  });
}

/** Whether all daemons of an Edge run, and, where they do, a Transaction Manager is connected to each. */
export async function doorLook(clients: Clients, edge: Pick<ServerTarget, 'node' | 'admin' | 'ssh'>, protocols: readonly Protocol[]): Promise<Pick<RoomState, 'online' | 'served'>> {
  const online = await roomLook(clients, edge.admin, 'edge', protocols);
  return online ? { online, served: await twice(() => isServed(clients, edge, protocols, limits())) } : { online };
}

/** False where the product itself has heard nothing of a Server for a while, though its services run: a Transaction Manager that hangs works on nothing (reference §6). */
export function isHeard(admin: AdminServer, address: string): Promise<boolean> {
  const heard = async (): Promise<boolean> => statusIn(await admin.clusterNodes(limits()), address) !== 'Offline';
  return inTime(waitFor(`${address} is Online`, heard, (yes) => yes, { timeoutMs: lateBeatMs, signal: abortSignal() }));
}

/** A kept connection that was closed meanwhile fails once. */
async function twice(look: () => Promise<boolean>): Promise<boolean | null> {
  return (await unlessSilent(look(), null)) ?? unlessSilent(look(), null);
}
