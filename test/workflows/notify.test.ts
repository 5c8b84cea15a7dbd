/** Telling, against a real Temporal server: by every way, each by itself, never in the way of the operation that has something to tell. */
import { Context } from '@temporalio/activity';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { StError } from '../../src/model/errors';
import type { ClusterEvent } from '../../src/model/events';
import type { NotificationReport } from '../../src/model/notifications';
import type { OperationReport } from '../../src/model/operation';
import { parseClusterSpec } from '../../src/model/spec';
import { mailSamples } from '../unit/model/mailSamples';
import { changed } from '../unit/model/demoFile';
import { until } from '../../lab/shell';
import { bundleOf, connectGround, unique, withWorker, type Fakes, type Ground } from '../helpers/workflows';

jest.setTimeout(240_000);

let ground: Ground;
let bundle: WorkflowBundleOption;
beforeAll(async () => {
  ground = await connectGround();
  bundle = await bundleOf(require.resolve('./fixtures/workflows.ts'));
});
afterAll(() => ground?.close());

const smtp = { host: 'mail.example.com', port: 587, tls: 'starttls' as const };
const notifications = { smtp, from: 'st@example.com', to: ['mft@example.com'], webhook: { url: 'https://hooks.example.com', secret: 'env:HOOK' }, command: ['/usr/local/bin/tell'] };
const event = (): ClusterEvent => ({ ...mailSamples['node-failed']!, id: unique('event') });

interface Heard { way: string; event: ClusterEvent }
/** Ways that write down what they were given; `over` replaces some. */
function ways(over: Fakes = {}): { heard: Heard[]; acts: Fakes } {
  const heard: Heard[] = [];
  const way = (name: string) => async ({ event: told }: { event: ClusterEvent }) => {
    heard.push({ way: name, event: told });
    return { note: `${name} said yes` };
  };
  return { heard, acts: { 'notifications.mail': way('mail'), 'notifications.webhook': way('webhook'), 'notifications.program': way('program'), ...over } };
}

const start = (taskQueue: string, input: object) => ground.client.workflow.start('notify', { taskQueue, workflowId: unique('notify'), args: [input], workflowTaskTimeout: '3s' });

test('every way is gone, each by itself: one that fails for good and one that comes back later hold nobody up', async () => {
  let tries = 0;
  const { heard, acts } = ways({
    'notifications.mail': async () => { if ((tries += 1) < 3) throw new StError('Unreachable', 'Mail server mail.example.com:587: nobody there'); return { note: 'handed over' }; },
    'notifications.webhook': async () => { throw new StError('Refused', 'POST https://hooks.example.com: 400 no such team'); },
  });
  const report = await withWorker(ground, bundle, acts, async (taskQueue) => (await (await start(taskQueue, { event: event(), notifications })).result()) as NotificationReport);
  expect(report.ways).toEqual([
    { way: 'mail', arrived: true, note: 'handed over' },
    { way: 'webhook', arrived: false, note: 'POST https://hooks.example.com: 400 no such team' },
    { way: 'program', arrived: true, note: 'program said yes' },
  ]);
  expect([tries, heard.map(({ way }) => way)]).toEqual([3, ['program']]);
});

test('what nobody heard is a failed workflow that says why; a wrong input names its field', async () => {
  const { acts } = ways({ 'notifications.mail': async () => { throw new StError('Unreachable', 'nobody there'); } });
  await withWorker(ground, bundle, acts, async (taskQueue) => {
    const { webhook: _, command: __, ...mailOnly } = notifications;
    const failed = (await start(taskQueue, { event: event(), notifications: mailOnly, patience: 0 })).result();
    await expect(failed).rejects.toMatchObject({ cause: { type: 'NotYet', message: expect.stringMatching(/^Nobody was told of "st3 is Offline.*: mail: nobody there$/s) } });
    const wrong = (await start(taskQueue, { event: { ...event(), kind: 'node-faild' }, notifications })).result();
    await expect(wrong).rejects.toMatchObject({ cause: { type: 'InvalidInput', message: expect.stringContaining('event.kind: expected node-failed or') } });
    await expect((await start(taskQueue, { event: event(), notifications: {} })).result()).rejects.toMatchObject({ cause: { type: 'InvalidInput', message: expect.stringContaining('expected smtp') } });
  });
});

test('an operation that fails, or waits for a person, is told once each in one thread, and ends whether mail works or not', async () => {
  const done = async () => ({ changed: true, note: 'done' });
  const { heard, acts } = ways({
    'notifications.mail': async () => { throw new StError('Unreachable', 'nobody there'); },
    'things.checkReady': async () => ({ facts: { nodes: [] }, problems: [] }),
    'things.checkNode': async ({ node }: { node: string }) => ({ facts: { node }, problems: [] }),
    'things.ensureFirst': done, 'things.ensureFirstUndone': done,
    'things.ensureEach': async ({ node }: { node: string }) => ({ changed: true, note: 'done', value: node }),
    'things.ensureEachUndone': done,
    'things.ensureLast': async () => { throw new StError('Refused', 'the last thing says no'); },
  });
  const cluster = unique('c').slice(0, 20);
  const spec = { ...parseClusterSpec(changed(['metadata', 'name'], cluster)).spec!, notifications };
  await withWorker(ground, bundle, acts, async (taskQueue) => {
    const run = async (more: object) => ground.client.workflow.start('rehearse', { taskQueue, workflowId: unique('rehearse'), args: [{ cluster, spec, nodes: ['n1'], ...more }], workflowTaskTimeout: '3s' });
    await expect((await run({ dryRun: true })).result()).resolves.toMatchObject({ outcome: 'planned' });
    await expect((await run({})).result()).rejects.toMatchObject({ cause: { type: 'Refused' } });
    const held = await run({ forwardOnly: true });
    await until('the hold', async () => (await held.query<OperationReport>('report')).phase === 'held');
    await until('its event', () => heard.some(({ way, event: told }) => way === 'program' && told.kind === 'operation-waits'));
    await held.executeUpdate('decide', { args: [{ step: 'things.ensureLast', do: 'abort', by: 'test', reason: 'enough' }] });
    await expect(held.result()).rejects.toMatchObject({ cause: { type: 'Aborted' } });
    await until('all events', () => heard.filter(({ way }) => way === 'webhook').length === 3);
  });
  const told = heard.filter(({ way }) => way === 'program').map((one) => one.event);
  expect(told.map(({ kind }) => kind)).toEqual(['operation-ended', 'operation-waits', 'operation-ended']);
  expect(told[1]!.incident).toBe(told[2]!.incident);
  expect(told[0]!.incident).not.toBe(told[1]!.incident);
  expect(new Set(told.map(({ id }) => id)).size).toBe(3);
  const { count } = await ground.client.workflow.count(`WorkflowType="notify" AND StCluster="${cluster}"`);
  expect(count).toBe(3);
});

test('an operation that was terminated is told of by the record', async () => {
  const { heard, acts } = ways({
    'things.checkReady': async () => ({ facts: { nodes: [] }, problems: [] }), 'things.checkNode': async ({ node }: { node: string }) => ({ facts: { node }, problems: [] }),
    'things.ensureFirst': () => Context.current().cancelled,
  });
  const cluster = unique('c').slice(0, 20);
  const spec = { ...parseClusterSpec(changed(['metadata', 'name'], cluster)).spec!, notifications };
  await withWorker(ground, bundle, acts, async (taskQueue) => {
    await ground.client.workflow.start('cluster', { taskQueue, workflowId: `cluster/${cluster}`, args: [{ name: cluster, lookUpEvery: 1_000 }], workflowTaskTimeout: '3s' });
    const run = await ground.client.workflow.start('rehearse', { taskQueue, workflowId: unique('rehearse'), args: [{ cluster, spec, nodes: ['n1'] }], workflowTaskTimeout: '3s' });
    await until('work', async () => (await run.query<OperationReport>('report')).phase === 'working');
    await run.terminate('to see');
    await until('the event', () => heard.some(({ way, event: told }) => way === 'mail' && told.kind === 'operation-interrupted'));
  });
  expect(heard.find(({ way }) => way === 'mail')!.event).toMatchObject({ cluster, severity: 'critical', now: expect.stringContaining('The first thing: was running when the operation was terminated') });
});
