import { ensureInZone, ensureOutOfZones, portsOf } from '../../../src/activities/edgeZones';
import type { AdminServer, Zone } from '../../../src/clients/adminApi';

/** As much of two Administration Tools as zones need; what is written is kept. */
function sides(zones: Zone[], edgePorts?: { protocol: string; port: number }[]) {
  const calls: string[] = [];
  const state = structuredClone(zones);
  const server = {
    zones: async () => structuredClone(state),
    createZone: async (zone: Zone) => { calls.push(`create ${zone.name}`); state.push(zone); },
    replaceZone: async (zone: Zone) => { calls.push(`replace ${zone.name}`); state[state.findIndex(({ name }) => name === zone.name)] = zone; },
    removeZoneEdge: async (name: string, index: number) => { calls.push(`remove ${index} of ${name}`); state.find((zone) => zone.name === name)!.edges!.splice(index, 1); },
    addZoneEdge: async (name: string, edge: object) => { calls.push(`add to ${name}`); state.find((zone) => zone.name === name)!.edges!.push(edge as never); },
  } as unknown as AdminServer;
  const edge = { zones: async () => [{ name: 'Private', edges: edgePorts ? [{ title: 'Private', protocols: edgePorts }] : [] }] } as unknown as AdminServer;
  return { sides: { server, edge }, calls, state };
}

const wanted = { title: 'ed1', address: '10.0.0.71', zone: 'Edges', deploymentSite: 'Prod' as const, protocols: ['ssh' as const, 'http' as const] };
const entry = { title: 'ed1', addresses: ['10.0.0.71'], protocols: [{ protocol: 'ssh', port: 20022 }, { protocol: 'http', port: 20080 }], deploymentSite: 'Prod' };

test('a zone that is not there is made, and nothing is written the second time', async () => {
  const { sides: both, calls, state } = sides([]);
  expect(await ensureInZone(both, wanted, {})).toMatchObject({ changed: true });
  expect(state).toEqual([{ name: 'Edges', edges: [entry] }]);
  expect(await ensureInZone(both, wanted, {})).toMatchObject({ changed: false });
  expect(calls).toEqual(['create Edges']);
});

test('an Edge is added beside the others, with the ports that it has itself', async () => {
  const other = { ...entry, title: 'ed0', addresses: ['10.0.0.70'] };
  const { sides: both, calls, state } = sides([{ name: 'Edges', edges: [other] }], [{ protocol: 'ssh', port: 30022 }]);
  await ensureInZone(both, wanted, {});
  expect(calls).toEqual(['add to Edges']);
  expect(state[0]?.edges).toEqual([other, { ...entry, protocols: [{ protocol: 'ssh', port: 30022 }, { protocol: 'http', port: 20080 }] }]);
});

test('an entry that stands there under another title keeps it, its proxies and all that nobody asked for', async () => {
  const there = { title: 'front door', addresses: ['10.0.0.71'], protocols: [{ protocol: 'ssh', port: 1 }, { protocol: 'ftp', port: 20021 }], proxies: [{ isUsePassword: true }], deploymentSite: 'Prod', description: 'kept' };
  const { sides: both, calls, state } = sides([{ name: 'Edges', description: 'kept too', isDefault: true, edges: [there] }]);
  await ensureInZone(both, wanted, {});
  expect(calls).toEqual(['replace Edges']);
  expect(state).toEqual([{ name: 'Edges', description: 'kept too', isDefault: true, edges: [{ ...there, protocols: [{ protocol: 'ssh', port: 20022 }, { protocol: 'ftp', port: 20021 }, { protocol: 'http', port: 20080 }] }] }]);
});

test('the ports of an Edge are those of its zone Private, else the product\'s own', () => {
  expect(portsOf([{ name: 'Private', edges: [{ title: 'Private', protocols: [{ protocol: 'ssh', port: 30022 }] }] }], ['ssh', 'as2'])).toEqual({ ssh: 30022, as2: 21080 });
});

describe('an Edge that leaves', () => {
  const other = { ...entry, title: 'ed0', addresses: ['10.0.0.70'], proxies: [{ isUsePassword: true }] };
  const gone = { title: 'ed1', address: '10.0.0.71' };

  test('is taken out of every zone, whatever its title there, each entry by a patch of its own; the others keep all they have', async () => {
    const { sides: both, calls, state } = sides([{ name: 'Private', edges: [entry] }, { name: 'Edges', edges: [{ ...entry, title: 'front door' }, other, entry] }, { name: 'DMZ', edges: [entry] }, { name: 'None' }]);
    expect(await ensureOutOfZones(both.server, gone, {})).toEqual({ changed: true, note: 'taken out of Edges, DMZ' });
    expect(calls).toEqual(['remove 2 of Edges', 'remove 0 of Edges', 'remove 0 of DMZ']);
    expect(state).toEqual([{ name: 'Private', edges: [entry] }, { name: 'Edges', edges: [other] }, { name: 'DMZ', edges: [] }, { name: 'None' }]);
    expect(await ensureOutOfZones(both.server, gone, {})).toMatchObject({ changed: false });
  });

  test('is found by its address in any spelling', async () => {
    const { sides: both, state } = sides([{ name: 'Edges', edges: [other, { ...entry, title: 'front door', addresses: ['2001:DB8:0::71'] }] }]);
    expect(await ensureOutOfZones(both.server, { title: 'ed1', address: '2001:db8::71' }, {})).toEqual({ changed: true, note: 'taken out of Edges' });
    expect(state).toEqual([{ name: 'Edges', edges: [other] }]);
  });

  test('another that stood in its place when somebody changed the zone is put back, and the rest is tried again', async () => {
    const { sides: both, state } = sides([{ name: 'Edges', edges: [other, entry] }]);
    const remove = both.server.removeZoneEdge;
    both.server.removeZoneEdge = async (...args) => {
      state[0]!.edges!.reverse();
      both.server.removeZoneEdge = remove;
      return remove(...args);
    };
    await expect(ensureOutOfZones(both.server, gone, {})).rejects.toMatchObject({ code: 'NotYet', message: expect.stringContaining('is in the zone Edges after it was taken out') });
    expect(state[0]?.edges?.map(({ title }) => title).sort()).toEqual(['ed0', 'ed1']);
    await ensureOutOfZones(both.server, gone, {});
    expect(state[0]?.edges?.map(({ title }) => title)).toEqual(['ed0']);
  });
});
