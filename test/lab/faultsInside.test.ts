/** Each activity of setUpCluster, of the backup before a change and of adoptCluster cut inside, at each of its calls, on a real estate and without Temporal: performed again it comes to the same end. */
import type { LabSnapshot } from '../../lab/snapshot';
import { applySpec } from '../../src/control/clusters';
import { onHost, sql } from '../helpers/breaking';
import { everyPoint, points } from '../helpers/faults/points';
import { performer, tapeOf, type Performer, type Recorded } from '../helpers/faults/tape';
import { startLab, type Lab } from '../helpers/lab';
import { withOperations } from '../helpers/operations';
import { connectGround } from '../helpers/workflows';

jest.setTimeout(everyPoint ? 3_600_000 : 180_000);

let lab: Lab;
let undisturbed: LabSnapshot;
let performing: Performer;
let tape: Recorded[];
/** What a set-up does that finds another node threshold: it backs up first. And what adopting does on an estate that nobody has taken. */
const later = { backup: [] as Recorded[], adoption: [] as Recorded[] };
const ends = { backup: {} as LabSnapshot, adoption: {} as LabSnapshot };
let backedUp: string;
/** How many calls each activity makes when nothing is cut. */
const calls = new Map<string, number>();

beforeAll(async () => {
  lab = await startLab({ servers: 2, edges: 1, productTime: '20ms' });
  performing = performer();
  const ground = await connectGround();
  const spec = lab.spec();
  const cluster = spec.metadata.name;
  await withOperations(ground, async ({ start, taskQueue }) => {
    const recorded = async (type: string, input: object): Promise<Recorded[]> => {
      const handle = await start(type, input);
      await handle.result();
      return tapeOf(handle);
    };
    tape = await recorded('setUpCluster', { cluster, spec });
    undisturbed = await lab.snapshot();
    await applySpec(ground.client, { ...spec, policies: { ...spec.policies, minimumNodes: 1 } }, { taskQueue });
    later.backup = (await recorded('setUpCluster', { cluster })).filter(changes);
    [ends.backup, backedUp] = [await lab.snapshot(), await backups()];
    await forget();
    const other = `${cluster}-adopted`;
    later.adoption = (await recorded('adoptCluster', { cluster: other, spec: { ...spec, metadata: { ...spec.metadata, name: other }, policies: { ...spec.policies, minimumNodes: 1 } }, apply: true })).filter(changes);
    ends.adoption = await lab.snapshot();
  }, { maxCachedWorkflows: 10 });
  await ground.close();
});
beforeEach(() => lab.run('reset'));

const changes = ({ activity }: Recorded): boolean => activity.includes('.ensure');
const hosts = ['st1', 'st2', 'ed1', 'lb1'];
/** The names of all backups there are; what an attempt that was cut off began is not among them. */
async function backups(): Promise<string> {
  const status = await lab.status();
  return (await Promise.all(hosts.map((host) => onHost(status, host, 'find /opt/axway/st-orchestrator-backups /home/ops/.st-orchestrator/clusters/*/backups -type f 2>/dev/null | sort || :')))).join('');
}
/** As an estate is that nobody has taken: no claim on any host, nor beside the database. */
async function forget(): Promise<void> {
  const status = await lab.status();
  await Promise.all(hosts.map((host) => onHost(status, host, 'rm -rf /home/ops/.st-orchestrator')));
  await sql(status, `${lab.name}_orchestrator`, 'drop table if exists st_orchestrator_epoch');
}
afterAll(async () => {
  await performing?.close();
  await lab?.down();
});

test('performed one by one the activities make what the operation makes', async () => {
  for (const recorded of tape) calls.set(recorded.key, await performing.perform(recorded));
  expect(await lab.snapshot()).toEqual(undisturbed);
});

test.each(['died', 'answer lost'] as const)('cut at its first call, then at its second, and so on (%s), each activity comes to its end', async (kind) => {
  for (const recorded of tape) await performing.cutEverywhere(recorded, kind);
  expect(await lab.snapshot()).toEqual(undisturbed);
});

/** Walks of which each cuts every activity once, one call later than the walk before; a dozen calls further an activity only waits. */
const walks = Array.from({ length: 12 }, (_, walk) => (['died', 'answer lost', 'call lost'] as const).map((kind) => ({ walk, kind }))).flat();

test.each(points(walks, 2))('cut once, $walk calls further than the first walk ($kind), and performed again, each activity comes to its end', async ({ walk, kind }) => {
  for (const [index, recorded] of tape.entries()) await performing.cutOnce(recorded, { at: 1 + ((walk + index) % calls.get(recorded.key)!), kind });
  expect(await lab.snapshot()).toEqual(undisturbed);
});

test.each(everyPoint ? (['died', 'answer lost'] as const) : (['died'] as const))('the backup before a change, and adopting, cut at every call (%s), leave what they leave undisturbed', async (kind) => {
  for (const recorded of tape) await performing.perform(recorded);
  for (const recorded of later.backup) await performing.cutEverywhere(recorded, kind);
  expect([await lab.snapshot(), await backups()]).toEqual([ends.backup, backedUp]);
  await forget();
  for (const recorded of later.adoption) await performing.cutEverywhere(recorded, kind);
  expect(await lab.snapshot()).toEqual(ends.adoption);
});
