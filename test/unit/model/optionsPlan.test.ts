import type { ServerFacts } from '../../../src/model/facts';
import { planOptions } from '../../../src/model/optionsPlan';

const server = (more: Partial<ServerFacts> = {}): ServerFacts => ({ node: 'st1', admin: 'running', tm: false, daemons: false, members: [], threshold: null, options: null, ...more });
const wanted = { 'Cluster.enable.SSL': ['true'], 'EventQueue.DispatchPolicy.name': ['roundRobinPolicy'] };
const found = { 'Cluster.enable.SSL': ['true'], 'EventQueue.DispatchPolicy.name': ['cacheBasedPolicy'] };

test('a new cluster that nobody can ask yet gets all of them', () => {
  expect(planOptions(wanted, { complete: false, servers: [server({ admin: 'not running' })] })).toEqual({ set: wanted, problems: [] });
});

test('a cluster that does not serve yet gets what differs', () => {
  expect(planOptions(wanted, { complete: false, servers: [server({ admin: 'not running' }), server({ options: found })] })).toEqual({ set: { 'EventQueue.DispatchPolicy.name': ['roundRobinPolicy'] }, problems: [] });
});

test.each([['has been set up', true, false], ['runs a Transaction Manager', false, true]])('a cluster that %s keeps its options, and the difference is told', (_, complete, tm) => {
  const plan = planOptions({ ...wanted, 'No.such': ['x'] }, { complete, servers: [server({ options: found, tm })] });
  expect(plan.set).toEqual({});
  expect(plan.problems.map(({ what, level }) => [what, level])).toEqual([
    ['the option EventQueue.DispatchPolicy.name is "cacheBasedPolicy", the cluster file says "roundRobinPolicy"; a set-up does not change the options of a cluster that serves', 'warning'],
    ['the option No.such is not known to the product, the cluster file says "x"; a set-up does not change the options of a cluster that serves', 'warning'],
  ]);
});

test('what serves and can\'t be asked is left alone', () => {
  expect(planOptions(wanted, { complete: true, servers: [server({ admin: 'not running' })] })).toEqual({ set: {}, problems: [] });
});
