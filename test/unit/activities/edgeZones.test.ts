import { ensureInZone, portsOf } from '../../../src/activities/edgeZones';
import type { AdminServer, Zone } from '../../../src/clients/adminApi';

/** As much of two Administration Tools as zones need; what is written is kept. */
function sides(zones: Zone[], edgePorts?: { protocol: string; port: number }[]) {
  const calls: string[] = [];
  const state = structuredClone(zones);
  const server = {
    zones: async () => structuredClone(state),
    createZone: async (zone: Zone) => { calls.push(`create ${zone.name}`); state.push(zone); },
    replaceZone: async (zone: Zone) => { calls.push(`replace ${zone.name}`); state[state.findIndex(({ name }) => name === zone.name)] = zone; },
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
