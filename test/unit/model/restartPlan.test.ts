/** Which nodes are restarted or updated, and what forbids it. */
import { parseInput } from '../../../src/model/inputs';
import { gracefulSecondsOf, rollingRestartInput, updateClusterInput } from '../../../src/model/restartInput';
import { isAt, leftOut, planRestart, updateProblems, type RestartFacts, type RestartWish } from '../../../src/model/restartPlan';

const node = (name: string, more: Partial<RestartFacts> = {}): RestartFacts =>
  ({ node: name, role: name.startsWith('ed') ? 'edge' : 'server', version: '5.5', build: '5.5-1', online: true, fresh: false, ...more });
const estate = ['st1', 'st2', 'st3', 'ed1', 'ed2'].map((name) => node(name));
const wish = (more: Partial<RestartWish> = {}): RestartWish => ({ parallel: 1, keepOnline: 2, ...more });
const whats = (facts: RestartFacts[], more: Partial<RestartWish> = {}): string[] => planRestart(facts, wish(more)).problems.map(({ what }) => what);

describe('a rolling restart', () => {
  test('goes through all members one at a time, Edges last', () => {
    expect(planRestart(estate, wish())).toEqual({ servers: [['st1'], ['st2'], ['st3']], edges: [['ed1'], ['ed2']], problems: [] });
  });

  test('is of those named, and a few at once', () => {
    expect(planRestart(estate, wish({ nodes: ['st3', 'st1', 'ed2'], parallel: 2, keepOnline: 1 }))).toEqual({ servers: [['st1', 'st3']], edges: [['ed2']], problems: [] });
  });

  test('leaves alone what was started since, and only when asked to', () => {
    const facts = estate.map((one) => ({ ...one, fresh: one.node === 'st1' }));
    expect(planRestart(facts, wish({ startedBefore: '2026-11-30T12:00:00Z' })).servers).toEqual([['st2'], ['st3']]);
    expect(planRestart(facts, wish()).servers).toHaveLength(3);
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

test('a node at work that somebody took out of a balancer is left so; one that stands still comes back', () => {
  const facts = [node('ed1'), node('ed2', { online: false })];
  const balancer = { name: 'lb1', active: '', persisted: '', serving: [], saved: null, epoch: null };
  expect(leftOut(facts, [{ ...balancer, heldOut: ['ed1', 'ed2'] }, { ...balancer, name: 'lb2' }])).toEqual(['ed1 at lb1']);
});

describe('an update', () => {
  const wanted = { version: '5.5-2', specVersion: '5.5-2', command: true, nodeByNode: false, allowed: false };
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
