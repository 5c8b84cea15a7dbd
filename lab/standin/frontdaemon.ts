import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import { awaitDatabase } from './database';
import type { Front } from './front';
import { daemons, portOf, productTime, takeProductTime, type Protocol } from './home';
import { logToServer } from './log';
import { schemaComplaint } from './membership';
import { readOption } from './node';
import { isUp, runService, serviceStatus, type Context, type Running } from './service';
import { writeSessions } from './sessions';

/** A daemon that partners transfer files with: `sshd` (SFTP) or `httpd` (HTTPS). It logs accounts in while the TM of this Server runs. */
async function start(context: Context): Promise<Running> {
  const { home, pool, log, name } = context;
  const protocol: Protocol = name === 'sshd' ? 'ssh' : 'http';
  const say = (what: string) => logToServer(pool, home, name.toUpperCase(), 'INFO', `The ${protocol.toUpperCase()} daemon was ${what}.`);
  const began = Date.now();
  await awaitDatabase(pool, context.stopping, (why) => log('WARN', why));
  const complaint = await schemaComplaint(pool, home, log);
  if (complaint !== undefined) return context.giveUp(`${complaint}: ${name} does not start.`);
  // A setting of the whole cluster comes before what was installed.
  const shared = protocol === 'ssh' ? (await readOption(pool, home, 'Sshd.Port'))?.join('') : '';
  const port = shared ? Number(shared) : portOf(home, protocol);
  const publish = () => {
    writeSessions(home, protocol, front.sessions());
    context.setBusy(front.sessions().length);
  };
  const options = {
    home, pool, log,
    ready: () => context.state() === 'Running' && isUp(serviceStatus(home, 'tm')),
    refusing: () => context.state() === 'Draining',
    changed: publish,
  };
  // Each loads only its own library: twenty Servers share one machine.
  const front: Front = protocol === 'ssh' ? await (await import('./sshfront.js')).makeSshFront(options) : (await import('./httpfront.js')).makeHttpFront(options);

  const listener = listenOn(context, protocol, port, (socket) => front.accept(socket));
  await takeProductTime(Math.max(0, 0.5 - (Date.now() - began) / (productTime(1) || 1)));
  publish();
  await listener.open();
  await say('started');
  // A port in use is in the log by then; the daemon goes on without its listener.
  const reopen = () => void listener.open().catch(() => undefined);
  return {
    async stop() {
      await listener.close();
      front.endAll();
      writeSessions(home, protocol, []);
      await say('stopped');
    },
    drain() {
      void listener.close();
      front.drain();
    },
    resume: reopen,
    control(request) {
      if (request['listener'] === true) reopen();
      if (request['listener'] === false) void listener.close();
      if (request['disconnect'] !== undefined && front.disconnect(request['disconnect'])) return { disconnected: true };
      return { active: listener.active(), port };
    },
  };
}

/** The daemon's one listener (`Ssh Default`); opening and closing it twice does no harm. */
function listenOn({ home, log }: Context, protocol: Protocol, port: number, accept: (socket: Socket) => void) {
  let server: TcpServer | undefined;
  return {
    active: () => server !== undefined,
    open: () => new Promise<void>((resolve, reject) => {
      if (server) return resolve();
      const next = createServer(accept);
      next.once('error', (error) => {
        log('ERROR', `${daemons[protocol].listener}: ${error.message}`);
        server = undefined;
        reject(error);
      });
      server = next;
      next.listen(port, home.bindAddress, resolve);
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
