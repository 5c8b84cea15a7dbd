/** Whether something listens: one TCP connection, closed at once. It tells a host that refuses from one that says nothing. With `hello` it must answer these bytes with some of its own. */
import { connect } from 'node:net';

export type Knock = 'open' | 'refused' | 'silent';

/** Never throws: what can't be reached, and what has no address, is silent. */
export function knock(address: string, port: number, { timeoutMs, signal, hello }: { timeoutMs: number; signal?: AbortSignal; hello?: Uint8Array }): Promise<Knock> {
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
    // A process that stands still takes connections by its kernel, and answers none.
    socket.once('connect', () => (hello ? socket.write(hello) : end('open')));
    socket.once('data', () => end('open'));
    socket.once('close', () => end('silent'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED' ? 'refused' : 'silent'));
    if (signal?.aborted) abort();
  });
}
