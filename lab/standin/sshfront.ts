import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { Server, type Connection } from 'ssh2';
import { login, type Account } from './accounts';
import type { Home } from './home';
import type { Log } from './log';
import { readSubscriptions, receiveFile, refuseFile } from './queue/receive';
import type { Session } from './sessions';
import { serveSftp } from './sftp';

/** Serves partners' SSH sessions on whatever sockets it is given: the SSH daemon's own, or those that an Edge hands over. */
export interface SshFront {
  /** `remoteAddress` is the partner's where the socket's other end is an Edge. */
  accept(socket: Socket, remoteAddress?: string): void;
  sessions(): Session[];
  /** Ends the session with this id; false when there is none. */
  disconnect(id: unknown): boolean;
  endAll(): void;
}

export interface SshFrontOptions {
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

/** Logs accounts in with what the shared database says, and shows the host key of the cluster. Rejects when the database does not answer. */
export async function makeSshFront({ home, pool, log, ready, refusing, changed }: SshFrontOptions): Promise<SshFront> {
  const { rows } = await pool.query(`select pem from certificate where alias = 'sshd'`);
  const sessions = new Map<Connection, Session>();
  /** Partners behind an Edge, by the socket's other end: the ssh library gives us the connection without its socket. */
  const behindEdges = new Map<string, string>();
  const ssh = new Server({ hostKeys: [rows[0].pem], ident: 'SecureTransport_5.5' }, (connection, info) => {
    const from = behindEdges.get(`${info.ip} ${info.port}`) ?? info.ip;
    let account: Account | undefined;
    connection.on('error', () => undefined);
    connection.on('close', () => { if (sessions.delete(connection)) changed(); });
    connection.on('authentication', (attempt) => {
      const methods = ['password', 'keyboard-interactive'] as const;
      const decide = async (password: string) => {
        account = ready() ? await login(pool, attempt.username, password).catch(() => undefined) : undefined;
        if (account) await makeFolders(account).catch((error: Error) => log('ERROR', `${account?.homeFolder}: ${error.message}`));
        if (account) attempt.accept();
        else attempt.reject([...methods]);
      };
      if (attempt.method === 'password') void decide(attempt.password);
      else if (attempt.method === 'keyboard-interactive') attempt.prompt([{ prompt: 'Password: ', echo: false }], (answers) => void decide(answers[0] ?? ''));
      else attempt.reject([...methods]);
    });
    connection.on('ready', () => {
      if (!account) return;
      const id = `SSH:${createHash('sha256').update(randomBytes(16)).digest('hex').slice(0, 32)}`;
      sessions.set(connection, { id, protocol: 'ssh', accountName: account.name, remoteAddress: from, command: '', startTime: Date.now() });
      changed();
      const { name, homeFolder } = account;
      const file = (filename: string, size: number) => ({ account: name, homeFolder, filename, size, protocol: 'ssh' });
      connection.on('session', (accept) => {
        accept().on('sftp', (acceptSftp) => serveSftp(acceptSftp(), {
          folder: homeFolder,
          refusing,
          received: (path, size) => receiveFile(pool, home, file(path, size)),
          broken: (path, size) => refuseFile(pool, home, file(path, size)),
        }));
      });
    });
  });

  /** A partner finds the folders it may send to. */
  async function makeFolders({ name, homeFolder }: Account): Promise<void> {
    for (const { folder } of await readSubscriptions(pool, name)) mkdirSync(join(homeFolder, folder), { recursive: true });
  }

  return {
    accept(socket, address) {
      if (address !== undefined) {
        const end = `${socket.remoteAddress} ${socket.remotePort}`;
        behindEdges.set(end, address);
        socket.once('close', () => behindEdges.delete(end));
      }
      ssh.injectSocket(socket);
    },
    sessions: () => [...sessions.values()],
    disconnect(id) {
      for (const [connection, session] of sessions) {
        if (session.id !== id) continue;
        connection.end();
        return true;
      }
      return false;
    },
    endAll() {
      for (const connection of sessions.keys()) connection.end();
      sessions.clear();
    },
  };
}
