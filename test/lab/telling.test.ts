/** Telling on real parts: mails as a mail server takes them, a webhook, a program; what they never do is hold an operation up. */
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { LabMail } from '../../lab/mail/host';
import { until } from '../../lab/shell';
import { createClients, type Clients } from '../../src/clients';
import { StError } from '../../src/model/errors';
import type { ClusterEvent } from '../../src/model/events';
import type { NotificationReport } from '../../src/model/notifications';
import { serverTarget } from '../../src/model/slices';
import type { ClusterSpec } from '../../src/model/spec';
import type { EndsReport } from '../../src/workflows/checkEnds';
import { databaseCertificate, sql } from '../helpers/breaking';
import { startLab, type Lab } from '../helpers/lab';
import { withOperations, type Operations } from '../helpers/operations';
import { keepingProgram, toldEvents } from '../helpers/toldEvents';
import { connectGround, unique, type Ground } from '../helpers/workflows';

jest.setTimeout(180_000);

let ground: Ground;
let lab: Lab;
let spec: ClusterSpec;
let operations: Operations;
let endWorker: () => Promise<void>;
let receiver: Server;
const calls: { key: string; signature: string; body: string }[] = [];
/** What the receiver answers, one after the other; 204 when none is left. */
const answers: number[] = [];
const secret = 'a-webhook-secret-of-this-test';
/** What goes wrong in the worker's clients, while it is set. */
const broken: { epoch?: boolean; mailAfterwards?: boolean } = {};

const breaking = (clients: Clients): Clients => ({
  ...clients,
  postgres: new Proxy(clients.postgres, {
    get: (target, method, proxy) => (broken.epoch && method === 'ensureEpoch' ? async () => { throw new StError('Refused', 'db1: this test says no'); } : Reflect.get(target, method, proxy) as unknown),
  }),
  mail: {
    ...clients.mail,
    async sendMail(...args) {
      await clients.mail.sendMail(...args);
      if (!broken.mailAfterwards) return;
      broken.mailAfterwards = false;
      throw new StError('ConnectionLost', 'the answer to this mail was lost');
    },
  },
});

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      calls.push({ key: String(request.headers['idempotency-key']), signature: String(request.headers['x-st-signature']), body: Buffer.concat(chunks).toString() });
      response.writeHead(answers.shift() ?? 204).end();
    });
  });
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening));
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 2, mail: true })]);
  writeFileSync(join(lab.dir, 'secrets/webhook'), secret, { mode: 0o600 });
  const plain = lab.spec();
  spec = { ...plain, notifications: { ...plain.notifications, webhook: { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`, secret: `file:${lab.dir}/secrets/webhook` }, command: keepingProgram(lab) } };
  await new Promise<void>((ready, failed) => {
    const worker = withOperations(ground, (made) => new Promise<void>((end) => {
      operations = made;
      endWorker = () => { end(); return worker; };
      ready();
    }), { wrap: breaking });
    worker.catch(failed);
  });
});
afterEach(() => { broken.epoch = broken.mailAfterwards = false; });
afterAll(async () => {
  await endWorker?.();
  receiver?.closeAllConnections();
  receiver?.close();
  await lab?.down();
  await ground?.close();
});

const mailsWhen = (what: string, enough: (mails: LabMail[]) => boolean, within = 30_000): Promise<LabMail[]> => until(what, async () => {
  const mails = await lab.mails();
  return enough(mails) ? mails : undefined;
}, within, 200);
const told = (): ClusterEvent[] => toldEvents(lab);
const tell = async (event: ClusterEvent): Promise<NotificationReport> => (await operations.start('notify', { event, notifications: spec.notifications }).then((handle) => handle.result())) as NotificationReport;
const event = (more: Partial<ClusterEvent> = {}): ClusterEvent => ({
  id: unique('event'), kind: 'node-failed', cluster: lab.name, node: 'st2', at: '2026-11-01T03:12:04Z', severity: 'critical', incident: 'node.st2.1', summary: 'st2 is Offline: ünïcödé & <b>.', now: 'st1 serves alone.', next: 'Nothing.', youCan: [`stctl nodes ${lab.name}`], facts: { online: '1 of 2' }, ...more,
});

test('an operation that fails is told by mail, webhook and program; while the mail server is gone it ends as ever, and its mail comes later', async () => {
  const cluster = lab.name;
  broken.epoch = true;
  const first = await operations.fail('setUpCluster', { cluster, spec });
  expect(first.message).toContain('this test says no');
  const [mail] = await mailsWhen('the mail of the failure', (mails) => mails.length === 1);
  expect(mail).toMatchObject({ from: 'st-orchestrator@lab.example', to: ['operations@lab.example'], subject: expect.stringMatching(new RegExp(`^\\[${cluster}\\] CRITICAL: setUpCluster has failed: .*this test says no`)) });
  expect(mail!.text).toContain('Nothing happens by itself');
  expect(mail!.html).toContain('<strong>CRITICAL</strong>');
  await until('program and webhook', () => told().length === 1 && calls.length === 1);

  await lab.run('kill', 'mail1');
  const began = Date.now();
  await operations.fail('setUpCluster', { cluster, spec });
  expect(Date.now() - began).toBeLessThan(20_000);
  await until('the others', () => told().length === 2 && calls.length === 2);
  await lab.run('start', 'mail1');
  const [, later] = await mailsWhen('the mail of the second failure', (mails) => mails.length === 2, 60_000);
  expect([later!.subject, later!.messageId === mail!.messageId]).toEqual([mail!.subject, false]);
});

test('a mail whose answer was lost comes again as the same one, and mails of one incident are one thread', async () => {
  const before = (await lab.mails()).length;
  broken.mailAfterwards = true;
  await tell(event({ id: 'node.st2.1' }));
  await tell(event({ kind: 'node-recovered', severity: 'info', summary: 'st2 is back.' }));
  const [one, again, third] = (await mailsWhen('three mails', (mails) => mails.length === before + 3)).slice(before);
  expect(again!.messageId).toBe(one!.messageId);
  expect(one!.subject).toBe(`[${lab.name}] CRITICAL: st2 is Offline: ünïcödé & <b>.`);
  expect(one!.text).toContain('st2 is Offline: ünïcödé & <b>.');
  expect(one!.html).toContain('ünïcödé &amp; &lt;b&gt;.');
  expect([one!.references, third!.references]).toEqual([[], [one!.messageId]]);
});

test('a webhook is signed over what it sends, and a retry carries the same key; a program gets the event as JSON', async () => {
  const before = calls.length;
  answers.push(503, 500);
  const sent = event();
  const { ways } = await tell(sent);
  expect(ways.map(({ way, arrived }) => [way, arrived])).toEqual([['mail', true], ['webhook', true], ['program', true]]);
  const tries = calls.slice(before);
  expect(tries.map(({ key }) => key)).toEqual([sent.id, sent.id, sent.id]);
  for (const { signature, body } of tries) {
    const [, seconds, mac] = /^t=(\d+),v1=(\w+)$/.exec(signature)!;
    expect([mac, JSON.parse(body)]).toEqual([createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex'), sent]);
  }
  expect(told().at(-1)).toEqual(sent);
});

test('a set-up that has completed is told once; a maintenance window keeps the product\'s own mail still until it ends', async () => {
  const cluster = lab.name;
  const before = (await lab.mails()).length;
  await operations.run('setUpCluster', { cluster, spec });
  expect(await operations.run('setUpCluster', { cluster, dryRun: true })).toMatchObject({ outcome: 'planned' });
  expect(await operations.run('setUpCluster', { cluster })).toMatchObject({ outcome: 'nothing to do' });
  const clients = createClients();
  try {
    const isOn = async (): Promise<boolean> => (await clients.admin.server(serverTarget(spec, 'prod', 'st1').admin).nodeThreshold()).sendNotification;
    expect(await isOn()).toBe(true);
    const record = ground.client.workflow.getHandle(`cluster/${cluster}`);
    const { window } = await record.executeUpdate<{ window: { id: string } }, [object]>('maintenance', { args: [{ start: { nodes: ['st2'], for: '1h', reason: 'this test', by: 'test' } }] });
    await until('silence', async () => !(await isOn()), 15_000, 100);
    await record.executeUpdate('maintenance', { args: [{ end: window.id }] });
    await until('mail again', isOn, 15_000, 100);
  } finally {
    await clients.close();
  }
  const mails = (await lab.mails()).slice(before);
  expect(mails.map(({ subject }) => subject)).toEqual([expect.stringMatching(new RegExp(`^\\[${cluster}\\] setUpCluster has completed: ${cluster} is set up: 2 of 2 Servers are Online`))]);
});

test('what ends soon is told once for each step, by mail and program; who renews hears no more', async () => {
  const cluster = lab.name;
  const status = await lab.status();
  const [database] = status.database.databases;
  const licence = spec.licences.features;
  const kept = readFileSync(licence, 'utf8');
  const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  const passwordUntil = (time: string): Promise<string> => sql(status, 'postgres', `ALTER ROLE "${database!.user}" VALID UNTIL '${time}'`);
  const check = async (): Promise<EndsReport> => (await operations.run('checkEnds', { cluster })) as unknown as EndsReport;
  const before = told().length;
  const mailsBefore = (await lab.mails()).length;

  writeFileSync(licence, `${kept}ValidTo=${inDays(25).slice(0, 10)}\n`);
  await passwordUntil(inDays(2));
  await databaseCertificate(status, { days: 10, keyUsage: 'digitalSignature' });
  const found = await check();
  expect(found).toMatchObject({ due: 3, unknown: [] });
  expect(found.ends.slice(0, 3).map(({ what }) => what)).toEqual([expect.stringContaining('the password of the database role'), expect.stringContaining('the certificate of the database'), expect.stringContaining('st.license')]);
  expect(found.ends.map(({ what }) => what)).toEqual(expect.arrayContaining(['st1', 'st2'].map((node) => expect.stringMatching(`^the certificate of the Administration Tool of ${node} `))));
  await until('three are told', () => told().length === before + 3);
  const events = told().slice(before);
  expect(events.map(({ kind, severity, id }) => `${kind} ${severity} ${id.split('.').at(-1)}`).sort()).toEqual(['ends-soon critical 3', 'ends-soon warning 14', 'ends-soon warning 30']);
  const mails = (await mailsWhen('three mails', (all) => all.length >= mailsBefore + 3)).slice(mailsBefore).map(({ subject }) => subject).sort();
  expect(mails).toEqual([expect.stringMatching(/CRITICAL: The password of the database role .* ends in 2 days, on /), expect.stringMatching(/WARNING: The certificate of the database .* ends in 10 days, on /), expect.stringMatching(/WARNING: The licence in .* ends in 25 days, on /)]);

  expect(await check()).toMatchObject({ due: 3 });
  writeFileSync(licence, kept);
  await passwordUntil('infinity');
  await databaseCertificate(status, null);
  expect(await check()).toMatchObject({ due: 0, unknown: [] });
  expect([told().length, (await lab.mails()).length]).toEqual([before + 3, mailsBefore + 3]);
});
