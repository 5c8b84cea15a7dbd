/** The workload directed otherwise on real parts: what is assigned is what happens, nothing is lost on the way, and undoing it is one input. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../lab/shell';
import type { LabSnapshot } from '../../lab/snapshot';
import { createClients } from '../../src/clients';
import type { OperationReport } from '../../src/model/operation';
import { serverTarget } from '../../src/model/slices';
import type { Load } from '../../src/model/workloadLoad';
import type { Suggestion } from '../../src/model/workloadSuggestion';
import { startLab, type Lab } from '../helpers/lab';
import { lasting } from '../helpers/lasting';
import { withOperations, type Operations } from '../helpers/operations';
import { clusterDatabase, settledLedger } from '../helpers/partnersFiles';
import { connectGround, type Ground } from '../helpers/workflows';

jest.setTimeout(180_000);

let ground: Ground;
let lab: Lab;
let operations: Operations;
let endWorker: () => Promise<void>;
let cluster: string;
let settled: unknown;
const clients = createClients();

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 3 })]);
  cluster = lab.name;
  await new Promise<void>((ready, failed) => {
    const worker = withOperations(ground, (made) => new Promise<void>((end) => {
      operations = made;
      endWorker = () => { end(); return worker; };
      ready();
    }));
    worker.catch(failed);
  });
  await operations.run('setUpCluster', { cluster, spec: lab.spec() });
  settled = settings(await lab.snapshot());
});
afterAll(async () => {
  await endWorker?.();
  await clients.close();
  await lab?.down();
  await ground?.close();
});

const settings = (snapshot: LabSnapshot): unknown => lasting(snapshot, cluster);

const streamingOn = (node: string): string => readFileSync(join(lab.dir, 'hosts', node, 'axway/SecureTransport/brules/local/wptdocuments/Streaming.xml'), 'utf8');
const wish = {
  policy: 'attributeMatchPolicy', assign: { st1: { DXAGENT_APPLICATION_NAME: 'smbBU1' }, st2: { PGP: true }, st3: { PUSH: true } }, toWholeCluster: ['PULL', 'FM_TRIGGERED', 'MAINTENANCE'],
  weights: { st1: 5 }, window: '2s', gracefulTimeout: '3s',
};
let report: OperationReport;

test('what is refused changes nothing, and every reason is named', async () => {
  const { st3, ...rest } = wish.assign;
  const refused = async (input: object): Promise<string> => (await operations.fail('rebalanceWorkload', { cluster, ...input })).message;
  expect(await refused({ ...wish, assign: { st9: { PUSH: true } } })).toContain('st9 is no Server of');
  expect(await refused({ ...wish, assign: rest })).toContain('no Server takes PUSH');
  expect(await refused({ weights: { ed7: 3 } })).toContain('the balancer sends to no Server of that name');
  expect(st3).toEqual({ PUSH: true });
  await lab.run('mount-options', 'st2', 'rw,relatime,noac');
  expect(await refused(wish)).toContain('st2: /srv/st/shared is mounted without sync');
  await lab.run('mount-options', 'st2', 'rw,noac,sync');
  expect(settings(await lab.snapshot())).toEqual(settled);
});

/** Partners send while `work` goes on, in runs of a few seconds. */
async function underLoad<T>(partners: number, rate: number, work: () => Promise<T>): Promise<T> {
  let ended = false;
  const sending = (async () => { while (!ended) await lab.run('load', '--partners', String(partners), '--rate', String(rate), '--for', '4s'); })();
  try {
    return await work();
  } finally {
    ended = true;
    await sending;
  }
}

test('a suggestion from what is measured changes nothing, and its answer can be run', async () => {
  // Events of one account all go to one Server.
  const found = await underLoad(1, 25, async () => {
    await until('something to be in process', async () => (await clients.admin.server(serverTarget(lab.spec(), 'prod', 'st1').admin).events()).length > 0, 20_000, 100);
    return operations.run('rebalanceWorkload', { cluster, suggest: true, window: '3s' });
  });
  expect(found).toMatchObject({ outcome: 'planned', dryRun: true, steps: [] });
  const { input, measure, load } = found.result as Suggestion & { load: Load };
  expect(load).toMatchObject({ missing: [], nodes: ['st1', 'st2', 'st3'].map((node) => ({ node, cores: expect.any(Number), cpu: expect.any(Number), sessions: expect.any(Number) })) });
  expect(Math.max(...load.nodes.map(({ types }) => (types['PUSH']?.ended ?? 0)))).toBeGreaterThan(1);
  expect(input).toMatchObject({ cluster, policy: 'attributeMatchPolicy' });
  expect(measure.expected!).toBeLessThan(measure.now!);
  expect(await operations.run('rebalanceWorkload', { ...input, dryRun: true })).toMatchObject({ outcome: 'planned' });
  expect(settings(await lab.snapshot())).toEqual(settled);
});

test('events go where they are assigned, while partners send: nothing acknowledged is lost or doubled', async () => {
  const database = await clusterDatabase(lab);
  const processed = async (since: Date): Promise<string[]> => (await database.query<{ address: string }>(
    `select distinct n.address from transferdata t join clusternode n on n.localconfigurationsid = t.node where t.direction = 'Incoming' and t.status = 'Processed' and t.start_at > $1`, [since])).rows.map(({ address }) => address);
  try {
    await underLoad(4, 12, async () => {
      await until('files to be processed', async () => (await processed(new Date(0))).length > 0, 20_000, 200);
      report = await operations.run('rebalanceWorkload', { cluster, ...wish });
      const { rows } = await database.query<{ now: Date }>('select now() as now');
      await until('files sent since to be processed', async () => (await processed(rows[0]!.now)).length > 0, 20_000, 200);
      await lab.run('ledger');
      expect(await processed(rows[0]!.now)).toEqual([serverTarget(lab.spec(), 'prod', 'st3').address]);
    });
  } finally {
    await database.end();
  }
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [], byHand: [expect.stringContaining('sync,no_wdelay')] });
  expect(report.result).toMatchObject({ restarted: ['st1', 'st2', 'st3'], wholeCluster: wish.toWholeCluster, before: { looks: expect.any(Number) }, after: { looks: expect.any(Number) }, helped: expect.any(String), why: expect.any(String) });
  expect(['st1', 'st2', 'st3'].map((node) => streamingOn(node).includes('<!-- <Expression name="pgp">'))).toEqual([false, false, false]);
  expect(await settledLedger(lab)).toMatchObject({ lost: [], doubled: [], stranded: [], failed: [] });
});

test('asked for again there is nothing to do, and a Transaction Manager that was left at the old options is restarted', async () => {
  expect(await operations.run('rebalanceWorkload', { cluster, ...wish })).toMatchObject({ outcome: 'nothing to do', steps: [] });
  const access = serverTarget(lab.spec(), 'prod', 'st2').ssh;
  await clients.ssh.run(access, ['sh', '-c', 'echo restarting >"$HOME/.st-orchestrator/workload"'], { timeoutMs: 10_000, purpose: 'an interruption' });
  const plan = await operations.run('rebalanceWorkload', { cluster, ...wish, dryRun: true });
  expect(plan.steps.filter(({ key }) => /^(drain|online|local-options)/.test(key)).map(({ key }) => key)).toEqual(['drain/st2', 'online/st2']);
  await clients.ssh.run(access, ['sh', '-c', 'rm "$HOME/.st-orchestrator/workload"'], { timeoutMs: 10_000, purpose: 'an interruption' });
});

test('one input takes it back, to the last byte', async () => {
  const { undo } = report.result as { undo: object };
  expect(await operations.run('rebalanceWorkload', { ...undo, window: '1s', gracefulTimeout: '3s' })).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(settings(await lab.snapshot())).toEqual(settled);
});
