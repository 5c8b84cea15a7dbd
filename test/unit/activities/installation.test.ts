/** What an installation is given: files of the worker's host, properties, secrets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { edgeActivities } from '../../../src/activities/edges';
import { installationActivities } from '../../../src/activities/installation';
import { propertiesText } from '../../../src/activities/installer';
import { withLastWords } from '../../../src/activities/serverLook';
import { serverActivities } from '../../../src/activities/servers';
import { createClients, type Clients } from '../../../src/clients';
import type { AdminServer } from '../../../src/clients/adminApi';
import { StError } from '../../../src/model/errors';
import type { Outcome } from '../../../src/model/operation';
import type { ServerTarget } from '../../../src/model/targets';
import { machine, type Machine } from './machine';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'st-licences-')); });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const written = (name: string, text: string, mode = 0o600): string => {
  writeFileSync(join(folder, name), text, { mode });
  return join(folder, name);
};

test('licences that cover fewer Servers, have expired, or are not there are told all at once', async () => {
  const check = async (core: string, features: string, servers: number) => (await installationActivities({ clients: {} as Clients }).checkLicences({ licences: { core, features }, servers })).problems.map(({ what }) => what);
  const core = written('filedrive.license', 'Product=SecureTransport\n');
  expect(await check(core, written('st.license', 'ClusterNodes=3\n'), 3)).toEqual([]);
  expect(await check(core, written('st.license', 'ClusterNodes=3\n'), 4)).toEqual(['the features licence covers 3 cluster nodes, 4 Servers are listed']);
  const none = written('st.license', 'Product=SecureTransport\n');
  expect(await check(core, none, 2)).toEqual([`the features licence ${none} names no number of cluster nodes (ClusterNodes)`]);
  expect(await check(core, none, 0)).toEqual([]);
  expect(await check(join(folder, 'none'), written('st.license', 'ClusterNodes=1\nValidTo=2001-01-01\n'), 2)).toEqual([
    `the licence file ${join(folder, 'none')} can't be read on the worker's host`, `the licence ${join(folder, 'st.license')} has expired`, 'the features licence covers 1 cluster nodes, 2 Servers are listed',
  ]);
});

test.each([
  ['some other file', 'db7.example\n', (path: string) => `${path} is no licence of SecureTransport: it names neither a product nor a number of accounts or cluster nodes`],
  ['an empty file', '', (path: string) => `${path} is no licence of SecureTransport: it names neither a product nor a number of accounts or cluster nodes`],
  ['a licence of something else', 'Product=Gateway\nAccounts=10\n', (path: string) => `${path} is no licence of SecureTransport: it is for Gateway`],
  ['an end that is no date', 'Product=SecureTransport\nValidTo=2031-02-31x\n', (path: string) => `the end of the licence ${path} can't be read: ValidTo=2031-02-31x, expected a date such as 2027-01-31`],
  ['no end at all', 'Accounts=1000\n', undefined],
  ['an end to come', 'Product=SecureTransport\r\nAccounts=10\r\nValidTo=2999-12-31\r\n', undefined],
])('a core licence that is %s', async (_what, text, told) => {
  const core = written('core.license', text);
  const features = written('features.license', 'Product=SecureTransport\nClusterNodes=3\n');
  const { problems } = await installationActivities({ clients: {} as Clients }).checkLicences({ licences: { core, features }, servers: 3 });
  expect(problems.map(({ what }) => what)).toEqual(told ? [told(core)] : []);
});

describe('a start that does not come to its end in time', () => {
  const late = (...messages: string[]): Promise<unknown> =>
    withLastWords({ serverLog: async () => messages.map((message) => ({ message })) } as unknown as AdminServer, () => Promise.reject(new StError('NotYet', 'st1 is Online: not reached'))).catch((error: Error) => error.message);

  test('names the licence when the log blames it', async () => {
    expect(await late('disk is slow', 'The core licence is invalid: the Transaction Manager does not start.')).toBe('Its log blames the licence: The core licence is invalid: the Transaction Manager does not start. Put the right one there (FILEDRIVEHOME/conf), and on the worker\'s host. st1 is Online: not reached');
  });
  test('ends with the last errors of the log otherwise, or with nothing', async () => {
    expect(await late('one', 'two', 'three', 'four')).toBe('st1 is Online: not reached. Its log: two | three | four');
    expect(await late()).toBe('st1 is Online: not reached');
  });
});

test('the password of the administrator is looked for before anything is changed, also where no Server runs yet', async () => {
  const clients = createClients();
  const look = (password: string): Promise<unknown> => {
    const server = { node: 'st1', address: '127.0.0.1', admin: { address: '127.0.0.1', port: 1, user: 'admin', password, ca: written('ca.pem', '') } } as ServerTarget;
    return serverActivities({ clients }).checkServer({ server, protocols: ['ssh'], options: [] });
  };
  await expect(look('file:/no/such/secret')).rejects.toMatchObject({ code: 'SecretUnavailable', message: expect.stringContaining('/no/such/secret could not be read: it does not exist') });
  await expect(look(`file:${written('open', 'hunter2', 0o644)}`)).rejects.toMatchObject({ code: 'SecretUnavailable', message: expect.stringMatching(/mode is 644.*chmod 600/) });
  await expect(look('env:ST_TEST_NOT_SET')).rejects.toMatchObject({ code: 'SecretUnavailable' });
  await expect(look(`file:${written('good', 'hunter2')}`)).resolves.toMatchObject({ facts: { admin: 'not running' } });
  await clients.close();
});

test('a property is one line, whatever is in it', () => {
  expect(propertiesText({ a: 'C:\\x', b: '', c: '$(id);"\' # = :' })).toBe('a = C:\\\\x\nc = $(id);"\' # = :\n');
  for (const bad of ['hunter2\nServer = false', 'hunter2\r', 'hunter2\0', 'hunter2\u2028']) {
    expect(() => propertiesText({ dbPassword: bad })).toThrow(expect.objectContaining({ code: 'InvalidInput', message: expect.not.stringContaining('hunter2') }));
  }
});

describe('an installer that ended well', () => {
  let here: Machine;
  beforeEach(() => {
    here = machine();
    here.write('install/setup.sh', `#!/bin/sh\nmkdir -p '${here.server.fileDriveHome}/lib' && cd '${here.server.fileDriveHome}' && printf 'Version=5.5\\nBuild=5.5-1\\n' >lib/version.properties && echo 'Installation completed.' >install.log\n`, 0o755);
  });
  afterEach(() => here.remove());

  const place = () => ({ installer: { package: join(here.folder, 'install'), properties: {}, autoRegister: false }, server: { ...here.server, admin: { ...here.server.admin, password: `file:${written('admin', 'hunter2')}` } } });
  const onServer = (version: string, productTables = 0): Promise<Outcome> => {
    const database = { host: 'db', port: 1, name: 'st', user: 'st', password: `file:${written('database', 'hunter2')}` } as never;
    return installationActivities({ clients: { ...here.clients, postgres: { readFacts: async () => ({ productTables }) } } as never }).ensureInstalled({ ...place(), version, database }, here.authority);
  };
  const onEdge = (version: string): Promise<Outcome> => {
    const { installer, server } = place();
    return edgeActivities(here).ensureInstalled({ edge: server, installer, version }, here.authority);
  };

  test.each([['a Server', onServer], ['an Edge', onEdge]])('has installed on %s what product.version asks for, or the step fails, then and whenever it is tried again', async (_what, install) => {
    const refused = (version: string) => ({ code: 'Refused', message: expect.stringContaining(`st1: 5.5-1 was installed, product.version asks for ${version}. Nothing more was started. Correct product.version; or,`) });
    await expect(install('4.9')).rejects.toMatchObject(refused('4.9'));
    await expect(install('5.5-2')).rejects.toMatchObject(refused('5.5-2'));
    expect(await install('5.5')).toEqual({ changed: false, note: 'installed already' });
    expect(await install('5.5-1')).toEqual({ changed: false, note: 'installed already' });
  });

  test('says whether it made the schema or found one', async () => {
    expect(await onServer('5.5')).toEqual({ changed: true, note: 'installed with a new schema' });
    here.remove();
    here = machine();
    here.write('install/setup.sh', `#!/bin/sh\nmkdir -p '${here.server.fileDriveHome}' && echo 'Installation completed.' >'${here.server.fileDriveHome}/install.log'\n`, 0o755);
    here.write('axway/st-orchestrator-install/taeh', 'secret');
    expect(await onServer('5.5', 4)).toEqual({ changed: true, note: 'installed on the existing schema' });
  });
});
