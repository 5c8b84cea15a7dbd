import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { Home } from './home';

export type Level = 'INFO' | 'WARN' | 'ERROR';
export type Log = (level: Level, message: string) => void;

/** Writes `var/logs/<service>.log`: one line an event, time first. A full disk doesn't end the service. */
export function openLog(home: { dir: string }, service: string): Log {
  const file = join(home.dir, 'var/logs', `${service}.log`);
  return (level, message) => {
    try {
      appendFileSync(file, `${new Date().toISOString()} ${level} ${message}\n`);
    } catch {
      // Nowhere left to say it.
    }
  };
}

/** Adds an entry to the server log of the cluster; never fails, because a log entry must not stop a service. */
export async function logToServer(pool: Pool, home: Home, component: string, level: Level, message: string): Promise<void> {
  await pool.query('insert into logging_event (node, component, level, message) values ($1, $2, $3, $4)', [home.id, component, level, message]).catch(() => undefined);
}
