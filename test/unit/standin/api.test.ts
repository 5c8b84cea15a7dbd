import { addNode, call, operational } from './client';
import { listens, ports, startEstate, until, type Estate, type Server } from './estate';

jest.setTimeout(30_000);

let estate: Estate;
let server: Server;
beforeAll(async () => {
  estate = await startEstate();
  await estate.postgres.createDatabase('api');
  server = await estate.installServer('api');
  server.license(2);
  await operational(server);
  await addNode(server, server);
  await server.run('start_all');
  await until('the TM', async () => (await call(server, 'GET', '/transactionManager')).json.status === 'Running.');
});
afterAll(() => estate?.stop());

const get = async (path: string) => (await call(server, 'GET', path)).json;
const ssh = () => listens(server.address, ports.ssh);

describe('logging in', () => {
  const session = async () => {
    const answer = await call(server, 'POST', '/myself');
    expect(answer.json).toEqual({ message: 'Logged in' });
    const cookie = String(answer.headers['set-cookie']).split(';')[0] as string;
    return { cookie, csrfToken: String(answer.headers['csrftoken']) };
  };

  test('a call without Referer is refused', async () => {
    expect((await call(server, 'GET', '/version', { referer: false })).status).toBe(403);
  });
  test('a wrong password is a plain-text 401', async () => {
    const answer = await call(server, 'GET', '/version', { password: 'wrong' });
    expect([answer.status, answer.text, answer.json]).toEqual([401, 'Unauthorized', undefined]);
    expect((await call(server, 'GET', '/version')).status).toBe(200);
  });
  test('a cookie session reads without the token and writes only with it; Basic credentials never need it', async () => {
    const { cookie, csrfToken } = await session();
    const put = (headers: Record<string, string>, password: string | false = false) =>
      call(server, 'PATCH', '/configurations/options/Cluster.EnableDRConfiguration', { password, headers, body: [] });
    expect((await call(server, 'GET', '/myself', { password: false, headers: { cookie } })).json.loginName).toBe('admin');
    expect((await put({ cookie })).status).toBe(403);
    expect((await put({ cookie, csrfToken: 'other' })).status).toBe(403);
    expect((await put({ cookie, csrfToken })).status).toBe(204);
    expect((await put({ cookie }, 'admin')).status).toBe(204);
  });
  test('DELETE /myself ends the session of its cookie, and with Basic credentials leaves it open', async () => {
    const { cookie, csrfToken } = await session();
    const reads = async () => (await call(server, 'GET', '/myself', { password: false, headers: { cookie } })).status;
    expect((await call(server, 'DELETE', '/myself', { headers: { cookie } })).status).toBe(204);
    expect(await reads()).toBe(200);
    expect((await call(server, 'DELETE', '/myself', { password: false, headers: { cookie, csrfToken } })).status).toBe(204);
    expect(await reads()).toBe(401);
  });
});

describe('the Transaction Manager resource', () => {
  test('knows stop only', async () => {
    const answer = await call(server, 'POST', '/transactionManager/operations?operation=start');
    expect([answer.status, answer.json.message]).toEqual([400, expect.stringContaining('must match "(?i)(stop)"')]);
  });
  test('refuses other methods with 405, paths below with 404, another Accept with 406', async () => {
    const status = async (method: string, path: string, headers = {}) => (await call(server, method, path, { headers })).status;
    expect(await status('PUT', '/transactionManager')).toBe(405);
    expect(await status('GET', '/transactionManager/operations')).toBe(405);
    expect(await status('GET', '/transactionManager/status')).toBe(404);
    expect(await status('GET', '/transactionManager', { accept: 'text/xml' })).toBe(406);
    expect(await status('HEAD', '/transactionManager')).toBe(200);
  });
  test('stops with or without grace, and the command line starts it again', async () => {
    for (const grace of ['', '&graceful=true&timeout=30']) {
      expect((await call(server, 'POST', `/transactionManager/operations?operation=stop${grace}`)).json.isSuccessful).toBe(true);
      await until('its end', async () => (await get('/transactionManager')).status === 'Not running.');
      await server.run('start_tm');
      await until('the TM', async () => (await get('/transactionManager')).status === 'Running.');
    }
  });
});

describe('cluster services', () => {
  test('are stopped and started one by one, with a full stop in their status', async () => {
    expect(await get('/clusterServices?serviceName=Scheduler')).toEqual({ serviceName: 'Scheduler', status: 'Running.' });
    await call(server, 'POST', '/clusterServices/operations?operation=stop&serviceName=Scheduler');
    expect((await get('/clusterServices')).map((one: any) => one.status)).toEqual(['Not running.', 'Running.']);
    await call(server, 'POST', '/clusterServices/operations?operation=start&serviceName=Scheduler');
    expect((await get('/clusterServices?serviceName=Scheduler')).status).toBe('Running.');
  });
});

describe('daemons and listeners', () => {
  const operate = (operation: string, daemon = 'ssh') => call(server, 'POST', `/daemons/operations?operation=${operation}&daemon=${daemon}`);
  beforeEach(() => until('the SSH daemon', ssh));

  test('a stop and a start show in /daemons, without a full stop', async () => {
    expect(await get('/daemons')).toEqual({ ftpStatus: 'Not running', httpStatus: 'Not running', as2Status: 'Not running', sshStatus: 'Running', pesitStatus: 'Not running' });
    expect((await operate('stop')).json).toEqual({ daemonOperationResults: [{ daemon: 'ssh', isSuccessful: true, message: expect.any(String) }] });
    expect((await get('/daemons')).sshStatus).toBe('Not running');
    expect((await get('/servers?protocol=ssh')).result[0].isActive).toBe(false);
    await operate('start');
    await until('the SSH daemon', async () => (await get('/daemons')).sshStatus === 'Running');
  });
  test('/daemons/{name} answers for ssh only', async () => {
    expect(await get('/daemons/ssh')).toEqual({ sshStatus: 'Running' });
    const answer = await call(server, 'GET', '/daemons/ftp');
    expect([answer.status, answer.json.message]).toEqual([400, 'Invalid value for parameter name, expected (ssh)']);
  });
  test('the start of a disabled daemon is 200 and not successful', async () => {
    const answer = await operate('start', 'as2');
    expect([answer.status, answer.json.daemonOperationResults[0].isSuccessful]).toEqual([200, false]);
  });
  test('a listener is closed and opened while its daemon runs; protocol is always returned', async () => {
    const list = async () => (await get('/servers?protocol=ssh&fields=serverName,isActive')).result;
    expect(await list()).toEqual([{ serverName: 'Ssh Default', protocol: 'ssh', isActive: true }]);
    await call(server, 'POST', '/servers/operations?serverName=Ssh%20Default&operation=stop');
    expect(await ssh()).toBe(false);
    expect((await get('/daemons')).sshStatus).toBe('Running');
    await call(server, 'POST', '/servers/operations?serverName=Ssh%20Default&operation=start');
    await until('the listener', async () => (await list())[0].isActive);
  });
});

describe('options', () => {
  const path = '/configurations/options/EventQueue.taskProcessor.attributes';
  test('an unknown name is 404, and nothing of that call changes', async () => {
    const body = [{ name: 'Cluster.EnableDRConfiguration', values: ['true'] }, { name: 'No.Such', values: ['x'] }];
    expect((await call(server, 'PUT', '/configurations/options', { body })).status).toBe(404);
    expect((await get('/configurations/options/Cluster.EnableDRConfiguration')).values).toEqual(['false']);
    expect((await call(server, 'GET', '/configurations/options/No.Such')).status).toBe(404);
  });
  test('[] is 400, [""] clears', async () => {
    const put = (values: string[]) => call(server, 'PUT', '/configurations/options', { body: [{ name: 'Cluster.DeploymentSite', values }] });
    expect(await put([])).toMatchObject({ status: 400, json: { message: 'Invalid argument length.' } });
    expect((await put([''])).status).toBe(204);
    expect((await get('/configurations/options/Cluster.DeploymentSite')).values).toEqual(['']);
  });
  test('a local option is changed on one Server only, a shared one on all', async () => {
    const other = await estate.installServer('api', server);
    other.license(2);
    await addNode(server, other);
    await other.run('stop_admin');
    await other.run('start_admin');
    await operational(other);
    await call(server, 'PATCH', path, { body: [{ op: 'replace', path: '/values/0', value: 'PGP=true' }] });
    await call(server, 'PATCH', '/configurations/options/EventQueue.DispatchPolicy.name', { body: [{ op: 'replace', path: '/values', value: ['attributeMatchPolicy'] }] });
    expect((await get(path)).values).toEqual(['PGP=true']);
    expect((await call(other, 'GET', path)).json.values[0]).toMatch(/^PGP=false, PUSH=false/);
    expect((await call(other, 'GET', '/configurations/options/EventQueue.DispatchPolicy.name')).json.values).toEqual(['attributeMatchPolicy']);
  });
  test('a list comes in pages of 100 at most; limit=0 means all, a negative one is 400', async () => {
    expect((await get('/configurations/options?limit=2&offset=1')).resultSet).toMatchObject({ returnCount: 2, totalCount: expect.any(Number) });
    expect((await get('/configurations/options?limit=0')).result.length).toBeGreaterThan(10);
    expect((await call(server, 'GET', '/configurations/options?limit=-1')).status).toBe(400);
  });
});

describe('the node threshold', () => {
  const path = '/configurations/clusterManagement/nodeThreshold';
  test('is read back as it was put and patched', async () => {
    const threshold = { numberOfNodes: 2, sendNotification: true, subject: 'few', notification: 'text' };
    expect((await call(server, 'PUT', path, { body: threshold })).status).toBe(204);
    expect((await call(server, 'PATCH', path, { body: [{ op: 'replace', path: '/numberOfNodes', value: 1 }] })).status).toBe(204);
    expect(await get(path)).toEqual({ ...threshold, numberOfNodes: 1 });
    expect((await call(server, 'PUT', path, { body: { numberOfNodes: 'two' } })).status).toBe(400);
  });
});

describe('the database test', () => {
  const test_ = (password: string) => call(server, 'POST', '/configurations/database/operations?operation=test', {
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: Object.entries({ host: '127.0.0.1', port: estate.postgres.port, databaseName: 'api', username: 'api', password })
      .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join('') + '--b--\r\n',
  });
  test('says whether these settings work', async () => {
    expect((await test_('secret-api')).json.isSuccessful).toBe(true);
    const wrong = await test_('wrong');
    expect([wrong.status, wrong.json.isSuccessful, wrong.json.message]).toEqual([200, false, expect.stringContaining('password authentication failed')]);
    expect(await get('/configurations/database')).toMatchObject({ databaseType: 'PostgreSQL', databaseName: 'api', port: estate.postgres.port });
  });
});

describe('zones', () => {
  const zone = { name: 'dmz', edges: [{ title: 'edge1', addresses: ['10.0.0.1'], protocols: [{ name: 'ssh', port: 20022 }] }] };
  test('follow the product in what they refuse and what a PUT keeps', async () => {
    expect((await call(server, 'POST', '/zones', { body: zone })).status).toBe(201);
    expect(await call(server, 'POST', '/zones', { body: zone })).toMatchObject({ status: 400, json: { message: 'The zone name is not unique.' } });
    expect((await get('/zones/dmz')).edges[0].deploymentSite).toBe('Prod');
    for (const bad of [{ name: 'a/b' }, { name: 'x', colour: 'red' }, { name: 'x', edges: [{}] }, { name: 'x', edges: [{ title: 't', protocols: [{ port: 22 }] }] }]) {
      expect((await call(server, 'POST', '/zones', { body: bad })).status).toBe(400);
    }
    expect((await call(server, 'PUT', '/zones/dmz', { body: { name: 'dmz', isDefault: true } })).status).toBe(204);
    expect((await get('/zones/dmz')).edges).toHaveLength(1);
    expect((await get('/zones/Private')).isDefault).toBe(false);
    expect((await call(server, 'PATCH', '/zones/dmz', { body: [{ op: 'add', path: '/edges/-', value: { title: 'edge2', deploymentSite: 'DR' } }] })).status).toBe(204);
    expect((await call(server, 'PATCH', '/zones/dmz', { body: [{ op: 'remove', path: '/edges/0' }] })).status).toBe(204);
    expect((await get('/zones/dmz')).edges).toEqual([{ title: 'edge2', deploymentSite: 'DR' }]);
    expect(await call(server, 'PATCH', '/zones/dmz', { body: [{ op: 'replace', path: '/no', value: 1 }] })).toMatchObject({ status: 400, json: { message: expect.stringContaining('Missing field') } });
    expect((await call(server, 'PUT', '/zones/dmz', { body: { name: 'dmz', edges: [] } })).status).toBe(204);
    expect((await get('/zones/dmz')).edges).toEqual([]);
    expect((await call(server, 'DELETE', '/zones/none')).status).toBe(404);
  });
});

test('events, maintenance, replication and version answer in their own shapes', async () => {
  expect(await get('/events?status=active')).toEqual({ resultSet: { returnCount: 0, totalCount: 0 }, result: [] });
  expect((await call(server, 'GET', '/events?arrivalTime=yesterday')).status).toBe(400);
  expect((await call(server, 'POST', '/events/operations?operation=delete', { body: { ids: ['x'] } })).json).toEqual({ x: 'not found' });
  expect((await call(server, 'POST', '/events/operations?operation=retry')).json).toEqual({});
  await call(server, 'POST', '/configurations/maintenance/operations?operation=start');
  expect(await get('/configurations/maintenance')).toEqual({ status: 'Running.' });
  await call(server, 'POST', '/configurations/maintenance/operations?operation=stop');
  expect(await get('/configurations/replication')).toEqual({ enabled: false, subscriptions: [] });
  expect(await get('/version')).toMatchObject({ version: '5.5', coreLicense: 'Valid', featuresLicense: 'Valid', licensedClusterNodes: 2 });
});

test('the server log is oldest first, filters by component and level, and takes RFC 2822 dates only', async () => {
  const log = (await get('/logs/server?limit=0')).result;
  expect(log.map((entry: any) => Number(entry.id))).toEqual([...log.keys()].map((index) => index + Number(log[0].id)));
  expect(new Set((await get('/logs/server?component=TM&level=INFO')).result.map((entry: any) => entry.component))).toEqual(new Set(['TM']));
  expect((await get(`/logs/server?fromDate=${encodeURIComponent('Wed, 07 Oct 2099 10:00:00 +0300')}`)).result).toEqual([]);
  expect((await call(server, 'GET', '/logs/server?fromDate=2026-10-07')).status).toBe(400);
});

test('three wrong passwords lock the administrator on every Server: the right one is refused too', async () => {
  await estate.postgres.createDatabase('lock');
  const own = await estate.installServer('lock');
  await operational(own);
  for (const password of ['a', 'b', 'c']) await call(own, 'GET', '/version', { password });
  expect(await call(own, 'GET', '/version')).toMatchObject({ status: 401, text: 'Unauthorized' });
  expect(await estate.postgres.query('lock', 'select locked from administrator')).toEqual([{ locked: true }]);
});
