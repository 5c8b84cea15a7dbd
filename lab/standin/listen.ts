import { Client } from 'pg';
import { connectionOf } from './database';
import type { Home } from './home';

export interface Ear {
  /** Connects again when the connection is gone. Rejects when the database does not answer. */
  ensure(): Promise<void>;
  close(): Promise<void>;
}

/** Hears notifications on one channel of the shared database, on a connection of its own. */
export function listenTo(home: Home, channel: string, hear: () => void): Ear {
  let client: Client | undefined;
  let connecting = false;
  return {
    async ensure() {
      if (client || connecting) return;
      connecting = true;
      const next = new Client(connectionOf(home.database));
      const lost = () => { if (client === next) client = undefined; };
      next.on('error', lost);
      next.on('end', lost);
      next.on('notification', hear);
      try {
        await next.connect();
        await next.query(`listen ${next.escapeIdentifier(channel)}`);
        client = next;
      } catch (error) {
        await next.end().catch(() => undefined);
        throw error;
      } finally {
        connecting = false;
      }
    },
    async close() {
      const last = client;
      client = undefined;
      await last?.end().catch(() => undefined);
    },
  };
}
