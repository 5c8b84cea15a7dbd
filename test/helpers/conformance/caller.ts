/** Raw calls of the Admin REST API, each on a connection of its own: what comes back is looked at as it came. */
import { request } from 'node:https';
import { until } from '../../../lab/shell';
import type { Target } from './target';

export interface Answer {
  /** 0: a write that got no answer. */
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The parsed body; undefined when it is no JSON. */
  json: any;
}

export interface Call {
  /** JSON unless it is a string. */
  body?: unknown;
  headers?: Record<string, string>;
  /** `false` sends none. */
  referer?: string | false;
}

type Place = Pick<Target, 'address' | 'port' | 'ca'>;

const base = '/api/v2.0';
const usualReferer = 'https://conformance.test/';

export const basic = ({ user, password }: Pick<Target, 'user' | 'password'>): Call => ({ headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` } });

/**
 * One call. While daemons restart the API can refuse connections, or accept and not answer (§11): a read is asked again, and so is
 * what was never sent; a write that got no answer is told as status 0.
 */
export function callAt(target: Place, method: string, path: string, call: Call = {}): Promise<Answer> {
  return until(`${method} ${path}`, () => exchange(target, method, path, call).catch((error: NodeJS.ErrnoException) => {
    if (['GET', 'HEAD'].includes(method) || error.code === 'ECONNREFUSED') throw error;
    return { status: 0, headers: {}, text: `no answer: ${error.message}`, json: undefined };
  }), 15_000, 30);
}

/** A path that begins with `//` is taken without the API's base. */
export function exchange(target: Place, method: string, path: string, { body, headers = {}, referer = usualReferer }: Call): Promise<Answer> {
  const raw = body === undefined || typeof body === 'string';
  return new Promise((resolve, reject) => {
    const sent = request({
      host: target.address, port: target.port, ca: target.ca, method, path: path.startsWith('//') ? path.slice(1) : `${base}${path}`, agent: false, timeout: 3000,
      headers: { accept: 'application/json', ...(referer !== false && { referer }), ...(!raw && { 'content-type': 'application/json' }), ...headers },
    }, (response) => {
      let text = '';
      response.on('data', (data) => { text += String(data); });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) }));
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer within 3 s')));
    sent.on('error', reject);
    sent.end(raw ? body : JSON.stringify(body));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
