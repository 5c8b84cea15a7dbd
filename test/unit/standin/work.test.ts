/** What happens to a partner's file: three Servers, one queue. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addNode, call, operational, statusOf } from './client';
import { listens, ports, startEstate, until, type Estate, type Server } from './estate';
import { connectPartner, type Partner } from './partner';

jest.setTimeout(60_000);

let estate: Estate;
let servers: Server[];
let first: Server;
const open: Partner[] = [];

const query = (sql: string, values?: unknown[]) => estate.postgres.query('work', sql, values);
const idOf = (server: Server) => /<LocalConfigurationsId>(.*)</.exec(server.read('conf/configuration.xml'))?.[1] ?? '';
const serverOf = (id: unknown) => servers.findIndex((server) => idOf(server) === id);

beforeAll(async () => {
  estate = await startEstate({ LIES: 'activeEvents' });
  await estate.postgres.createDatabase('work');
  first = await estate.installServer('work');
  first.license(3);
  await operational(first);
  const later = await Promise.all([1, 2].map(() => estate.installServer('work', first)));
  servers = [first, ...later];
  await Promise.all(later.map((server) => server.run('stop_admin')));
  for (const server of servers) expect((await addNode(first, server)).status).toBe(201);
  for (const server of later) server.license(3);
  for (const name of ['alpha', 'beta']) {
    expect((await call(first, 'POST', '/accounts', { body: { name, user: { passwordCredentials: { password: 'right' } } } })).status).toBe(201);
  }
  await Promise.all(servers.map((server) => server.run('start_all')));
  await online();
  await until('the SSH daemon', () => listens(first.address, ports.ssh));
}, 60_000);
afterEach(() => { for (const partner of open.splice(0)) partner.client.end(); });
afterAll(() => estate?.stop());

const online = async (which = servers) => {
  for (const server of which) await until(`${server.address} Online`, async () => (await statusOf(first, server)) === 'Online');
};

async function partner(account = 'alpha'): Promise<Partner> {
  const made = await connectPartner(first, account, 'right');
  open.push(made);
  return made;
}

/** Sends one small file for each name; answers when all are acknowledged. */
async function send(account: string, names: string[]): Promise<void> {
  const { put } = await partner(account);
  for (const name of names) await put(`/upload/${name}`, `content of ${name}`);
}

const named = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
const incoming = (prefix: string) => query(`select filename, node, status from transferdata where direction = 'Incoming' and filename like '%/' || $1 || '-%' order by id`, [prefix]);
const statuses = async (prefix: string) => [...new Set((await incoming(prefix)).map((row) => row['status']))];
const nodesOf = async (prefix: string) => [...new Set((await incoming(prefix)).map((row) => serverOf(row['node'])))].sort((a, b) => a - b);
const processed = (prefix: string) => until(`${prefix}: all processed`, async () => String(await statuses(prefix)) === 'Processed');
const home = (...path: string[]) => join(estate.shared, 'home/alpha', ...path);
const delivered = (account = 'alpha') => readdirSync(join(estate.shared, 'partners', account, 'in')).filter((name) => !name.startsWith('.'));
/** From its next start on a service of this Server works at this pace. */
const pace = (server: Server, ms: number) => {
  const file = join(server.dir, 'lib/standin.env');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/PRODUCT_TIME_MS=\d+/, `PRODUCT_TIME_MS=${ms}`));
};
const restart = async (server: Server) => {
  await server.run('stop_tm');
  await server.run('start_tm');
  await online([server]);
};
const option = async (via: Server, name: string, value: string) =>
  expect((await call(via, 'PUT', '/configurations/options', { body: [{ name, values: [value] }] })).status).toBe(204);

test('a file that a partner sends is checked, pushed to the partner directory, and logged; nothing is left beside it', async () => {
  await send('alpha', ['whole-0']);
  await processed('whole');
  expect(readFileSync(join(estate.shared, 'partners/alpha/in/whole-0'), 'utf8')).toBe('content of whole-0');
  const sha256 = createHash('sha256').update('content of whole-0').digest('hex');
  expect(await query(`select direction, protocol, size::int, sha256, status from transferdata where filename like '%whole-0' order by id`)).toEqual([
    { direction: 'Incoming', protocol: 'ssh', size: 18, sha256, status: 'Processed' },
    { direction: 'Outgoing', protocol: 'folder', size: 18, sha256, status: 'Processed' },
  ]);
  expect(await query(`select component, level from logging_event where message like '%whole-0%'`)).toEqual([{ component: 'TM', level: 'INFO' }]);
  await until('an empty folder', () => readdirSync(home('upload')).length === 0);
  expect((await call(first, 'GET', '/events')).json.result).toEqual([]);
});

test('a file for a folder nobody subscribed to stays where it is and is logged', async () => {
  const { put } = await partner();
  await put('/kept', 'here');
  expect(readFileSync(home('kept'), 'utf8')).toBe('here');
  expect(await query(`select status from transferdata where filename = '/kept'`)).toEqual([{ status: 'Processed' }]);
});

test('a file of which only a part came is Failed and never an event', async () => {
  const { client, sftp } = await partner();
  const handle = await new Promise<Buffer>((resolve, reject) => sftp.open('/upload/part-0', 'w', (error, found) => (error ? reject(error) : resolve(found))));
  await new Promise<void>((resolve, reject) => sftp.write(handle, Buffer.from('half'), 0, 4, 0, (error) => (error ? reject(error as Error) : resolve())));
  client.end();
  await until('its entry', async () => String(await statuses('part')) === 'Failed');
  expect(delivered()).not.toContain('part-0');
  rmSync(home('upload/part-0'));
});

test('a file that needs a rules package fails on the Servers that lack it, and some of the events stay active', async () => {
  mkdirSync(join(first.dir, 'brules/local'), { recursive: true });
  writeFileSync(join(first.dir, 'brules/local/orders.xml'), '<rules/>');
  await query(`insert into subscription (account, folder, rulespackage) values ('beta', '/orders', 'orders.xml'), ('beta', '/upload', null)`);
  await option(first, 'EventQueue.DispatchPolicy.name', 'roundRobinPolicy');
  const { put } = await partner('beta');
  const lingering = () => query(`select 1 from event where account = 'beta' and status = 'active'`);
  // Every third goes to the Server that has the package; of the others every second leaves its event.
  for (let n = 0; n < 60 && (await lingering()).length === 0; n += 3) {
    for (const name of named('order', n + 3).slice(n)) await put(`/orders/${name}`, name);
    await until('their ends', async () => (await incoming('order')).every((row) => ['Processed', 'Failed'].includes(String(row['status']))));
  }
  const ended = (await incoming('order')).map((row) => [serverOf(row['node']) === 0, row['status']].join());
  expect([...new Set(ended)].sort()).toEqual(['false,Failed', 'true,Processed']);
  expect(await query(`select distinct level from logging_event where message like '%the rules package orders.xml is not installed%'`)).toEqual([{ level: 'ERROR' }]);
  const left = (await call(first, 'GET', '/events?status=active')).json.result as { id: string }[];
  expect(left.length).toBeGreaterThan(0);
  expect((await call(first, 'POST', '/events/operations?operation=delete', { body: { ids: left.map(({ id }) => id) } })).status).toBe(200);
  expect(await lingering()).toEqual([]);
  await option(first, 'EventQueue.DispatchPolicy.name', 'cacheBasedPolicy');
});

describe('the dispatch policy', () => {
  test('cacheBasedPolicy keeps an account on one Server', async () => {
    await send('alpha', named('cached', 6));
    await processed('cached');
    expect(await nodesOf('cached')).toHaveLength(1);
  });

  test('roundRobinPolicy uses all', async () => {
    await option(first, 'EventQueue.DispatchPolicy.name', 'roundRobinPolicy');
    await send('alpha', named('round', 6));
    await processed('round');
    expect(await nodesOf('round')).toEqual([0, 1, 2]);
  });

  test('attributeMatchPolicy goes by the attributes that a TM read at its last start', async () => {
    await option(first, 'EventQueue.DispatchPolicy.name', 'attributeMatchPolicy');
    await option(servers[2]!, 'EventQueue.taskProcessor.attributes', 'PUSH=true');
    await send('alpha', named('unread', 3));
    await processed('unread');
    await restart(servers[2]!);
    await send('alpha', named('matched', 3));
    await processed('matched');
    expect(await nodesOf('unread')).toEqual([0, 1, 2]);
    expect(await nodesOf('matched')).toEqual([2]);
    await option(first, 'EventQueue.DispatchPolicy.name', 'cacheBasedPolicy');
  });
});

describe('a TM that does not end in peace', () => {
  /** The account's Server under cacheBasedPolicy, slowed down, and at work on as many files as it takes at once. */
  async function busy(prefix: string, count: number): Promise<{ server: Server; active: string[] }> {
    const [row] = await incoming('cached');
    const server = servers[serverOf(row?.['node'])]!;
    pace(server, 3000);
    await restart(server);
    await send('alpha', named(prefix, count));
    await until('eight at work', async () => (await query(`select 1 from event where status = 'active' and filename like '%/${prefix}-%'`)).length === 8);
    const active = (await query(`select filename from event where status = 'active' and filename like '%/${prefix}-%' order by filename`)).map((row) => String(row['filename']));
    return { server, active };
  }
  const heal = async (server: Server) => {
    pace(server, 40);
    await server.run('stop_tm');
    await server.run('start_all');
    await online();
  };

  test('killed: its queue goes to the others, what it processed stays In Progress with a mark that blocks it', async () => {
    const { server, active } = await busy('killed', 20);
    for (const service of ['monitord', 'tm']) process.kill(server.pid(service), 'SIGKILL');
    await until('twelve processed by the others', async () => (await incoming('killed')).filter((row) => row['status'] === 'Processed').length === 12);
    const rows = await incoming('killed');
    const left = rows.filter((row) => row['status'] === 'In Progress');
    expect(left.map((row) => String(row['filename'])).sort()).toEqual(active);
    expect(rows.filter((row) => row['status'] === 'Processed').map((row) => serverOf(row['node']))).not.toContain(servers.indexOf(server));
    for (const filename of active) expect(existsSync(`${home(filename)}.m_inproc`)).toBe(true);

    await heal(server);
    expect((await incoming('killed')).filter((row) => row['status'] === 'In Progress')).toHaveLength(8);
    const { put } = await partner();
    const [stranded = ''] = active;
    await put(stranded, 'again');
    await until('the refusal', async () => (await query(`select status from transferdata where filename = $1 order by id desc limit 1`, [stranded]))[0]?.['status'] === 'Failed');
    expect(await query(`select 1 from logging_event where level = 'ERROR' and message like '%' || $1 || '%being processed already%'`, [stranded])).toHaveLength(1);
    rmSync(`${home(stranded)}.m_inproc`);
    await put(stranded, 'again');
    await until('its way', () => delivered().includes(stranded.replace('/upload/', '')));
  });

  test('without a database for a moment: it goes on with what it had, and takes up what it was given without hearing of it', async () => {
    const { server } = await busy('without', 9);
    const before = server.pid('tm');
    // As by a call whose answer was lost.
    const given = await query(`update event set status = 'active', heartbeat_at = now() - interval '1 minute', taker = (select max(taker) from event where status = 'active' and filename like '%/without-%')
      where status = 'ready' and filename like '%/without-%' returning id`);
    expect(given).toHaveLength(1);
    await estate.postgres.down();
    await estate.postgres.up();
    await processed('without');
    expect(server.pid('tm')).toBe(before);
    expect(await query(`select 1 from event where filename like '%/without-%'`)).toEqual([]);
    await heal(server);
  });

  test('stopped at once: the same', async () => {
    const { server, active } = await busy('stopped', 8);
    await server.run('stop_tm');
    expect((await incoming('stopped')).map((row) => row['status'])).toEqual(Array.from({ length: 8 }, () => 'In Progress'));
    for (const filename of active) expect(existsSync(`${home(filename)}.m_inproc`)).toBe(true);
    await heal(server);
  });

  test('stopped gracefully: ends what it processes, leaves the rest to the others', async () => {
    const { server } = await busy('graceful', 12);
    await server.run('stop_tm', '-g', '-timeout', '60');
    await until('its end', async () => (await call(server, 'GET', '/transactionManager')).json.status === 'Not running.', 15_000);
    await processed('graceful');
    const nodes = (await incoming('graceful')).map((row) => serverOf(row['node']));
    expect(nodes.filter((node) => node === servers.indexOf(server))).toHaveLength(8);
    await heal(server);
  });
});

test('while no Server is Online files are taken and wait', async () => {
  await Promise.all(servers.slice(1).map((server) => server.run('stop_tm')));
  // The SSH daemon asks for the TM of its own Server only, so the admin service is the one that goes.
  await first.run('stop_admin');
  await send('beta', named('waiting', 3));
  expect(await statuses('waiting')).toEqual(['Received']);
  expect(await query(`select distinct status, node from event where account = 'beta'`)).toEqual([{ status: 'ready', node: '' }]);
  await first.run('start_admin');
  await operational(first);
  await processed('waiting');
  await Promise.all(servers.slice(1).map((server) => server.run('start_tm')));
  await online();
});

test('a scheduled pull is made once in the cluster, by whichever Server has the Scheduler', async () => {
  const out = join(estate.shared, 'partners/beta/out');
  mkdirSync(out, { recursive: true });
  await query(`insert into subscription (account, folder, pulleveryseconds) values ('beta', '/pulled', 1)`);
  const offer = async (name: string) => {
    writeFileSync(join(out, name), `from the partner: ${name}`);
    await until('the pull', () => existsSync(join(estate.shared, 'home/beta/pulled', name)) && !existsSync(join(out, name)));
  };
  await offer('one');
  const leader = async () => serverOf((await query(`select node from clusterservice where service = 'Scheduler'`))[0]?.['node']);
  const before = await leader();
  expect(before).toBeGreaterThanOrEqual(0);
  await call(servers[before]!, 'POST', '/clusterServices/operations?operation=stop&serviceName=Scheduler');
  await offer('two');
  expect(await leader()).not.toBe(before);
  expect(readdirSync(join(estate.shared, 'home/beta/pulled')).sort()).toEqual(['one', 'two']);
  expect(await query(`select filename, status from transferdata where account = 'beta' and protocol = 'folder' and direction = 'Incoming' order by id`)).toEqual([
    { filename: '/pulled/one', status: 'Processed' }, { filename: '/pulled/two', status: 'Processed' },
  ]);
});
