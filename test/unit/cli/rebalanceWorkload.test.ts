import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadText } from '../../../src/cli/workloadText';
import { parseInput } from '../../../src/model/inputs';
import { rebalanceWorkloadInput } from '../../../src/model/rebalanceWorkloadInput';
import { stctl } from './terminal';

const input = async (...words: string[]) => {
  const { code, stdout, stderr } = await stctl(['input', 'rebalance-workload', '--cluster', 'demo', ...words]);
  return code === 0 ? (JSON.parse(stdout) as object) : { code, stderr };
};

test('what a command line says becomes the input', async () => {
  expect(await input('--policy', 'attributeMatchPolicy', '--assign', 'st1:PUSH,-PGP,X=a,-Y', '--assign', 'st2:PULL', '--whole-cluster', 'PGP,MAINTENANCE', '--weight', 'ed1=10', '--window', '5s', '--accept-active')).toEqual({
    cluster: 'demo', policy: 'attributeMatchPolicy', assign: { st1: { PUSH: true, PGP: false, X: 'a', Y: null }, st2: { PULL: true } }, toWholeCluster: ['PGP', 'MAINTENANCE'], weights: { ed1: 10 }, window: '5s', acceptActive: true,
  });
  expect(await input('--suggest')).toEqual({ cluster: 'demo', suggest: true });
});

test.each([[['--assign', 'st1'], '--assign: expected a Server'], [['--weight', 'ed1'], '--weight: expected a node'], [['--policy', 'none'], 'expected cacheBasedPolicy'], [[], 'nothing is asked for']])('%j is refused before anything starts', async (words, why) => {
  expect(await input(...words)).toMatchObject({ code: 2, stderr: expect.stringContaining(why) });
});

test('examples/rebalance-workload.json is a valid input', () => {
  expect(parseInput(rebalanceWorkloadInput, JSON.parse(readFileSync(join(__dirname, '../../../examples/rebalance-workload.json'), 'utf8')))).toMatchObject({ value: { cluster: 'demo', window: 60_000 } });
});

test('a measured load is a line for each Server, with what could not be measured', () => {
  expect(loadText({ windowMs: 60_000, looks: 90, events: 3, rate: 1.5, crowding: 2, imbalance: 1.333, noise: 0.1, unassigned: 0.5, missing: ['st2: no answer'], nodes: [
    { node: 'st1', types: { PUSH: { waiting: 2, active: 1, ended: 1.5 } }, cores: 4, cpu: 0.256, sessions: 3 }, { node: 'st2', types: {}, cores: null, cpu: null, sessions: null }] })).toBe([
    'Measured for 60 s in 90 looks: 1.5 events a second, imbalance 1.33 (1 is evenly spread; noise 0.1)',
    'st1  CPU 25.6 % of 4  sessions 3  PUSH 2 waiting, 1 in process, 1.5/s',
    'st2  CPU ? of ?  sessions ?  no events seen',
    'events that no Server had: 0.5',
    'not measured: st2: no answer',
  ].join('\n'));
});
