import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { Account } from './accounts';
import type { Home } from './home';
import type { Log } from './log';
import { readSubscriptions } from './queue/receive';
import type { Session } from './sessions';

/** Serves partners' sessions of one protocol on whatever sockets it is given. */
export interface Front {
  accept(socket: Socket): void;
  sessions(): Session[];
  /** Ends the session with this id; false when there is none. */
  disconnect(id: unknown): boolean;
  /** New operations are refused from now on; what has nothing to do ends. */
  drain(): void;
  endAll(): void;
}

export interface FrontOptions {
  home: Home;
  pool: Pool;
  log: Log;
  /** Whether logins are accepted now. */
  ready(): boolean;
  /** Whether new file operations are refused now: a graceful stop is under way. */
  refusing(): boolean;
  /** Called when a session began or ended. */
  changed(): void;
}

/** A new session, with an id as the API shows it (`SSH:<hash>`). */
export function newSession(protocol: string, account: Account, remoteAddress: string): Session {
  return { id: `${protocol.toUpperCase()}:${randomBytes(16).toString('hex')}`, protocol, accountName: account.name, remoteAddress, command: '', startTime: Date.now() };
}

/** A partner finds the folders it may send to. */
export async function makeFolders(pool: Pool, log: Log, { name, homeFolder }: Account): Promise<void> {
  try {
    mkdirSync(homeFolder, { recursive: true });
    for (const { folder } of await readSubscriptions(pool, name)) mkdirSync(join(homeFolder, folder), { recursive: true });
  } catch (error) {
    log('ERROR', `${homeFolder}: ${(error as Error).message}`);
  }
}
