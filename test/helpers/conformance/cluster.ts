import { standing } from './target';
import type { Suite } from './suite';

/** §11's table: the Server, its place in the cluster, its database. */
export function cluster(suite: Suite): void {
  const { call, get } = suite;
  const management = '/configurations/clusterManagement';

  test('§11 GET /version tells the version and the build', async () => {
    expect(await get('/version')).toMatchObject({ version: expect.stringMatching(/^5\.5/), build: expect.any(String) });
  });

  test('§11 GET …/clusterManagement of a member answers isCluster, the mode and every node with its address', async () => {
    const { isCluster, clusterMode, clusterNodes } = await get(management);
    expect([isCluster, typeof clusterMode]).toEqual([true, 'string']);
    expect(clusterNodes.every(({ serverAddress }: { serverAddress: unknown }) => typeof serverAddress === 'string')).toBe(true);
    expect(clusterNodes.length).toBeGreaterThan(0);
  });

  test('§11 the node threshold is replaced by PUT and changed by PATCH, each 204', async () => {
    const before = await get(`${management}/nodeThreshold`);
    expect(before).toEqual({ numberOfNodes: expect.any(Number), sendNotification: expect.any(Boolean), subject: expect.any(String), notification: expect.any(String) });
    try {
      const other = { ...before, numberOfNodes: before.numberOfNodes + 1 };
      expect((await call('PUT', `${management}/nodeThreshold`, { body: other })).status).toBe(204);
      expect(await get(`${management}/nodeThreshold`)).toEqual(other);
      expect((await call('PATCH', `${management}/nodeThreshold`, { body: [{ op: 'replace', path: '/subject', value: 'conformance' }] })).status).toBe(204);
      expect(await get(`${management}/nodeThreshold`)).toEqual({ ...other, subject: 'conformance' });
      expect((await call('PUT', `${management}/nodeThreshold`, { body: { ...before, numberOfNodes: 'two' } })).status).toBe(400);
    } finally {
      await call('PUT', `${management}/nodeThreshold`, { body: before });
    }
  });

  test('§11 GET …/replication answers whether it is enabled, and the subscriptions', async () => {
    expect(await get('/configurations/replication')).toMatchObject({ enabled: expect.any(Boolean), subscriptions: expect.any(Array) });
  });

  test('§11 GET …/maintenance answers a status', async () => {
    expect(await get('/configurations/maintenance')).toEqual({ status: expect.stringMatching(/^(Not running|Running)\.$/) });
  });

  test('§11 GET …/database tells the external database, without its password', async () => {
    const database = await get('/configurations/database');
    expect(database).toMatchObject({ host: expect.any(String), port: expect.any(Number), databaseName: expect.any(String), username: expect.any(String) });
    expect(database).not.toHaveProperty('password');
  });

  const form = (fields: Record<string, unknown>) => ({
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: `${Object.entries(fields).map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${String(value)}\r\n`).join('')}--b--\r\n`,
  });
  const tests = '/configurations/database/operations?operation=test';

  test('§11.1 the database test takes a multipart form of five fields, and "no" is a 200 with isSuccessful false', async () => {
    const { host, port, username } = await get('/configurations/database');
    const wrong = await call('POST', tests, form({ host, port, databaseName: 'no_such_database', username, password: 'wrong' }));
    expect([wrong.status, wrong.json]).toEqual([200, { isSuccessful: false, message: expect.any(String) }]);
    expect((await call('POST', tests, form({ host, port, username, password: 'wrong' }))).status).toBe(400);
    expect((await call('POST', tests, { body: { host, port } })).status).toBe(400);
  });

  if (standing) return;
  test('§11.1 the database test of the right settings is successful', async () => {
    expect((await call('POST', tests, form(suite.lab().database))).json).toMatchObject({ isSuccessful: true });
  });

  test('§11 a standalone Server answers isCluster false and no nodes, and has a node threshold all the same', () => {
    const { standalone, thresholdAlone } = suite.lab().witnessed;
    expect(standalone.json).toMatchObject({ isCluster: false, clusterNodes: [] });
    expect([thresholdAlone.status, thresholdAlone.json]).toMatchObject([200, { numberOfNodes: 0 }]);
  });

  test('§3 the Administration Tool of a later Server is not operational until its node was added and it was restarted', () => {
    const { notAdded, notRestarted } = suite.lab().witnessed;
    expect([notAdded.status, notRestarted.status]).toEqual([503, 503]);
  });

  test('§4 the same address can be added twice: the second entry is invalid, and goes first', async () => {
    const { address } = suite.lab().second;
    const entries = async () => (await get(management)).clusterNodes.filter((node: { serverAddress: string }) => node.serverAddress === address).map(({ status }: { status: string }) => status);
    expect((await call('POST', `${management}/nodes`, { body: { serverAddress: address } })).status).toBe(201);
    expect(await entries()).toEqual(['Online', 'Invalid']);
    expect((await call('DELETE', `${management}/nodes/${address}`)).status).toBe(204);
    expect(await entries()).toEqual(['Online']);
    expect((await call('DELETE', `${management}/nodes/10.255.255.1`)).status).toBe(404);
    expect((await call('POST', `${management}/nodes`, { body: { serverAddress: 'not an address' } })).status).toBe(400);
  });
}
