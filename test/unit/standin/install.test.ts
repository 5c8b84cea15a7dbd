import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers, call, operational } from './client';
import { startEstate, type Estate } from './estate';

jest.setTimeout(30_000);

let estate: Estate;
beforeAll(async () => { estate = await startEstate(); });
afterAll(() => estate?.stop());

let counter = 0;
async function freshDatabase(): Promise<string> {
  counter += 1;
  await estate.postgres.createDatabase(`install${counter}`);
  return `install${counter}`;
}

describe('the silent installation of the first Server', () => {
  test('creates the tree, a random secret file, the schema, and starts an operational Administration Tool', async () => {
    const database = await freshDatabase();
    const server = await estate.installServer(database, undefined, { adminPassword: 'a better one' });
    expect(existsSync(join(server.dir, 'bin/start_all'))).toBe(true);
    expect(existsSync(join(server.dir, 'bin/start_httpd.disable'))).toBe(true);
    expect(existsSync(join(server.dir, 'bin/start_httpd'))).toBe(false);
    expect(existsSync(join(server.dir, 'conf/st.license'))).toBe(false);
    expect(server.read('conf/configuration.xml')).toMatch(/<LocalConfigurationsId>[0-9a-f-]{36}<\/LocalConfigurationsId>/);
    expect(server.read('conf/options-overwrite.conf')).toContain('#Cluster.DeploymentSite=Prod\n#node.ip=');
    expect(server.read('install.log')).toMatch(/schema was created[\s\S]*Installation completed\.\n$/);
    expect(statSync(join(server.dir, 'bin/taeh')).size).toBeGreaterThan(0);
    expect(statSync(join(server.dir, 'conf/database.properties')).mode & 0o077).toBe(0);
    const rows = await estate.postgres.query(database, `select tablespace from pg_tables where tablename = 'logging_event'`);
    expect(rows[0]?.['tablespace']).toBe('st_serverlog');
    await answers(server);
    const answer = await call(server, 'GET', '/myself', { password: 'a better one' });
    expect([answer.status, answer.json?.loginName]).toEqual([200, 'admin']);
    expect((await call(server, 'GET', '/configurations/clusterManagement', { password: 'a better one' })).json).toEqual({ isCluster: false, clusterMode: 'Standalone', clusterNodes: [] });
  });

  test('is refused, and changes nothing, when the database holds a schema', async () => {
    const database = await freshDatabase();
    await estate.installServer(database);
    const { server, install } = estate.prepare(database);
    expect(await install()).toMatchObject({ code: 1, stderr: expect.stringContaining('holds a SecureTransport schema already') });
    expect(existsSync(server.dir)).toBe(false);
  });

  test('uses a TLS connection that is verified with the certificate named as trust store', async () => {
    const database = await freshDatabase();
    const secure = { externalDBUseSecureConnection: 'true', externalDBTrustStore: estate.postgres.certificate.cert };
    const server = await estate.installServer(database, undefined, secure);
    await operational(server);
    const rows = await estate.postgres.query(database, 'select bool_and(ssl) as all from pg_stat_ssl join pg_stat_activity using (pid) where application_name = $1', ['SecureTransport']);
    expect(rows[0]?.['all']).toBe(true);
    const other = estate.prepare(await freshDatabase(), { ...secure, externalDBTrustStore: server.certificate.cert });
    expect(await other.install()).toMatchObject({ code: 1, stderr: expect.stringMatching(/self-signed|certificate/) });
  });
});

test('the first Server, cut off at the end of its installation and installed anew in its place on the schema that it made, is the first Server all the same', async () => {
  const database = await freshDatabase();
  const { server, install } = estate.prepare(database);
  await install();
  await operational(server);
  await server.run('stop_all');
  renameSync(server.dir, `${server.dir}.half`);
  expect(await install({ externalDBUseExistingSchema: 'true', SecretFilePath: `${server.dir}.half/bin/taeh` })).toMatchObject({ code: 0 });
  await operational(server);
});

describe('the silent installation of a later Server', () => {
  test('requires a schema', async () => {
    const { install } = estate.prepare(await freshDatabase(), { externalDBUseExistingSchema: 'true', SecretFilePath: '/etc/hostname' });
    expect(await install()).toMatchObject({ code: 1, stderr: expect.stringContaining('holds no SecureTransport schema') });
  });

  test('imports the secret file of the first Server, byte for byte, and refuses another one', async () => {
    const database = await freshDatabase();
    const first = await estate.installServer(database);
    const later = await estate.installServer(database, first);
    expect(readFileSync(join(later.dir, 'bin/taeh')).equals(readFileSync(join(first.dir, 'bin/taeh')))).toBe(true);
    const foreign = estate.prepare(database, { externalDBUseExistingSchema: 'true', SecretFilePath: '/etc/hostname' });
    expect(await foreign.install()).toMatchObject({ code: 1, stderr: expect.stringContaining('does not belong to the schema') });
    const without = estate.prepare(database, { externalDBUseExistingSchema: 'true' });
    expect(await without.install()).toMatchObject({ code: 1, stderr: expect.stringContaining('SecretFilePath is required') });
  });

  test('starts an Administration Tool that is not operational', async () => {
    const database = await freshDatabase();
    const first = await estate.installServer(database);
    const later = await estate.installServer(database, first);
    expect(await answers(later)).toMatchObject({ status: 503, text: expect.stringContaining('not operational') });
  });

  test('registers itself where clusterNodeValue is given, and is operational at once', async () => {
    const database = await freshDatabase();
    const first = await estate.installServer(database);
    const { server, install } = estate.prepare(database, { externalDBUseExistingSchema: 'true', SecretFilePath: join(first.dir, 'bin/taeh') });
    await estate.postgres.query(database, 'select 1');
    const later = estate.prepare(database, { externalDBUseExistingSchema: 'true', SecretFilePath: join(first.dir, 'bin/taeh'), clusterNodeValue: '127.0.0.1' });
    expect((await later.install()).code).toBe(0);
    expect(await estate.postgres.query(database, 'select address, valid from clusternode')).toEqual([{ address: '127.0.0.1', valid: true }]);
    await operational(later.server);
    expect((await install()).code).toBe(0);
    expect((await answers(server)).status).toBe(503);
  });
});

describe('an installation is refused before the first change', () => {
  const refused = async (changes: Record<string, string | undefined>, reason: RegExp) => {
    const { server, install } = estate.prepare('nowhere', changes);
    expect(await install()).toMatchObject({ code: 1, stderr: expect.stringMatching(reason) });
    expect(existsSync(server.dir)).toBe(false);
  };
  test('for a property with an empty value', () => refused({ clusterNodeValue: '' }, /empty value must be removed: clusterNodeValue/));
  test('for an unknown kind of database', () => refused({ dbType: 'useMySQL' }, /unknown dbType useMySQL/));
  test('for a kind of database it has not', () => refused({ dbType: 'useOracleExternal' }, /useOracleExternal is not supported/));
  test.each(['$', '%', '&', '+'])('for %s in the password of the database', (sign) => refused({ dbPassword: `pass${sign}word` }, /must not contain/));
  test('for a password that was encrypted elsewhere', () => refused({ 'dbPassword.Format': 'AES128' }, /not made on this host/));
  test('for a key store where PostgreSQL takes a certificate', () => refused({ externalDBUseSecureConnection: 'true', externalDBTrustStore: '/bin/true' }, /not a PEM certificate/));
  test('for a wrong password of the database, with every fact but the password', async () => {
    const database = await freshDatabase();
    const { install } = estate.prepare(database, { dbPassword: 'wrong' });
    const ran = await install();
    expect(ran.stderr).toMatch(new RegExp(`can't use the database ${database} on 127.0.0.1:\\d+ as ${database}: password authentication failed`));
  });
  test('for an installation directory with content', async () => {
    const { server, install } = estate.prepare(await freshDatabase());
    mkdirSync(server.dir);
    writeFileSync(join(server.dir, 'left-over'), '');
    expect(await install()).toMatchObject({ code: 1, stderr: expect.stringContaining('exists and is not empty') });
  });
});
