/** The codec server: what the Temporal UI and CLI get, and who gets nothing. */
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { encryptionCodec, parseKey } from '../../../src/control/codec';
import { startCodecServer } from '../../../src/control/codecServer';

const key = 'a'.repeat(64);
const uiOrigin = 'http://localhost:8233';
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const plain = { metadata: { encoding: b64('json/plain') }, data: b64('{"cluster":"demo"}') };
let server: Server;
let base: string;

beforeAll(async () => {
  process.env['ST_TEST_CODEC_KEY'] = key;
  server = await startCodecServer({ encryption: { key: 'env:ST_TEST_CODEC_KEY', oldKeys: [] } }, { host: '127.0.0.1', port: 0, uiOrigin });
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  delete process.env['ST_TEST_CODEC_KEY'];
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(base + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });

test('what the worker encrypted is decoded, and encoded again opens with the same key', async () => {
  const [sealed] = await encryptionCodec([parseKey(key, 'key')]).encode([{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"cluster":"demo"}') }]);
  const wire = { metadata: Object.fromEntries(Object.entries(sealed!.metadata!).map(([name, value]) => [name, Buffer.from(value).toString('base64')])), data: Buffer.from(sealed!.data!).toString('base64') };
  expect(await (await post('/decode', { payloads: [wire, plain] })).json()).toEqual({ payloads: [plain, plain] });
  const encoded: any = await (await post('/encode', { payloads: [plain] })).json();
  expect(Buffer.from(encoded.payloads[0].metadata.encoding, 'base64').toString()).toBe('binary/encrypted');
  expect(await (await post('/decode', encoded)).json()).toEqual({ payloads: [plain] });
});

test('the Temporal UI may ask from its origin, with its headers; no other page may', async () => {
  const preflight = await fetch(`${base}/decode`, { method: 'OPTIONS', headers: { origin: uiOrigin, 'access-control-request-method': 'POST' } });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-origin')).toBe(uiOrigin);
  expect(preflight.headers.get('access-control-allow-headers')).toContain('x-namespace');
  expect((await post('/decode', { payloads: [plain] }, { origin: uiOrigin })).status).toBe(200);
  const foreign = await post('/decode', { payloads: [plain] }, { origin: 'http://evil.example' });
  expect(foreign.status).toBe(403);
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
});

test('what is no list of payloads, or does not open, is answered with 400 in words; another path with 404', async () => {
  for (const body of ['{', '{}', '{"payloads":1}']) expect((await post('/decode', body)).status).toBe(400);
  const wrong = await post('/decode', { payloads: [{ metadata: { encoding: b64('binary/encrypted'), 'encryption-key-id': b64('other') }, data: '' }] });
  expect(wrong.status).toBe(400);
  expect(await wrong.json()).toEqual({ message: expect.stringContaining('not configured here') });
  // The last is no address at all, and must not end the server.
  for (const path of ['/other', '//']) expect((await post(path, { payloads: [] })).status).toBe(404);
});

test('a port that is taken is told', async () => {
  const port = (server.address() as AddressInfo).port;
  await expect(startCodecServer({ encryption: { key: 'env:ST_TEST_CODEC_KEY', oldKeys: [] } }, { host: '127.0.0.1', port, uiOrigin })).rejects.toThrow('can\'t be listened on (EADDRINUSE)');
});
