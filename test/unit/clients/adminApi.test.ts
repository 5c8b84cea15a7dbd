/** Against the stand-in Server: the documented contract. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdminApi, type AdminApi, type AdminServer } from '../../../src/clients/adminApi';
import { waitFor } from '../../../src/clients/waitFor';
import type { AdminAccess } from '../../../src/model/targets';
import { ports, startEstate, type Estate, type Server } from '../standin/estate';

jest.setTimeout(60_000);

let estate: Estate;
let host: Server;
let access: AdminAccess;
let admin: AdminServer;
let api: AdminApi;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'st-admin-'));
  estate = await startEstate();
  await estate.postgres.createDatabase('one');
  host = await estate.installServer('one', undefined, { adminPassword: 'right-password' });
  host.license(3);
  access = { address: host.address, port: ports.admin, user: 'admin', password: passwordFile('right', 'right-password'), ca: host.certificate.cert };
  api = createAdminApi({ timeoutMs: 5000 });
  admin = api.server(access);
  await waitFor('the Administration Tool works', () => admin.clusterManagement(), ({ isCluster }) => isCluster, { timeoutMs: 20_000 });
  await admin.addClusterNode(host.address);
  await host.run('start_all');
  await waitFor('the Transaction Manager runs', () => admin.transactionManager(), ({ running }) => running, { timeoutMs: 20_000 });
});
afterAll(async () => {
  await api?.close();
  await estate?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function passwordFile(name: string, value: string): string {
  const path = join(folder, name);
  writeFileSync(path, `${value}\n`);
  chmodSync(path, 0o600);
  return `file:${path}`;
}

test('the version, the Transaction Manager, the services and the daemons are read', async () => {
  expect(await admin.version()).toMatchObject({ version: '5.5' });
  expect(await admin.transactionManager()).toEqual({ running: true, status: 'Running.' });
  expect((await admin.clusterService('Scheduler')).running).toBe(true);
  await waitFor('the ssh daemon runs', () => admin.daemons(), (daemons) => daemons.ssh === true, { timeoutMs: 10_000 });
  expect(await admin.daemons()).toMatchObject({ ssh: true, ftp: false });
});

test('a daemon is stopped and started', async () => {
  await admin.stopDaemon('ssh', { graceful: false });
  await waitFor('it is stopped', () => admin.daemons(), (daemons) => daemons.ssh === false, { timeoutMs: 10_000 });
  await waitFor('it runs', async () => {
    await admin.startDaemon('ssh');
    return admin.daemons();
  }, (daemons) => daemons.ssh === true, { timeoutMs: 10_000, intervalMs: 300 });
});

test('an operation that is answered with 200 and isSuccessful false is no success', async () => {
  await expect(admin.startDaemon('ftp')).rejects.toMatchObject({ code: 'NotYet', message: expect.stringMatching(/daemons\/operations .*start ftp.* not successful: .*not enabled/) });
});

test('nodes are listed, added and removed', async () => {
  await admin.addClusterNode('10.9.9.9');
  expect((await admin.clusterNodes()).map((node) => node.serverAddress)).toContain('10.9.9.9');
  expect(await admin.clusterManagement()).toMatchObject({ isCluster: true });
  await admin.removeClusterNode('10.9.9.9');
  expect((await admin.clusterNodes()).map((node) => node.serverAddress)).not.toContain('10.9.9.9');
  await expect(admin.removeClusterNode('10.9.9.9')).rejects.toMatchObject({ code: 'Refused', message: expect.stringMatching(/DELETE .*nodes\/10\.9\.9\.9 at .*: 404 .*was not found/) });
});

test('the node threshold is written and read', async () => {
  const threshold = await admin.nodeThreshold();
  await admin.setNodeThreshold({ ...threshold, numberOfNodes: 2 });
  expect(await admin.nodeThreshold()).toEqual({ ...threshold, numberOfNodes: 2 });
});

test('options are read, set all or nothing, patched and cleared', async () => {
  expect((await admin.options()).length).toBeGreaterThan(5);
  await admin.setOptions({ 'Notification.emailAddress': ['ops@example.com'] });
  expect((await admin.option('Notification.emailAddress')).values).toEqual(['ops@example.com']);
  await expect(admin.setOptions({ 'Notification.emailAddress': ['x@example.com'], 'No.Such.Option': ['1'] })).rejects.toMatchObject({ code: 'Refused' });
  expect((await admin.option('Notification.emailAddress')).values).toEqual(['ops@example.com']);
  await admin.patchOption('Notification.emailAddress', ['patched@example.com']);
  expect((await admin.option('Notification.emailAddress')).values).toEqual(['patched@example.com']);
  await admin.setOptions({ 'Notification.emailAddress': [''] });
  expect((await admin.option('Notification.emailAddress')).values).toEqual(['']);
});

test('sessions, events and the newest entries of the log are read', async () => {
  expect(await admin.sessions()).toEqual([]);
  expect(await admin.events({ status: 'active' })).toEqual([]);
  const all = await admin.serverLog({ limit: 1000 });
  expect(await admin.serverLog({ limit: 2 })).toEqual(all.slice(-2));
});

test('the database test of a Server is an answer either way', async () => {
  const database = { host: '127.0.0.1', port: estate.postgres.port, databaseName: 'one', username: 'one', password: 'secret-one' };
  expect(await admin.testDatabase(database)).toMatchObject({ isSuccessful: true });
  expect(await admin.testDatabase({ ...database, password: 'no' })).toMatchObject({ isSuccessful: false });
});

test('a Server that was restarted gets one new login, unseen by the caller', async () => {
  await admin.version();
  await host.run('stop_admin');
  await expect(admin.version()).rejects.toMatchObject({ code: 'Unreachable' });
  await host.run('start_admin');
  await waitFor('it answers again', () => admin.version(), () => true, { timeoutMs: 15_000 });
  await admin.setNodeThreshold(await admin.nodeThreshold());
});

test('a wrong password is tried once, however many ask at the same time, and the account is not locked', async () => {
  const other = createAdminApi({ timeoutMs: 5000 });
  const wrong = other.server({ ...access, password: passwordFile('wrong', 'wrong-password') });
  const tries = await Promise.allSettled(Array.from({ length: 6 }, () => wrong.version()));
  expect(tries.every((one) => one.status === 'rejected' && (one.reason as { code: string }).code === 'AuthenticationFailed')).toBe(true);
  await expect(wrong.version()).rejects.toMatchObject({ code: 'AuthenticationFailed', message: expect.stringContaining('Not tried again') });
  await other.close();
  const [row] = await estate.postgres.query('one', "select failedlogins, locked from administrator where loginname = 'admin'");
  expect(row).toEqual({ failedlogins: 1, locked: false });
});

test('a certificate of another authority is refused', async () => {
  const other = createAdminApi({ timeoutMs: 5000 });
  const ca = estate.postgres.certificate.cert;
  await expect(other.server({ ...access, ca }).version()).rejects.toMatchObject({ code: 'TlsRejected' });
  await expect(other.server({ ...access, ca: '/nowhere.pem' }).version()).rejects.toMatchObject({ code: 'FileUnavailable', message: expect.stringContaining('ENOENT') });
  await other.close();
});
