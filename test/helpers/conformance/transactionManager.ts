import { destructive, withShell } from './target';
import { transactionManagerIs, type Suite } from './suite';

const operations = '/transactionManager/operations';

/** §11, §11.1: the Transaction Manager. */
export function transactionManager(suite: Suite): void {
  const { call, get } = suite;
  const status = async (method: string, path: string, headers: Record<string, string> = {}): Promise<number> => (await call(method, path, { headers })).status;

  test('§11 GET /transactionManager answers {"status":"Running."}, with a full stop', async () => {
    expect(await get('/transactionManager')).toEqual({ status: 'Running.' });
  });

  test('§11.1 the Transaction Manager knows GET and HEAD only: PUT, PATCH, DELETE, and GET on its operations, are 405', async () => {
    expect(await status('HEAD', '/transactionManager')).toBe(200);
    for (const method of ['PUT', 'PATCH', 'DELETE']) expect([method, await status(method, '/transactionManager'), await status(method, operations)]).toEqual([method, 405, 405]);
    expect(await status('GET', operations)).toBe(405);
  });

  test('§11.1 a path below the Transaction Manager is 404', async () => {
    expect(await status('GET', '/transactionManager/status')).toBe(404);
  });

  test.each(['text/xml', 'text/csv'])('§11.1 the Transaction Manager answers an Accept other than JSON with 406: %s', async (accept) => {
    expect(await status('GET', '/transactionManager', { accept })).toBe(406);
  });

  test('§11.1 fields= is ignored by the Transaction Manager', async () => {
    expect(await get('/transactionManager?fields=colour')).toEqual({ status: 'Running.' });
  });

  test.each(['start', 'restart', ''])('§11.1 an operation other than stop is 400 and names what it must match: "%s"', async (operation) => {
    const answer = await call('POST', `${operations}?operation=${operation}&graceful=true`);
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(String.raw`must match \"(?i)(stop)\"`)]);
    expect(await get('/transactionManager')).toEqual({ status: 'Running.' });
  });

  test.each(['Scheduler', 'FolderMonitor'])('§11 the status of the cluster service %s ends with a full stop', async (serviceName) => {
    expect(await get(`/clusterServices?serviceName=${serviceName}`)).toMatchObject({ serviceName, status: expect.stringMatching(/^(Not running|Running)\.$/) });
  });
}

/** Stops what only the host can start again. */
export function transactionManagerStops(suite: Suite): void {
  if (!destructive || !withShell) return;
  const { call } = suite;
  const start = async (): Promise<void> => {
    await suite.target().shell('"$home/bin/start_tm"');
    await transactionManagerIs(suite, 'Running.');
  };
  afterEach(start);

  test('§11 a stop of the Transaction Manager answers 200 with isSuccessful and message, and start_tm on the host starts it again', async () => {
    const answer = await call('POST', `${operations}?operation=stop&graceful=true&timeout=30`);
    expect([answer.status, answer.json]).toEqual([200, { isSuccessful: true, message: expect.any(String) }]);
    await transactionManagerIs(suite, 'Not running.');
    await start();
  });

  test('§11.1 graceful left out means an immediate stop of the Transaction Manager', async () => {
    await call('POST', `${operations}?operation=STOP`);
    await transactionManagerIs(suite, 'Not running.');
  });

  test('§11 a stop of a Transaction Manager that does not run is 200 with isSuccessful false', async () => {
    await call('POST', `${operations}?operation=stop&graceful=false`);
    await transactionManagerIs(suite, 'Not running.');
    const answer = await call('POST', `${operations}?operation=stop&graceful=false`);
    expect([answer.status, answer.json.isSuccessful]).toEqual([200, false]);
  });

  test.each(['Scheduler', 'FolderMonitor'])('§11 the cluster service %s is stopped and started by itself', async (serviceName) => {
    const path = `/clusterServices?serviceName=${serviceName}`;
    for (const [operation, status] of [['stop', 'Not running.'], ['start', 'Running.']]) {
      expect((await call('POST', `/clusterServices/operations?operation=${operation}&serviceName=${serviceName}`)).json.isSuccessful).toBe(true);
      expect((await suite.get(path)).status).toBe(status);
    }
  });

  test('§11 the maintenance mode is started and stopped', async () => {
    for (const [operation, status] of [['start', 'Running.'], ['stop', 'Not running.']]) {
      expect((await call('POST', `/configurations/maintenance/operations?operation=${operation}`)).status).toBe(200);
      expect((await suite.get('/configurations/maintenance')).status).toBe(status);
    }
  });
}
