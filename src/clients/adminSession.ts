/**
 * The way to one Server's Admin API: verified TLS, kept connections, one login that is shared, and every kind of answer told as data or as one StError.
 * Contract: reference §11 (session, csrfToken, Referer) and what live servers do (§11.1).
 */
import { endpoint } from '../model/fields';
import { Agent, FormData, request } from 'undici';
import { StError } from '../model/errors';
import type { AdminAccess } from '../model/targets';
import { explainStatus, explainTransport, messageOf } from './adminErrors';
import type { Logins } from './adminLogins';
import { readCa } from './caFile';
import { within } from './within';

export interface CallOptions {
  /** One request, in milliseconds; 10 s by default. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface Call extends CallOptions {
  query?: Query;
  /** Sent as JSON, a FormData as a multipart form. */
  body?: unknown;
}

export interface Answer {
  status: number;
  /** Parsed JSON; `undefined` when the body was empty. */
  body: unknown;
  headers: Record<string, string | string[] | undefined>;
}

export interface AdminSession {
  /** @throws StError as `AdminServer` says. */
  call(method: Method, path: string, call?: Call): Promise<Answer>;
  /** Logs out when logged in, and ends the connections. */
  /** Whether a login is kept: the next call needs none, nor a new connection if the Server keeps them. */
  loggedIn(): boolean;
  close(): Promise<void>;
}

interface Login {
  cookie: string;
  csrfToken: string | undefined;
  /** The fingerprint of the credential that opened it. */
  credential: string;
}

interface RawAnswer {
  status: number;
  text: string;
  headers: Answer['headers'];
}

const base = '/api/v2.0';
const mostBytes = 16 * 1024 * 1024;
const logoutMs = 1000;

export function createAdminSession(access: AdminAccess, logins: Logins, defaultTimeoutMs: number): AdminSession {
  const origin = `https://${endpoint(access.address, access.port)}`;
  const place = endpoint(access.address, access.port);
  let agent: Promise<Agent> | undefined;
  let login: Login | undefined;
  let loggingIn: Promise<Login> | undefined;

  async function openAgent(): Promise<Agent> {
    const ca = await readCa(place, access.ca).catch((error: unknown) => {
      agent = undefined;
      throw error;
    });
    return new Agent({ connect: { ca, rejectUnauthorized: true, timeout: defaultTimeoutMs }, connections: 8, keepAliveTimeout: 4000 });
  }

  /** One HTTP exchange. */
  async function send(method: Method, path: string, { query, body, timeoutMs = defaultTimeoutMs, signal }: Call, headers: Record<string, string>): Promise<RawAnswer> {
    signal?.throwIfAborted();
    const what = `${method} ${base}${path} at ${place}`;
    const time = AbortSignal.timeout(timeoutMs);
    const form = body instanceof FormData;
    const dispatcher = await (agent ??= openAgent());
    try {
      const response = await request(`${origin}${base}${path}${queryString(query)}`, {
        dispatcher, method,
        signal: signal ? AbortSignal.any([signal, time]) : time,
        headers: { accept: 'application/json', referer: `${origin}/`, ...(body === undefined || form ? {} : { 'content-type': 'application/json' }), ...headers },
        body: body === undefined ? null : form ? body : JSON.stringify(body),
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > mostBytes) throw new StError('Refused', `${what}: the answer is longer than ${mostBytes} bytes.`);
        chunks.push(chunk);
      }
      return { status: response.statusCode, text: Buffer.concat(chunks).toString('utf8'), headers: response.headers };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof StError) throw error;
      const failure = explainTransport(what, method !== 'GET', error, time.aborted ? timeoutMs : undefined);
      // The next call reads the CA file again: it may have been renewed.
      if (failure.code === 'TlsRejected') await dropAgent();
      throw failure;
    }
  }

  async function dropAgent(): Promise<void> {
    const old = agent;
    agent = undefined;
    await (await old?.catch(() => undefined))?.destroy();
  }

  /** The session to use; all who need a login wait for the same one. What another credential opened is closed: it would answer for one that may be refused. */
  async function session(): Promise<Login> {
    const kept = login;
    if (kept && (await logins.fingerprint(access)) === kept.credential) return kept;
    if (kept && login === kept) {
      login = undefined;
      void logOut(kept);
    }
    if (login) return login;
    loggingIn ??= logins.logIn(access, logIn).then((made) => (login = made)).finally(() => { loggingIn = undefined; });
    return loggingIn;
  }

  async function logIn(password: string, credential: string): Promise<Login> {
    const basic = Buffer.from(`${access.user}:${password}`).toString('base64');
    // The login is shared, so no single caller's signal or limit ends it.
    const answer = await send('POST', '/myself', {}, { authorization: `Basic ${basic}` });
    if (answer.status !== 200) throw explainStatus(`POST ${base}/myself at ${place}`, answer.status, answer.text);
    const cookie = [answer.headers['set-cookie'] ?? []].flat().map((one) => one.split(';')[0]!).join('; ');
    if (cookie === '') throw new StError('Refused', `POST ${base}/myself at ${place}: the login was accepted but no session came back.`);
    const token = answer.headers['csrftoken'];
    return { cookie, csrfToken: Array.isArray(token) ? token[0] : token, credential };
  }

  const logOut = ({ cookie, csrfToken }: Login): Promise<unknown> =>
    send('DELETE', '/myself', { timeoutMs: logoutMs }, { cookie, ...(csrfToken ? { csrfToken } : {}) }).catch(() => undefined);

  async function sendInSession(method: Method, path: string, call: Call): Promise<{ answer: RawAnswer; used: Login }> {
    const { timeoutMs = defaultTimeoutMs, signal } = call;
    const used = await within(session(), { timeoutMs, signal }, () => new StError('Unreachable', `POST ${base}/myself at ${place}: no login within ${timeoutMs} ms.`));
    const headers: Record<string, string> = { cookie: used.cookie };
    if (method !== 'GET' && used.csrfToken !== undefined) headers['csrfToken'] = used.csrfToken;
    return { answer: await send(method, path, call, headers), used };
  }

  return {
    async call(method, path, call = {}) {
      const what = `${method} ${base}${path} at ${place}`;
      let { answer, used } = await sendInSession(method, path, call);
      if (answer.status === 401) {
        // The login was accepted, so the session expired or the Server was restarted, maybe before the first call: only a fresh login tells of a wrong
        // password. Nobody but the holder of this very session discards it.
        if (login === used) login = undefined;
        ({ answer, used } = await sendInSession(method, path, call));
      }
      if (answer.status === 401) {
        if (login === used) login = undefined;
        throw await logins.refused(access, `${what}: the session of ${access.user} is refused: ${messageOf(answer.text)}`);
      }
      if (answer.status >= 300) throw explainStatus(what, answer.status, answer.text);
      return { status: answer.status, headers: answer.headers, body: parse(what, answer.text) };
    },
    loggedIn: () => login !== undefined,
    async close() {
      const last = login;
      login = undefined;
      if (last) await logOut(last);
      await dropAgent();
    },
  };
}

function parse(what: string, text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new StError('Refused', `${what}: the answer is no JSON; is this the port of the Administration Tool? It begins: ${messageOf(text)}`);
  }
}

function queryString(query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [String(value)]) parameters.append(name, one);
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
