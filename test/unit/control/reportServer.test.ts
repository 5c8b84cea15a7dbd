import { createHmac } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { request } from 'undici';
import { startReportServer } from '../../../src/control/reportServer';

const secret = 'a-report-secret';
const said: string[] = [];
const taken: { workflowId: string; name: string; report: unknown }[] = [];
const client = {
  withDeadline: <T>(_: number, call: () => Promise<T>) => call(),
  workflow: {
    getHandle: (workflowId: string) => ({
      executeUpdate: async (name: string, { args: [report] }: { args: unknown[] }) => {
        if (workflowId === 'monitor/unwatched') throw new WorkflowNotFoundError('not found', workflowId, undefined);
        taken.push({ workflowId, name, report });
      },
    }),
  },
} as unknown as Client;

const environment: { REPORT?: string } = { REPORT: secret };
let server: Server;
let url: string;
beforeAll(async () => {
  server = await startReportServer(client, { host: '127.0.0.1', port: 0, secret: 'env:REPORT', env: environment, say: (line) => said.push(line) });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => { said.length = taken.length = 0; });
afterAll(() => { server.close(); server.closeAllConnections(); });

const bearer = { authorization: `Bearer ${secret}` };
const post = async (path: string, body: string, headers: Record<string, string> = bearer, method: 'POST' | 'GET' | 'PUT' = 'POST'): Promise<{ status: number; message: string }> => {
  const answer = await request(`${url}${path}`, { method, headers, ...(method === 'GET' ? {} : { body }) });
  return { status: answer.statusCode, message: ((await answer.body.json()) as { message: string }).message };
};
const signed = (body: string, seconds = Math.floor(Date.now() / 1000), key = secret) => ({ 'x-st-signature': `t=${seconds},v1=${createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')}` });
const good = JSON.stringify({ from: 'nagios', node: 'st2', what: 'ping lost', at: '2026-11-01T03:00:00Z' });

test('a report that shows the secret, or is signed with it, goes to the cluster\'s monitor', async () => {
  expect(await post('/v1/report/demo', good)).toEqual({ status: 202, message: 'taken as evidence' });
  expect((await post('/v1/report/demo', good, signed(good))).status).toBe(202);
  expect((await post('/v1/report/demo', '{"from": "mail hook", "what": "threshold"}')).status).toBe(202);
  expect(taken).toEqual([
    ...Array.from({ length: 2 }, () => ({ workflowId: 'monitor/demo', name: 'report', report: { from: 'nagios', node: 'st2', what: 'ping lost (2026-11-01T03:00:00Z)' } })),
    { workflowId: 'monitor/demo', name: 'report', report: { from: 'mail hook', what: 'threshold' } },
  ]);
  expect(said[0]).toBe('127.0.0.1: nagios reports of demo st2: ping lost (2026-11-01T03:00:00Z)');
});

test.each([
  ['no secret', {}],
  ['another secret', { authorization: 'Bearer wrong' }],
  ['a signature with another secret', signed(good, undefined, 'wrong')],
  ['a signature of another body', signed('{}')],
  ['a signature that is old', signed(good, Math.floor(Date.now() / 1000) - 301)],
  ['a signature that is none', { 'x-st-signature': 't=1,v1=' }],
])('%s is refused, and nothing is told', async (_, headers) => {
  expect((await post('/v1/report/demo', good, headers as Record<string, string>)).status).toBe(401);
  expect([taken, said]).toEqual([[], ['127.0.0.1: refused, not authenticated']]);
});

test.each([
  ['a body that is too long', '/v1/report/demo', 'x'.repeat(20_000), 413],
  ['no JSON', '/v1/report/demo', 'st2 is down', 400],
  ['a missing field', '/v1/report/demo', '{"from": "nagios"}', 400],
  ['a line break in a field', '/v1/report/demo', '{"from": "nagios", "what": "a\\nb"}', 400],
  ['another path', '/', good, 404],
  ['a cluster that is no name', '/v1/report/..%2f', good, 404],
  ['a cluster that nobody watches', '/v1/report/unwatched', good, 404],
])('%s: told with its status', async (_, path, body, status) => {
  expect((await post(path, body)).status).toBe(status);
  expect(taken).toEqual([]);
});

test('while the secret can\'t be read nothing is taken, and both sides hear why', async () => {
  delete environment.REPORT;
  expect(await post('/v1/report/demo', good)).toEqual({ status: 503, message: 'the secret can\'t be read where reports are taken' });
  environment.REPORT = secret;
  expect([taken, said]).toEqual([[], [expect.stringMatching(/: not taken, env:REPORT can't be read$/)]]);
  expect((await post('/v1/report/demo', good)).status).toBe(202);
});

test('only POST is taken, and a secret that can\'t be read is said at once', async () => {
  expect((await post('/v1/report/demo', '', bearer, 'GET')).status).toBe(404);
  await expect(startReportServer(client, { host: '127.0.0.1', port: 0, secret: 'env:NOT_SET', env: {}, say: () => undefined })).rejects.toMatchObject({ code: 'SecretUnavailable', message: expect.stringContaining('where stctl runs') });
  const none = Buffer.from('no certificate');
  await expect(startReportServer(client, { host: '127.0.0.1', port: 0, secret: 'env:SECRET', env: { SECRET: 'x' }, tls: { cert: none, key: none }, say: () => undefined })).rejects.toMatchObject({ code: 'InvalidInput', message: expect.stringContaining('certificate') });
});
