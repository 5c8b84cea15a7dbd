/** When an Edge counts as one that stays: its daemons, and the connections that the kernel of its host lists. */
import { requireRoom } from '../../../src/activities/room';
import type { Clients } from '../../../src/activities/clients';
import { StError } from '../../../src/model/errors';
import { roomFor } from '../../../src/model/stopPlan';
import type { ServerTarget } from '../../../src/model/targets';

const edge = (node: string): ServerTarget => ({ node, address: node, ssh: { address: node, user: 'op' }, admin: { address: node, user: 'admin' } }) as unknown as ServerTarget;
/** As /proc/net/tcp has an established connection to this port of the host. */
const established = (port: number): string => `   0: 0100007F:${port.toString(16).toUpperCase()} 0200007F:C350 01 00000000:00000000 00:00000000 00000000 0 0 1`;

function look(daemons: Record<string, boolean>, open: readonly number[] | StError): Promise<string> {
  const clients = {
    admin: { server: () => ({
      daemons: async () => daemons,
      zones: async () => [{ name: 'Private', edges: [{ title: 'x', protocols: [{ protocol: 'ssh', port: 20122 }] }] }],
    }) },
    ssh: { run: async ({ address }: { address: string }) => {
      expect(address).toBe('ed2');
      if (open instanceof StError) throw open;
      return { stdout: open.map(established).join('\n') };
    } },
  } as unknown as Clients;
  return requireRoom(clients, 'ed1', roomFor('edge', [edge('ed2')], 1, ['ssh', 'http']));
}

const both = { ssh: true, http: true };
test('it counts with a Transaction Manager connected on every protocol', async () => {
  expect(await look(both, [20122, 20080])).toBe('1 of 1 others are Online, 1 must be');
});
test.each<[string, Record<string, boolean>, readonly number[] | StError, string]>([
  ['nobody is connected', both, [], 'ed2 runs, and no Transaction Manager is connected to it'],
  ['one protocol has nobody behind it', both, [20122], 'ed2 runs, and no Transaction Manager is connected to it'],
  ['one daemon does not run', { ssh: true, http: false }, [20122, 20080], 'ed2 is not Online'],
  ['its host does not answer', both, new StError('Unreachable', 'no answer'), 'ed2: whether a Transaction Manager is connected to it can\'t be told'],
])('it does not count: %s', async (_, daemons, open, why) => {
  await expect(look(daemons, open)).rejects.toMatchObject({ code: 'Refused', message: `ed1 is not taken down: of the other Edges 0 are Online and 1 must stay (${why}).` });
});
