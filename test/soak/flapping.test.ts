/** A Server that comes and goes every three seconds for two minutes, watched as the cluster file says: one incident, and nobody is told that the threshold has been lost for long. */
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { LabMail } from '../../lab/mail/host';
import { until } from '../../lab/shell';
import type { ClusterHealth } from '../../src/model/health';
import { startLab, type Lab } from '../helpers/lab';
import { servingWorker, type ServingWorker } from '../helpers/servingWorker';
import { connectGround, type Ground } from '../helpers/workflows';

let ground: Ground;
let lab: Lab;
let worker: ServingWorker;
let monitor: WorkflowHandle;

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 3, mail: true })]);
  worker = await servingWorker(ground, { maxCachedWorkflows: 100 });
  const plain = lab.spec();
  // All three are asked for: each fall of one is one below the threshold.
  await worker.run('setUpCluster', { cluster: lab.name, spec: { ...plain, policies: { ...plain.policies, minimumNodes: 3 } } });
  monitor = await worker.start('monitorCluster', { cluster: lab.name }, `monitor/${lab.name}`);
});
afterAll(async () => {
  await monitor?.terminate().catch(() => undefined);
  await worker?.end();
  await lab?.down();
  await ground?.close();
});

const status = (): Promise<ClusterHealth> => monitor.query<ClusterHealth>('status');
/** Those of the monitor; the set-up has its own. */
const mails = async (): Promise<LabMail[]> => (await lab.mails()).filter(({ subject }) => !subject.includes('setUpCluster'));

test('two minutes of it are a mail for the threshold and one for the Server, and two when it is over', async () => {
  await until('all is well', async () => (await status()).health === 'ok', 60_000);
  const ending = Date.now() + 120_000;
  let flaps = 0;
  for (; Date.now() < ending; flaps += 1) {
    await lab.run('freeze', 'st3');
    await pause(3_000);
    await lab.run('thaw', 'st3');
    await pause(3_000);
  }
  const { watch } = await status();
  console.log(`${flaps} flaps; the incident counts ${watch!.incidents.map(({ node, count }) => `${node} ${count}`).join(', ')}`);
  expect(watch!.incidents).toEqual([expect.objectContaining({ node: 'st3' })]);
  expect((await mails()).map(({ subject }) => subject).sort()).toEqual([expect.stringMatching(/CRITICAL: .* has fewer Servers than the 3/), expect.stringMatching(/WARNING: st3 of .* is Unknown/)]);
  await until('the way back is told', async () => (await mails()).length >= 4, 120_000, 1_000);
  await until('the incident is over', async () => (await status()).watch!.incidents.length === 0, 30_000);
  const all = await mails();
  expect(all.map(({ subject }) => subject).slice(2).sort()).toEqual([expect.stringMatching(/ st3 of .* is Online again, after it failed \d+ times\.$/), expect.stringMatching(/ has the 3 Servers again/)]);
  // The first has begun the thread of the others.
  expect(new Set(all.flatMap(({ references }) => references)).size).toBe(1);
});
