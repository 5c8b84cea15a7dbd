import fc from 'fast-check';
import { isEmptyPlan, planSetUp, setUpProblems, type ServerState, type SetUpState } from '../../../src/model/setUpPlan';
import { setUpState } from '../../../src/model/facts';
import { actsOf, emptyEstate, grow, isOnline, observe, perform, suffer, type Estate, type Fault } from './setUpSimulation';

const inOrder = (nodes: string[]) => nodes;
const planOf = (estate: Estate, largestWave = 10) => {
  const state = observe(estate);
  expect(setUpProblems(state)).toEqual([]);
  return planSetUp(state, { largestWave });
};

interface Cut { after: number; autoRegister?: boolean; shuffle?: (nodes: string[]) => string[]; largestWave?: number; blurred?: boolean }

/** Plans and performs, and is cut off after so many acts. True when it came to its end. */
function run(estate: Estate, { after, shuffle = inOrder, largestWave = 10, blurred = false, autoRegister = false }: Cut): boolean {
  const state = observe(estate, blurred);
  expect(setUpProblems(state)).toEqual([]);
  const plan = planSetUp(state, { largestWave, autoRegister });
  estate.blind = state.servers.every(({ members }) => members === null);
  const acts = actsOf(plan, shuffle);
  for (const act of acts.slice(0, after)) perform(estate, act, Number(plan.first.slice(2)) - 1, largestWave, autoRegister);
  if (after < acts.length) return false;
  estate.complete = true;
  return true;
}

describe('a fresh estate', () => {
  test('is set up in the vendor\'s order', () => {
    expect(planOf(emptyEstate(4), 2)).toEqual({
      first: 'st1',
      installFirst: ['st1'],
      licenseFirst: ['st1'],
      installOthers: ['st2', 'st3', 'st4'],
      stopAdmin: ['st2', 'st3', 'st4'],
      stopServices: ['st1', 'st2', 'st3', 'st4'],
      startFirstAdmin: ['st1'],
      registered: [],
      stopAll: ['st1', 'st2', 'st3', 'st4'],
      addToCluster: ['st1', 'st2', 'st3', 'st4'],
      startAdmin: ['st2', 'st3', 'st4'],
      licenseOthers: ['st2', 'st3', 'st4'],
      restart: [['st1'], ['st2', 'st3'], ['st4']],
    });
  });
  test('ends Online, and then there is nothing left to do', () => {
    const estate = emptyEstate(3);
    expect(run(estate, { after: Infinity })).toBe(true);
    expect(isOnline(estate)).toBe(true);
    expect(isEmptyPlan(planOf(estate))).toBe(true);
  });
  test('whose Servers register themselves is set up without the steps that add them', () => {
    expect(planSetUp(observe(emptyEstate(3)), { autoRegister: true })).toEqual({
      first: 'st1', installFirst: ['st1'], licenseFirst: ['st1'], startFirstAdmin: ['st1'], installOthers: ['st2', 'st3'], registered: ['st1', 'st2', 'st3'],
      stopAdmin: [], stopServices: [], addToCluster: [], startAdmin: [], licenseOthers: ['st2', 'st3'], stopAll: ['st1', 'st2', 'st3'], restart: [['st1'], ['st2', 'st3']],
    });
  });
  test('one Server is a cluster too', () => {
    const estate = emptyEstate(1);
    run(estate, { after: Infinity });
    expect(isOnline(estate)).toBe(true);
  });
});

describe('cut off anywhere', () => {
  test.each([[1, false], [2, false], [3, false], [5, false], [3, true]])('at every act and at every pair of acts, of %i Servers (registering themselves: %s), the next run completes the rest', (servers, autoRegister) => {
    const acts = actsOf(planOf(emptyEstate(servers)), inOrder).length;
    for (let first = 0; first <= acts; first++) {
      for (let second = 0; second <= acts - first; second++) {
        const estate = emptyEstate(servers);
        for (const after of [first, second, Infinity]) run(estate, { after, autoRegister });
        expect(isOnline(estate)).toBe(true);
        expect(isEmptyPlan(planOf(estate))).toBe(true);
      }
    }
  });

  const fault: fc.Arbitrary<Fault> = fc.record({ kind: fc.constantFrom('power cut', 'admin dies', 'tm dies', 'daemon dies', 'boot starts all'), on: fc.nat(30) });
  const interruption = fc.record({ after: fc.nat(60), keys: fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 }), faults: fc.array(fault, { maxLength: 4 }), blurred: fc.boolean() });
  const shuffled = (keys: number[]) => (nodes: string[]) => [...nodes].sort((a, b) => keys[Number(a.slice(2)) % 20]! - keys[Number(b.slice(2)) % 20]!);

  /** Where nothing can be known of a cluster that has worked, a person starts one Administration Tool, as the problem says. */
  const asked = (estate: Estate) => {
    if (setUpProblems(observe(estate)).length > 0) estate.machines.find(({ installed }) => installed)!.admin = 'up';
  };

  test('in any order of siblings, with faults between the runs, and with Servers added later, no rule is ever broken', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 10 }), fc.array(interruption, { maxLength: 6 }), fc.nat(8), fc.array(interruption, { maxLength: 3 }), fc.boolean(), (servers, largestWave, before, more, after, autoRegister) => {
        const estate = emptyEstate(servers);
        const suffering = (interruptions: typeof before) => {
          for (const { after: acts, keys, faults, blurred } of interruptions) {
            asked(estate);
            run(estate, { after: acts, shuffle: shuffled(keys), largestWave, blurred, autoRegister });
            for (const one of faults) suffer(estate, one);
          }
          asked(estate);
          run(estate, { after: Infinity, largestWave, autoRegister });
          expect(isOnline(estate)).toBe(true);
          expect(isEmptyPlan(planOf(estate, largestWave))).toBe(true);
        };
        suffering(before);
        grow(estate, more);
        suffering(after);
      }),
      { numRuns: 400 },
    );
  });
});

describe('what works is left alone', () => {
  const working = (servers: number) => {
    const estate = emptyEstate(servers);
    run(estate, { after: Infinity });
    return estate;
  };
  test('a member whose Transaction Manager died is started, and nothing else is touched', () => {
    const estate = working(3);
    suffer(estate, { kind: 'tm dies', on: 1 });
    expect(planOf(estate)).toMatchObject({ stopAdmin: [], stopServices: [], addToCluster: [], startAdmin: [], restart: [['st2']] });
  });
  test('a member whose Administration Tool died gets it back, without a stop of its services', () => {
    const estate = working(3);
    suffer(estate, { kind: 'admin dies', on: 0 });
    expect(planOf(estate)).toMatchObject({ first: 'st2', stopAdmin: [], stopServices: [], startFirstAdmin: [], startAdmin: ['st1'], restart: [['st1']] });
  });
  test('a member whose Administration Tool came up before it was added gets it restarted, and only that', () => {
    const estate = working(3);
    Object.assign(estate.machines[2]!, { admin: 'not operational', tm: false });
    expect(planOf(estate)).toMatchObject({ stopAdmin: ['st3'], stopServices: [], addToCluster: [], startAdmin: ['st3'], restart: [['st3']] });
  });
  test('a Server that joins later is stopped, added and started; the others serve on', () => {
    const estate = working(2);
    grow(estate, 1);
    expect(planOf(estate)).toEqual({
      first: 'st1', installFirst: [], licenseFirst: [], installOthers: ['st3'], stopAdmin: ['st3'], stopServices: ['st3'], startFirstAdmin: [], addToCluster: ['st3'], startAdmin: ['st3'], licenseOthers: ['st3'], registered: [], stopAll: ['st3'], restart: [['st3']],
    });
  });
  test('a renewed licence is installed and nothing is restarted', () => {
    const state = observe(working(2));
    for (const server of state.servers) server.licensed = false;
    expect(planSetUp(state)).toMatchObject({ licenseFirst: ['st1'], licenseOthers: ['st2'], restart: [], stopServices: [] });
  });
  test('never more are started than the licence has nodes', () => {
    const estate = working(3);
    for (const on of [0, 1, 2]) suffer(estate, { kind: 'tm dies', on });
    expect(planSetUp({ ...observe(estate), licensedNodes: 2 }).restart).toEqual([['st1'], ['st2']]);
  });
});

describe('refuses to plan', () => {
  const server = (i: number, more: Partial<ServerState> = {}): ServerState => ({ node: `st${i}`, address: `10.0.0.${i}`, installed: false, half: false, secretFile: false, licensed: false, admin: 'not running', tm: false, daemons: false, members: null, ...more });
  const state = (more: Partial<SetUpState> = {}): SetUpState => ({ servers: [server(1), server(2)], schema: false, licensedNodes: 2, complete: false, begun: false, ...more });
  const installed = { installed: true, secretFile: true };

  test.each<[string, SetUpState, RegExp]>([
    ['a licence for too few nodes', state({ licensedNodes: 1 }), /^the features licence covers 1 cluster nodes, 2 Servers/],
    ['installations without their schema', state({ servers: [server(1, { ...installed, members: [] }), server(2)] }), /^st1: SecureTransport is installed, but the database holds no schema/],
    ['a schema without its secret file', state({ schema: true }), /^the database is not empty, and no Server has the secret file/],
    ['what may be a working cluster that nobody can look into', state({ schema: true, servers: [server(1, installed), server(2, installed)] }), /^SecureTransport is installed on st1, st2, but no Administration Tool answers/],
    ['the same when it was complete once', state({ schema: true, begun: true, complete: true, servers: [server(1, installed), server(2)] }), /no Administration Tool answers/],
    ['two clusters', state({ schema: true, servers: [server(1, { ...installed, members: ['10.0.0.1'] }), server(2, { ...installed, members: ['10.0.0.2'] })] }), /^st2 and st1 see different tables of nodes/],
    ['a half installation whose Administration Tool answers', state({ schema: true, servers: [server(1, { ...installed, members: ['10.0.0.1'] }), server(2, { half: true, admin: 'not operational' })] }), /^st2: FILEDRIVEHOME\/install\.log does not end .*, but its Administration Tool answers/],
    ['a half installation that is a member', state({ schema: true, servers: [server(1, { ...installed, members: ['10.0.0.1', '10.0.0.2'] }), server(2, { half: true })] }), /^st2: .* the cluster has this Server in its table of nodes/],
    ['a half installation on the only Server, which serves', state({ schema: true, servers: [server(1, { half: true, secretFile: true, admin: 'running', tm: true, members: ['10.0.0.1'] })] }), /^st1: .* may serve somebody$/],
    ['nodes that the spec does not know', state({ schema: true, servers: [server(1, { ...installed, members: ['10.0.0.1', '10.9.9.9'] }), server(2)] }), /^the cluster has nodes that the spec does not list: 10\.9\.9\.9$/],
  ])('%s', (_, found, what) => {
    const problems = setUpProblems(found);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.what).toMatch(what);
    expect(problems[0]!.remedy).not.toBe('');
  });
  test('nothing, when an own set-up was cut off and its hosts were restarted', () => {
    expect(setUpProblems(state({ schema: true, begun: true, servers: [server(1, installed), server(2, installed)] }))).toEqual([]);
  });
  test('nothing, when the first installation died after it made the schema', () => {
    expect(setUpProblems(state({ schema: true, begun: true, servers: [server(1, { secretFile: true }), server(2)] }))).toEqual([]);
  });
});

test('the facts of the checks become the state of the planner', () => {
  const host = { node: 'st1', identity: 'x', installation: 'complete' as const, prepared: false, ours: false, epoch: null, version: '5.5', taeh: 'aa', licences: { core: 'c', features: 'f' } };
  const server = { node: 'st1', admin: 'running' as const, tm: true, daemons: false, members: ['10.0.0.1'], threshold: null, options: null };
  const state = setUpState([{ node: 'st1', address: '10.0.0.1' }, { node: 'st2', address: '10.0.0.2' }], {
    hosts: [{ ...host, node: 'st2', ours: true, installation: 'half', licences: { core: 'c', features: 'old' } }, host],
    servers: [{ ...server, node: 'st2', admin: 'not running', tm: false, members: null }, server],
    database: { schema: true, epoch: null },
    licence: { core: 'c', features: 'f', clusterNodes: 5 },
    complete: true,
  });
  expect(state).toEqual({
    schema: true, licensedNodes: 5, complete: true, begun: true,
    servers: [
      { node: 'st1', address: '10.0.0.1', installed: true, half: false, secretFile: true, licensed: true, admin: 'running', tm: true, daemons: false, members: ['10.0.0.1'] },
      { node: 'st2', address: '10.0.0.2', installed: false, half: true, secretFile: true, licensed: false, admin: 'not running', tm: false, daemons: false, members: null },
    ],
  });
});
