import { additionProblems, isEmptyAddition, joiningServers, mayBeZoned, planAddition, settingsProblems, tableProblems, type AdditionFacts, type FoundAddition, type MachineFacts } from '../../../src/model/additionPlan';
import type { HostFacts, ServerFacts, WayFacts } from '../../../src/model/facts';
import type { GateState } from '../../../src/model/gate';

const licence = { core: 'core', features: 'features', clusterNodes: 3 };
const host = (node: string, change: Partial<HostFacts> = {}): HostFacts =>
  ({ node, identity: `host keys ${node}`, installation: 'complete', prepared: false, ours: true, epoch: 4, version: '5.5', taeh: 'taeh', licences: { core: 'core', features: 'features' }, ...change });
const server = (node: string, change: Partial<ServerFacts> = {}): ServerFacts =>
  ({ node, admin: 'running', tm: true, daemons: true, members: ['10.0.0.1', '10.0.0.3'], threshold: 1, options: {}, ...change });
const machine = (node: string, change: Partial<MachineFacts> = {}): MachineFacts =>
  ({ node, reachable: true, identity: `host keys ${node}`, taeh: 'taeh', version: '5.5', instance: `id of ${node}`, epoch: 4, ...change });
const bare = host('st3', { installation: 'none', ours: false, epoch: null, version: null, taeh: null, licences: { core: null, features: null } });
const down = server('st3', { admin: 'not running', tm: false, daemons: false, members: null });
const st3 = [{ name: 'st3', address: '10.0.0.3' }];

const planOf = (change: Partial<FoundAddition> & { gate?: GateState }) => planAddition(joiningServers(st3, {
  hosts: [host('st3')], servers: [server('st3')], files: [{ node: 'st3', fresh: false }], licence, table: ['10.0.0.1', '10.0.0.3'],
  gates: [{ node: 'st3', gate: change.gate ?? 'open', why: '', ours: true, epoch: 4, runs: false }], ...change,
}));
/** Steps that have something to do. */
const stepsOf = (...args: Parameters<typeof planOf>): string[] => Object.entries(planOf(...args)).filter(([, nodes]) => nodes.length > 0).map(([step]) => step);

describe('what is left to do for a Server', () => {
  test('that is a member and Online: nothing', () => expect(isEmptyAddition(planOf({}))).toBe(true));
  test.each<[string, Parameters<typeof planOf>[0], string[]]>([
    ['on a bare host: all of it', { hosts: [bare], servers: [down], table: ['10.0.0.1'], gate: 'none', files: [{ node: 'st3', fresh: true }] }, ['install', 'stop', 'add', 'copy', 'startAdmin', 'license', 'start']],
    ['whose installation was cut off before the files were copied: they still are', { servers: [down], table: ['10.0.0.1'], files: [{ node: 'st3', fresh: true }] }, ['stop', 'add', 'copy', 'startAdmin', 'start']],
    ['that was removed and comes back: its gate is opened and its configuration compared', { servers: [down], table: ['10.0.0.1'], gate: 'closed' }, ['stop', 'add', 'open', 'startAdmin', 'refresh', 'start']],
    ['that was removed, and whose gate could not be looked at', { servers: [down], table: ['10.0.0.1'], gate: 'unknown' }, ['stop', 'add', 'open', 'startAdmin', 'refresh', 'start']],
    ['that was added and not started', { servers: [down] }, ['startAdmin', 'start']],
    ['whose Transaction Manager does not run', { servers: [server('st3', { tm: false })] }, ['start']],
    ['whose licence is another', { hosts: [host('st3', { licences: { core: 'core', features: 'old' } })] }, ['license']],
    ['that the table names in another spelling', { table: ['10.0.0.1', '::ffff:10.0.0.3'] }, []],
  ])('%s', (_, change, steps) => expect(stepsOf(change)).toEqual(steps));
});

describe('what refuses an addition', () => {
  const facts = (change: Partial<AdditionFacts> = {}): AdditionFacts => ({
    cluster: 'demo', version: '5.5', members: [{ site: 'prod', node: 'st1', address: '10.0.0.1', role: 'server' }, { site: 'prod', node: 'ed1', address: '10.0.1.1', role: 'edge' }],
    joining: [{ name: 'st3', address: '10.0.0.3', role: 'server' }], hosts: [bare], machines: [machine('st1'), machine('ed1', { taeh: 'edges' }), machine('st3', { taeh: null, version: null, instance: null })],
    servers: [server('st1')], ...change,
  });
  const said = (change: Partial<AdditionFacts>): string[] => additionProblems(facts(change)).map(({ what, level }) => (level ? `${level}: ${what}` : what));

  test('nothing, of a fit one', () => expect(said({})).toEqual([]));
  test.each<[string, Partial<AdditionFacts>, string]>([
    ['the same machine', { hosts: [{ ...bare, identity: 'host keys st1' }] }, 'st3 and st1 are the same machine (same host keys)'],
    ['the same machine as an Edge', { hosts: [{ ...bare, identity: 'host keys ed1' }] }, 'ed1 and st3 are the same machine (same host keys)'],
    ['a copy of an installation', { machines: [machine('st1'), machine('st3', { instance: 'id of st1' })] }, 'st3 is the installation of st1 under another name, or a copy of it (same LocalConfigurationsId id of st1)'],
    ['another secret file', { hosts: [host('st3', { taeh: 'other' })] }, 'the secret file bin/taeh of st3 differs from that of st1'],
    ['another secret file of an Edge', { joining: [{ name: 'ed2', address: '10.0.1.2', role: 'edge' }], hosts: [host('ed2', { taeh: 'other' })] }, 'the secret file bin/taeh of ed2 differs from that of ed1'],
    ['the address of a member', { joining: [{ name: 'st3', address: '10.0.0.1', role: 'server' }] }, 'st3: the address 10.0.0.1 is that of the member st1'],
    ['a member of another version', { machines: [machine('st1', { version: '5.4' }), machine('st3')] }, 'st1 runs version 5.4, the cluster file says 5.5: different versions never run on one schema'],
    ['no Server that runs', { servers: [server('st1', { tm: false })] }, 'no Server of demo is Online: nodes are added through one that runs'],
  ])('%s', (_, change, what) => expect(said(change)).toEqual([what]));
  test('a member that is off is told, and refuses nothing', () => {
    expect(said({ machines: [machine('st1'), machine('st2', { reachable: false, identity: null, taeh: null, version: null, instance: null })] })).toEqual([
      "warning: st2 can't be reached: whether it is the same machine as a new one, and the ways between them, are not known",
    ]);
  });
  test.each<[string, HostFacts, string[], number]>([
    ['is not there', bare, ['10.0.0.1'], 0],
    ['is there, and nothing was installed on the host: somebody\'s entry', bare, ['10.0.0.1', '10.0.0.3'], 1],
    ['is there, and the host is one that we installed: left by an addition that was cut off', host('st3'), ['10.0.0.1', '10.0.0.3'], 0],
  ])('an address in the table of nodes that %s', (_, facts3, table, count) => {
    expect(tableProblems(st3, { table, hosts: [facts3], members: [] })).toHaveLength(count);
  });
});

describe('how the daemons listen', () => {
  test.each<[string, Record<string, string[]> | null | undefined, string[], number]>([
    ['is known', {}, ['10.0.0.1'], 0],
    ['could not be read, and a Server is to be added', null, ['10.0.0.1'], 1],
    ['could not be read, and every Server is in the table', null, ['10.0.0.1', '::ffff:10.0.0.3'], 0],
    ['is refused by the check itself', undefined, ['10.0.0.1'], 0],
  ])('%s', (_, settings, table, problems) => expect(settingsProblems(st3, { table, through: 'st1', settings })).toHaveLength(problems));
});

describe('an Edge', () => {
  const ways = (...addresses: string[]): WayFacts => ({ ca: 'ca', trusted: [], probe: null, zones: [{ zone: 'Edges', title: 'front door', addresses, ports: {}, deploymentSite: 'Prod' }] });
  test.each<[string, WayFacts | undefined, boolean]>([
    ['that is in no zone', ways('2001:db8::72'), false],
    ['that a zone names in another spelling', ways('2001:DB8:0::71'), true],
    ['of which the Servers could not be asked', { ...ways(), ca: null, zones: [] }, true],
    ['of which nothing is known', undefined, true],
  ])('%s: in a zone before, or not', (_, known, before) => expect(mayBeZoned('2001:db8::71', known)).toBe(before));
});
