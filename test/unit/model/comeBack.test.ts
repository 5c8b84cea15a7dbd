/** With which Server a cluster comes back all of whose Servers were removed, and what keeps it from that. */
import { firstToReturn, hasNoServerLeft, returnProblems, silentReturn } from '../../../src/model/comeBack';
import type { Debt } from '../../../src/model/cluster';
import type { GateFacts } from '../../../src/model/gate';

const removed = (node: string, more: Partial<GateFacts> = {}): GateFacts => ({ node, gate: 'closed', why: '', runs: false, ours: true, epoch: 1, ...more });
const silent = (node: string): GateFacts => removed(node, { gate: 'unknown', why: 'no answer', ours: false, runs: null });
const debt = (node: string): Debt => ({ site: 'prod', node, address: node, what: 'gate', since: '', because: '' });

test('only a cluster that is known to have worked, with Edges or nobody left', () => {
  const [server, edge] = [{ role: 'server' as const }, { role: 'edge' as const }];
  const left = (members: { role: 'server' | 'edge' }[], more: object = {}): boolean => hasNoServerLeft({ complete: true, members, ...more });
  expect([left([]), left([edge, edge])]).toEqual([true, true]);
  expect([left([edge, server]), left([edge], { complete: false }), left([], { recovered: true })]).toEqual([false, false, false]);
  // Records from before members had roles know Servers alone.
  expect(left([{} as never])).toBe(false);
});

test.each<[string, GateFacts[], Debt[], string]>([
  ['the first of the cluster file', [removed('st1'), removed('st2')], [], 'st1'],
  ['one that answers before one that does not', [silent('st1'), removed('st2')], [], 'st2'],
  ['one that a try before has opened, and one that it has started', [removed('st1'), removed('st2', { gate: 'open' })], [], 'st2'],
  ['one that a try before has started', [removed('st1', { gate: 'open' }), removed('st2', { gate: 'open', runs: true })], [], 'st2'],
  ['one that was stopped in order before one that was removed while it was dead', [removed('st1', { gate: 'open' }), removed('st2')], [debt('st1')], 'st2'],
  ['one on which something of the cluster stands before an empty host, and before what is not ours', [removed('st1', { gate: 'none' }), removed('st2', { gate: 'open', runs: true, ours: false }), removed('st3')], [], 'st3'],
])('it comes back with %s', (_, gates, debts, node) => {
  expect(firstToReturn(gates, debts)?.node).toBe(node);
});

test('what is not known, and what runs beside it', () => {
  expect(returnProblems('demo', [removed('st1'), removed('st2')], [debt('st2')])).toEqual([]);
  expect(returnProblems('demo', [removed('st1'), silent('st2')], [debt('st2')])).toEqual([expect.objectContaining({ what: 'st2 does not answer (no answer): it was removed, and may still run', level: 'warning' })]);
  expect(returnProblems('demo', [removed('st1'), removed('st2', { gate: 'open', runs: true })], [debt('st2')])).toEqual([{ what: 'st2 was removed while it did not answer, and runs now: what it works on is not known', remedy: 'look at what it works on, stop it (FILEDRIVEHOME/bin/stop_all), and run this again; once a Server is back, "stctl remove-node -c demo st2" gates it' }]);
  expect(returnProblems('demo', [removed('st1', { runs: true }), removed('st2', { runs: true })], [])).toEqual([expect.objectContaining({ what: 'the product runs on st1, st2, and none of them is a member of demo' })]);
});

test('one that runs and can\'t be asked whom it serves is not started over', () => {
  const seen = (admin: 'running' | 'not operational' | 'not running') => ({ node: 'st1', admin, tm: false, daemons: false, members: null, threshold: null, options: null });
  expect(silentReturn(removed('st1', { gate: 'open', runs: true }), seen('not running'))).toEqual([expect.objectContaining({ what: expect.stringMatching(/^the product runs on st1, or may run, and its Administration Tool does not answer/) })]);
  for (const admin of ['running', 'not operational'] as const) expect(silentReturn(removed('st1', { gate: 'open', runs: true }), seen(admin))).toEqual([]);
  expect(silentReturn(removed('st1'), seen('not running'))).toEqual([]);
});
