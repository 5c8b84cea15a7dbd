import { createReadStream, createWriteStream, promises as fs, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { loginOverHttp, type Account } from './accounts';
import { makeFolders, newSession, type Front, type FrontOptions } from './front';
import { receiveFile, refuseFile } from './queue/receive';
import type { Session } from './sessions';

/** HTTPS: PUT, GET, HEAD and DELETE of files below the account's home folder, with a Basic login; a connection that logged in is a session. */
export function makeHttpFront({ home, pool, log, ready, refusing, changed }: FrontOptions): Front {
  const sessions = new Map<TLSSocket, { session: Session; account: Account; authorization: string }>();
  const tls = { key: readFileSync(home.settings['standin.tlsKey'] ?? ''), cert: readFileSync(home.settings['standin.tlsCert'] ?? '') };
  const server = createServer(tls, (request, response) => {
    serve(request, response).catch((error: NodeJS.ErrnoException) => {
      if (response.headersSent) response.destroy();
      else say(response, error.code === 'ENOENT' || error.code === 'ENOTDIR' ? 404 : 500, error.message);
    });
  });
  server.on('tlsClientError', () => undefined);

  const say = (response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void => {
    response.writeHead(status, { 'content-type': 'text/plain', ...(refusing() && { connection: 'close' }), ...headers });
    response.end(text === '' ? undefined : `${text}\n`);
  };

  /** The account of this connection's login; undefined when the credentials are missing or wrong. */
  const authenticate = async (request: IncomingMessage): Promise<Account | undefined> => {
    const socket = request.socket as TLSSocket;
    const { authorization = '' } = request.headers;
    const known = sessions.get(socket);
    if (known?.authorization === authorization) return known.account;
    const [, encoded] = /^Basic (.+)$/i.exec(authorization) ?? [];
    if (!encoded) return undefined;
    const [name = '', ...password] = Buffer.from(encoded, 'base64').toString().split(':');
    const account = await loginOverHttp(pool, name, password.join(':'));
    if (!account) return undefined;
    await makeFolders(pool, log, account);
    if (!known) socket.once('close', () => { if (sessions.delete(socket)) changed(); });
    sessions.set(socket, { session: newSession('http', account, socket.remoteAddress ?? ''), account, authorization });
    changed();
    return account;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (refusing() || !ready()) return say(response, 503, 'The server is shutting down or not ready.');
    const account = await authenticate(request);
    if (!account) return say(response, 401, 'Unauthorized', { 'www-authenticate': 'Basic realm="SecureTransport"' });
    const filename = posix.normalize(`/${decodeURIComponent(new URL(request.url ?? '/', 'https://x').pathname)}`);
    const path = join(account.homeFolder, filename);
    if (request.method === 'PUT') return put(request, response, account, filename, path);
    if (request.method === 'DELETE') {
      await fs.unlink(path);
      return say(response, 204, '');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return say(response, 405, 'Method not allowed', { allow: 'GET, HEAD, PUT, DELETE' });
    const stats = await fs.stat(path);
    if (stats.isDirectory()) return say(response, 200, (await fs.readdir(path)).join('\n'));
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': stats.size });
    if (request.method === 'HEAD') response.end();
    else await pipeline(createReadStream(path), response);
  };

  const put = async (request: IncomingMessage, response: ServerResponse, account: Account, filename: string, path: string): Promise<void> => {
    const file = async () => ({ account: account.name, homeFolder: account.homeFolder, filename, size: (await fs.stat(path)).size, protocol: 'http' });
    try {
      await pipeline(request, createWriteStream(path));
    } catch (error) {
      await file().then((partial) => refuseFile(pool, home, partial)).catch(() => undefined);
      throw error;
    }
    await receiveFile(pool, home, await file());
    say(response, 201, '');
  };

  return {
    accept: (socket) => void server.emit('connection', socket),
    sessions: () => [...sessions.values()].map(({ session }) => session),
    disconnect(id) {
      for (const [socket, { session }] of sessions) {
        if (session.id !== id) continue;
        socket.destroy();
        return true;
      }
      return false;
    },
    drain: () => server.closeIdleConnections(),
    endAll: () => server.closeAllConnections(),
  };
}
