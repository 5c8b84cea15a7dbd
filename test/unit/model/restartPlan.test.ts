/** Which nodes are restarted or updated, and what forbids it. */
import { parseInput } from '../../../src/model/inputs';
import { gracefulSecondsOf, rollingRestartInput, updateClusterInput } from '../../../src/model/restartInput';
import { isAt, leftOut, nodeByNodeProblems, planRestart, updateProblems, type RestartFacts, type RestartWish } from '../../../src/model/restartPlan';

const node = (name: string, more: Partial<RestartFacts> = {}): RestartFacts =>
  ({ node: name, role: name.startsWith('ed') ? 'edge' : 'server', version: '5.5', build: '5.5-1', online: true, answers: true, runs: true, fresh: false, ...more });
const estate = ['st1', 'st2', 'st3', 'ed1', 'ed2'].map((name) => node(name));
const wish = (more: Partial<RestartWish> = {}): RestartWish => ({ parallel: 1, keepOnline: 2, ...more });
const whats = (facts: RestartFacts[], more: Partial<RestartWish> = {}): string[] => planRestart(facts, wish(more)).problems.map(({ what }) => what);

describe('a rolling restart', () => {
  test('goes through all members one at a time, Edges last', () => {
    expect(planRestart(estate, wish())).toEqual({ first: [], servers: [['st1'], ['st2'], ['st3']], edges: [['ed1'], ['ed2']], problems: [] });
  });

  test('is of those named, and a few at once', () => {
    expect(planRestart(estate, wish({ nodes: ['st3', 'st1', 'ed2'], parallel: 2, keepOnline: 1 }))).toEqual({ first: [], servers: [['st1', 'st3']], edges: [['ed2']], problems: [] });
  });

  test('of an Edge is refused while no other is served; Servers that are restarted before it connect to the others', () => {
    const unserved = estate.map((one) => (one.node === 'ed2' ? { ...one, unserved: true as const } : one));
    expect(whats(unserved, { nodes: ['ed1'] })).toEqual(['while ed1 is down, 0 other Edges would be Online, and 1 must stay (ed2: not every daemon runs with a Transaction Manager connected to it)']);
    expect(whats(unserved, { nodes: ['ed1'], keepOnline: 0 })).toEqual([]);
    expect(whats(unserved, { nodes: ['ed2'] })).toEqual([]);
    expect(whats(unserved)).toEqual([]);
  });

  test('leaves alone what was started since, and only when asked to', () => {
    const facts = estate.map((one) => ({ ...one, fresh: one.node === 'st1' }));
    expect(planRestart(facts, wish({ startedBefore: '2026-11-30T12:00:00Z' })).servers).toEqual([['st2'], ['st3']]);
    expect(planRestart(facts, wish()).servers).toHaveLength(3);
  });

  test('that goes on from one which did not come to its end brings up first what that left', () => {
    const standing = estate.map((one) => ({ ...one, online: one.node !== 'st2' }));
    expect(planRestart(standing, wish({ resumes: true }))).toEqual({ first: ['st2'], servers: [['st1'], ['st3']], edges: [['ed1'], ['ed2']], problems: [] });
    expect(planRestart(standing, wish({ resumes: true, nodes: ['st1'] }))).toMatchObject({ first: [], problems: [{ what: expect.stringMatching(/^while st1 is down/) }] });
    const listing = (members: string[]) => standing.map((one) => ({ ...one, address: one.node, ...(one.online && one.role === 'server' ? { members } : {}) }));
    expect(whats(listing(['st1', 'st2', 'st3']), { resumes: true })).toEqual([]);
    const taken = 'st2 stands still and is not in the cluster\'s table of nodes: somebody took it out of it, most likely a removal that did not come to its end. Started it would join nothing';
    expect(whats(listing(['st1', 'st3']), { resumes: true })).toEqual([taken]);
    expect(whats(listing(['st1', 'st3']), { resumes: true, nodes: ['st1'], keepOnline: 1 })).toEqual([]);
    expect(whats(listing([]), { resumes: true })).toEqual([]);
    const unknown = standing.map((one) => (one.node === 'st2' ? { ...one, version: null, build: null } : one));
    expect(planRestart(unknown, wish({ resumes: true, keepOnline: 1 })).problems).toEqual([expect.objectContaining({ what: expect.stringMatching(/^st2 is not Online/) })]);
    // Out of the balancer by an operation: served again before the one that the balancer sends to goes down.
    const balancer = { name: 'lb1', active: '', persisted: '', saved: null, epoch: null, serving: ['ed1'], takenOut: [{ node: 'ed2', operation: 'rolling-restart/demo', epoch: 3 }] };
    expect(planRestart(estate, wish({ nodes: ['ed1', 'ed2'] }), [balancer])).toEqual({ first: ['ed2'], servers: [], edges: [['ed1'], ['ed2']], problems: [] });
  });

  test('that would stop a Server which stands still as it seems, and runs behind a silent Administration Tool, is refused unless the cut is accepted', () => {
    const silent = (more: Partial<RestartFacts>): RestartFacts[] => estate.map((one) => (one.node === 'st2' ? { ...one, online: false, answers: false, ...more } : one));
    for (const runs of [true, null]) expect(whats(silent({ runs }), { resumes: true, keepOnline: 1 })).toEqual([expect.stringMatching(/^st2: processes of the product run there, or may run, and its Administration Tool does not answer/)]);
    expect(whats(silent({}), { resumes: true, keepOnline: 1, acceptActive: true })).toEqual([]);
    expect(whats(silent({ runs: false }), { resumes: true, keepOnline: 1 })).toEqual([]);
    expect(whats(silent({ answers: true }), { resumes: true, keepOnline: 1 })).toEqual([]);
  });

  test.each<[string, RestartFacts[], Partial<RestartWish>, RegExp[]]>([
    ['an unknown node', estate, { nodes: ['st9'] }, [/^st9 is no member/]],
    ['a node that is not Online', estate.map((one) => ({ ...one, online: one.node !== 'st3' })), { nodes: ['st3'], keepOnline: 1 }, [/^st3 is not Online/]],
    ['too few that stay', estate.map((one) => ({ ...one, online: one.node !== 'st3' })), { nodes: ['st1'] }, [/^while st1 is down, 1 other Server would be Online, and 2 must stay/]],
    ['all Edges at once', estate, { nodes: ['ed1', 'ed2'], parallel: 2 }, [/^while ed1 and ed2 are down, 0 other Edges would be Online, and 1 must stay/]],
    ['the only Edge', [node('st1'), node('ed1')], { nodes: ['ed1'] }, [/^while ed1 is down/]],
    ['the only Edge, when that is accepted', [node('st1'), node('ed1')], { keepOnline: 0 }, []],
    ['different versions', estate.map((one) => (one.node === 'st2' ? { ...one, build: '5.5-2' } : one)), {}, [/^different versions are installed: st1 5\.5-1, st2 5\.5-2/]],
    ['a version that nobody can read', estate.map((one) => (one.node === 'st2' ? { ...one, version: null, build: null } : one)), {}, []],
  ])('%s: refused or not', (_, facts, more, problems) => {
    expect(whats(facts, more)).toEqual(problems.map((what) => expect.stringMatching(what)));
  });
});

test.each<[string, RestartFacts[], Partial<RestartWish>, string]>([
  ['one other Server stays', estate.slice(1), {}, '"keepOnline": 1 (--keep-online 1)'],
  ['fewer stay at the second wave than at the first', estate.slice(0, 3).concat(node('st4', { online: false })), { nodes: ['st1', 'st2', 'st3'], parallel: 2, keepOnline: 3 }, 'a smaller "parallel"; or "keepOnline": 1 (--keep-online 1)'],
  ['none stays', [node('st1')], { keepOnline: 1 }, '"keepOnline": 0 (--keep-online 0) accepts that nobody is served meanwhile'],
])('a restart that is refused names the number that would do: %s', (_, facts, more, remedy) => {
  expect(planRestart(facts, wish(more)).problems.map((problem) => problem.remedy)).toEqual([remedy]);
  const keepOnline = Number(/--keep-online (\d)/.exec(remedy)![1]);
  expect(whats(facts, { ...more, keepOnline })).toEqual([]);
});

describe('whom the balancer sends to', () => {
  const lb1 = { name: 'lb1', active: '', persisted: '', saved: null, epoch: null };
  const only = { ...lb1, serving: ['ed1'], heldOut: ['ed2'] };
  const nobody = (down: string) => `lb1 sends to nobody but ${down} now`;
  test.each<[string, RestartFacts[], Partial<RestartWish>, { serving: string[]; heldOut?: string[] }, string[]]>([
    ['the only one, the other held out', estate, { nodes: ['ed1'] }, only, [nobody('ed1')]],
    ['the only one, when that is accepted', estate, { nodes: ['ed1'], keepOnline: 0 }, only, []],
    ['one that was held out, and then the only one: it stays out', estate, { nodes: ['ed2', 'ed1'] }, only, [nobody('ed1')]],
    ['the only one, of two that nobody took out', estate, {}, { serving: ['ed2'] }, []],
    ['the only one, first of two', estate, {}, { serving: ['ed1'] }, [nobody('ed1')]],
    ['one of two', estate, {}, { serving: ['ed1', 'ed2'] }, []],
    ['a balancer that sends to nobody', estate, {}, { serving: [] }, []],
    ['a balancer of the Servers', estate, {}, { serving: ['st3', 'st2'] }, []],
    ['a balancer of the Servers, both that it sends to at once', [...estate, node('st4'), node('st5')], { nodes: ['st2', 'st3'], parallel: 2 }, { serving: ['st3', 'st2'] }, [nobody('st3 and st2')]],
  ])('%s', (_, facts, more, balancer, problems) => {
    expect(planRestart(facts, wish(more), [{ ...lb1, ...balancer }]).problems.map(({ what }) => what)).toEqual(problems.map((what) => expect.stringContaining(what)));
  });

  test('an update node by node may take the only one when another that was updated is brought up first', () => {
    const wanted = { version: '5.5-2', keepOnline: 1 };
    const standing = estate.map((one) => (one.node === 'ed2' ? { ...one, build: '5.5-2', online: false } : one));
    expect(nodeByNodeProblems(estate, wanted, [only]).map(({ what }) => what)).toEqual([expect.stringContaining(nobody('ed1'))]);
    expect(nodeByNodeProblems(estate, { ...wanted, keepOnline: 0 }, [only])).toEqual([]);
    expect(nodeByNodeProblems(standing, wanted, [{ ...lb1, serving: ['ed1'] }])).toEqual([]);
    // By a person: it stays out.
    expect(nodeByNodeProblems(standing, wanted, [only])).toHaveLength(1);
  });
});

test('a node that a person took out of a balancer is left so, whether it works or stands still; one that an operation of ours left out comes back', () => {
  const facts = [node('ed1'), node('ed2', { online: false }), node('ed3')];
  const balancer = { name: 'lb1', active: '', persisted: '', serving: [], saved: null, epoch: null };
  expect(leftOut(facts, [{ ...balancer, heldOut: ['ed1', 'ed2'], takenOut: [{ node: 'ed3', operation: 'rolling-restart/demo', epoch: 3 }] }, { ...balancer, name: 'lb2' }])).toEqual(['ed1 at lb1', 'ed2 at lb1']);
});

describe('an update', () => {
  const wanted = { version: '5.5-2', specVersion: '5.5-2', command: true, nodeByNode: false, allowed: false, acceptActive: false };
  test('does not start a Server that a removal has taken out of the table', () => {
    const facts = estate.map((one) => ({ ...one, address: one.node, ...(one.node === 'st3' ? { online: false } : one.role === 'server' ? { members: ['st1', 'st2'] } : {}) }));
    expect(updateProblems(facts, wanted).map(({ what }) => what)).toEqual([expect.stringMatching(/^st3 stands still and is not in the cluster's table of nodes/)]);
  });
  test.each<[string, Partial<typeof wanted>, RegExp[]]>([
    ['as the cluster file says', {}, []],
    ['of which the cluster file says another version', { specVersion: '5.5' }, [/product\.version 5\.5, and 5\.5-2 was asked for/]],
    ['without a program', { command: false }, [/no product\.update\.command/]],
    ['node by node, not allowed', { nodeByNode: true }, [/does not allow it/]],
    ['node by node, allowed', { nodeByNode: true, allowed: true }, []],
    ['to what is installed, without a program', { version: '5.5-1', specVersion: '5.5-1', command: false }, []],
  ])('%s', (_, more, problems) => {
    expect(updateProblems(estate, { ...wanted, ...more }).map(({ what }) => what)).toEqual(problems.map((what) => expect.stringMatching(what)));
  });

  const hung = (more: Partial<RestartFacts>) => estate.map((one) => (one.node === 'st2' || one.node === 'ed1' ? { ...one, online: false, answers: false, ...more } : one));
  const unknown = [/^st2: processes of the product run there, or may run, and its Administration Tool does not answer/];
  test.each<[string, RestartFacts[], Partial<typeof wanted>, RegExp[]]>([
    ['a Server that does not answer, and something runs', hung({}), {}, unknown],
    ['the same, when the cut is accepted', hung({}), { acceptActive: true }, []],
    ['a Server that does not answer, and nothing runs', hung({ runs: false }), {}, []],
    ['a Server that answers and is not Online', hung({ answers: true }), {}, []],
    ['one that is at the version, and is stopped with the others', hung({ build: '5.5-2' }), {}, unknown],
    ['one that is at the version, and the others are updated node by node', hung({ build: '5.5-2' }), { nodeByNode: true, allowed: true }, []],
    ['one that is at the version, as all others', hung({}).map((one) => ({ ...one, build: '5.5-2' })), {}, []],
  ])('%s', (_, facts, more, problems) => {
    expect(updateProblems(facts, { ...wanted, ...more }).map(({ what }) => what)).toEqual(problems.map((what) => expect.stringMatching(what)));
  });

  test('knows a version by its name or its build', () => {
    expect([isAt('5.5', estate[0]!), isAt('5.5-1', estate[0]!), isAt('5.5-2', estate[0]!)]).toEqual([true, true, false]);
  });
});

describe('the inputs', () => {
  test('take durations as people write them', () => {
    expect(parseInput(rollingRestartInput, { cluster: 'demo', gracefulTimeout: '90s', startedBefore: '2026-11-30T12:00:00Z' })).toMatchObject({ value: { gracefulTimeout: 90_000 } });
    expect(gracefulSecondsOf({})).toBe(300);
    expect(gracefulSecondsOf({ gracefulTimeout: 1_500 })).toBe(1);
  });

  test.each([
    [{ parallel: 0 }, 'parallel: expected at least 1, found 0'],
    [{ startedBefore: '2026-13-30T12:00:00Z' }, 'startedBefore: expected a time in UTC such as 2026-11-30T12:00:00Z, found "2026-13-30T12:00:00Z"'],
    [{ startedBefore: 'yesterday' }, 'startedBefore: expected a time in UTC such as 2026-11-30T12:00:00Z, found "yesterday"'],
    [{ gracefulTimeout: 0 }, 'gracefulTimeout: expected a duration from 1s to 1d, found 0'],
    [{ version: '5.5' }, 'version: unknown key'],
  ])('%j is refused', (more, problem) => {
    expect(parseInput(rollingRestartInput, { cluster: 'demo', ...more })).toEqual({ problems: [expect.stringContaining(problem)] });
  });

  test('an update needs a version', () => {
    expect(parseInput(updateClusterInput, { cluster: 'demo' })).toEqual({ problems: ['version: missing; expected text'] });
  });
});
