/** From a seed and what was found to a cluster file, differences, notes and obstacles. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adoption, type FoundEstate } from '../../../src/model/adoption';
import { clusterFile } from '../../../src/model/adoptionFile';
import { parseClusterSeed, type ClusterSeed } from '../../../src/model/clusterSeed';
import { claimProblems } from '../../../src/model/differences';
import type { FoundServer } from '../../../src/model/estate';
import { adoptClusterInput, parseInput } from '../../../src/model/inputs';
import { formatProblem, parseClusterSpec } from '../../../src/model/spec';
import { demoFile } from './demoFile';

const input = JSON.parse(readFileSync(join(__dirname, '../../../examples/adopt-cluster.json'), 'utf8'));
const seed = (): ClusterSeed => structuredClone(input.seed) as ClusterSeed;

const server = (last: number, over: Partial<FoundServer> = {}): FoundServer => ({
  address: `10.86.0.1${last}`, hostName: `host${last}.example.com`, timeZone: 'UTC +0000', clockOff: false, identity: `key${last}`, installation: 'complete', version: '5.5', build: '123',
  taeh: 'taeh', licences: { core: 'core', features: 'features' }, localConfigurationsId: `id${last}`, claim: null,
  admin: 'running', tm: true, daemons: true, running: ['http', 'ssh'], members: ['10.86.0.11', '10.86.0.12'], ...over,
});

const estate = (over: Partial<FoundEstate> = {}): FoundEstate => ({
  cluster: {
    version: '5.5', threshold: 1, nodes: [1, 2].map((last) => ({ address: `10.86.0.1${last}`, deploymentSite: 'Prod' })), zones: [{ name: 'Private', edges: [] }],
    database: { host: '10.86.0.5', port: 5432, name: 'demo', user: 'demo', secure: true },
  },
  servers: [server(1), server(2)], others: [{ address: '10.86.0.12', items: [], left: 0 }],
  balancers: [{
    name: 'lb1', owners: {}, epoch: null, maps: { '/etc/haproxy/maps/other.map': { x: 'y' }, '/etc/haproxy/maps/site.map': { other: 'none', mft: 'demo_prod' } },
    backends: Object.fromEntries(['demo_hc', 'demo_prod_ssh', 'demo_prod_https'].map((name) => [name, { '10.86.0.11': 'st1', '10.86.0.12': 'st2' }])),
  }],
  database: { schema: true, state: { there: true, epoch: null } }, licences: { core: 'core', features: 'features' }, ...over,
});
const judged = (found: FoundEstate, given: ClusterSeed = seed()) => adoption({ cluster: 'demo', epoch: 0, given: { seed: given } }, found);
const specOf = (found: FoundEstate, given?: ClusterSeed) => parseClusterSpec(judged(found, given).file).spec!;
const withEdgeLicences = { ...seed().licences, edge: { core: '/etc/st/edge.license', features: '/etc/st/edge-st.license' } };

describe('a seed', () => {
  test('is small, and valid', () => expect(parseClusterSeed(seed())).toEqual({ seed: seed() }));
  test.each<[string, (seed: any) => void, string[]]>([
    ['an unknown key', (it) => { it.servers = []; }, ['servers: unknown key; did you mean "server"?']],
    ['a literal secret', (it) => { it.database.password = 'hunter22'; }, [expect.stringContaining('database.password: expected a reference to a secret')]],
    ['no Server', (it) => { delete it.server; }, ['server: missing; expected text']],
    ['no way to log in', (it) => { delete it.defaults.ssh; delete it.loadBalancer; }, ['user', 'key', 'knownHosts'].map((key) => `reach["10.86.0.11"].ssh.${key}: missing here and under defaults.ssh`)],
  ])('%s', (_, change, problems) => {
    const changed = seed();
    change(changed);
    expect(parseClusterSeed(changed).problems?.map(formatProblem)).toEqual(problems);
  });
  test('is answered and never applied; without "apply" nothing is more than looked at', () => {
    const parse = (value: object) => parseInput(adoptClusterInput, value);
    expect(parse({ cluster: 'demo', seed: seed() })).toMatchObject({ value: { dryRun: true } });
    expect(parse({ cluster: 'demo', spec: demoFile() })).toMatchObject({ value: { dryRun: true } });
    expect(parse({ cluster: 'demo', spec: demoFile(), apply: true })).toMatchObject({ value: { dryRun: false } });
    expect(parse({ cluster: 'demo', dryRun: false })).toMatchObject({ value: { dryRun: true } });
    expect(parse({ cluster: 'demo', seed: seed(), apply: true })).toEqual({ problems: [expect.stringContaining('apply: a seed is not applied')] });
    expect(parse({ cluster: 'demo', seed: seed(), spec: demoFile() })).toEqual({ problems: ['seed: expected a seed or a spec, found both'] });
    expect(parse({ cluster: 'other', seed: seed() })).toEqual({ problems: ['cluster: expected the name in the seed (demo), found "other"'] });
  });
});

describe('the cluster file', () => {
  test('has what was found, and nothing that was not asked for', () => {
    const spec = specOf(estate());
    expect(spec).toMatchObject({ product: { version: '5.5', protocols: ['ssh', 'http'] }, policies: { minimumNodes: 1 } });
    expect(spec.sites['prod']).toMatchObject({
      servers: [{ name: 'st1', address: '10.86.0.11' }, { name: 'st2', address: '10.86.0.12', ssh: { jump: { address: '10.86.0.7' } } }], edges: [],
      database: { host: '10.86.0.5', name: 'demo', user: 'demo', password: 'file:/run/st-lab/demo/secrets/database-password' },
      loadBalancer: { map: '/etc/haproxy/maps/site.map', mapKey: 'mft', siteBackend: 'demo_prod', healthBackend: 'demo_hc', fronts: 'servers' },
    });
  });

  test('calls nodes as the seed says, else as the balancer, else as the host, else by the address', () => {
    const { loadBalancer: _, ...alone } = seed();
    const names = (given: ClusterSeed, found = estate({ balancers: [] })) => specOf(found, given).sites['prod']!.servers.map(({ name }) => name);
    expect(names({ ...alone, reach: { '10.86.0.12': { name: 'fra2' } } })).toEqual(['host1', 'fra2']);
    expect(names({ ...alone }, estate({ balancers: [], servers: [server(1, { hostName: 'node' }), server(2, { hostName: 'node' })] }))).toEqual(['node', '10.86.0.12']);
  });

  test('asks for the daemons that run on every Server, and takes the Edges of the zones', () => {
    const found = estate({ servers: [server(1), server(2, { running: ['ssh', 'ftp'] })] });
    found.cluster.zones = [{ name: 'Private', edges: [{ title: 'edge 1', address: '10.86.0.21', deploymentSite: 'Prod' }, { title: 'dr', address: '10.86.1.21', deploymentSite: 'DR' }, { title: 'none', address: null, deploymentSite: 'Prod' }] }];
    const spec = specOf(found, { ...seed(), licences: withEdgeLicences });
    expect(spec.product.protocols).toEqual(['ssh']);
    expect(spec.licences).toEqual(withEdgeLicences);
    expect(spec.sites['prod']).toMatchObject({ edges: [{ name: '10.86.0.21', address: '10.86.0.21' }], loadBalancer: { fronts: 'edges' } });
  });

  test('does not let the next set-up install the Servers\' licences on Edges: without a word on theirs it is no file, and none that is given is adopted', () => {
    const found = estate();
    found.cluster.zones = [{ name: 'Private', edges: [{ title: 'ed1', address: '10.86.0.21', deploymentSite: 'Prod' }] }];
    const { file, obstacles } = judged(found);
    const obstacle = (place: string) => ({ what: expect.stringContaining(`the cluster has Edges, and ${place} names no licences of theirs (licences.edge)`), remedy: expect.stringContaining('name the copies under licences.edge') });
    expect(obstacles).toEqual([obstacle('the seed')]);
    expect(parseClusterSpec(file).problems?.map(({ path }) => path.join('.'))).toEqual(['licences.edge.core', 'licences.edge.features']);
    const named = { ...seed(), licences: withEdgeLicences };
    expect(judged(found, named).obstacles).toEqual([]);
    const spec = specOf(found, named);
    const given = (licences: typeof spec.licences) => adoption({ cluster: 'demo', epoch: 0, given: { spec: { ...spec, licences }, site: 'prod' } }, found).obstacles;
    expect(given(spec.licences)).toEqual([]);
    expect(given(seed().licences)).toEqual([obstacle('the file')]);
  });

  test('says nothing where nothing is known, so that validation names the place', () => {
    const found = estate({ balancers: [{ name: 'lb1', owners: {}, epoch: null, maps: {}, backends: {} }] });
    const { file, obstacles } = judged(found);
    expect(obstacles).toEqual([expect.objectContaining({ what: expect.stringContaining('(map, siteBackend, healthBackend unknown)') })]);
    expect(parseClusterSpec(file).problems?.map(({ path }) => path.join('.'))).toEqual(['map', 'siteBackend', 'healthBackend'].map((key) => `sites.prod.loadBalancer.${key}`));
    expect(JSON.stringify(clusterFile(seed()))).toContain('unknown');
  });
});

describe('what differs, what to know, what is in the way', () => {
  test('a cluster of one mind has none of it', () => expect(judged(estate())).toEqual({ file: expect.anything(), differences: [], left: 0, notes: [], obstacles: [] }));

  test('differences name each value with its nodes; who was compared and not told of has what the first has', () => {
    const third = server(3, { timeZone: 'JST +0900', licences: { core: 'core', features: null } });
    const found = estate({ servers: [server(1), server(2, { tm: false }), third], others: [{ address: '10.86.0.12', items: [], left: 2 }, { address: '10.86.0.13', items: [{ kind: 'option', name: 'X', here: '2', there: '1' }], left: 0 }] });
    found.cluster.nodes.push({ address: '10.86.0.13', deploymentSite: 'Prod' });
    const { differences, left, notes } = judged(found);
    expect(left).toBe(2);
    expect(differences).toEqual([
      { about: 'time zone', values: [{ value: 'UTC +0000', nodes: ['st1', 'st2'] }, { value: 'JST +0900', nodes: ['host3'] }] },
      { about: 'features licence (hash)', values: [{ value: 'features', nodes: ['st1', 'st2'] }, { value: 'missing', nodes: ['host3'] }] },
      { about: 'Transaction Manager', values: [{ value: 'running', nodes: ['st1', 'host3'] }, { value: 'not running', nodes: ['st2'] }] },
      { about: 'option X', values: [{ value: '1', nodes: ['st1', 'st2'] }, { value: '2', nodes: ['host3'] }] },
    ]);
    expect(notes.map(({ what }) => what)).toEqual(['the features licence of host3 is not the one on the worker\'s host']);
  });

  test.each<[string, Partial<FoundEstate>, string]>([
    ['a threshold that no file can say', { cluster: { ...estate().cluster, threshold: 0 } }, 'the product notifies below 0 Online Servers, the file says 1'],
    ['a licence that is not on the worker\'s host', { licences: { core: null, features: 'features' } }, 'the core licence can\'t be read on the worker\'s host'],
    ['a clock that is off', { servers: [server(1, { clockOff: true }), server(2)] }, 'st1: its clock and the worker\'s are more than a second apart'],
    ['a tool that does not answer', { servers: [server(1), server(2, { admin: 'not running', members: null, running: [], tm: false, daemons: false })] }, 'st2: its Administration Tool does not answer'],
  ])('note: %s', (_, over, what) => expect(judged(estate(over)).notes).toEqual([expect.objectContaining({ what: expect.stringContaining(what) })]));

  test.each<[string, Partial<FoundEstate>, string]>([
    ['another secret file', { servers: [server(1), server(2, { taeh: 'other' })] }, 'the secret file bin/taeh of st2 differs from that of st1'],
    ['one machine twice', { servers: [server(1), server(2, { identity: 'key1' })] }, 'st2 and st1 are the same machine'],
    ['a database without a schema', { database: { schema: false, state: { there: true, epoch: null } } }, 'database demo at 10.86.0.5:5432 holds no schema of the product'],
    ['no database of our own', { database: { schema: true, state: { there: false, epoch: null } } }, 'the small database demo_orchestrator of the orchestrator\'s own, at 10.86.0.5:5432, is missing'],
    ['another cluster\'s host', { servers: [server(1, { claim: { cluster: 'other', epoch: 3 } }), server(2)] }, 'st1 belongs to cluster "other"'],
    ['another cluster\'s balancer', { balancers: [{ ...estate().balancers[0]!, owners: { 'the backend demo_hc': 'other' } }] }, 'lb1: the backend demo_hc belongs to cluster "other"'],
    ['two nodes of one name', { cluster: { ...estate().cluster, nodes: [...estate().cluster.nodes, { address: 'not an address', deploymentSite: null }] } }, 'the cluster file would be wrong: sites.prod.servers[2]'],
  ])('obstacle: %s', (_, over, what) => expect(judged(estate(over)).obstacles).toEqual(expect.arrayContaining([expect.objectContaining({ what: expect.stringContaining(what) })])));

  test('claims of this cluster are in the way only when its record does not know of them', () => {
    const claims = [{ where: 'st1', claim: { cluster: 'demo', epoch: 4 } }, { where: 'st2', claim: { cluster: 'demo', epoch: 2 } }];
    expect(claimProblems({ name: 'demo', epoch: 4 }, claims)).toEqual([]);
    expect(claimProblems({ name: 'demo', epoch: 2 }, claims)).toEqual([expect.objectContaining({ what: expect.stringContaining('later ones have been seen: st1 4.'), remedy: expect.stringContaining('--epoch-at-least 4') })]);
  });

  test('a given file is compared with the estate, place by place', () => {
    const spec = specOf(estate());
    const compared = (found: FoundEstate) => adoption({ cluster: 'demo', epoch: 0, given: { spec, site: 'prod' } }, found);
    expect(compared(estate())).toEqual({ differences: [], left: 0, notes: [], obstacles: [] });
    const found = estate();
    found.cluster = { ...found.cluster, version: '5.6', nodes: [found.cluster.nodes[0]!, { address: '10.86.0.19', deploymentSite: 'Prod' }], database: { ...found.cluster.database, host: '10.86.0.9' } };
    found.balancers[0]!.backends['demo_hc']!['10.86.0.11'] = 'other';
    found.balancers[0]!.maps = {};
    expect(compared(found).obstacles.map(({ what }) => what)).toEqual([
      'the cluster has the node 10.86.0.19, which the file does not list',
      'st2: 10.86.0.12 is not in the cluster\'s table of nodes',
      'the file says product.version 5.5, the cluster 5.6',
      'the file says database.host 10.86.0.5, the cluster 10.86.0.9',
      'lb1: the map /etc/haproxy/maps/site.map has no key mft',
      'lb1: the backend demo_hc has no server st1 at 10.86.0.11',
    ]);
  });
});
