import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { ports, until, type Server } from './estate';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The parsed body; undefined when it isn't JSON. */
  json: any;
}

export interface Call {
  body?: unknown;
  headers?: Record<string, string>;
  /** `false` sends no credentials. */
  password?: string | false;
  referer?: boolean;
}

/** One call of the Admin API with Basic credentials of `admin`, on a connection of its own. */
export function call(server: Server, method: string, path: string, { body, headers = {}, password = 'admin', referer = true }: Call = {}): Promise<Answer> {
  const raw = typeof body === 'string' || body === undefined;
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: server.address, port: ports.admin, method, path: `/api/v2.0${path}`, ca: readFileSync(server.certificate.cert), agent: false, timeout: 3000,
      headers: {
        ...(referer && { referer: 'https://tests' }),
        ...(password !== false && { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` }),
        ...(!raw && { 'content-type': 'application/json' }),
        ...headers,
      },
    }, (response) => {
      let text = '';
      response.on('data', (data) => { text += String(data); });
      response.on('error', reject);
      response.on('end', () => {
        let json: unknown;
        try { json = JSON.parse(text); } catch { json = undefined; }
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 3 s')));
    request.on('error', reject);
    request.end(raw ? body : JSON.stringify(body));
  });
}

/** Waits until the Administration Tool answers at all. */
export const answers = (server: Server) => until(`the Administration Tool of ${server.address}`, () => call(server, 'GET', '/version', { password: false }));

/** Waits until it answers 200. */
export const operational = (server: Server) =>
  until(`an operational Administration Tool on ${server.address}`, async () => (await call(server, 'GET', '/version')).status === 200);

export const addNode = (via: Server, server: Server) =>
  call(via, 'POST', '/configurations/clusterManagement/nodes', { body: { serverAddress: server.address } });

export const statusOf = async (via: Server, server: Server): Promise<string | undefined> =>
  (await call(via, 'GET', '/configurations/clusterManagement')).json.clusterNodes.find((node: any) => node.serverAddress === server.address)?.status;
