import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import { awaitDatabase } from './database';
import { daemons, portOf, productTime, takeProductTime } from './home';
import { logToServer } from './log';
import { isUp, runService, serviceStatus, type Context, type Running } from './service';
import { writeSessions } from './sessions';
import { makeSshFront } from './sshfront';

/** The SFTP daemon: logs accounts in while the TM of this Server runs. */
async function start(context: Context): Promise<Running> {
  const { home, pool, log } = context;
  const began = Date.now();
  await awaitDatabase(pool, context.stopping, (why) => log('WARN', why));
  const publish = () => {
    writeSessions(home, 'ssh', front.sessions());
    context.setBusy(front.sessions().length);
  };
  const front = await makeSshFront({
    home, pool, log,
    ready: () => context.state() === 'Running' && isUp(serviceStatus(home, 'tm')),
    refusing: () => context.state() === 'Draining',
    changed: publish,
  });

  const listener = listenOn(context, (socket) => front.accept(socket));
  await takeProductTime(Math.max(0, 0.5 - (Date.now() - began) / (productTime(1) || 1)));
  publish();
  await listener.open();
  await logToServer(pool, home, 'SSHD', 'INFO', 'The SSH daemon was started.');
  // A port in use is in the log by then; the daemon goes on without its listener.
  const reopen = () => void listener.open().catch(() => undefined);
  return {
    async stop() {
      await listener.close();
      front.endAll();
      writeSessions(home, 'ssh', []);
      await logToServer(pool, home, 'SSHD', 'INFO', 'The SSH daemon was stopped.');
    },
    drain: () => void listener.close(),
    resume: reopen,
    control(request) {
      if (request['listener'] === true) reopen();
      if (request['listener'] === false) void listener.close();
      if (request['disconnect'] !== undefined && front.disconnect(request['disconnect'])) return { disconnected: true };
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
