/** A Transaction Manager that hangs with files at work is restarted, its files accepted: each is named, released, and none is lost. The product gives it 30 s, and ends it. */
import { drainLimitMs } from '../../src/model/stopPlan';
import type { ClusterSpec } from '../../src/model/spec';
import { enoughPartners, hangAtWork } from '../helpers/hangAtWork';
import { startLab, type Lab } from '../helpers/lab';
import { settledLedger } from '../helpers/partnersFiles';
import { servingWorker, type ServingWorker } from '../helpers/servingWorker';
import { connectGround, type Ground } from '../helpers/workflows';

let ground: Ground;
let lab: Lab;
let spec: ClusterSpec;
let worker: ServingWorker;
/** In the whole life of the lab: a file that was left behind stays so until somebody submits it again. */
let stranded = 0;

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 3, edges: 1 })]);
  spec = lab.spec();
  worker = await servingWorker(ground);
  await worker.run('setUpCluster', { cluster: lab.name, spec });
});
afterAll(async () => {
  await worker?.end();
  await lab?.down();
  await ground?.close();
});

// A Server each: what was stranded on one stays in its queue as active.
test.each([['rollingRestart', 'st2'], ['removeNode', 'st3']])('%s: the plan says what would be cut and how long it may take, the report names every file that was', async (operation, node) => {
  const cluster = lab.name;
  const load = lab.run('load', '--partners', enoughPartners, '--rate', '20', '--for', '8s');
  const hung = await hangAtWork(lab, spec, node);
  const wish = { cluster, nodes: [node], gracefulTimeout: '2s', acceptActive: true, sweep: true };
  const plan = await worker.run(operation, { ...wish, dryRun: true });
  expect(plan.worstCaseMs).toBeGreaterThan(drainLimitMs(2));
  expect(hung.namedIn(plan.checks.flatMap(({ problems }) => problems.map(({ what }) => what)).find((what) => what.includes('hangs')))).toEqual(hung.files);
  const report = await worker.run(operation, wish);
  process.stderr.write(`${operation} of a Server whose Transaction Manager hung with ${hung.files.length} files at work: ${(Date.parse(report.endedAt!) - Date.parse(report.startedAt)) / 1_000} s\n`);
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(report.byHand).toEqual([expect.stringContaining(`${node}: its Transaction Manager ended while it worked on `), expect.stringContaining(`${node}: released by removing their marks, and to be submitted again: `)]);
  expect(report.byHand!.map((text) => hung.namedIn(text))).toEqual([hung.files, hung.files]);
  await load;
  const ledger = await settledLedger(lab);
  process.stderr.write(`${JSON.stringify(ledger)}\n`);
  expect(ledger).toMatchObject({ lost: [], doubled: [], failed: [] });
  expect(ledger.stranded.map((file) => file.replace(/^.*\//, ''))).toEqual(expect.arrayContaining(hung.files));
  expect(ledger.stranded.length).toBe(stranded += hung.files.length);
});
