/** What the client makes of the answers that live Servers give (reference §11.1), each from an HTTPS server that gives it. */
import type { AdminServer } from '../../../src/clients/adminApi';
import { adminRemote, json, type Handler, type Remote } from './support/adminRemote';

jest.setTimeout(30_000);

const { api, remote } = adminRemote();
const asked = async (handle: Handler, logIn?: Handler): Promise<{ server: AdminServer; far: Remote }> => {
  const far = await remote(handle, logIn);
  return { server: api().server(far.access), far };
};
/** A Server that answers these, one after the other, and the last of them for ever. */
const answering = async (...bodies: unknown[]): Promise<{ server: AdminServer; far: Remote }> =>
  asked((_request, response) => json(response, bodies.length > 1 ? bodies.shift() : bodies[0]));

test.each([['Running', true], ['Running.', true], ['Not running', false], ['Not running.', false], ['Stopping.', false]])('the status "%s", with its full stop or without, means running: %s', async (status, running) => {
  const { server } = await answering({ status });
  expect(await server.transactionManager()).toEqual({ running, status });
  expect(await server.clusterService('Scheduler')).toEqual({ running, status });
});

test('the daemons are those that the Server tells, and anything but "Running" is not running', async () => {
  const { server } = await answering({ ftpStatus: 'Not running', sshStatus: 'Running', colour: 'red', pesitStatus: null });
  expect(await server.daemons()).toEqual({ ftp: false, ssh: true });
});

test('an answer without the status that was asked for is refused, never taken for "not running"', async () => {
  const { server } = await answering({ message: 'something else' });
  await expect(server.transactionManager()).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('no status') });
});

test('a standalone Server has no nodes, told as an empty list or not at all', async () => {
  const { server } = await answering({ isCluster: false, clusterNodes: [] }, { isCluster: false });
  expect([await server.clusterNodes(), await server.clusterNodes()]).toEqual([[], []]);
});

test('a stop always says whether it is graceful, and a graceful one its limit', async () => {
  const { server, far } = await answering({ isSuccessful: true, message: '' });
  await server.stopTransactionManager({ graceful: false });
  await server.stopTransactionManager({ graceful: true, timeoutSeconds: 30 });
  await server.stopDaemon('ssh', { graceful: false });
  await server.stopDaemon('ssh', { graceful: true, timeoutSeconds: 30 });
  await server.startDaemon('ssh');
  expect(far.calls.slice(1).map(({ path, query }) => `${path.replace('/api/v2.0', '')}${query}`)).toEqual([
    '/transactionManager/operations?operation=stop&graceful=false', '/transactionManager/operations?operation=stop&graceful=true&timeout=30',
    '/daemons/operations?operation=stop&daemon=ssh&graceful=false', '/daemons/operations?operation=stop&daemon=ssh&graceful=true&timeout=30', '/daemons/operations?operation=start&daemon=ssh',
  ]);
});

test.each([
  ['one of several', { daemonOperationResults: [{ daemon: 'ssh', isSuccessful: true, message: '' }, { daemon: 'as2', isSuccessful: false, message: 'As2 Default is not enabled' }] }],
  ['the whole', { isSuccessful: false, message: 'As2 Default is not enabled' }],
  ['text instead of a truth value', { isSuccessful: 'true', message: 'As2 Default is not enabled' }],
])('200 with isSuccessful false is no success: %s', async (_, body) => {
  const { server } = await answering(body);
  await expect(server.startDaemon('as2')).rejects.toMatchObject({ code: 'NotYet', message: expect.stringContaining('As2 Default is not enabled') });
});

test('a database test that says no is an answer', async () => {
  const { server } = await answering({ isSuccessful: false, message: 'refused' });
  const database = { host: 'db', port: 5432, databaseName: 'st', username: 'st', password: 'x' };
  expect(await server.testDatabase(database)).toEqual({ isSuccessful: false, message: 'refused' });
});

test.each([
  ['plain text', 'text/plain', 'Authentication required.'],
  ['HTML', 'text/html', '<!doctype html><html><body><h1>HTTP Status 401</h1></body></html>'],
  ['nothing', 'text/plain', ''],
])('a login refused in %s is a refusal, and the password is not sent again', async (_, type, body) => {
  const refuse: Handler = (_request, response) => void response.writeHead(401, { 'content-type': type }).end(body);
  const { server, far } = await asked(refuse, refuse);
  await expect(server.version()).rejects.toMatchObject({ code: 'AuthenticationFailed' });
  await expect(server.version()).rejects.toMatchObject({ code: 'AuthenticationFailed' });
  expect(far.logins()).toBe(1);
});

test('a login page with 200 is no login', async () => {
  const { server } = await asked(() => undefined, (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Log in</body></html>'));
  await expect(server.version()).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('no session came back') });
});

test('a Server that issues no csrfToken gets none back', async () => {
  const { server, far } = await asked((_request, response) => void response.writeHead(204).end(),
    (_request, response) => void response.writeHead(200, { 'set-cookie': 'JSESSIONID=s' }).end('{"message":"Logged in"}'));
  await server.setOptions({ 'node.ip': [''] });
  expect(far.calls.at(-1)).toMatchObject({ cookie: 'JSESSIONID=s', csrf: undefined, body: '[{"name":"node.ip","values":[""]}]' });
});

test('names are encoded once, whatever the links of the product say', async () => {
  const { server, far } = await answering({ name: 'a', values: [] });
  await server.option('a b/c');
  expect(far.calls.at(-1)!.path).toBe('/api/v2.0/configurations/options/a%20b%2Fc');
});

describe('lists', () => {
  const page = (ids: string[], totalCount = ids.length): object => ({ resultSet: { returnCount: ids.length, totalCount }, result: ids.map((id) => ({ id, status: 'active' })) });
  const many = Array.from({ length: 130 }, (_, at) => String(at));

  test('an entry that moved to the next page while the list grew is told once', async () => {
    const { server } = await answering(page(many.slice(0, 100), 130), page(many.slice(99, 129), 131), page(['129'], 131), page([], 131));
    expect((await server.events()).map(({ id }) => id)).toEqual(many);
  });

  test('a list that shrank meanwhile is read as far as it goes', async () => {
    const { server } = await answering(page(many.slice(0, 100), 130), page([], 100));
    expect(await server.events()).toHaveLength(100);
  });

  test('a total that counts more than the filter lets through ends all the same', async () => {
    const { server } = await answering(page(['1', '2'], 7), page([], 7));
    expect((await server.events({ status: 'active' })).map(({ id }) => id)).toEqual(['1', '2']);
  });

  test('a Server that ignores offset is found out: a part is never taken for the whole', async () => {
    const { server } = await answering(page(many.slice(0, 100), 130));
    await expect(server.events()).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('100 of 130') });
  });

  test('a Server that ignores limit has told everything at once', async () => {
    const { server, far } = await answering(page(many));
    expect(await server.events()).toHaveLength(130);
    expect(far.calls).toHaveLength(2);
  });

  test('what is no list is refused', async () => {
    const { server } = await answering({ message: 'no list' });
    await expect(server.events()).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('no list') });
  });
});

describe('sessions, of which one read may miss some', () => {
  const read = async (...reads: string[][]): Promise<{ ids: string[]; reads: number }> => {
    const { server, far } = await answering(...reads.map((ids) => ids.map((id) => ({ id }))));
    const ids = (await server.sessions()).map(({ id }) => id);
    return { ids, reads: far.calls.length - 1 };
  };

  test('are believed when two reads in a row are equal, in whatever order they come', async () => {
    expect(await read(['a', 'b'], ['b', 'a'])).toEqual({ ids: ['b', 'a'], reads: 2 });
  });

  test('an empty answer is not believed at once', async () => {
    expect(await read([], ['a'], [], ['a', 'b'], ['a', 'b'])).toEqual({ ids: ['a', 'b'], reads: 5 });
    expect(await read([], [])).toEqual({ ids: [], reads: 2 });
  });

  test('where no two reads are equal, everyone who was seen counts as there', async () => {
    expect(await read(['a'], ['b'], ['a'], [], ['c'], ['a'])).toEqual({ ids: ['a', 'b', 'c'], reads: 6 });
  });
});
