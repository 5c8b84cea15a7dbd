/** What a host's sudo refuses is told as that, never taken for a file that is not there, and trying it out changes nothing. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileActivities } from '../../../src/activities/files';
import { hostActivities } from '../../../src/activities/hosts';
import { installationActivities } from '../../../src/activities/installation';
import { productOn } from '../../../src/activities/product';
import { serverActivities } from '../../../src/activities/servers';
import { machine, type Machine } from './machine';

let here: Machine;
beforeEach(() => {
  here = machine();
  here.write('axway/SecureTransport/bin/stop_all', '#!/bin/sh\nexit 9\n', 0o755);
  here.write('axway/SecureTransport/bin/taeh', 'secret\0bytes');
  here.write('install/setup.sh', '#!/bin/sh\nexit 9\n', 0o755);
  here.write('shared/kept', 'kept');
});
afterEach(() => here.remove());

const everything = (): string[] => readdirSync(here.folder, { recursive: true, encoding: 'utf8' }).filter((name) => name !== 'refusals').sort();
const denied = expect.objectContaining({ code: 'PermissionDenied', message: expect.stringContaining('docs/sudoers.example') });

describe('the look at a host tries every command of the allow-list', () => {
  const look = async (): Promise<string[]> => {
    const { problems } = await hostActivities(here).checkHost({ host: here.server, package: join(here.folder, 'install'), sharedPath: join(here.folder, 'shared'), version: '5.5', ports: [], peers: [], clockLimitMs: 60_000 });
    return problems.map(({ what }) => what.replaceAll(here.folder, '')).filter((what) => what.includes('sudo refuses'));
  };

  test('and finds nothing where all are allowed', async () => expect(await look()).toEqual([]));

  test.each([
    '/usr/bin/test -e /axway/*', '/usr/bin/ls -la /axway/*', '/usr/bin/cat /axway/*', '/usr/bin/sha256sum /axway/*', '/usr/bin/tee /axway/*', '/usr/bin/chmod 600 /axway/*',
    '/usr/bin/mv -f /axway/* /axway/*', '/usr/bin/mkdir -p /axway/*', '/usr/bin/touch /shared/*', '/usr/bin/cat /shared/*', '/usr/bin/rm -f /shared/*',
    '/install/setup.sh -s /axway/*', '/axway/SecureTransport/bin/stop_all',
  ])('and names the one that is refused: %s', async (command) => {
    const [program = '', ...args] = command.split(' ');
    const before = everything();
    here.refuse(`^[^ ]*${program}.* .*${args.at(-1)?.replace('/*', '') ?? ''}`.replace(/ \.\*$/, ''));
    expect(await look()).toEqual([`st1: sudo refuses ops to run as nobody: ${command}`]);
    expect(everything()).toEqual(before);
  });

  test('and says so in short where everything is', async () => {
    here.refuse('.');
    expect(await look()).toEqual(['st1: sudo refuses ops to run as nobody: everything (sudo: a password is required)']);
  });
});

describe('a file that sudo does not let us see', () => {
  const taeh = (): Promise<Buffer | undefined> => productOn(here.clients, here.server).readBytes(join(here.server.fileDriveHome, 'bin/taeh'));

  test('is read when it may be, and is not there when it is not', async () => {
    expect(await taeh()).toEqual(Buffer.from('secret\0bytes'));
    expect(await productOn(here.clients, here.server).readBytes(join(here.folder, 'axway/none'))).toBeUndefined();
  });
  test('is a refusal when cat is refused, and is read all the same when only test is', async () => {
    here.refuse('bin/cat');
    await expect(taeh()).rejects.toEqual(denied);
    here.refuse('bin/test');
    expect(await taeh()).toEqual(Buffer.from('secret\0bytes'));
    here.refuse('.');
    await expect(taeh()).rejects.toEqual(denied);
  });
  test('is no installation that is missing, and no shared file system that is not shared', async () => {
    here.refuse('bin/cat');
    await expect(fileActivities(here).checkShared({ writer: here.server, reader: here.server, path: join(here.folder, 'shared') })).rejects.toEqual(denied);
    expect(readdirSync(join(here.folder, 'shared'))).toEqual(['kept']);
    here.write('axway/SecureTransport/install.log', 'Installation completed.\n');
    await expect(installationActivities(here).ensureEmptied({ server: here.server }, here.authority)).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('unknown') });
  });
  test('a probe that could not be removed is not made', async () => {
    here.refuse('bin/rm');
    await expect(fileActivities(here).checkShared({ writer: here.server, reader: here.server, path: join(here.folder, 'shared') })).rejects.toEqual(denied);
    expect(readdirSync(join(here.folder, 'shared'))).toEqual(['kept']);
  });
});

test.each(['bin/ls', 'bin/stop_tm'])('a stop of which sudo refuses %s is a refusal, not a service that does not run', async (pattern) => {
  here.write('axway/SecureTransport/bin/stop_tm', '#!/bin/sh\necho tm was stopped.\n', 0o755);
  here.refuse(pattern);
  await expect(serverActivities(here).ensureServicesStopped({ server: here.server }, here.authority)).rejects.toEqual(denied);
});

describe('what an installation was prepared with', () => {
  const prepared = ['Install_SecureTransport_V5.5.properties', 'taeh'].map((name) => `axway/st-orchestrator-install/${name}`);
  const sizes = (): number[] => prepared.map((name) => statSync(join(here.folder, name)).size);
  beforeEach(() => {
    here.write('axway/SecureTransport/install.log', 'Installation completed.\n');
    for (const name of prepared) here.write(name, 'a password');
  });

  test('is emptied where the installation is complete already', async () => {
    expect(await installationActivities(here).ensureInstalled({ server: here.server, installer: { package: '/none', properties: {}, autoRegister: false }, version: '5.5', database: {} as never }, here.authority)).toMatchObject({ changed: false });
    expect(sizes()).toEqual([0, 0]);
  });
  test('is emptied also where sudo does not let us see whether it is empty', async () => {
    here.refuse('bin/test');
    await installationActivities(here).ensureEmptied({ server: here.server }, here.authority);
    expect(sizes()).toEqual([0, 0]);
  });
  test('stays while the installation is not complete: the next try may need it', async () => {
    here.write('axway/SecureTransport/install.log', 'Copying\n');
    await expect(installationActivities(here).ensureEmptied({ server: here.server }, here.authority)).rejects.toMatchObject({ code: 'Refused' });
    expect(sizes()).toEqual([10, 10]);
  });
});

test('docs/sudoers.example lists the commands that are used, and no other', () => {
  const used = new Set<string>();
  const folder = resolve(__dirname, '../../../src/activities');
  for (const name of readdirSync(folder)) for (const [program] of readFileSync(join(folder, name), 'utf8').matchAll(/\/usr\/bin\/[a-z0-9]+/g)) used.add(program);
  const listed = [...readFileSync(resolve(__dirname, '../../../docs/sudoers.example'), 'utf8').matchAll(/^(?!#).*?(\/usr\/bin\/[a-z0-9]+)/gm)].map(([, program]) => program!);
  expect([...used].sort()).toEqual([...new Set(listed)].sort());
});
