/** A start: ordered, waited for, ordered again, and what is missing told when it takes long. */
import { Context } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { waitOf } from '../../../src/activities/context';
import { startUntilOnline } from '../../../src/activities/serverLook';

test('tells what is missing only after ten seconds, orders the start again, and waits for two looks in a row that miss nothing', async () => {
  const clock = jest.spyOn(performance, 'now');
  const seen: (string | undefined)[] = ['tm', 'tm', undefined, 'tm', undefined, undefined];
  const told: unknown[] = [];
  let orders = 0;
  await new MockActivityEnvironment().run(async () => {
    const began = performance.now();
    let looks = 0;
    const missing = async (): Promise<string | undefined> => {
      told.push(waitOf(Context.current()));
      // Six seconds from look to look.
      clock.mockReturnValue(began + 6_000 * looks);
      return seen[looks++];
    };
    await startUntilOnline({ what: 'st2 is Online', admin: {} as never, order: async () => { orders += 1; }, missing });
    told.push(waitOf(Context.current()));
  });
  const waits = { for: 'Online', names: 'tm', leftMs: expect.any(Number) };
  // The fourth look, at 18 s, is the first after ten seconds that misses something.
  expect(told).toEqual([undefined, undefined, undefined, undefined, waits, waits, undefined]);
  expect(orders).toBe(2);
  clock.mockRestore();
});
