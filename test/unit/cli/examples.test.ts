/** The files in examples/ are right, and stay equal to what they are made from. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { clusterSpec } from '../../../lab/files';
import { planLab } from '../../../lab/plan';
import { doors } from '../../../src/cli/doors';
import { kebabCase } from '../../../src/model/ids';
import { adoptClusterInput, setUpClusterInput, parseInput } from '../../../src/model/inputs';
import { documentedStarts } from '../../helpers/documentedStarts';
import { stctl } from './terminal';

const examples = join(__dirname, '../../../examples');

test('examples/cluster.yaml is a valid cluster of three Servers', async () => {
  const { code, stdout } = await stctl(['validate', '-f', join(examples, 'cluster.yaml')]);
  expect(code).toBe(0);
  expect(stdout).toContain('cluster mft-prod: prod with 3 Servers');
});

test('examples/set-up-cluster.json is a valid input of setUpCluster', () => {
  expect(parseInput(setUpClusterInput, JSON.parse(readFileSync(join(examples, 'set-up-cluster.json'), 'utf8')))).toHaveProperty('value.cluster', 'demo2');
});

const exampleOf = (operation: string): string => join(examples, `${kebabCase(operation)}.json`);
test.each(doors.map(({ operation }) => operation).filter((operation) => existsSync(exampleOf(operation))))('the example of %s is a valid input of it, by file as by the temporal CLI', async (operation) => {
  const { code, stdout, stderr } = await stctl(['input', operation, '--input-file', exampleOf(operation)]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(exampleOf(operation), 'utf8')));
});

test('every example of an operation has one line in the documents that starts it by the temporal CLI, under the id that stctl gives it', () => {
  const starts = documentedStarts();
  expect(starts.map(({ type }) => type).sort()).toEqual(doors.map(({ operation }) => operation).filter((operation) => existsSync(exampleOf(operation))).sort());
  for (const { line, type, workflowId, file } of starts) {
    const { cluster, node, nodes = [], by, seed } = JSON.parse(readFileSync(join(examples, '..', file), 'utf8')) as { cluster: string; node?: string; nodes?: string[]; by?: string; seed?: object };
    const about = [...nodes, node, by].filter(Boolean).join('-');
    expect({ line, file, workflowId }).toEqual({ line, file: `examples/${kebabCase(type)}.json`, workflowId: [kebabCase(type), cluster, about, seed && 'plan'].filter(Boolean).join('/') });
    for (const option of ['--task-queue st-orchestrator', '--fail-existing', '--task-timeout 3s']) expect(line).toContain(option);
  }
});

test('examples/adopt-cluster.json and examples/seed.yaml are valid inputs of adoptCluster', async () => {
  expect(parseInput(adoptClusterInput, JSON.parse(readFileSync(join(examples, 'adopt-cluster.json'), 'utf8')))).toMatchObject({ value: { cluster: 'demo', dryRun: true } });
  const { code, stdout } = await stctl(['input', 'adopt-cluster', '-f', join(examples, 'seed.yaml')]);
  expect({ code, input: JSON.parse(stdout) }).toMatchObject({ code: 0, input: { cluster: 'mft-prod', seed: { kind: 'ClusterSeed' } } });
});

test('examples/set-up-cluster.json is what "stctl input" prints for the demo\'s spare hosts', async () => {
  const plan = planLab({ name: 'demo', servers: 3, spare: 2, productTimeMs: 300, lies: '1', seed: 1, postgres: {} }, 0);
  const folder = mkdtempSync(join(tmpdir(), 'st-example-'));
  try {
    writeFileSync(join(folder, 'cluster2.yaml'), stringify(clusterSpec(plan, plan.clusters[1]!)));
    const { code, stdout } = await stctl(['input', 'setUpCluster', '-f', join(folder, 'cluster2.yaml')]);
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(join(examples, 'set-up-cluster.json'), 'utf8'))).toEqual(JSON.parse(stdout.replaceAll(folder, '/run/st-lab/demo')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
