/** What an installation is given: files of the worker's host, properties, secrets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { edgeActivities } from '../../../src/activities/edges';
import { installationActivities } from '../../../src/activities/installation';
import { propertiesText } from '../../../src/activities/installer';
import { serverActivities } from '../../../src/activities/servers';
import { createClients, type Clients } from '../../../src/clients';
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
  expect(await check(core, written('st.license', 'Product=SecureTransport\n'), 2)).toEqual(['the features licence covers 0 cluster nodes, 2 Servers are listed']);
  expect(await check(join(folder, 'none'), written('st.license', 'ClusterNodes=1\nValidTo=2001-01-01\n'), 2)).toEqual([
    `the licence file ${join(folder, 'none')} can't be read on the worker's host`, `the licence ${join(folder, 'st.license')} has expired`, 'the features licence covers 1 cluster nodes, 2 Servers are listed',
  ]);
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
