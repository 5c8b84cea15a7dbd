import { createServer, connect, type Socket } from 'node:net';

/** A port of loopback that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

/** Looks every 20 ms until it is so. */
export async function until(what: string, look: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`not reached within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface Relay {
  port: number;
  /** How many connections were made through it. */
  connections(): number;
  /** Ends every connection at once, as a broken network does. */
  cut(): void;
  /** Keeps connections open and moves nothing, not even a goodbye, as a frozen host does. */
  freeze(): void;
  /** Ends what was frozen, and lets new connections work. */
  thaw(): void;
  /** From now on refuses or takes connections. */
  close(): Promise<void>;
}

/** A TCP relay on loopback: the network between us and a real server, which a test can break. */
export async function startRelay(target: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let count = 0;
  let frozen = false;
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    count += 1;
    const outgoing = connect(target, '127.0.0.1');
    for (const [one, other] of [[incoming, outgoing], [outgoing, incoming]] as const) {
      sockets.add(one);
      one.on('data', (chunk: Buffer) => { if (!frozen) other.write(chunk); });
      one.on('end', () => { if (!frozen) one.end(); });
      one.on('error', () => undefined);
      one.on('close', () => { sockets.delete(one); if (!frozen) other.destroy(); });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    connections: () => count,
    cut,
    freeze: () => { frozen = true; },
    thaw: () => { frozen = false; cut(); },
    close: () => new Promise((resolve) => { server.close(() => resolve()); cut(); }),
  };
}
