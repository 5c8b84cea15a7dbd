import type { Socket } from 'node:net';
import type { Log } from './log';

/** A Transaction Manager that does not take a session within this time is passed over. */
const takeMs = 2_000;
/** A sign of life on connections that wait, so that the other side notices when this Edge is gone. */
const pingMs = 3_000;
/** Between the hand-over of the last waiting connection and the next that the Transaction Manager opens. */
const refillMs = 1_000;

/** Where connections of Transaction Managers wait, and sessions are handed to one of them. */
export interface Desk {
  arrive(manager: Socket): void;
  /** Joins the partner with one Transaction Manager for the session's life; false, and the partner untouched, when none takes it. */
  handOver(partner: Socket, about: object): Promise<boolean>;
  close(): void;
}

export function makeDesk(log: Log): Desk {
  /** Waiting connections by the address of the Transaction Manager; the one that was served longest ago comes first. */
  const waiting = new Map<string, Set<Socket>>();
  /** Every connection, handed over or not, with its address: a closed socket no longer tells it. */
  const all = new Map<Socket, string>();

  const take = (): { address: string; manager: Socket } | undefined => {
    for (const [address, sockets] of waiting) {
      const manager = sockets.values().next().value;
      if (!manager) continue;
      sockets.delete(manager);
      // To the end of the line.
      waiting.delete(address);
      waiting.set(address, sockets);
      return { address, manager };
    }
    return undefined;
  };
  const takeSoon = async (): Promise<ReturnType<typeof take>> => {
    const deadline = Date.now() + refillMs;
    for (;;) {
      const taken = take();
      if (taken || waiting.size === 0 || Date.now() > deadline) return taken;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const ping = setInterval(() => {
    for (const sockets of waiting.values()) for (const manager of sockets) manager.write('.');
  }, pingMs);

  return {
    arrive(manager) {
      const address = manager.remoteAddress ?? '';
      const known = waiting.get(address);
      if (!known) log('INFO', `The Transaction Manager ${address} is connected.`);
      const sockets = known ?? new Set<Socket>();
      waiting.set(address, sockets.add(manager));
      all.set(manager, address);
      manager.on('error', () => undefined);
      manager.on('close', () => {
        all.delete(manager);
        sockets.delete(manager);
        if ([...all.values()].includes(address)) return;
        waiting.delete(address);
        log('WARN', `The Transaction Manager ${address} is no longer connected.`);
      });
    },
    async handOver(partner, about) {
      for (;;) {
        const taken = await takeSoon();
        if (!taken || partner.destroyed) return false;
        if (await accepts(taken.manager, about)) {
          join(partner, taken.manager);
          return true;
        }
        // Its other connections are as dead as this one, or it can't serve now: it opens new ones when it can.
        for (const other of waiting.get(taken.address) ?? []) other.destroy();
        taken.manager.destroy();
      }
    },
    close() {
      clearInterval(ping);
      for (const manager of all.keys()) manager.destroy();
    },
  };
}

/** Offers a session: one line of JSON, answered by `+`, after which every byte is the partner's. */
function accepts(manager: Socket, about: object): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (taken: boolean) => {
      clearTimeout(timer);
      manager.off('data', answered);
      manager.off('close', closed);
      manager.pause();
      resolve(taken);
    };
    const answered = (data: Buffer) => {
      if (data.length > 1) manager.unshift(data.subarray(1));
      end(data.toString('latin1', 0, 1) === '+');
    };
    const closed = () => end(false);
    const timer = setTimeout(closed, takeMs);
    manager.on('data', answered);
    manager.on('close', closed);
    manager.write(`${JSON.stringify(about)}\n`);
  });
}

function join(partner: Socket, manager: Socket): void {
  partner.on('close', () => manager.destroy());
  manager.on('close', () => partner.destroy());
  partner.pipe(manager).pipe(partner);
}
