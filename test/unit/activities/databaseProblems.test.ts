/** What of a database refuses, and what only deserves a look. */
import { databaseProblems } from '../../../src/activities/databaseProblems';
import type { DatabaseFacts } from '../../../src/clients/postgres';
import type { DatabaseTarget } from '../../../src/model/targets';

const database: DatabaseTarget = { cluster: 'demo', kind: 'postgresql', host: 'db1', port: 5432, name: 'demo', user: 'st', password: 'env:P', tablespaces: ['st_data', 'st_serverlog'], stateDatabase: 'demo_state' };
const gb = 1024 ** 3;
const sound: DatabaseFacts = {
  version: '15.8', versionNumber: 150_008, superuser: false, ownsDatabase: true, defaultTablespace: 'st_data', productTables: 0,
  settings: { autovacuum: 'on', max_connections: '1000', maintenance_work_mem: String(gb / 2), shared_buffers: String(16 * gb), effective_cache_size: String(48 * gb) },
  tablespaces: [{ name: 'st_data', exists: true, mayCreate: true }, { name: 'st_serverlog', exists: true, mayCreate: true }],
  certificate: { validTo: '2027-01-31T00:00:00.000Z', digitalSignature: true },
};
const now = Date.parse('2026-10-01T12:00:00Z');
const told = (over: Partial<DatabaseFacts>, circumstances: object = {}): string[] =>
  databaseProblems(database, { ...sound, ...over }, { state: 'ready', badPassword: false, now, ...circumstances }).map(({ what, level }) => `${level ?? 'refuses'}: ${what.replace('database demo at db1:5432: ', '')}`);
const settings = (over: Record<string, string>): Partial<DatabaseFacts> => ({ settings: { ...sound.settings, ...over } });

test('a database as the vendor asks for it has no problem', () => {
  expect(told({})).toEqual([]);
  expect(told({ certificate: { ...sound.certificate, digitalSignature: null } })).toEqual([]);
});

test.each<[string, Partial<DatabaseFacts>, object, string[]]>([
  ['too few connections', settings({ max_connections: '100' }), {}, ['refuses: max_connections is 100, expected 1000 or more']],
  ['autovacuum', settings({ autovacuum: 'off' }), {}, ['refuses: autovacuum is off']],
  ['an old version', { version: '11.3', versionNumber: 110_003 }, {}, ['refuses: PostgreSQL 11.3, expected 12 or newer']],
  ['another owner, another default tablespace', { ownsDatabase: false, defaultTablespace: 'pg_default' }, {}, ['refuses: the role st does not own the database', 'refuses: its default tablespace is pg_default, expected st_data']],
  ['no database of our own', {}, { state: 'missing' }, ['refuses: the orchestrator\'s own database demo_state is missing']],
  ['a database of our own for others', {}, { state: 'closed' }, ['refuses: the role st may not make a table in the orchestrator\'s own database demo_state']],
  ['a password', {}, { badPassword: true }, ['refuses: its password holds one of $ % & +, which the installer can\'t take']],
  ['a certificate that may not sign', { certificate: { ...sound.certificate, digitalSignature: false } }, {}, ['refuses: its certificate has a key usage without digitalSignature, which the product refuses']],
  ['a certificate that ends soon', { certificate: { ...sound.certificate, validTo: '2026-10-30T12:00:00.000Z' } }, {}, ['warning: its certificate is valid for 29 more days (until 2026-10-30)']],
  ['memory as PostgreSQL comes', settings({ maintenance_work_mem: String(gb / 16), shared_buffers: String(gb / 8), effective_cache_size: String(4 * gb) }), {}, [
    'warning: maintenance_work_mem is 64 MB, the vendor asks for 512 MB or more',
    'warning: shared_buffers is 128 MB, the vendor asks for a quarter of the memory, which is 64 GB or more',
    'warning: effective_cache_size is 4096 MB, the vendor asks for three quarters of the memory, which is 64 GB or more',
  ]],
])('%s', (_, over, circumstances, wanted) => expect(told(over, circumstances)).toEqual(wanted));
