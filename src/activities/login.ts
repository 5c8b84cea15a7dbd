/** A login through a node as a partner does: the proof that the way works. */
import { resolveSecret } from '../clients/secrets';
import { waitFor } from '../clients/waitFor';
import { StError } from '../model/errors';
import type { Protocol } from '../model/spec';
import type { ServerTarget } from '../model/targets';
import { abortSignal } from './context';
import type { Clients } from './clients';
import { isServed } from './edgeConnections';

export interface Probe {
  account: string;
  password: string;
}

const loginMs = 20_000;
const connectedMs = 60_000;
const lookMs = 5_000;

/** Logs in once; answers how, in a sentence. @throws StError AuthenticationFailed, Refused, Unreachable, NotYet */
export async function tryLogin(clients: Clients, node: ServerTarget, probe: Probe): Promise<string> {
  const listeners = await clients.admin.server(node.admin).listeners('ssh', { signal: abortSignal() });
  const port = listeners.find(({ isActive }) => isActive === true)?.port ?? listeners[0]?.port;
  if (port === undefined) throw new StError('Refused', `${node.node}: it names no port of its SSH daemon`);
  const password = await resolveSecret(probe.password);
  const began = Date.now();
  try {
    const { hostKey } = await clients.partner.logIn({ host: node.address, port, user: probe.account, password: password.reveal() }, { timeoutMs: loginMs, signal: abortSignal() });
    return `${probe.account} logged in through ${node.node} port ${port} in ${((Date.now() - began) / 1000).toFixed(1)} s; host key ${hostKey}`;
  } catch (error) {
    if (!(error instanceof StError) || error.code !== 'AuthenticationFailed') throw error;
    throw new StError('AuthenticationFailed', `${node.node}: ${error.message} Either no Transaction Manager stands behind this Edge, or the password of the account ${probe.account} is another, or it is locked. It was tried once.`, { cause: error });
  }
}

/**
 * Returns when a Transaction Manager is connected to an Edge on every protocol, as the kernel of the Edge's host has it: before that a login is refused like a wrong password.
 * @throws StError NotYet
 */
export async function awaitTransactionManager(clients: Clients, edge: ServerTarget, protocols: readonly Protocol[]): Promise<void> {
  const limits = { signal: abortSignal(), timeoutMs: lookMs };
  await waitFor(`${edge.node}: a Transaction Manager is connected to it`, () => isServed(clients, edge, protocols, limits), (served) => served, { timeoutMs: connectedMs, signal: abortSignal() });
}
