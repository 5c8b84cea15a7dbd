/**
 * The activities of the operations on a cluster that works, cut inside, on a real estate and without Temporal: performed again each comes to its end. The cluster is updated, a
 * Server and an Edge are taken out, added again and restarted, the workload is directed and taken back: each operation leaves what the next begins with, the last what the
 * first begins with, so one lab serves all, under ever higher epochs.
 */
import { until } from '../../lab/shell';
import type { LabSnapshot } from '../../lab/snapshot';
import { applySpec } from '../../src/control/clusters';
import type { OperationReport } from '../../src/model/operation';
import type { Cut } from '../helpers/faults/cuts';
import { drawing, everyPoint } from '../helpers/faults/points';
import { performer, playTape, tapeOf, type Performer, type Recorded } from '../helpers/faults/tape';
import { startLab, type Lab } from '../helpers/lab';
import { lasting } from '../helpers/lasting';
import { withOperations } from '../helpers/operations';
import { connectGround } from '../helpers/workflows';

jest.setTimeout(everyPoint ? 2 * 3_600_000 : 180_000);

interface Act {
  operation: string;
  tape: Recorded[];
  end: object;
}

let lab: Lab;
let performing: Performer;
/** In the order in which they were played. */
const acts: Act[] = [];
/** Above every epoch that the estate has seen. */
let epoch = 0;
let walked = 0;

/** Which build is installed differs from walk to walk. */
async function end(): Promise<object> {
  const snapshot: LabSnapshot = await lab.snapshot();
  for (const { files } of Object.values(snapshot.hosts)) delete files['SecureTransport/lib/version.properties'];
  return lasting(snapshot, lab.name);
}

const changes = ({ activity }: Recorded): boolean => activity.includes('.ensure');

beforeAll(async () => {
  lab = await startLab({ servers: 2, edges: 2, productTime: '20ms' });
  performing = performer();
  const ground = await connectGround();
  const plain = lab.spec();
  const cluster = plain.metadata.name;
  const spec = { ...plain, policies: { ...plain.policies, minimumNodes: 1 } };
  await withOperations(ground, async ({ run, start, record, taskQueue }) => {
    await run('setUpCluster', { cluster, spec });
    const play = async (operation: string, input: object, { cancelAt }: { cancelAt?: string } = {}): Promise<OperationReport> => {
      const handle = await start(operation, { cluster, ...input });
      if (cancelAt !== undefined) {
        await until(`${operation} to come to ${cancelAt}`, async () => (await handle.query<OperationReport>('status')).steps.some(({ key, state }) => key === cancelAt && state !== 'planned'), 60_000, 50);
        await handle.cancel();
        await expect(handle.result()).rejects.toThrow(/cancel/i);
      } else {
        await handle.result();
      }
      acts.push({ operation, tape: (await tapeOf(handle)).filter(changes), end: await end() });
      return handle.query<OperationReport>('report');
    };
    const version = '5.5-20261126';
    await applySpec(ground.client, { ...spec, product: { ...spec.product, version, update: { command: ['/opt/install/SecureTransport_5.5/update.sh'], nodeByNode: false } } }, { taskQueue });
    const nodes = ['st2', 'ed2'];
    const quickly = { gracefulTimeout: '1s' };
    await play('updateCluster', { version, ...quickly });
    await play('removeNode', { nodes, ...quickly });
    // What is undone is cut too.
    if (everyPoint) await play('addNode', { nodes, parallel: 2 }, { cancelAt: 'zone/ed2' });
    await play('addNode', { nodes, parallel: 2 });
    await play('rollingRestart', { nodes, ...quickly });
    // Of every Server where the policy changes, of one where it does not.
    const directed = everyPoint ? { policy: 'attributeMatchPolicy', toWholeCluster: ['PULL', 'FM_TRIGGERED', 'MAINTENANCE'] } : {};
    const { result } = await play('rebalanceWorkload', { ...directed, assign: { st1: { PUSH: true, PGP: true } }, weights: { ed1: 5 }, window: '200ms', ...quickly });
    await play('rebalanceWorkload', { ...(result as { undo: object }).undo, window: '200ms', ...quickly });
    epoch = (await record(cluster)).epoch;
  }, { maxCachedWorkflows: 10 });
  await ground.close();
});
afterAll(async () => {
  await performing?.close();
  await lab?.down();
});

/** Performs the acts in their order under new epochs, so that what an earlier walk left is over; `perform` has its way with each activity. Each must end as it ended undisturbed. */
async function walk(perform: (recorded: Recorded, index: number) => Promise<unknown>): Promise<void> {
  walked += 1;
  // A build that was once started converts the schema: there is no way back to an older one.
  const newer = <T>(input: T): T => JSON.parse(JSON.stringify(input).replaceAll('5.5-2026', `5.5-${2026 + walked}`)) as T;
  for (const act of acts) {
    epoch += 1;
    await playTape(act.tape, (recorded, index) => perform({ ...recorded, input: newer(recorded.input), authority: { ...recorded.authority, epoch } }, index));
    expect({ operation: act.operation, ...await end() }).toEqual({ operation: act.operation, ...act.end });
  }
}

const kinds: Cut['kind'][] = ['died', 'answer lost', 'call lost'];

/** Each walk draws other calls. */
const draw = drawing();

test.each(Array.from({ length: everyPoint ? 12 : 1 }, (_, index) => index + 1))('each activity, cut once at a call of its own and performed again, comes to its end (walk %s)', async () => {
  // How many calls it makes is not known before: what is not reached is not cut, and has been performed.
  let cut = 0;
  await walk(async (recorded) => {
    if (await performing.cutOnce(recorded, { at: 1 + Math.floor(draw() * 10), kind: kinds[Math.floor(draw() * 3)]! })) cut += 1;
  });
  process.stderr.write(`${cut} of ${acts.flatMap(({ tape }) => tape).length} activities cut once\n`);
  expect(cut).toBeGreaterThan(30);
});

if (everyPoint) {
  test.each(kinds)('cut at every call (%s), each activity comes to its end', async (kind) => {
    await walk((recorded) => performing.cutEverywhere(recorded, kind));
  });
}
