import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { Client, type SFTPWrapper } from 'ssh2';
import { addNode, call, operational } from './client';
import { listens, ports, run, startEstate, until, type Estate, type Server } from './estate';

jest.setTimeout(30_000);

let estate: Estate;
let server: Server;
const open: Client[] = [];

beforeAll(async () => {
  estate = await startEstate();
  await estate.postgres.createDatabase('sftp');
  server = await estate.installServer('sftp', undefined, { 'standin.daemons': 'ssh,http' });
  server.license(1);
  await operational(server);
  await addNode(server, server);
  await createAccount('partner', 'right');
});
beforeEach(async () => {
  await server.run('start_all');
  await until('the TM', () => server.read('var/run/tm.state').startsWith('Running'));
  await until('the SSH daemon', () => listens(server.address, ports.ssh)).catch((error: Error) => { throw new Error(`${error.message}\n${server.read('var/logs/sshd.log')}`); });
});
afterEach(() => { for (const client of open.splice(0)) client.end(); });
afterAll(() => estate?.stop());

const createAccount = async (name: string, password: string) =>
  expect((await call(server, 'POST', '/accounts', { body: { name, user: { passwordCredentials: { password } } } })).status).toBe(201);

function connect(username: string, password: string): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    open.push(client);
    client.on('ready', () => resolve(client)).on('error', reject);
    client.connect({ host: server.address, port: ports.ssh, username, password });
  });
}
const sftpOf = (client: Client) => new Promise<SFTPWrapper>((resolve, reject) => client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp))));
const sessions = async () => (await call(server, 'GET', '/sessions')).json;

test("OpenSSH's sftp puts, lists, renames, gets and removes files on the shared files", async () => {
  const folder = join(estate.shared, '..');
  const askpass = join(folder, 'askpass');
  writeFileSync(askpass, '#!/bin/sh\necho right\n', { mode: 0o700 });
  writeFileSync(join(folder, 'sent'), 'x'.repeat(300_000));
  writeFileSync(join(folder, 'batch'), ['mkdir in', `put ${folder}/sent in/one`, 'rename in/one in/two', 'ls -l in', `get in/two ${folder}/received`, 'rm in/two', 'rmdir in', `put ${folder}/sent kept`, ''].join('\n'));
  const ran = await run('setsid', ['sftp', '-P', String(ports.ssh), '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'BatchMode=no', '-o', 'NumberOfPasswordPrompts=1',
    '-b', join(folder, 'batch'), `partner@${server.address}`], { env: { ...process.env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: 'none' } });
  expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/ 300000 .* two\n/) });
  expect(readFileSync(join(folder, 'received'), 'utf8')).toBe('x'.repeat(300_000));
  expect(readFileSync(join(estate.shared, 'home/partner/kept'), 'utf8')).toHaveLength(300_000);
});

test('an account cannot leave its home folder', async () => {
  writeFileSync(join(estate.shared, 'outside'), 'secret');
  const sftp = await sftpOf(await connect('partner', 'right'));
  await expect(new Promise((resolve, reject) => sftp.readFile('../../outside', (error, data) => (error ? reject(error) : resolve(data))))).rejects.toThrow('ENOENT');
});

test('one wrong password counts as often as the client has methods, and the third locks the account', async () => {
  await createAccount('careless', 'right');
  const wrong = () => expect(connect('careless', 'wrong')).rejects.toThrow('authentication methods failed');
  await wrong();
  await wrong();
  await wrong();
  await expect(connect('careless', 'right')).rejects.toThrow('authentication methods failed');
  expect(await estate.postgres.query('sftp', `select failedlogins, locked from account where name = 'careless'`)).toEqual([{ failedlogins: 3, locked: true }]);
});

test('nobody gets in while the TM of this Server does not run', async () => {
  await server.run('stop_tm');
  await expect(connect('partner', 'right')).rejects.toThrow('authentication methods failed');
  expect(await estate.postgres.query('sftp', `select failedlogins from account where name = 'partner'`)).toEqual([{ failedlogins: 0 }]);
});

test('open sessions are listed and can be disconnected; a gone one is 404, a malformed id 400', async () => {
  const client = await connect('partner', 'right');
  const closed = new Promise((resolve) => client.on('close', () => resolve(true)));
  const [session] = await until('the session', async () => { const list = await sessions(); return list.length === 1 && list; });
  expect(session).toMatchObject({ id: expect.stringMatching(/^SSH:[0-9a-f]+$/), accountName: 'partner', command: '' });
  expect((await call(server, 'DELETE', `/sessions/${session.id}`)).status).toBe(204);
  await closed;
  await until('no session', async () => (await sessions()).length === 0);
  expect((await call(server, 'DELETE', `/sessions/${session.id}`)).status).toBe(404);
  expect((await call(server, 'DELETE', '/sessions/nonsense')).status).toBe(400);
});

test('a graceful stop lets a running transfer finish, refuses new operations and new clients, then ends', async () => {
  const sftp = await sftpOf(await connect('partner', 'right'));
  const handle = await new Promise<Buffer>((resolve, reject) => sftp.open('/running', 'w', (error, found) => (error ? reject(error) : resolve(found))));
  await server.run('stop_sshd', '-g', '-timeout', '60');
  await until('a closed door', async () => !(await listens(server.address, ports.ssh)));
  await new Promise<void>((resolve, reject) => sftp.write(handle, Buffer.from('to the end'), 0, 10, 0, (error) => (error ? reject(error as Error) : resolve())));
  await new Promise<void>((resolve, reject) => sftp.close(handle, (error) => (error ? reject(error) : resolve())));
  await expect(new Promise((resolve, reject) => sftp.open('/new', 'w', (error, found) => (error ? reject(error) : resolve(found))))).rejects.toThrow('shutting down');
  expect(readFileSync(join(estate.shared, 'home/partner/running'), 'utf8')).toBe('to the end');
  for (const client of open.splice(0)) client.end();
  await until('its end', async () => (await call(server, 'GET', '/daemons')).json.sshStatus === 'Not running');
});

test('every Server of a cluster shows the same host key', async () => {
  const rows = await estate.postgres.query('sftp', `select count(*)::int as keys from certificate where alias = 'sshd'`);
  expect(rows).toEqual([{ keys: 1 }]);
});

describe('HTTPS', () => {
  const port = 8443;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  afterAll(() => agent.destroy());
  beforeEach(() => until('the HTTP daemon', () => listens(server.address, port)));

  function ask(method: string, path: string, { body, password = 'right' }: { body?: string; password?: string } = {}): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Basic ${Buffer.from(`partner:${password}`).toString('base64')}` };
      const request = httpsRequest({ host: server.address, port, method, path, headers, ca: readFileSync(server.certificate.cert), agent }, (response) => {
        let text = '';
        response.on('data', (data) => { text += String(data); });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  test('a partner puts, gets, lists and deletes files of the same home; what is put into a subscribed folder is processed', async () => {
    expect((await ask('PUT', '/by-https', { body: 'secret words' })).status).toBe(201);
    expect(await ask('GET', '/by-https')).toEqual({ status: 200, text: 'secret words' });
    expect((await ask('GET', '/')).text.split('\n')).toContain('by-https');
    expect((await ask('DELETE', '/by-https')).status).toBe(204);
    expect((await ask('GET', '/by-https')).status).toBe(404);
    expect((await ask('POST', '/by-https')).status).toBe(405);
    expect((await ask('GET', '/%2e%2e/%2e%2e/outside')).status).toBe(404);
    expect((await ask('PUT', '/upload/order', { body: 'forty-two' })).status).toBe(201);
    await until('its delivery', () => existsSync(join(estate.shared, 'partners/partner/in/order')));
    expect(await estate.postgres.query('sftp', `select protocol, size::int from transferdata where filename = '/upload/order'`)).toEqual([{ protocol: 'http', size: 9 }]);
    const list = await sessions() as { id: string; protocol: string; accountName: string }[];
    expect(list.filter(({ protocol }) => protocol === 'http')).toEqual([expect.objectContaining({ id: expect.stringMatching(/^HTTP:[0-9a-f]+$/), accountName: 'partner' })]);
  });

  test('a wrong password is refused, and nobody is served while the TM does not run', async () => {
    expect((await ask('GET', '/', { password: 'wrong' })).status).toBe(401);
    await server.run('stop_tm');
    expect((await ask('GET', '/')).status).toBe(503);
  });
});
