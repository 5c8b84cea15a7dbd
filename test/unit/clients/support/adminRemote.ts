/** An HTTPS server that says what a test wants of an Administration Tool, and the client that asks it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdminApi, type AdminApi } from '../../../../src/clients/adminApi';
import type { AdminAccess } from '../../../../src/model/targets';
import { makeCertificate } from '../../standin/tls';

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

export interface Remote {
  access: AdminAccess;
  /** Method, path and what came with each call. */
  calls: { method: string; path: string; query: string; cookie?: string; csrf?: string; referer?: string; authorization?: string; body: string }[];
  logins(): number;
  server: Server;
}

export const json = (response: ServerResponse, body: unknown, status = 200): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** Registers what sets up and takes down; `folder` has a certificate and the file `password`, `api` is new for each test. */
export function adminRemote(): { folder(): string; api(): AdminApi; remote(handle: Handler, logIn?: Handler): Promise<Remote> } {
  let folder: string;
  let api: AdminApi;
  const open: Server[] = [];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'st-https-'));
    makeCertificate(folder, '127.0.0.1');
    writeFileSync(join(folder, 'password'), 'pw', { mode: 0o600 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => { api = createAdminApi({ timeoutMs: 3000 }); });
  afterEach(async () => {
    await api.close();
    await Promise.all(open.splice(0).map((server) => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); })));
  });

  /** A server where POST /myself works as documented, unless `logIn` says otherwise, and all else is up to `handle`. */
  async function remote(handle: Handler, logIn?: Handler): Promise<Remote> {
    const calls: Remote['calls'] = [];
    let logins = 0;
    const server = createServer({ key: readFileSync(join(folder, 'tls.key')), cert: readFileSync(join(folder, 'tls.crt')) }, (request, response) => {
      const url = new URL(request.url!, 'https://x');
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { cookie, referer, authorization } = request.headers;
        calls.push({ method: request.method!, path: url.pathname, query: url.search, cookie, referer, authorization, csrf: request.headers['csrftoken'] as string | undefined, body: Buffer.concat(chunks).toString() });
        if (url.pathname !== '/api/v2.0/myself') return handle(request, response, url);
        if (request.method !== 'POST') return response.writeHead(204).end();
        logins += 1;
        if (logIn) return logIn(request, response, url);
        response.writeHead(200, { 'set-cookie': `JSESSIONID=s${logins}; Path=/; Secure; HttpOnly`, csrfToken: `t${logins}` }).end('{"message":"Logged in"}');
      });
    });
    open.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    return { server, calls, logins: () => logins, access: { address: '127.0.0.1', port, user: 'admin', password: `file:${folder}/password`, ca: join(folder, 'tls.crt') } };
  }

  return { folder: () => folder, api: () => api, remote };
}
