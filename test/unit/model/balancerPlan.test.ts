import { heldOutWarnings, planBalancers, type BalancerFacts } from '../../../src/model/balancerPlan';

const wanted = [{ name: 'lb1', backend: 'demo_prod' }, { name: 'lb2', backend: 'demo_prod' }];
const fine = (name: string): BalancerFacts => ({ name, heldOut: [], active: 'demo_prod', persisted: 'demo_prod', serving: ['st1', 'st2'], saved: ['st1', 'st2'], epoch: null });

test.each<[string, BalancerFacts[], object]>([
  ['nothing, when both send to the site and to every node', [fine('lb1'), fine('lb2')], { serve: [], activate: [] }],
  ['the node that one of them leaves out', [fine('lb1'), { ...fine('lb2'), serving: ['st1'] }], { serve: [{ balancer: 'lb2', node: 'st2' }], activate: [] }],
  ['the node that a reload would leave out', [{ ...fine('lb1'), saved: ['st2'] }, fine('lb2')], { serve: [{ balancer: 'lb1', node: 'st1' }], activate: [] }],
  ['nothing, where no file of states is kept', [{ ...fine('lb1'), saved: null }, fine('lb2')], { serve: [], activate: [] }],
  ['the site, where the memory names another', [{ ...fine('lb1'), active: 'none' }, fine('lb2')], { serve: [], activate: ['lb1'] }],
  ['the site, where only the file does: a reload would undo the switch', [fine('lb1'), { ...fine('lb2'), persisted: 'none' }], { serve: [], activate: ['lb2'] }],
  ['everything, of a balancer nothing is known of', [fine('lb1')], { serve: [{ balancer: 'lb2', node: 'st1' }, { balancer: 'lb2', node: 'st2' }], activate: ['lb2'] }],
])('the balancers are told %s', (_, found, plan) => {
  expect(planBalancers(wanted, ['st1', 'st2'], found, { complete: true })).toEqual(plan);
});

test('a node that was taken out of a cluster that works is left out and named; before it works all are put in', () => {
  const found = [{ ...fine('lb1'), serving: ['st1'], saved: ['st1'], heldOut: ['st2', 'st9'] }, fine('lb2')];
  expect(planBalancers(wanted, ['st1', 'st2'], found, { complete: true }).serve).toEqual([]);
  expect(heldOutWarnings(['st1', 'st2'], found, { complete: true })).toEqual([{ level: 'warning', what: expect.stringMatching(/^lb1: st2 is in maintenance or draining there, .*; it is left so$/), remedy: expect.any(String) }]);
  const ours = [{ ...found[0]!, heldOut: [], takenOut: [{ node: 'st2', operation: 'rolling-restart/demo', epoch: 3 }] }, fine('lb2')];
  expect(planBalancers(wanted, ['st1', 'st2'], ours, { complete: true }).serve).toEqual([{ balancer: 'lb1', node: 'st2' }]);
  expect(heldOutWarnings(['st1', 'st2'], ours, { complete: true })).toEqual([{ level: 'warning', what: 'lb1: st2 was taken out there by rolling-restart/demo (epoch 3), which did not put it back', remedy: expect.any(String) }]);
  expect(planBalancers(wanted, ['st1', 'st2'], found, { complete: false }).serve).toEqual([{ balancer: 'lb1', node: 'st2' }]);
  expect(heldOutWarnings(['st1', 'st2'], found, { complete: false })).toEqual([]);
});
