/** Streams through an SSH connection to something behind it: a TCP port (jump) or a unix socket. */
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { StError, type ErrorCode } from '../model/errors';

export type StreamOpener = (client: Client, done: (error: Error | undefined, stream: Duplex) => void) => void;

/** Reasons of RFC 4254 §5.1, SSH_OPEN_ADMINISTRATIVELY_PROHIBITED and SSH_OPEN_CONNECT_FAILED, and what they mean to people. */
const prohibited = 1;
const hints: Record<number, string> = {
  [prohibited]: ' The host\'s sshd must allow it (AllowTcpForwarding, AllowStreamLocalForwarding).',
  2: ' Nothing listens there, or this user may not use it.',
};

/** @throws StError Unreachable, or PermissionDenied when the host's sshd forbids forwarding. */
export function openStream(client: Client, what: string, timeoutMs: number, open: StreamOpener): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let settled = false;
    const timer = setTimeout(() => settle(new StError('Unreachable', `${what}: no answer within ${timeoutMs} ms.`)), timeoutMs);
    const lost = (): void => settle(new StError('Unreachable', `${what}: the connection was lost.`));
    function settle(error: StError | undefined, stream?: Duplex): void {
      if (settled) return void stream?.destroy();
      settled = true;
      clearTimeout(timer);
      client.off('close', lost);
      if (error) reject(error);
      else resolve(stream!);
    }
    client.once('close', lost);
    try {
      open(client, (error, stream) => settle(error ? refused(what, error) : undefined, stream));
    } catch (error) {
      settle(new StError('Unreachable', `${what}: the connection is closed.`, { cause: error }));
    }
  });
}

function refused(what: string, error: Error & { reason?: unknown }): StError {
  const code: ErrorCode = error.reason === prohibited ? 'PermissionDenied' : 'Unreachable';
  const hint = hints[Number(error.reason)] ?? '';
  return new StError(code, `${what}: ${error.message}.${hint}`, { cause: error });
}
