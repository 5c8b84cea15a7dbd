import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import { Server, type Connection } from 'ssh2';
import { login, type Account } from './accounts';
import { awaitDatabase } from './database';
import { daemons, portOf, productTime, takeProductTime } from './home';
import { logToServer } from './log';
import { isUp, runService, serviceStatus, type Context, type Running } from './service';
import { writeSessions, type Session } from './sessions';
import { serveSftp } from './sftp';

/** The SFTP daemon: logs accounts in with what the shared database says, while the TM of this Server runs. */
async function start(context: Context): Promise<Running> {
  const { home, pool, log } = context;
  const began = Date.now();
  await awaitDatabase(pool, context.stopping, (why) => log('WARN', why));
  const { rows } = await pool.query(`select pem from certificate where alias = 'sshd'`);
  const sessions = new Map<Connection, Session>();
  const publish = () => {
    writeSessions(home, 'ssh', [...sessions.values()]);
    context.setBusy(sessions.size);
  };
  const ssh = new Server({ hostKeys: [rows[0].pem], ident: 'SecureTransport_5.5' }, (connection, info) => {
    let account: Account | undefined;
    connection.on('error', () => undefined);
    connection.on('close', () => { if (sessions.delete(connection)) publish(); });
    connection.on('authentication', (attempt) => {
      const methods = ['password', 'keyboard-interactive'] as const;
      const decide = async (password: string) => {
        const ready = context.state() === 'Running' && isUp(serviceStatus(home, 'tm'));
        account = ready ? await login(pool, attempt.username, password).catch(() => undefined) : undefined;
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
      sessions.set(connection, { id, protocol: 'ssh', accountName: account.name, remoteAddress: info.ip, command: '', startTime: Date.now() });
      publish();
      const folder = account.homeFolder;
      try {
        mkdirSync(folder, { recursive: true });
      } catch (error) {
        log('ERROR', `${folder}: ${(error as Error).message}`);
      }
      connection.on('session', (accept) => {
        accept().on('sftp', (acceptSftp) => serveSftp(acceptSftp(), { folder, refusing: () => context.state() === 'Draining' }));
      });
    });
  });

  const listener = listenOn(context, (socket) => ssh.injectSocket(socket));
  await takeProductTime(Math.max(0, 0.5 - (Date.now() - began) / (productTime(1) || 1)));
  publish();
  await listener.open();
  await logToServer(pool, home, 'SSHD', 'INFO', 'The SSH daemon was started.');
  // A port in use is in the log by then; the daemon goes on without its listener.
  const reopen = () => void listener.open().catch(() => undefined);
  return {
    async stop() {
      await listener.close();
      for (const connection of sessions.keys()) connection.end();
      sessions.clear();
      writeSessions(home, 'ssh', []);
      await logToServer(pool, home, 'SSHD', 'INFO', 'The SSH daemon was stopped.');
    },
    drain: () => void listener.close(),
    resume: reopen,
    control(request) {
      if (request['listener'] === true) reopen();
      if (request['listener'] === false) void listener.close();
      for (const [connection, session] of sessions) {
        if (session.id === request['disconnect']) {
          connection.end();
          return { disconnected: true };
        }
      }
      return { active: listener.active() };
    },
  };
}

/** The daemon's one listener (`Ssh Default`); opening and closing it twice does no harm. */
function listenOn({ home, log }: Context, accept: (socket: Socket) => void) {
  let server: TcpServer | undefined;
  return {
    active: () => server !== undefined,
    open: () => new Promise<void>((resolve, reject) => {
      if (server) return resolve();
      const next = createServer(accept);
      next.once('error', (error) => {
        log('ERROR', `${daemons.ssh.listener}: ${error.message}`);
        server = undefined;
        reject(error);
      });
      server = next;
      next.listen(portOf(home, 'ssh'), home.bindAddress, resolve);
    }),
    close: () => new Promise<void>((resolve) => {
      // Open sessions keep their sockets: only new logins end here.
      server?.close();
      server = undefined;
      resolve();
    }),
  };
}

void runService(start);
