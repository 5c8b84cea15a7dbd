import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPostgres } from '../../../src/clients/postgres';
import type { Authority, DatabaseTarget } from '../../../src/model/targets';
import { startPostgres, type Postgres as Server } from '../standin/postgres';
import { makeCertificate } from '../standin/tls';
import { freePort, startRelay } from './support/ports';

jest.setTimeout(30_000);

let server: Server;
let folder: string;
let target: DatabaseTarget;
const postgres = createPostgres();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'st-pg-'));
  server = await startPostgres();
  await server.createDatabase('demo');
  target = { cluster: 'demo', kind: 'postgresql', host: '127.0.0.1', port: server.port, name: 'demo', user: 'demo', password: passwordFile('right', 'secret-demo'), ca: server.certificate.cert, tablespaces: ['st_data', 'st_filetracking', 'st_serverlog'] };
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function passwordFile(name: string, value: string): string {
  writeFileSync(join(folder, name), `${value}\n`, { mode: 0o600 });
  return `file:${join(folder, name)}`;
}
const authority = (epoch: number, cluster = 'demo'): Authority => ({ cluster, epoch, operation: `set-up-cluster/${cluster}` });

test('what the prerequisites look at is read', async () => {
  const facts = await postgres.readFacts({ ...target, tablespaces: ['st_data', 'st_none', 'pg_global'] }, ['max_connections', 'fsync']);
  expect(facts).toMatchObject({ ownsDatabase: true, superuser: false, defaultTablespace: 'st_data', productTables: 0, settings: { fsync: 'off', max_connections: expect.stringMatching(/^\d+$/) } });
  expect(facts.version).toMatch(/^\d+\.\d+/);
  expect(facts.versionNumber).toBeGreaterThanOrEqual(120_000);
  expect(facts.tablespaces).toEqual([
    { name: 'st_data', exists: true, mayCreate: true }, { name: 'st_none', exists: false, mayCreate: false }, { name: 'pg_global', exists: true, mayCreate: false },
  ]);
});

test('sizes are read in bytes, and of the certificate what the connection showed', async () => {
  const { settings, certificate } = await postgres.readFacts(target, ['shared_buffers', 'maintenance_work_mem', 'autovacuum_work_mem']);
  expect(settings).toEqual({ shared_buffers: expect.stringMatching(/^\d{7,}$/), maintenance_work_mem: String(64 * 1024 * 1024), autovacuum_work_mem: '-1' });
  expect(certificate.digitalSignature).toBeNull();
  expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now());
});

test('of our own database it is known whether it is there and ours to write', async () => {
  expect(await postgres.readStateDatabase(target, 'nowhere')).toBe('missing');
  expect(await postgres.readStateDatabase(target, 'demo')).toBe('ready');
  expect(await postgres.readStateDatabase(target, 'postgres')).toBe('closed');
});

test('the connection is encrypted, and a certificate of another authority is refused before any login', async () => {
  const { rows } = await postgres.withDatabase(target, (client) => client.query<{ ssl: boolean }>('select ssl from pg_stat_ssl where pid = pg_backend_pid()'));
  expect(rows).toEqual([{ ssl: true }]);
  makeCertificate(folder, '127.0.0.1');
  await expect(postgres.readFacts({ ...target, ca: join(folder, 'tls.crt') }, [])).rejects.toMatchObject({ code: 'TlsRejected' });
  await expect(postgres.readFacts({ ...target, ca: undefined }, [])).rejects.toMatchObject({ code: 'TlsRejected' });
  await expect(postgres.readFacts({ ...target, ca: '/nowhere.pem' }, [])).rejects.toMatchObject({ code: 'FileUnavailable', message: expect.stringContaining('ENOENT') });
});

test('a refused password is tried once', async () => {
  const wrong = { ...target, password: passwordFile('wrong', 'secret-wrong') };
  await expect(postgres.readFacts(wrong, [])).rejects.toMatchObject({ code: 'AuthenticationFailed', message: expect.not.stringContaining('secret-wrong') });
  await expect(postgres.readFacts(wrong, [])).rejects.toMatchObject({ code: 'AuthenticationFailed', message: expect.stringContaining('Not tried again') });
  await expect(postgres.readFacts(target, [])).resolves.toBeDefined();
});

test('errors are told apart by what can be done about them', async () => {
  await expect(postgres.readFacts({ ...target, name: 'nodb' }, [])).rejects.toMatchObject({ code: 'Refused', message: expect.stringMatching(/nodb at 127\.0\.0\.1:\d+: .*3D000/) });
  await expect(postgres.readFacts({ ...target, port: await freePort() }, [])).rejects.toMatchObject({ code: 'Unreachable' });
  await expect(postgres.withDatabase(target, (client) => client.query('create role other'))).rejects.toMatchObject({ code: 'PermissionDenied' });
  await expect(postgres.withDatabase(target, (client) => client.query('select pg_sleep(20)'), { statementTimeoutMs: 100 })).rejects.toMatchObject({ code: 'NotYet' });
  await expect(postgres.withDatabase(target, (client) => client.query('select pg_terminate_backend(pg_backend_pid())'))).rejects.toMatchObject({ code: 'Unreachable' });
});

test('a server that is down is Unreachable, and reached again when it is back', async () => {
  await server.down();
  await expect(postgres.readFacts(target, [])).rejects.toMatchObject({ code: 'Unreachable' });
  await server.up();
  await expect(postgres.readFacts(target, [])).resolves.toBeDefined();
});

test('a server that froze holds nobody longer than the limits say', async () => {
  const relay = await startRelay(server.port);
  const begun = Date.now();
  await expect(postgres.withDatabase({ ...target, port: relay.port }, async (client) => {
    relay.freeze();
    return client.query('select 1');
  }, { statementTimeoutMs: 200 })).rejects.toMatchObject({ code: 'Unreachable' });
  await expect(postgres.readFacts({ ...target, port: relay.port }, [], { connectTimeoutMs: 300 })).rejects.toMatchObject({ code: 'Unreachable' });
  expect(Date.now() - begun).toBeLessThan(8000);
  await relay.close();
});

test('an abort ends a statement with its reason', async () => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error('cancelled')), 200);
  await expect(postgres.withDatabase(target, (client) => client.query('select pg_sleep(20)'), { signal: abort.signal, statementTimeoutMs: 25_000 })).rejects.toThrow('cancelled');
});

test('the epoch rises and never falls, for each cluster by itself', async () => {
  const ensure = (epoch: number, cluster?: string): Promise<void> => postgres.ensureEpoch(target, 'demo', authority(epoch, cluster));
  const seen = (cluster = 'demo'): Promise<number | null> => postgres.readEpoch({ ...target, cluster }, 'demo');
  expect(await seen()).toBeNull();
  await ensure(3);
  await ensure(3);
  await ensure(5);
  await expect(ensure(4)).rejects.toMatchObject({ code: 'StaleEpoch' });
  await ensure(1, 'other');
  expect(await server.query('demo', 'select cluster, epoch from st_orchestrator_epoch order by cluster')).toEqual([{ cluster: 'demo', epoch: '5' }, { cluster: 'other', epoch: '1' }]);
  expect([await seen(), await seen('other'), await seen('third')]).toEqual([5, 1, null]);
});

test('of many newcomers at once the highest epoch stands', async () => {
  await server.query('demo', 'drop table if exists st_orchestrator_epoch');
  const ends = await Promise.allSettled([12, 15, 11, 14, 13].map((epoch) => postgres.ensureEpoch(target, 'demo', authority(epoch))));
  for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'StaleEpoch' });
  expect(await server.query('demo', 'select epoch from st_orchestrator_epoch')).toEqual([{ epoch: '15' }]);
});
