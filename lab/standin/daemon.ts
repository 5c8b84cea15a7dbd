import { createServer, type Socket } from 'node:net';
import { daemons, portOf, productTime, protocols, takeProductTime } from './home';
import { runService, type Context, type Running } from './service';

/** A protocol daemon that nobody transfers files with here: its port is open, it greets, it can be started, stopped and drained. */
async function start(context: Context): Promise<Running> {
  const { home, name, log } = context;
  const protocol = protocols.find((one) => daemons[one].service === name);
  if (!protocol) throw new Error(`${name} is not a protocol daemon`);
  const sockets = new Set<Socket>();
  const greet = (socket: Socket) => {
    sockets.add(socket);
    context.setBusy(sockets.size);
    socket.on('error', () => undefined);
    socket.on('close', () => { sockets.delete(socket); context.setBusy(sockets.size); });
    socket.write(`220 SecureTransport ${name} ready\r\n`);
  };
  let server = createServer(greet);
  const open = () => new Promise<void>((resolve, reject) => {
    if (server.listening) return resolve();
    server = createServer(greet).once('error', reject);
    server.listen(portOf(home, protocol), home.bindAddress, resolve);
  });
  if (productTime(1) > 0) await takeProductTime(0.5);
  await open();
  const reopen = () => void open().catch((error: Error) => log('ERROR', error.message));
  return {
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
    drain: () => void server.close(),
    resume: reopen,
    control(request) {
      if (request['listener'] === true) reopen();
      if (request['listener'] === false) server.close();
      return { active: server.listening };
    },
  };
}

void runService(start);
