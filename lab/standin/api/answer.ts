import type { IncomingMessage, ServerResponse } from 'node:http';
import { accountRoutes } from './accounts';
import { apiKeyRoutes } from './apiKeys';
import { recordWrite } from './audit';
import { businessUnitRoutes } from './businessUnits';
import { clientSessionRoutes } from './clientSessions';
import { certificateRoutes } from './certificates';
import { clusterRoutes } from './cluster';
import { daemonRoutes } from './daemons';
import { databaseRoutes } from './database';
import { deniedUserRoutes } from './deniedUsers';
import { ApiError, ok, route, type Api, type Reply, type Route } from './http';
import { logRoutes } from './logs';
import { observeRoutes } from './observe';
import { optionRoutes } from './options';
import type { makeAdminSessions } from './sessions';
import { transactionManagerRoutes } from './transactionManager';
import { zoneRoutes } from './zones';

const base = '/api/v2.0';
const largestBody = 1024 * 1024;

type AdminSessions = ReturnType<typeof makeAdminSessions>;

export function makeRoutes(sessions: AdminSessions): Route[] {
  return [
    ['GET', '/myself', ({ administrator }) => ok({ loginName: administrator, administratorRoleName: 'Master Administrator', isLocked: false })],
    ['POST', '/myself', ({ administrator, headers }) => sessions.logIn(administrator, headers.referer ?? '')],
    ['DELETE', '/myself', (request) => sessions.logOut(request)],
    ...daemonRoutes, ...transactionManagerRoutes, ...clusterRoutes, ...optionRoutes, ...databaseRoutes, ...certificateRoutes, ...zoneRoutes, ...businessUnitRoutes,
    ...accountRoutes, ...apiKeyRoutes, ...deniedUserRoutes, ...clientSessionRoutes, ...logRoutes, ...observeRoutes,
  ];
}

/** Answers one call; every failure becomes the answer the product would give. */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { api, sessions, routes, operational }: { api: Api; sessions: AdminSessions; routes: Route[]; operational: boolean },
): Promise<void> {
  const method = request.method ?? 'GET';
  let reply: Reply;
  try {
    const body = await readBody(request);
    if (!operational) throw new ApiError(503, 'The Administration Tool is not operational: this Server is not part of the cluster.', true);
    const url = new URL(request.url ?? '/', 'https://server');
    if (!url.pathname.startsWith(`${base}/`)) throw new ApiError(404, htmlPage('HTTP Status 404 - Not Found'), true);
    const call = { method, path: url.pathname.slice(base.length), query: url.searchParams, headers: request.headers, body };
    const administrator = await sessions.authenticate(call, api);
    const { handler, params } = route(routes, method, call.path);
    reply = await handler({ ...call, params, administrator }, api);
    await recordWrite(api, administrator, call);
  } catch (error) {
    reply = replyOf(error as Error, api);
  }
  send(response, reply, method);
}

function replyOf(error: Error & { code?: string }, api: Api): Reply {
  if (error instanceof ApiError) return { status: error.status, body: error.plain ? error.message : { message: error.message, errors: [error.message] } };
  if (error instanceof URIError) return { status: 400, body: { message: 'The path is not valid.', errors: [error.message] } };
  api.log('ERROR', error.stack ?? error.message);
  const database = error.message.includes('imeout') || /^(08|57P|ECONN|EHOST|ENET|ETIMEDOUT)/.test(error.code ?? '') || error.message.includes('Connection terminated');
  if (database) return { status: 503, body: 'The database does not answer.' };
  return { status: 500, body: { message: 'Internal server error', errors: [error.message] } };
}

/** What the web server in front of the API answers by itself is a page for a browser. */
const htmlPage = (title: string): string => `<!doctype html><html lang="en"><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;

function send(response: ServerResponse, { status, body, headers }: Reply, method: string): void {
  const silent = body === undefined || (method === 'HEAD' && status >= 400);
  const text = silent ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body !== 'string' ? 'application/json' : body.startsWith('<') ? 'text/html' : 'text/plain';
  response.writeHead(status, {
    ...(text !== '' && { 'content-type': `${type};charset=utf-8` }),
    ...(status !== 204 && { 'content-length': Buffer.byteLength(text) }),
    ...headers,
  });
  response.end(method === 'HEAD' ? undefined : text);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > largestBody) throw new ApiError(413, 'The request body is too large.', true);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
