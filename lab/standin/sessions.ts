import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from './home';

/** An open client session, as `GET /sessions` shows it. */
export interface Session {
  /** `SSH:<hash>`. */
  id: string;
  protocol: string;
  accountName: string;
  remoteAddress: string;
  /** Empty for SSH and HTTP. */
  command: string;
  /** Milliseconds since 1970. */
  startTime: number;
}

const fileOf = (home: Home, protocol: string) => join(home.dir, 'var/run', `${protocol}.sessions`);

/** A daemon publishes its open sessions. */
export function writeSessions(home: Home, protocol: string, sessions: Session[]): void {
  const file = fileOf(home, protocol);
  writeFileSync(`${file}.next`, JSON.stringify(sessions));
  renameSync(`${file}.next`, file);
}

/** What a daemon of this Server published; none when it never did. */
export function readSessions(home: Home, protocol: string): Session[] {
  try {
    return JSON.parse(readFileSync(fileOf(home, protocol), 'utf8')) as Session[];
  } catch {
    return [];
  }
}
