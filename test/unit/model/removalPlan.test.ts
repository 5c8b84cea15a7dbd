/** Who is drained, taken out and gated, what stays a debt, and what refuses a removal. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GateFacts, GateState } from '../../../src/model/gate';
import { goesOut, planRemoval, removalProblems, type Answering, type Leaving, type RemovalFound, type RemovalRules } from '../../../src/model/removalPlan';
import { parseInput } from '../../../src/model/inputs';
import { removeNodeInput } from '../../../src/model/removeNodeInput';
import { leftByEdges, leftByRemoval, removalSummary } from '../../../src/model/removalText';

const gate = (node: string, state: GateState = 'open', more: Partial<GateFacts> = {}): GateFacts => ({ node, gate: state, why: state === 'unknown' ? 'no answer' : '', runs: state === 'open', ours: state !== 'unknown', epoch: null, ...more });
const up = (node: string): Answering => ({ node, admin: 'running', online: true });
const dead = (node: string): Answering => ({ node, admin: 'not running', online: false });
const leaving = (node: string, more: Partial<Leaving> = {}): Leaving => ({ node, role: node.startsWith('ed') ? 'edge' : 'server', member: true, owes: false, ...more });
const staying = (...them: Answering[]): RemovalFound['stay'] => them.map((one) => ({ ...one, role: one.node.startsWith('ed') ? 'edge' as const : 'server' as const }));
const rules: RemovalRules = { minimumNodes: 2, force: false, acceptActive: false, coming: { servers: 0, edges: 0 } };

const living: RemovalFound = { leaving: [leaving('st3')], gates: [gate('st3')], answers: [up('st3')], stay: staying(up('st1'), up('st2')), balancers: [{ name: 'lb1', serving: ['st1', 'st2', 'st3'] }] };
const gone: RemovalFound = { ...living, gates: [gate('st3', 'unknown')], answers: [dead('st3')] };

describe('the plan', () => {
  test('a node that works is drained, can be brought back, and is gated', () => {
    expect(planRemoval(living)).toEqual({ members: ['st3'], drain: ['st3'], online: ['st3'], gate: ['st3'], unknown: [] });
  });
  test('of one that does not answer nothing is claimed: not drained, not gated, Unknown', () => {
    expect(planRemoval(gone)).toEqual({ members: ['st3'], drain: [], online: [], gate: [], unknown: ['st3'] });
  });
  test('one whose product does not run is gated, and an undo does not start it', () => {
    expect(planRemoval({ ...living, gates: [gate('st3', 'open', { runs: false })], answers: [dead('st3')] })).toMatchObject({ drain: [], online: [], gate: ['st3'] });
  });
  test.each<[string, Partial<Leaving>, GateFacts, boolean]>([
    ['removed while it was dead, and its gate is open', { owes: true }, gate('st3'), true],
    ['removed, and an update opened its gate', {}, gate('st3', 'broken', { runs: false }), true],
    ['removed, gated, and something runs all the same', {}, gate('st3', 'closed', { runs: true }), true],
    ['removed and gated', {}, gate('st3', 'closed'), false],
    ['never had a product', {}, gate('st3', 'none', { ours: false }), false],
    ['does not answer yet', { owes: true }, gate('st3', 'unknown'), false],
    ['has a product that is not ours', {}, gate('st3', 'open', { ours: false }), false],
  ])('of those that are no members: %s', (_, more, facts, out) => {
    const one = leaving('st3', { member: false, ...more });
    expect(goesOut(one, [facts])).toBe(out);
    expect(planRemoval({ ...living, leaving: [one], gates: [facts], answers: [] }).gate).toEqual(out ? ['st3'] : []);
  });
});

describe('what refuses', () => {
  const told = (found: Partial<RemovalFound>, more: Partial<RemovalRules> = {}): string[] => removalProblems({ ...living, ...found }, { ...rules, ...more }).filter(({ level }) => level === undefined).map(({ what }) => what);

  test('nothing, where enough stay', () => expect(told({})).toEqual([]));
  test.each<[string, Partial<RemovalFound>, string, string]>([
    ['too few', { stay: staying(up('st1')) }, '1 Server would be left without st3, and policies.minimumNodes is 2', 'add another one first, or lower policies.minimumNodes'],
    ['none', { stay: [] }, 'no Server would be left without st3', 'add another one first; with none left nobody is served, and "stctl set-up-cluster" brings one back, alone, to which "stctl add-node" adds the others'],
    ['one that stays and does not work', { stay: staying(up('st1'), dead('st2')) }, 'of the Servers that stay 1 is Online (st2 does not answer), and policies.minimumNodes is 2: st3 can\'t be spared', 'bring those back first'],
    ['a balancer that sends to nobody else', { balancers: [{ name: 'lb1', serving: ['st3'] }] }, 'lb1 sends to nobody but st3 now, and that goes', 'bring those that stay back into the balancer first'],
  ])('what force overrides is told as a warning: %s', (_, found, what, remedy) => {
    expect(removalProblems({ ...living, ...found }, { ...rules, force: true })).toEqual([{ what, remedy, level: 'warning' }]);
    expect(removalProblems({ ...living, ...found }, rules)).toEqual([{ what, remedy: expect.stringMatching(/; or give "force" and the reason$/) }]);
  });
  test('fewer members than the threshold; a node that comes in the same run counts; force is heard', () => {
    const few = { stay: staying(up('st1')) };
    expect(told(few)).toEqual(['1 Server would be left without st3, and policies.minimumNodes is 2']);
    expect(told(few, { force: true })).toEqual([]);
    expect(told({ ...few, gates: gone.gates, answers: gone.answers }, { coming: { servers: 1, edges: 0 } })).toEqual([]);
  });
  test('one that works can\'t be spared while those that stay do not work; a dead one can', () => {
    const halved = { stay: staying(up('st1'), dead('st2')) };
    expect(told(halved)).toEqual(['of the Servers that stay 1 is Online (st2 does not answer), and policies.minimumNodes is 2: st3 can\'t be spared']);
    expect(told({ ...halved, gates: gone.gates, answers: gone.answers })).toEqual([]);
  });
  test('a new one that is not there yet does not stand in for one that works', () => {
    expect(told({ stay: staying(up('st1')) }, { coming: { servers: 1, edges: 0 } })).toEqual(['of the Servers that stay 1 is Online (no other is there), and policies.minimumNodes is 2: st3 can\'t be spared']);
  });
  test('the last Server and the last Edge', () => {
    expect(told({ stay: [] })).toEqual(['no Server would be left without st3']);
    const edge = { leaving: [leaving('ed1')], gates: [gate('ed1')], answers: [up('ed1')], stay: staying(up('st1'), up('st2')) };
    expect(told(edge)).toEqual(['no Edge would be left without ed1']);
    expect(told(edge, { coming: { servers: 0, edges: 1 } })).toEqual([]);
  });
  test.each<[string, Answering[], string[]]>([
    ['serves', [{ ...up('ed2'), served: true }], []],
    ['runs with nobody behind it', [{ ...up('ed2'), served: false }], ['ed2 runs, and no Transaction Manager is connected to it']],
    ['can\'t tell who is behind it', [{ ...up('ed2'), served: null }], ['ed2: whether a Transaction Manager is connected to it can\'t be told']],
    ['is dead', [dead('ed2')], ['ed2 does not answer']],
    ['serves beside one that does not', [dead('ed2'), { ...up('ed3'), served: true }], []],
  ])('an Edge can be spared where another %s', (_, edges, why) => {
    const edge = { leaving: [leaving('ed1')], gates: [gate('ed1')], answers: [up('ed1')], stay: staying(up('st1'), up('st2'), ...edges), balancers: [] };
    expect(told(edge)).toEqual(why.map((one) => `none of the Edges that stay serves (${one}): ed1 can't be spared`));
    expect(told(edge, { force: true })).toEqual([]);
    expect(told({ ...edge, answers: [dead('ed1')], gates: [gate('ed1', 'unknown')] })).toEqual([]);
  });
  test.each<[string, string[], string[]]>([
    ['the only one that it sends to', ['st3'], ['lb1 sends to nobody but st3 now, and that goes']],
    ['one of two that it sends to', ['st2', 'st3'], []],
    ['one that it does not send to', ['st1'], []],
    ['one of a balancer that sends to nobody', [], []],
  ])('of a balancer: %s', (_, serving, problems) => {
    const balancers = [{ name: 'lb1', serving }, { name: 'lb2', serving: ['st1', 'st3'] }];
    expect(told({ balancers })).toEqual(problems);
    expect(told({ balancers }, { force: true })).toEqual([]);
  });
  test('a node that works and can be neither stopped nor gated', () => {
    expect(told({ gates: [gate('st3', 'unknown')] })).toEqual(['st3: its Administration Tool answers, and its host does not by SSH (no answer): it works, and could be neither stopped nor gated']);
  });
  test('one that does not answer refuses nothing, and the plan says what is not known of it', () => {
    expect(removalProblems(gone, rules)).toEqual([{ what: 'st3 does not answer (no answer): it is removed without being drained, stopped or gated, and may still run', remedy: expect.any(String), level: 'warning' }]);
  });
  test('a node that runs and can\'t be asked what it does, unless the cut is accepted', () => {
    expect(told({ answers: [dead('st3')] })).toEqual(['st3: the product runs there and its Administration Tool does not answer, so what a stop would cut is not known']);
    expect(told({ answers: [dead('st3')] }, { acceptActive: true })).toEqual([]);
  });
  test('what stands on a host that no operation of this cluster acted on', () => {
    const stranger = { leaving: [leaving('st3', { member: false })], gates: [gate('st3', 'open', { ours: false })], answers: [] };
    expect(told(stranger)).toEqual(['st3 is no member, and no operation of this cluster ever acted on it: what stands there is not touched']);
  });
});

test('what people read', () => {
  const members = [{ site: 'prod', node: 'st1', address: 'a', role: 'server' as const }, { site: 'prod', node: 'ed1', address: 'b', role: 'edge' as const }];
  const debt = { site: 'prod', node: 'st3', address: 'c', what: 'gate' as const, since: '', because: '' };
  const nothing = { asked: ['st3'], leaving: [], unknown: [], members, paid: [], debts: [] };
  expect(removalSummary('demo', { ...nothing, leaving: ['st3'] })).toBe('st3 was removed from demo: 1 Server and 1 Edge are left.');
  expect(removalSummary('demo', { ...nothing, leaving: ['st3'], unknown: ['st3'], debts: [debt] })).toBe('st3 was removed from demo: 1 Server and 1 Edge are left. st3 does not answer: not known to be stopped, and not gated yet.');
  expect(removalSummary('demo', { ...nothing, paid: ['st3'] })).toBe('st3 answers now, is stopped and gated.');
  expect(removalSummary('demo', { ...nothing, debts: [debt] })).toBe('st3 still does not answer: not known to be stopped, and not gated.');
  expect(removalSummary('demo', nothing)).toBe('st3 is no member of demo, and nothing can be started there.');
  expect(leftByRemoval('demo', ['st2', 'st3'])[0]).toBe('keep st2 and st3 off, or off the network: nothing keeps the product from being started there. Once they answer, "stctl remove-node -c demo st2 st3" stops and gates them');
  expect(leftByEdges(['ed2'], ['ed1', 'ed3'])).toEqual([expect.stringMatching(/^take ed2 out of lib\/admin\/config\/servers on ed1 and ed3, where the Edges are synchronised\./)]);
  expect([leftByEdges([], ['ed1']), leftByEdges(['ed2'], [])]).toEqual([[], []]);
});

test('examples/remove-node.json is a valid input of removeNode; force without a reason is not', () => {
  const example = JSON.parse(readFileSync(join(__dirname, '../../../examples/remove-node.json'), 'utf8')) as object;
  expect(parseInput(removeNodeInput, example)).toMatchObject({ value: { cluster: 'demo', nodes: ['st3'], gracefulTimeout: 600_000 } });
  expect(parseInput(removeNodeInput, { cluster: 'demo', nodes: ['st3'], force: true })).toEqual({ problems: [expect.stringContaining('reason: expected the reason')] });
  expect(parseInput(removeNodeInput, { cluster: 'demo', nodes: [] })).toHaveProperty('problems');
});
