import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { daemons, ownWay, portOf, protocols, type Protocol } from './home';
import { logToServer } from './log';
import { readOption } from './node';
import type { Context } from './service';
import { serviceStatus } from './service';
import { streamingPort, type ZoneEdge } from './streamingports';
import { readTrust } from './trust';

/** Waiting connections per Edge and daemon; the product keeps min(20, 2 x CPUs), a lab of twenty Servers on one machine fewer. */
const kept = 2;
const lookMs = 1_000;
/** An Edge gives a sign of life every 3 s. */
const silentMs = 10_000;

/** The streaming connections of one Transaction Manager. */
export interface Streaming {
  /** No new sessions; those that are open go on. */
  drain(): void;
  resume(): void;
  stop(): void;
}

interface Way {
  address: string;
  port: number;
  protocol: Protocol;
}

const nameOf = ({ address, port, protocol }: Way): string => `${address} port ${port} (${protocol})`;

/**
 * Dials out to every daemon of every Edge that the network zones name for this deployment site, and keeps connections that wait for a session.
 * Nothing ever connects to a Server from an Edge. A session is served by this Server's own daemon of the protocol, so only protocols
 * whose daemon runs here are offered.
 */
export function startStreaming(context: Context): Streaming {
  const { home, pool, log } = context;
  const waiting = new Map<string, Set<Socket>>();
  const busy = new Set<Socket>();
  const lastSaid = new Map<string, string>();
  const changed = () => context.setBusy(busy.size, 'sessions from Edges');
  let draining = false;
  let looking = false;

  const say = (way: Way, what: string, level: 'INFO' | 'WARN') => {
    if (lastSaid.get(nameOf(way)) === what) return;
    lastSaid.set(nameOf(way), what);
    log(level, `Edge ${nameOf(way)}: ${what}`);
    void logToServer(pool, home, 'TM', level, `Edge ${nameOf(way)}: ${what}`);
  };

  const dial = (way: Way, trust: Awaited<ReturnType<typeof readTrust>>) => {
    const sockets = waiting.get(nameOf(way)) ?? new Set<Socket>();
    waiting.set(nameOf(way), sockets);
    // The certificate is that of an Edge whose CA was imported; its name is not looked at.
    const socket: TLSSocket = connectTls({ host: way.address, port: way.port, ...trust, checkServerIdentity: () => undefined });
    sockets.add(socket);
    socket.setTimeout(silentMs, () => socket.destroy(new Error('silent')));
    socket.on('secureConnect', () => say(way, 'connected.', 'INFO'));
    socket.on('error', (error) => say(way, `no connection: ${error.message}`, 'WARN'));
    socket.on('close', () => {
      sockets.delete(socket);
      if (busy.delete(socket)) changed();
    });
    let heard = '';
    const listen = (data: Buffer) => {
      heard += data.toString('latin1').replace(/^\.+/, '');
      if (!heard.endsWith('\n')) return;
      socket.off('data', listen);
      socket.setTimeout(0);
      sockets.delete(socket);
      busy.add(socket);
      changed();
      serve(socket, way.protocol);
      dial(way, trust);
    };
    socket.on('data', listen);
  };

  const serve = (socket: Socket, protocol: Protocol) => {
    socket.pause();
    const own = connect(portOf(home, protocol), ownWay(home));
    own.on('error', () => socket.destroy());
    own.on('close', () => socket.destroy());
    socket.on('close', () => own.destroy());
    own.once('connect', () => {
      socket.write('+');
      socket.pipe(own).pipe(socket);
    });
  };

  const look = async (): Promise<void> => {
    const [ways, trust] = await Promise.all([readWays(context), readTrust(pool)]);
    const wanted = draining ? [] : ways.filter(({ protocol }) => serviceStatus(home, daemons[protocol].service).state === 'Running');
    const names = new Set(wanted.map(nameOf));
    for (const [name, sockets] of waiting) if (!names.has(name)) for (const socket of sockets) socket.destroy();
    for (const way of wanted) for (let missing = kept - (waiting.get(nameOf(way))?.size ?? 0); missing > 0; missing -= 1) dial(way, trust);
  };
  const lookOnce = (): void => {
    if (looking) return;
    looking = true;
    // The database's trouble; the next look tells.
    look().catch(() => undefined).finally(() => { looking = false; });
  };
  const timer = setInterval(lookOnce, lookMs);
  lookOnce();

  return {
    drain() { draining = true; lookOnce(); },
    resume() { draining = false; lookOnce(); },
    stop() {
      clearInterval(timer);
      draining = true;
      for (const socket of [...busy, ...[...waiting.values()].flatMap((sockets) => [...sockets])]) socket.destroy();
    },
  };
}

/** The daemons of Edges that the zones name: all, and with disaster recovery enabled those of this Server's deployment site. */
async function readWays({ home, pool }: Context): Promise<Way[]> {
  const { rows } = await pool.query('select body from dmz_zone order by name');
  const edges = rows.flatMap((row) => (row.body?.edges ?? []) as ZoneEdge[]);
  const recovery = edges.length > 0 && (await readOption(pool, home, 'Cluster.EnableDRConfiguration'))?.[0] === 'true';
  const site = recovery ? (await readOption(pool, home, 'Cluster.DeploymentSite'))?.[0] : undefined;
  return edges.filter((edge) => site === undefined || (edge.deploymentSite ?? 'Prod') === site).flatMap((edge) =>
    (edge.addresses ?? []).flatMap((address) => protocols.flatMap((protocol) => {
      const port = streamingPort(edge, protocol);
      return port === undefined ? [] : [{ address, port, protocol }];
    })));
}
