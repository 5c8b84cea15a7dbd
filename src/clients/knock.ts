/** Whether something listens: one TCP connection, closed at once. It tells a host that refuses from one that says nothing. */
import { connect } from 'node:net';

export type Knock = 'open' | 'refused' | 'silent';

/** Never throws: what can't be reached, and what has no address, is silent. */
export function knock(address: string, port: number, { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal }): Promise<Knock> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const timer = setTimeout(() => end('silent'), timeoutMs);
    const abort = (): void => end('silent');
    const end = (answer: Knock): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      resolve(answer);
    };
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => end('open'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED' ? 'refused' : 'silent'));
    if (signal?.aborted) abort();
  });
}
