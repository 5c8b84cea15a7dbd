import { connect, createServer, type Socket } from 'node:net';
import { productTime, takeProductTime } from './home';
import { runService, type Context, type Running } from './service';

/** The proxy of an Edge, for outbound transfers of the Servers: SOCKS5 (RFC 1928) without authentication, CONNECT only. */
async function start(context: Context): Promise<Running> {
  const { home } = context;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    let heard = Buffer.alloc(0);
    let greeted = false;
    const listen = (data: Buffer) => {
      heard = Buffer.concat([heard, data]);
      if (!greeted) {
        const methods = heard[1];
        if (methods === undefined || heard.length < 2 + methods) return;
        if (heard[0] !== 5) return void client.destroy();
        heard = heard.subarray(2 + methods);
        greeted = true;
        client.write(Buffer.from([5, 0]));
      }
      const wanted = readRequest(heard);
      if (wanted === 'more') return;
      client.off('data', listen);
      if (wanted === 'refused') return void client.end(Buffer.from([5, 7, 0, 1, 0, 0, 0, 0, 0, 0]));
      const far = keep(connect(wanted.port, wanted.host));
      far.once('connect', () => {
        client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
        client.pipe(far).pipe(client);
      });
      far.once('error', () => client.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
      client.once('close', () => far.destroy());
    };
    client.on('data', listen);
  });
  if (productTime(1) > 0) await takeProductTime(0.5);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(Number(home.settings['standin.proxyPort']), home.bindAddress, resolve));
  return {
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

type Wanted = { host: string; port: number } | 'more' | 'refused';

/** VER CMD RSV ATYP ADDRESS PORT; an IPv4 address or a name. */
function readRequest(bytes: Buffer): Wanted {
  if (bytes.length < 5) return 'more';
  const [version, command, , kind, first] = bytes;
  if (version !== 5 || command !== 1 || (kind !== 1 && kind !== 3)) return 'refused';
  const start = kind === 1 ? 4 : 5;
  const length = kind === 1 ? 4 : (first ?? 0);
  if (bytes.length < start + length + 2) return 'more';
  const address = bytes.subarray(start, start + length);
  return { host: kind === 1 ? address.join('.') : address.toString('latin1'), port: bytes.readUInt16BE(start + length) };
}

void runService(start);
