/** Each activity of setUpCluster cut inside, at each of its calls, on a real estate and without Temporal: performed again it comes to the same end. */
import type { LabSnapshot } from '../../lab/snapshot';
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
/** How many calls each activity makes when nothing is cut. */
const calls = new Map<string, number>();

beforeAll(async () => {
  lab = await startLab({ servers: 2, edges: 1, productTime: '20ms' });
  performing = performer();
  const ground = await connectGround();
  const spec = lab.spec();
  await withOperations(ground, async ({ start }) => {
    const handle = await start('setUpCluster', { cluster: spec.metadata.name, spec });
    await handle.result();
    tape = await tapeOf(handle);
  }, { maxCachedWorkflows: 10 });
  await ground.close();
  undisturbed = await lab.snapshot();
});
beforeEach(() => lab.run('reset'));
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
