/**
 * Layer (b) of the fault tests: the clients that activities work with, wrapped so that one call of an attempt is cut. Every request to a host, a
 * Server, the database or the balancer is one call, reads included; an attempt counts its own.
 */
import { Duplex } from 'node:stream';
import { StError } from '../../../src/model/errors';
import type { Clients } from '../../../src/worker/clients';

export interface Cut {
  /** Number of the call, from 1. */
  at: number;
  /**
   * Died: the call has its effect, and nothing of this attempt comes or goes after it, as when the worker's process ends. Answer lost: it has its effect
   * and is told as a lost connection; later calls work. Call lost: the same without the effect.
   */
  kind: 'died' | 'answer lost' | 'call lost';
}

/** What an attempt ends with whose worker "died". No code of the product knows it, so nothing waits or tries again because of it. */
export class Died extends Error {
  override name = 'Died';
}

export interface CutClients {
  clients: Clients;
  /** What was called, in order, as `ssh.run reading the licence`. */
  calls: string[];
}

type Call<T> = () => Promise<T>;

/** Clients for one attempt; without a cut they only write down what is called. The wrapped ones stay as they are. */
export function cutClients(clients: Clients, cut?: Cut): CutClients {
  const calls: string[] = [];
  let dead = false;
  const lost = (name: string): StError => new StError('ConnectionLost', `${name}: cut off by this test`);
  const living = (): void => {
    if (dead) throw new Died('the worker has died');
  };

  /** Counts a call; `cut` tells whether it is the one to be cut. */
  function begin(name: string): boolean {
    living();
    calls.push(name);
    return calls.length === cut?.at;
  }

  async function through<T>(name: string, call: Call<T>): Promise<T> {
    const here = begin(name);
    if (here && cut?.kind === 'call lost') throw lost(name);
    const answer = await call();
    if (here && cut?.kind === 'died') dead = true;
    living();
    if (here) throw lost(name);
    return answer;
  }

  const { ssh, admin, postgres, mail, webhook, programs, partner } = clients;
  const wrap = <O extends object>(group: string, wrapped: O): O => new Proxy(wrapped, {
    get(target, method, receiver) {
      const found: unknown = Reflect.get(target, method, receiver);
      if (typeof found !== 'function' || ['close', 'forget'].includes(String(method))) return found;
      return (...args: unknown[]) => through(nameOf(`${group}.${String(method)}`, args), () => Promise.resolve(found.apply(target, args)));
    },
  });
  return {
    calls,
    clients: {
      ssh: {
        ...wrap('ssh', ssh),
        exec: wrap('ssh', ssh).exec,
        run: wrap('ssh', ssh).run,
        async openUnixSocket(access, path, limits) {
          const name = `ssh.openUnixSocket ${path}`;
          const here = begin(name);
          if (here && cut?.kind === 'call lost') throw lost(name);
          const stream = await ssh.openUnixSocket(access, path, limits);
          living();
          if (!here) return stream;
          return deaf(stream, () => {
            if (cut?.kind === 'died') dead = true;
          });
        },
      },
      admin: { ...admin, server: (access) => wrap(`admin ${access.address}`, admin.server(access)) },
      postgres: wrap('postgres', postgres),
      mail: wrap('mail', mail),
      webhook: wrap('webhook', webhook),
      programs: wrap('programs', programs),
      partner: wrap('partner', partner),
    },
  };
}

/** A stream whose far side hears what is said, and whose near side never hears the answer: it ends when the answer has come. */
function deaf(stream: Duplex, answered: () => void): Duplex {
  const near = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => void stream.write(chunk, () => done()),
    destroy: (error, done) => {
      stream.destroy();
      done(error);
    },
  });
  stream.resume();
  const over = (): void => {
    answered();
    near.destroy();
  };
  stream.once('end', over);
  stream.once('close', over);
  return near;
}

/** Says what a call was for, where it says so itself. */
function nameOf(method: string, args: unknown[]): string {
  const purpose = args.map((arg) => (typeof arg === 'object' && arg !== null && 'purpose' in arg ? String(arg.purpose) : '')).find((text) => text !== '');
  return purpose === undefined ? method : `${method} ${purpose}`;
}
