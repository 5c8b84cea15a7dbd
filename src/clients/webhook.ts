/** Events to a program of somebody else's, over HTTPS: signed, so that the receiver knows who says it, and with a key, so that it takes a retry for the same. */
import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import { StError } from '../model/errors';
import type { SecretRef } from '../model/targets';
import { explainTransport, messageOf } from './adminErrors';
import { readCa } from './caFile';
import { resolveSecret } from './secrets';

export interface WebhookTarget {
  url: string;
  secret: SecretRef;
  /** Absolute path of a CA file; the system's CAs by default. */
  ca?: string;
}

export interface Webhook {
  /**
   * Posts JSON. `key` goes as `Idempotency-Key`; the signature is `X-St-Signature: t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>" in hexadecimal digits>`.
   * @returns the status, 2xx
   * @throws StError Unreachable, ConnectionLost, TlsRejected, Refused, SecretUnavailable
   */
  post(target: WebhookTarget, message: { key: string; body: unknown }, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<number>;
}

/** A receiver that is just being deployed answers 404 or 409 for a while; of all other 4xx no retry makes a 2xx. */
const passing = new Set([404, 408, 409, 425, 429]);
/** Of the answer, for the message. */
const mostBytes = 4_096;

export const signature = (secret: string, seconds: number, body: string): string => createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');

export function createWebhook({ env }: { env?: NodeJS.ProcessEnv } = {}): Webhook {
  return {
    async post(target, { key, body }, { timeoutMs = 15_000, signal } = {}) {
      signal?.throwIfAborted();
      // The address may carry a token of the receiver's.
      const what = `POST ${new URL(target.url).origin}`;
      const text = JSON.stringify(body);
      const secret = (await resolveSecret(target.secret, { env })).reveal();
      const ca = target.ca === undefined ? undefined : await readCa(what, target.ca);
      const time = AbortSignal.timeout(timeoutMs);
      // Events are rare: a connection for each. No redirect is followed, what is signed goes to the place that was named.
      const dispatcher = new Agent({ connect: { ...(ca === undefined ? {} : { ca }), rejectUnauthorized: true, timeout: timeoutMs } });
      try {
        const seconds = Math.floor(Date.now() / 1000);
        const { statusCode, body: answer } = await request(target.url, {
          dispatcher, method: 'POST', body: text, signal: signal ? AbortSignal.any([signal, time]) : time,
          headers: { 'content-type': 'application/json', 'user-agent': 'st-orchestrator', 'idempotency-key': key, 'x-st-signature': `t=${seconds},v1=${signature(secret, seconds, text)}` },
        });
        if (statusCode >= 200 && statusCode < 300) return statusCode;
        const told = `${what}: ${statusCode} ${messageOf(await beginning(answer))}`;
        throw new StError(statusCode < 500 && !passing.has(statusCode) ? 'Refused' : 'Unreachable', told);
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (error instanceof StError) throw error;
        throw explainTransport(what, true, error, time.aborted ? timeoutMs : undefined);
      } finally {
        await dispatcher.destroy();
      }
    },
  };
}

async function beginning(body: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += chunk.toString('utf8');
    if (text.length >= mostBytes) break;
  }
  return text.slice(0, mostBytes);
}
