import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Server as SshServer } from 'ssh2';
import { awaitDatabase } from './database';
import { daemons, portOf, productTime, protocols, takeProductTime, type Protocol } from './home';
import { readLicences } from './licences';
import { runService, type Context, type Running } from './service';
import { writeSessions, type Session } from './sessions';
import { makeDesk } from './edgedesk';
import { streamingPort, type ZoneEdge } from './streamingports';
import { readTrust } from './trust';

/**
 * A protocol daemon of an Edge: partners connect on the protocol's port, Transaction Managers have connected on the streaming port, and each
 * session is handed to one of them for its life. It never connects anywhere itself.
 */
async function start(context: Context): Promise<Running> {
  const { home, name, pool, log } = context;
  const protocol = protocols.find((one) => daemons[one].service === name) as Protocol;
  const began = Date.now();
  await awaitDatabase(pool, context.stopping, (why) => log('WARN', why));
  const licences = readLicences(home);
  if (licences.core !== 'Valid' || licences.features !== 'Valid') {
    return context.giveUp(`The licence of this Edge is ${(licences.core === 'Valid' ? licences.features : licences.core).toLowerCase()}: ${name} does not start.`);
  }
  const desk = makeDesk(log);
  const sessions = new Map<Socket, Session>();
  const publish = () => {
    writeSessions(home, protocol, [...sessions.values()]);
    context.setBusy(sessions.size);
  };
  const refuse = await refusal(context, protocol);

  const serve = (partner: Socket) => {
    const hash = createHash('sha256').update(randomBytes(16)).digest('hex').slice(0, 32);
    const id = `${protocol.toUpperCase()}:${hash}${protocol === 'ftp' ? ':1' : ''}`;
    sessions.set(partner, { id, protocol, accountName: '', remoteAddress: partner.remoteAddress ?? '', command: '', startTime: Date.now() });
    publish();
    partner.on('error', () => undefined);
    partner.on('close', () => { sessions.delete(partner); publish(); });
    void desk.handOver(partner, { session: id, remoteAddress: partner.remoteAddress ?? '' }).then((taken) => { if (!taken) refuse(partner); });
  };

  const streaming = await listenForManagers(context, protocol, desk.arrive);
  let front: TcpServer | undefined;
  const open = () => new Promise<void>((resolve, reject) => {
    if (front) return resolve();
    front = createServer({ pauseOnConnect: false }, serve).once('error', (error) => { front = undefined; reject(error); });
    front.listen(portOf(home, protocol), home.bindAddress, resolve);
  });
  const close = () => { front?.close(); front = undefined; };
  await takeProductTime(Math.max(0, 0.5 - (Date.now() - began) / (productTime(1) || 1)));
  publish();
  await open();
  const reopen = () => void open().catch((error: Error) => log('ERROR', error.message));
  return {
    stop() {
      close();
      streaming.close();
      desk.close();
      for (const partner of sessions.keys()) partner.destroy();
      writeSessions(home, protocol, []);
    },
    drain: close,
    resume: reopen,
    control(request) {
      if (request['listener'] === true) reopen();
      if (request['listener'] === false) close();
      for (const [partner, session] of sessions) {
        if (session.id === request['disconnect']) {
          partner.destroy();
          return { disconnected: true };
        }
      }
      return { active: front !== undefined };
    },
  };
}

/** Takes the connections of Transaction Managers whose certificate a CA has issued that was imported here. */
async function listenForManagers({ home, pool, log }: Context, protocol: Protocol, arrive: (manager: Socket) => void): Promise<TcpServer> {
  const { rows } = await pool.query(`select body from dmz_zone where name = 'Private'`);
  const port = ((rows[0]?.body?.edges ?? []) as ZoneEdge[]).map((edge) => streamingPort(edge, protocol)).find((one) => one !== undefined);
  if (port === undefined) throw new Error(`the zone Private names no port for ${protocol}`);
  const { ca, ...own } = await readTrust(pool);
  const server = createTlsServer({ ...own, ca, requestCert: true, rejectUnauthorized: true }, arrive);
  server.on('tlsClientError', (error, socket) => log('WARN', `streaming port ${port}: a connection from ${socket.remoteAddress ?? 'somebody'} was refused: ${error.message}`));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, home.bindAddress, resolve));
  return server;
}

/** What a partner meets when no Transaction Manager is connected: SSH greets and refuses every login, the others close. */
async function refusal({ pool }: Context, protocol: Protocol): Promise<(partner: Socket) => void> {
  if (protocol !== 'ssh') return (partner) => void partner.destroy();
  const { rows } = await pool.query(`select pem from certificate where alias = 'sshd'`);
  const ssh = new SshServer({ hostKeys: [rows[0].pem as string], ident: 'SecureTransport_5.5' }, (connection) => {
    connection.on('error', () => undefined);
    connection.on('authentication', (attempt) => attempt.reject(['password', 'keyboard-interactive']));
  });
  return (partner) => ssh.injectSocket(partner);
}

void runService(start);
