import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWebhook } from '../../../src/clients/webhook';
import { makeCertificate } from '../standin/tls';

let folder: string;
const servers: Server[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'st-hook-'));
  makeCertificate(folder, '127.0.0.1');
});
afterEach(() => { for (const server of servers.splice(0)) { server.closeAllConnections(); server.close(); } });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Call { headers: IncomingMessage['headers']; body: string; path: string }

/** A receiver that answers with these statuses, one after the other, and then never. */
async function receiver(statuses: (number | 'silence')[], tls = true): Promise<{ url: string; calls: Call[] }> {
  const calls: Call[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      calls.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), path: request.url ?? '' });
      const status = statuses.shift() ?? 'silence';
      if (status !== 'silence') response.writeHead(status, { location: '/elsewhere' }).end(status === 200 ? 'ok' : `no: ${'x'.repeat(100_000)}`);
    });
  };
  const server = tls ? createServer({ key: readFileSync(join(folder, 'tls.key')), cert: readFileSync(join(folder, 'tls.crt')) }, answer) : createPlain(answer);
  servers.push(server as Server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http${tls ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=t0ken`, calls };
}

const webhook = createWebhook({ env: { HOOK: 'a-long-secret' } });
const message = { key: 'node.st1.7', body: { id: 'node.st1.7', summary: 'st1 is Offline ⚠' } };
const target = (url: string) => ({ url, secret: 'env:HOOK', ca: join(folder, 'tls.crt') });

test.each([true, false])('an event is posted as JSON, signed over the very bytes, under the key of the event (TLS: %s)', async (tls) => {
  const { url, calls } = await receiver([200, 204], tls);
  expect([await webhook.post(target(url), message), await webhook.post(target(url), message)]).toEqual([200, 204]);
  for (const { headers, body, path } of calls) {
    expect([path, headers['content-type'], headers['idempotency-key']]).toEqual(['/hook?token=t0ken', 'application/json', 'node.st1.7']);
    expect(JSON.parse(body)).toEqual(message.body);
    const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-st-signature']))!;
    expect(mac).toBe(createHmac('sha256', 'a-long-secret').update(`${seconds}.${body}`).digest('hex'));
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(10);
  }
});

test.each<[number | 'silence', string]>([
  [500, 'Unreachable'], [503, 'Unreachable'], [429, 'Unreachable'], [404, 'Unreachable'], [302, 'Refused'], [400, 'Refused'], [401, 'Refused'], ['silence', 'ConnectionLost'],
])('an answer of %s is %s, in a bounded message without the token of the address or the secret', async (status, code) => {
  const { url, calls } = await receiver([status]);
  const error = await webhook.post(target(url), message, { timeoutMs: status === 'silence' ? 200 : 10_000 }).then(() => undefined, (thrown: unknown) => thrown as Error);
  expect(error).toMatchObject({ code, message: expect.stringMatching(/^POST https:\/\/127\.0\.0\.1:\d+: /) });
  expect(error!.message.length).toBeLessThan(1_000);
  expect(error!.message).not.toMatch(/t0ken|a-long-secret/);
  expect(calls).toHaveLength(1);
});

test('a receiver that can\'t be verified is told nothing, one that is not there is Unreachable, a missing secret is said', async () => {
  const { url, calls } = await receiver([200]);
  await expect(webhook.post({ url, secret: 'env:HOOK' }, message)).rejects.toMatchObject({ code: 'TlsRejected' });
  await expect(webhook.post({ ...target(url), ca: '/none.pem' }, message)).rejects.toMatchObject({ code: 'FileUnavailable' });
  await expect(webhook.post({ ...target(url), secret: 'env:NOT_SET' }, message)).rejects.toMatchObject({ code: 'SecretUnavailable' });
  expect(calls).toEqual([]);
  await expect(webhook.post(target('https://127.0.0.1:1/'), message)).rejects.toMatchObject({ code: 'Unreachable' });
});
