/** A mail server that is gone for five minutes: operations end as ever, and what they had to tell arrives once when it is back. */
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../lab/shell';
import { startLab, type Lab } from '../helpers/lab';
import { servingWorker, type ServingWorker } from '../helpers/servingWorker';
import { connectGround, type Ground } from '../helpers/workflows';

let ground: Ground;
let lab: Lab;
let worker: ServingWorker;

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 2, mail: true })]);
  worker = await servingWorker(ground, { maxCachedWorkflows: 100 });
});
afterAll(async () => {
  await worker?.end();
  await lab?.down();
  await ground?.close();
});

test('a set-up and a restart end without it; both mails come within 65 s of its return', async () => {
  const cluster = lab.name;
  await lab.run('kill', 'mail1');
  const gone = Date.now();
  expect(await worker.run('setUpCluster', { cluster, spec: lab.spec() })).toMatchObject({ outcome: 'completed' });
  expect(await worker.run('rollingRestart', { cluster, keepOnline: 1 })).toMatchObject({ outcome: 'completed' });
  const worked = Date.now() - gone;
  await pause(Math.max(0, 300_000 - worked));
  await lab.run('start', 'mail1');
  const back = Date.now();
  await until('both mails', async () => (await lab.mails()).length >= 2, 90_000, 500);
  console.log(`both operations took ${worked} ms; their mails came ${Date.now() - back} ms after the mail server`);
  // Longest pause between two tries: 60 s.
  expect(Date.now() - back).toBeLessThan(65_000);
  const mails = await lab.mails();
  expect(mails.map(({ subject }) => subject).sort()).toEqual([expect.stringMatching(/rollingRestart has completed/), expect.stringMatching(/setUpCluster has completed/)]);
  expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(2);
});
