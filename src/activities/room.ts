/** Whether enough other nodes are Online to take one down, looked at the moment before: another may have died since the plan was made. */
import { StError } from '../model/errors';
import { roomProblem, type Room } from '../model/stopPlan';
import { abortSignal } from './context';
import type { Clients } from './clients';

const lookMs = 4_000;

/** Answers a sentence about the others. @throws StError PreconditionFailed when the node must stay. */
export async function requireRoom(clients: Clients, node: string, room: Room): Promise<string> {
  const { accesses, nodes } = room.others;
  const states = await Promise.all(nodes.map(async ({ node: other, address, access }) => ({ node: other, online: await roomLook(clients, { ...accesses[access]!, address }, room.role) })));
  const problem = roomProblem(node, room, states);
  if (problem) throw new StError('PreconditionFailed', `${problem}.`);
  return `${states.filter(({ online }) => online).length} of ${nodes.length} others are Online, ${room.keep} must be`;
}

/** Whether a node is Online; null where nobody could say: that is no reason to count on it. A kept connection that was closed meanwhile fails once. */
export async function roomLook(clients: Clients, access: Parameters<Clients['admin']['server']>[0], role: Room['role']): Promise<boolean | null> {
  const admin = clients.admin.server(access);
  const look = async (): Promise<boolean> => {
    const limits = { signal: abortSignal(), timeoutMs: lookMs };
    const [daemons, tm] = await Promise.all([admin.daemons(limits), role === 'server' ? admin.transactionManager(limits) : { running: true }]);
    return tm.running && Object.values(daemons).some((runs) => runs);
  };
  const quietly = (error: unknown): null => {
    if (error instanceof StError && ['Unreachable', 'ConnectionLost', 'NotYet'].includes(error.code)) return null;
    throw error;
  };
  return (await look().catch(quietly)) ?? look().catch(quietly);
}
