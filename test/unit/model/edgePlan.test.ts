import { edgeStates, isEmptyEdgePlan, planEdges, zoneProblems, type EdgeState } from '../../../src/model/edgePlan';
import type { EdgeFacts, HostFacts, WayFacts } from '../../../src/model/facts';
import { parseClusterSpec } from '../../../src/model/spec';
import { changed } from './demoFile';

const edges = [{ name: 'ed[1:2]', address: '10.86.0.[71:72]' }];
const { spec } = parseClusterSpec(changed(['sites', 'prod', 'edges'], edges));
if (!spec) throw new Error('no spec');
const site = spec.sites['prod']!;

const licence = { core: 'core', features: 'features', clusterNodes: 0 };
const host = (node: string): HostFacts => ({
  node, identity: `host keys ${node}`, installation: 'complete', prepared: false, ours: true, epoch: 1, version: '5.5', taeh: 'taeh', licences: { core: 'core', features: 'features' },
});
const edge = (node: string): EdgeFacts => ({ node, admin: true, daemons: true, ca: `ca of ${node}`, trusted: ['ca of demo'], ports: { ssh: 20022 } });
const entry = (node: string, address: string) => ({ zone: 'Edges', title: node, addresses: [address], ports: { ssh: 20022 }, deploymentSite: 'Prod' });
const ways: WayFacts = { ca: 'ca of demo', trusted: ['ca of ed1', 'ca of ed2'], zones: [entry('ed1', '10.86.0.71'), entry('ed2', '10.86.0.72')], probe: true };
const found = { hosts: [host('ed1'), host('ed2')], edges: [edge('ed1'), edge('ed2')], licence, ways };
const planFor = (changes: Partial<typeof found>) => planEdges(edgeStates(site, { ...found, ...changes }));

test('Edges that serve leave nothing to do, and a site without Edges neither', () => {
  expect(isEmptyEdgePlan(planFor({}))).toBe(true);
  expect(isEmptyEdgePlan(planEdges([]))).toBe(true);
});

test('from nothing: the first Edge is installed before the others, which take its secret file, and nothing is stopped', () => {
  const bare = (node: string): HostFacts => ({ ...host(node), installation: 'none', taeh: null, licences: { core: null, features: null } });
  const down = (node: string): EdgeFacts => ({ node, admin: false, daemons: false, ca: null, trusted: [], ports: {} });
  expect(planEdges(edgeStates(site, { hosts: [bare('ed1'), bare('ed2')], edges: [down('ed1'), down('ed2')], licence, ways: undefined }))).toEqual({
    first: 'ed1', installFirst: ['ed1'], installOthers: ['ed2'], license: ['ed1', 'ed2'], startAdmin: ['ed1', 'ed2'], stop: [], trust: ['ed1', 'ed2'], zone: ['ed1', 'ed2'], start: ['ed1', 'ed2'],
  });
  // One that is there has the secret file, whichever it is.
  expect(planFor({ hosts: [bare('ed1'), host('ed2')], edges: [down('ed1'), edge('ed2')] })).toMatchObject({ first: 'ed2', installFirst: [], installOthers: ['ed1'], license: ['ed1'] });
});

test('a CA that one side forgot: that Edge alone is stopped, trusted and started', () => {
  const all = { first: 'ed1', installFirst: [], installOthers: [], license: [], startAdmin: [], stop: ['ed2'], trust: ['ed2'], zone: [], start: ['ed2'] };
  expect(planFor({ edges: [edge('ed1'), { ...edge('ed2'), trusted: ['another'] }] })).toEqual(all);
  expect(planFor({ ways: { ...ways, trusted: ['ca of ed1'] } })).toEqual(all);
});

test.each<[string, Partial<EdgeFacts>, Partial<ReturnType<typeof planEdges>>]>([
  ['daemons that do not run', { daemons: false }, { start: ['ed2'], stop: [], trust: [] }],
  ['an Administration Tool that does not answer', { admin: false, daemons: false, ca: null, trusted: [], ports: {} }, { startAdmin: ['ed2'], start: ['ed2'], zone: ['ed2'], trust: ['ed2'] }],
  ['other ports than the zone of the Servers says', { ports: { ssh: 30022 } }, { zone: ['ed2'], start: [] }],
])('%s', (_, changes, plan) => {
  expect(planFor({ edges: [edge('ed1'), { ...edge('ed2'), ...changes }] })).toMatchObject(plan);
});

test('zones: an Edge of another deployment site is written, one of another zone is a problem', () => {
  expect(planFor({ ways: { ...ways, zones: [entry('ed1', '10.86.0.71'), { ...entry('ed2', '10.86.0.72'), deploymentSite: 'DR' }] } })).toMatchObject({ zone: ['ed2'] });
  const elsewhere = { ...ways, zones: [{ ...entry('front', '10.86.0.71'), zone: 'DMZ' }] };
  expect(zoneProblems(site, elsewhere)).toEqual([{ what: 'ed1 is in the network zone "DMZ" (as "front"), expected "Edges"', remedy: expect.stringContaining('name that zone in the cluster file') }]);
  expect(zoneProblems(site, ways)).toEqual([]);
  expect(zoneProblems(site, undefined)).toEqual([]);
});

test('where no Server could be asked, or an Edge could not, nothing that serves is stopped for it', () => {
  const states: EdgeState[] = edgeStates(site, { ...found, ways: undefined });
  expect(states.map(({ trust, zoned }) => [trust, zoned])).toEqual([['unknown', false], ['unknown', false]]);
  for (const ways of [undefined, { ca: null, trusted: [], zones: [], probe: null }]) expect(planEdges(edgeStates(site, { ...found, ways }))).toMatchObject({ stop: [], start: [], trust: ['ed1', 'ed2'] });
  expect(planFor({ edges: [edge('ed1'), { ...edge('ed2'), admin: false, daemons: false, ca: null, trusted: [], ports: {} }] })).toMatchObject({ stop: [] });
});
