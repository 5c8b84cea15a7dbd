/** Against an HTTPS server that says what the stand-in doesn't: odd bodies, silence, expiry, long lists. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AdminApi, AdminServer } from '../../../src/clients/adminApi';
import { makeCertificate } from '../standin/tls';
import { adminRemote, json, type Handler, type Remote } from './support/adminRemote';

jest.setTimeout(30_000);

const { folder, remote, api: made } = adminRemote();
let api: AdminApi;
beforeEach(() => { api = made(); });

const failing = async (status: number, body: string): Promise<AdminServer> => api.server((await remote((_request, response) => void response.writeHead(status).end(body))).access);

test('one login serves all calls; reads carry the cookie, writes the token too, all the same Referer, and no password', async () => {
  const far = await remote((request, response) => (request.method === 'GET' ? json(response, { status: 'Running.' }) : void response.writeHead(204).end()));
  const server = api.server(far.access);
  await Promise.all([server.transactionManager(), server.transactionManager(), api.server(far.access).transactionManager()]);
  await server.setOptions({ 'node.ip': ['10.0.0.1'] });
  expect(far.logins()).toBe(1);
  const [login, ...rest] = far.calls;
  expect(login).toMatchObject({ method: 'POST', path: '/api/v2.0/myself', authorization: `Basic ${Buffer.from('admin:pw').toString('base64')}` });
  expect(rest.every((call) => call.cookie === 'JSESSIONID=s1' && call.authorization === undefined)).toBe(true);
  expect(new Set(far.calls.map((call) => call.referer))).toEqual(new Set([`https://127.0.0.1:${far.access.port}/`]));
  expect(rest.at(-1)).toMatchObject({ method: 'PUT', path: '/api/v2.0/configurations/options', csrf: 't1', body: '[{"name":"node.ip","values":["10.0.0.1"]}]' });
});

test('closing logs the session out', async () => {
  const far = await remote((_request, response) => json(response, { status: 'Running.' }));
  await api.server(far.access).transactionManager();
  await api.close();
  expect(far.calls.at(-1)).toMatchObject({ method: 'DELETE', path: '/api/v2.0/myself', cookie: 'JSESSIONID=s1' });
});

test('a session that expired logs in once more, also for a write and for many at once', async () => {
  let valid = 'JSESSIONID=s1';
  const far = await remote((request, response) => (request.headers.cookie === valid ? json(response, { isSuccessful: true, message: 'ok', status: 'Running.' }) : void response.writeHead(401).end('Unauthorized')));
  const server = api.server(far.access);
  await server.transactionManager();
  valid = 'JSESSIONID=s2';
  await Promise.all([server.transactionManager(), server.stopTransactionManager({ graceful: true, timeoutSeconds: 5 }), server.transactionManager()]);
  expect(far.logins()).toBe(2);
  expect(far.calls.filter((call) => call.method === 'POST' && call.path.endsWith('/operations')).at(-1)).toMatchObject({ query: '?operation=stop&graceful=true&timeout=5', csrf: 't2' });
});

test('a Server that was restarted between the login and the first call has forgotten the session: one more login', async () => {
  const far = await remote((request, response) => (request.headers.cookie === 'JSESSIONID=s2' ? json(response, { status: 'Running.' }) : void response.writeHead(401).end('Unauthorized')));
  await expect(api.server(far.access).transactionManager()).resolves.toMatchObject({ running: true });
  expect(far.logins()).toBe(2);
});

test('a session that is refused again after a fresh login is a refusal: no further login, on no Server, until it is forgotten', async () => {
  const refusing = await remote((_request, response) => void response.writeHead(401).end('Access denied'));
  const other = await remote((_request, response) => json(response, { status: 'Running.' }));
  await expect(api.server(refusing.access).transactionManager()).rejects.toMatchObject({ code: 'AuthenticationFailed', message: expect.stringContaining('Access denied') });
  await expect(api.server(refusing.access).transactionManager()).rejects.toMatchObject({ code: 'AuthenticationFailed' });
  // An Edge that was not asked must not be told by the address of a Server as if that were its own.
  const [at, there] = [`127.0.0.1:${other.access.port}`, `127.0.0.1:${refusing.access.port}`];
  await expect(api.server(other.access).transactionManager()).rejects.toMatchObject({ code: 'AuthenticationFailed', message: expect.stringMatching(`^${at} was not asked, since ${there} has refused this login: .*Access denied`) });
  await expect(api.server(refusing.access).transactionManager()).rejects.toMatchObject({ message: expect.not.stringContaining('was not asked') });
  expect([refusing.logins(), other.logins()]).toEqual([2, 0]);
  api.forget(other.access);
  await expect(api.server(other.access).transactionManager()).resolves.toMatchObject({ running: true });
});

/** A Server that takes one password, and only its latest session. */
async function taking(password: () => string): Promise<Remote> {
  let session = 0;
  return remote((request, response) => (request.headers.cookie === `JSESSIONID=${session}` ? json(response, { status: 'Running.' }) : void response.writeHead(401).end('no')), (request, response) => {
    if (request.headers.authorization !== `Basic ${Buffer.from(`admin:${password()}`).toString('base64')}`) return void response.writeHead(401).end('Bad credentials');
    response.writeHead(200, { 'set-cookie': `JSESSIONID=${(session += 1)}; Path=/`, csrfToken: 't' }).end('{}');
  });
}

test('another credential opens another session, and closes what the old one opened', async () => {
  const file = join(folder(), 'renewed');
  const renew = (password: string): void => writeFileSync(file, password, { mode: 0o600 });
  renew('first-one');
  let wanted = 'first-one';
  const far = await taking(() => wanted);
  const server = api.server({ ...far.access, password: `file:${file}` });
  await server.transactionManager();
  wanted = 'the-second-one';
  renew(wanted);
  await Promise.all([server.transactionManager(), server.transactionManager()]);
  await server.transactionManager();
  expect(far.logins()).toBe(2);
  expect(far.calls.filter(({ method }) => method === 'DELETE')).toMatchObject([{ path: '/api/v2.0/myself', cookie: 'JSESSIONID=1' }]);
});

test('a wrong credential in the place of a right one is tried once, whatever the right one has opened, and the right one works again', async () => {
  const file = join(folder(), 'mistaken');
  writeFileSync(file, 'right', { mode: 0o600 });
  const far = await taking(() => 'right');
  const server = api.server({ ...far.access, password: `file:${file}` });
  await server.transactionManager();
  writeFileSync(file, 'mistaken');
  for (let call = 1; call <= 3; call += 1) await expect(server.transactionManager()).rejects.toMatchObject({ code: 'AuthenticationFailed' });
  expect(far.logins()).toBe(2);
  writeFileSync(file, 'right');
  await expect(server.transactionManager()).resolves.toMatchObject({ running: true });
});

test('a command that gives the password is not run for each call', async () => {
  const runs = join(folder(), 'runs');
  const program = join(folder(), 'give-password');
  writeFileSync(program, `#!/bin/sh\necho run >>${runs}\necho pw\n`, { mode: 0o700 });
  const far = await remote((_request, response) => json(response, { status: 'Running.' }));
  const server = api.server({ ...far.access, password: `command:${program}` });
  await server.transactionManager();
  const atLogin = readFileSync(runs, 'utf8');
  for (let call = 1; call <= 5; call += 1) await server.transactionManager();
  expect(readFileSync(runs, 'utf8')).toBe(atLogin);
});

test('a wrong password is sent to one Server only, even when many Servers are asked at once', async () => {
  const refuse: Handler = (_request, response) => void response.writeHead(401).end('Bad credentials');
  const far = await Promise.all([1, 2, 3].map(() => remote(refuse, refuse)));
  const ends = await Promise.allSettled(far.map((one) => api.server(one.access).version()));
  expect(ends.map((end) => (end.status === 'rejected' ? (end.reason as { code: string }).code : 'ok'))).toEqual(Array(3).fill('AuthenticationFailed'));
  expect(far.reduce((sum, one) => sum + one.logins(), 0)).toBe(1);
});

test('no message holds the password', async () => {
  writeFileSync(join(folder(), 'loud'), 'hunter2-secret', { mode: 0o600 });
  const echo: Handler = (_request, response) => void response.writeHead(401).end('no');
  const far = await remote(echo, echo);
  const error = await api.server({ ...far.access, password: `file:${folder()}/loud` }).version().catch((one: unknown) => one);
  expect(JSON.stringify([error, String(error), (error as Error).stack])).not.toContain('hunter2');
});

test.each([
  ['JSON', 400, '{"message":"Validation failed","errors":["numberOfNodes: must be a number"]}', 'Refused', /GET \/api\/v2\.0\/version at 127\.0\.0\.1:\d+: 400 Validation failed; numberOfNodes: must be a number/],
  ['plain text', 403, 'Method not covered by this key', 'PermissionDenied', /403 Method not covered by this key/],
  ['HTML', 500, '<!DOCTYPE html><html><head><style>p{}</style><title>Oops</title></head><body><h1>Server &gt; error</h1></body></html>', 'Unreachable', /500 Oops Server/],
  ['nothing', 404, '', 'Refused', /404 \(no message\)/],
  ['503 while it starts', 503, 'Service is not operational', 'Unreachable', / 503 Service is not operational/],
  ['429', 429, 'slow down', 'Unreachable', /429 slow down/],
  ['a redirect', 302, '', 'Refused', /302/],
  ['a page instead of an answer', 200, '<html><body>Welcome</body></html>', 'Refused', /no JSON.*Welcome/],
])('an error told as %s becomes one StError that names method, path and host', async (_kind, status, body, code, message) => {
  await expect((await failing(status, body)).version()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('a read without an answer is Unreachable, a write may have happened', async () => {
  const far = await remote((request, response) => { if (request.url!.endsWith('/version')) json(response, { version: '5.5' }); });
  const server = api.server(far.access);
  await server.version();
  await expect(server.transactionManager({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'Unreachable', message: expect.stringContaining('no answer within 100 ms') });
  await expect(server.addClusterNode('10.0.0.9', { timeoutMs: 100 })).rejects.toMatchObject({ code: 'ConnectionLost', message: expect.stringContaining('may or may not') });
});

test('a connection that breaks in the middle is told the same way', async () => {
  const far = await remote((request) => void request.socket.destroy());
  await expect(api.server(far.access).transactionManager()).rejects.toMatchObject({ code: 'Unreachable' });
  await expect(api.server(far.access).addClusterNode('10.0.0.9')).rejects.toMatchObject({ code: 'ConnectionLost' });
});

test('a certificate that has expired, or is another\'s, is refused before any login, and told as that', async () => {
  const far = await remote((_request, response) => json(response, { version: '5.5' }));
  const made = (name: string, days?: number): string => {
    mkdirSync(join(folder(), name));
    return makeCertificate(join(folder(), name), '127.0.0.1', days).cert;
  };
  const other = made('other');
  await expect(api.server({ ...far.access, ca: other }).version()).rejects.toMatchObject({ code: 'TlsRejected' });
  const expired = made('expired', -1);
  far.server.setSecureContext({ key: readFileSync(join(folder(), 'expired/tls.key')), cert: readFileSync(expired) });
  await expect(api.server({ ...far.access, ca: expired }).version()).rejects.toMatchObject({ code: 'TlsRejected', message: expect.stringContaining('CERT_HAS_EXPIRED') });
  expect(far.calls).toEqual([]);
});

test('a port that speaks no TLS is told as that', async () => {
  const { createServer: plain } = await import('node:net');
  const server = plain((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const { access } = await remote(() => undefined);
  await expect(api.server({ ...access, port }).version()).rejects.toMatchObject({ code: 'TlsRejected' });
  server.close();
});

test('an abort ends the call with its reason', async () => {
  const far = await remote(() => undefined);
  const abort = new AbortController();
  const call = api.server(far.access).version({ signal: abort.signal });
  setTimeout(() => abort.abort(new Error('cancelled')), 50);
  await expect(call).rejects.toThrow('cancelled');
});

test('a list of many pages is read whole, and a plain array is taken as it is', async () => {
  const all = Array.from({ length: 230 }, (_, index) => ({ name: `o${index}`, values: [] }));
  const far = await remote((_request, response, url) => {
    if (url.pathname.endsWith('/sessions')) return json(response, [{ id: 'SSH:1' }]);
    const offset = Number(url.searchParams.get('offset'));
    const result = all.slice(offset, offset + Math.min(100, Number(url.searchParams.get('limit'))));
    json(response, { resultSet: { returnCount: result.length, totalCount: all.length }, result });
  });
  const server = api.server(far.access);
  expect(await server.options()).toEqual(all);
  expect(far.calls.filter((call) => call.path.endsWith('/options')).length).toBe(3);
  expect(await server.sessions()).toEqual([{ id: 'SSH:1' }]);
});

test('a filter that the Server ignores is applied here', async () => {
  const far = await remote((_request, response) => json(response, { resultSet: { totalCount: 2 }, result: [{ id: '1', status: 'ready' }, { id: '2', status: 'active' }] }));
  expect(await api.server(far.access).events({ status: 'active' })).toEqual([{ id: '2', status: 'active' }]);
});

test('an operation whose answer does not say that it worked did not work', async () => {
  const answers = [{}, { daemonOperationResults: [{ daemon: 'ssh', isSuccessful: false, message: 'port is in use' }] }, { daemonOperationResults: [{ daemon: 'ssh', isSuccessful: true, message: 'started' }] }];
  const far = await remote((_request, response) => json(response, answers.shift()));
  const server = api.server(far.access);
  await expect(server.startDaemon('ssh')).rejects.toMatchObject({ code: 'NotYet', message: expect.stringContaining('does not say') });
  await expect(server.startDaemon('ssh')).rejects.toMatchObject({ code: 'NotYet', message: expect.stringContaining('port is in use') });
  await expect(server.startDaemon('ssh')).resolves.toEqual({ isSuccessful: true, message: 'started' });
});
