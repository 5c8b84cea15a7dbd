import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addNode, answers, call, operational, statusOf } from './client';
import { listens, ports, startEstate, until, type Estate, type Server } from './estate';

jest.setTimeout(30_000);

let estate: Estate;
beforeAll(async () => { estate = await startEstate(); });
afterAll(() => estate?.stop());

const nodes = '/configurations/clusterManagement/nodes';
const tmOf = async (server: Server) => (await call(server, 'GET', '/transactionManager')).json?.status;

/** A set-up as the guide orders it: first Server with licence, the others with schema and secret file, node table, restart. */
async function cluster(database: string, size: number): Promise<Server[]> {
  await estate.postgres.createDatabase(database);
  const first = await estate.installServer(database);
  first.license(size);
  await operational(first);
  const later = await Promise.all(Array.from({ length: size - 1 }, () => estate.installServer(database, first)));
  await Promise.all(later.map((server) => server.run('stop_admin')));
  for (const server of [first, ...later]) expect((await addNode(first, server)).status).toBe(201);
  for (const server of later) server.license(size);
  await Promise.all(later.map((server) => server.run('start_admin')));
  await Promise.all([first, ...later].map(operational));
  return [first, ...later];
}

test('a cluster set up in the order of the guide has every node Online on every Server', async () => {
  const servers = await cluster('whole', 3);
  await Promise.all(servers.map((server) => server.run('start_all')));
  for (const via of servers) {
    for (const server of servers) await until(`${server.address} Online via ${via.address}`, async () => (await statusOf(via, server)) === 'Online');
    expect((await call(via, 'GET', '/configurations/clusterManagement')).json).toMatchObject({ isCluster: true, clusterMode: 'Active-Active' });
  }
});

test('a later Server stays out of order until it was added and its admin service was restarted', async () => {
  await estate.postgres.createDatabase('later');
  const first = await estate.installServer('later');
  first.license(2);
  await operational(first);
  const later = await estate.installServer('later', first);
  await answers(later);
  await addNode(first, first);
  await addNode(first, later);
  expect((await call(later, 'GET', '/version')).status).toBe(503);
  await later.run('stop_admin');
  await later.run('start_admin');
  await operational(later);
});

test('a node is Offline when its TM or its admin service is down, at once after a stop', async () => {
  const [first, second] = (await cluster('status', 2)) as [Server, Server];
  await Promise.all([first, second].map((server) => server.run('start_tm')));
  await until('Online', async () => (await statusOf(first, second)) === 'Online');
  await second.run('stop_tm');
  expect(await statusOf(first, second)).toBe('Offline');
  await second.run('start_tm');
  await until('Online again', async () => (await statusOf(first, second)) === 'Online');
  await second.run('stop_admin');
  expect(await statusOf(first, second)).toBe('Offline');
});

test('a node whose processes were killed turns Offline by its missing heartbeats, and the log says so', async () => {
  const [first, second] = (await cluster('killed', 2)) as [Server, Server];
  await Promise.all([first, second].map((server) => server.run('start_tm')));
  await until('Online', async () => (await statusOf(first, second)) === 'Online');
  for (const service of ['monitord', 'tm', 'admin']) process.kill(second.pid(service), 'SIGKILL');
  await until('Offline', async () => (await statusOf(first, second)) === 'Offline');
  await until('a log entry', async () =>
    (await call(first, 'GET', '/logs/server?level=ERROR&limit=0')).json.result.some((entry: any) => entry.message === `Node ${second.address} went offline: its tm does not run.`));
});

test('the same address is not refused a second time: the second entry is invalid and goes first', async () => {
  await estate.postgres.createDatabase('twice');
  const first = await estate.installServer('twice');
  first.license(2);
  await operational(first);
  expect((await addNode(first, first)).json.status).toBe('Offline');
  const second = await addNode(first, first);
  expect([second.status, second.json.status]).toEqual([201, 'Invalid']);
  expect((await call(first, 'GET', nodes)).json.resultSet.totalCount).toBe(2);
  expect((await call(first, 'DELETE', `${nodes}/${first.address}`)).status).toBe(204);
  expect((await call(first, 'GET', nodes)).json.result.map((node: any) => node.status)).toEqual(['Offline']);
  expect((await call(first, 'DELETE', `${nodes}/10.0.0.1`)).status).toBe(404);
});

test('nodes can be added only where the features licence has the Enterprise Cluster option', async () => {
  await estate.postgres.createDatabase('standalone');
  const first = await estate.installServer('standalone');
  await operational(first);
  expect((await addNode(first, first)).status).toBe(400);
  first.license(2);
  expect((await addNode(first, first)).status).toBe(201);
});

describe('the Transaction Manager, whose start is answered with success, ends by itself', () => {
  let first: Server;
  const refuses = async (reason: RegExp) => {
    await first.run('stop_tm');
    const before = first.read('var/logs/tm.log').length;
    expect(await first.run('start_tm')).toMatchObject({ code: 0, stdout: 'tm was started.\n' });
    await until('the reason in the log', () => reason.test(first.read('var/logs/tm.log').slice(before)));
    await until('the end of the TM', async () => (await tmOf(first)) === 'Not running.');
  };
  beforeAll(async () => {
    await estate.postgres.createDatabase('refusal');
    first = await estate.installServer('refusal');
    await operational(first);
    await first.run('stop_monitord');
    writeFileSync(join(first.dir, 'conf/monitor.schedule.properties'), 'Monitor.TM.retryCount=0\n');
    await first.run('start_tm');
  });

  test('without licences', () => refuses(/The core licence is missing/));
  test('with a features licence that is out of date', async () => {
    first.license(2);
    writeFileSync(join(first.dir, 'conf/st.license'), 'Product=SecureTransport\nEnterpriseCluster=true\nClusterNodes=2\nValidTo=2001-01-01\n');
    await refuses(/The features licence is expired/);
  });
  test('outside the node table', async () => {
    first.license(2);
    await refuses(/not in the node table/);
  });
  test('with another secret file', async () => {
    await addNode(first, first);
    await estate.postgres.query('refusal', `update schemaversion set secretfingerprint = 'x' || secretfingerprint`);
    await refuses(/secret file bin\/taeh is not that of the cluster/);
    await estate.postgres.query('refusal', 'update schemaversion set secretfingerprint = substr(secretfingerprint, 2)');
  });
  test('and runs when all of that is right', async () => {
    await first.run('start_tm');
    await until('the TM', async () => (await tmOf(first)) === 'Running.');
    expect(await listens(first.address, ports.cache)).toBe(true);
  });
});

test('a Server whose secret file is not that of the cluster has no Administration Tool in operation and says why', async () => {
  const [, second] = (await cluster('secret', 2)) as [Server, Server];
  writeFileSync(join(second.dir, 'bin/taeh'), 'another');
  await second.run('stop_admin');
  await second.run('start_admin');
  expect((await answers(second)).status).toBe(503);
  expect(second.read('var/logs/admin.log')).toContain('The secret file bin/taeh is not that of the cluster: the Administration Tool is not operational.');
});

describe('a newer build on one schema', () => {
  const update = (server: Server) => writeFileSync(join(server.dir, 'lib/version.properties'), server.read('lib/version.properties').replace(/^(Build.*)$/m, '$1-2'));
  const restart = async (server: Server) => {
    await server.run('stop_admin');
    await server.run('start_admin');
  };
  const damaged = async (database: string) =>
    (await estate.postgres.query(database, `select 1 from information_schema.columns where table_name = 'event' and column_name = 'account_damaged'`)).length === 1;

  test('converts it cleanly when nothing else runs; the old one does not start on it any more', async () => {
    const [first, second] = (await cluster('updated', 2)) as [Server, Server];
    await second.run('stop_all');
    update(first);
    await restart(first);
    await operational(first);
    expect(await damaged('updated')).toBe(false);
    await second.run('start_admin');
    expect((await answers(second)).status).toBe(503);
    expect(second.read('var/logs/admin.log')).toMatch(/The schema is of the newer build 5\.5-\d+-2, this Server of/);
    update(second);
    await restart(second);
    await operational(second);
  });

  test('damages it for all while Servers of the old one run', async () => {
    const [first, second] = (await cluster('mixed', 2)) as [Server, Server];
    update(second);
    await restart(second);
    await operational(second);
    expect(await damaged('mixed')).toBe(true);
    expect((await call(first, 'GET', '/events')).status).toBe(500);
    expect((await call(first, 'GET', '/logs/server?level=ERROR&limit=0')).json.result.map((entry: any) => entry.message)).toContainEqual(expect.stringContaining('column event.account is damaged'));
  });
});

test('a TM above the licensed number of nodes does not run, and runs once another one stopped', async () => {
  const [first, second] = (await cluster('licence', 2)) as [Server, Server];
  for (const server of [first, second]) server.license(1);
  await first.run('start_tm');
  await until('the first TM', async () => (await tmOf(first)) === 'Running.');
  await second.run('start_tm');
  await until('the refusal', () => second.read('var/logs/tm.log').includes('The licence covers 1 cluster nodes and 1 Transaction Managers run'));
  expect(await tmOf(second)).toBe('Not running.');
  await first.run('stop_tm');
  await second.run('start_tm');
  await until('the second TM', async () => (await tmOf(second)) === 'Running.');
});

test('options-overwrite.conf is written to the database at every start, the address and the site to the node table', async () => {
  const [first] = (await cluster('overwrite', 1)) as [Server];
  writeFileSync(join(first.dir, 'conf/options-overwrite.conf'), `Cluster.DeploymentSite=DR\nnode.ip=${first.address.replace(/\d+$/, '99')}\nEventQueue.DispatchPolicy.name=roundRobinPolicy\n`);
  await first.run('stop_admin');
  await first.run('start_admin');
  await operational(first);
  expect((await call(first, 'GET', nodes)).json.result).toEqual([{ serverAddress: first.address.replace(/\d+$/, '99'), status: 'Offline', deploymentSite: 'DR' }]);
  expect((await call(first, 'GET', '/configurations/options/Cluster.DeploymentSite')).json.values).toEqual(['DR']);
  expect((await call(first, 'GET', '/configurations/options/EventQueue.DispatchPolicy.name')).json.values).toEqual(['roundRobinPolicy']);
});

test('a removed Server does not come back into service by a restart', async () => {
  const [first, second] = (await cluster('removed', 2)) as [Server, Server];
  expect((await call(first, 'DELETE', `${nodes}/${second.address}`)).status).toBe(204);
  await second.run('stop_admin');
  await second.run('start_admin');
  expect((await answers(second)).status).toBe(503);
  await second.run('start_tm');
  await until('the refusal', () => second.read('var/logs/tm.log').includes('not in the node table'));
});

test('without its database a Server answers 503, starts no TM, and is whole again when the database is back', async () => {
  const [first] = (await cluster('outage', 1)) as [Server];
  await first.run('start_tm');
  await until('Online', async () => (await statusOf(first, first)) === 'Online');
  await first.run('stop_tm');
  await estate.postgres.down();
  try {
    expect(await call(first, 'GET', '/version')).toMatchObject({ status: 503, text: 'The database does not answer.' });
    await first.run('start_tm');
    await until('the complaint of the TM', () => first.read('var/logs/tm.log').includes('The database does not answer'));
    expect(first.read('var/run/tm.state')).toBe('Starting 0\n');
  } finally {
    await estate.postgres.up();
  }
  await until('Online', async () => (await statusOf(first, first)) === 'Online');
});

test('a node may be known by a name that leads to its address', async () => {
  await estate.postgres.createDatabase('named');
  const first = await estate.installServer('named', undefined, { 'standin.bindAddress': '127.0.0.1', sslAdminPort: '18444', 'standin.cachePort': '18088' });
  first.license(1);
  await estate.postgres.query('named', `insert into clusternode (address, valid) values ('localhost', true)`);
  await first.run('start_tm');
  await until('its entry', async () => (await estate.postgres.query('named', 'select localconfigurationsid is not null as tied from clusternode'))[0]?.['tied']);
});
