/** The development server as the tests and the demo start it: search attributes, retention, and that it comes back on its file after a kill. */
import { Client, Connection } from '@temporalio/client';
import { searchAttributes } from '../../src/model/ids';
import { freePort, startTemporalServer, type TemporalServer } from '../helpers/temporalServer';

let server: TemporalServer;
let connection: Connection;
let uiPort: number;
beforeAll(async () => {
  uiPort = await freePort();
  server = await startTemporalServer({ uiPort });
  connection = await Connection.connect({ address: server.address });
});
afterAll(async () => {
  await connection?.close();
  await server?.stop();
});

test('the search attributes of the product are registered as keywords', async () => {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
  const keyword = 2;
  expect(customAttributes).toMatchObject(Object.fromEntries(searchAttributes.map((name) => [name, keyword])));
});

test('the Temporal UI is there', async () => {
  const page = await fetch(`http://127.0.0.1:${uiPort}/`);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('<html');
});

test('closed runs are kept for 90 days', async () => {
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(90 * 24 * 3600);
});

test('killed and started again it has the same address and still knows its workflows', async () => {
  const client = new Client({ connection });
  const { workflowId } = await client.workflow.start('nobodyRunsThis', { taskQueue: 'nobody', workflowId: 'kept' });
  const before = server.pid;
  await server.kill('SIGKILL');
  await server.start();
  expect(server.pid).not.toBe(before);
  expect((await client.workflow.getHandle(workflowId).describe()).status.name).toBe('RUNNING');
});

test('a first start on a file where it must not write is an error that says why', async () => {
  await expect(startTemporalServer({ folder: '/proc/nowhere' })).rejects.toThrow(/did not start: it ended[\s\S]*\/proc\/nowhere/);
});
