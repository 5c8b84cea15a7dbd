import { Server, type Connection } from 'ssh2';
import { login, type Account } from './accounts';
import { makeFolders, newSession, type Front, type FrontOptions } from './front';
import { receiveFile, refuseFile } from './queue/receive';
import type { Session } from './sessions';
import { serveSftp } from './sftp';

/** SFTP: logs accounts in with what the shared database says, and shows the host key of the cluster. Rejects when the database does not answer. */
export async function makeSshFront({ home, pool, log, ready, refusing, changed }: FrontOptions): Promise<Front> {
  const { rows } = await pool.query(`select pem from certificate where alias = 'sshd'`);
  const sessions = new Map<Connection, Session>();
  const ssh = new Server({ hostKeys: [rows[0].pem], ident: 'SecureTransport_5.5' }, (connection, info) => {
    let account: Account | undefined;
    connection.on('error', () => undefined);
    connection.on('close', () => { if (sessions.delete(connection)) changed(); });
    connection.on('authentication', (attempt) => {
      const methods = ['password', 'keyboard-interactive'] as const;
      const decide = async (password: string) => {
        account = ready() ? await login(pool, attempt.username, password).catch(() => undefined) : undefined;
        if (account) await makeFolders(pool, log, account);
        if (account) attempt.accept();
        else attempt.reject([...methods]);
      };
      if (attempt.method === 'password') void decide(attempt.password);
      else if (attempt.method === 'keyboard-interactive') attempt.prompt([{ prompt: 'Password: ', echo: false }], (answers) => void decide(answers[0] ?? ''));
      else attempt.reject([...methods]);
    });
    connection.on('ready', () => {
      if (!account) return;
      sessions.set(connection, newSession('ssh', account, info.ip));
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

  return {
    accept: (socket) => void ssh.injectSocket(socket),
    sessions: () => [...sessions.values()],
    disconnect(id) {
      for (const [connection, session] of sessions) {
        if (session.id !== id) continue;
        connection.end();
        return true;
      }
      return false;
    },
    // A session ends with its client: nobody knows what it still wants to do with the files it has open.
    drain: () => undefined,
    endAll() {
      for (const connection of sessions.keys()) connection.end();
      sessions.clear();
    },
  };
}
