/** What every operation gets from its declaration: where the cluster and the fields come from, and the words that ask for the same again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as clusters from '../../../src/control/clusters';
import * as connect from '../../../src/control/connect';
import * as operations from '../../../src/control/operations';
import { report } from './samples';
import { stctl } from './terminal';

jest.mock('../../../src/control/clusters');
jest.mock('../../../src/control/connect');
jest.mock('../../../src/control/operations');

let folder: string;
const file = (content: string): string => {
  const path = join(folder, 'input.json');
  writeFileSync(path, content);
  return path;
};

beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'st-door-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  jest.clearAllMocks();
  jest.mocked(connect.connectClient).mockResolvedValue({ options: { identity: 'ops@desk' }, connection: { close: async () => undefined } } as never);
  jest.mocked(clusters.listClusters).mockResolvedValue(['demo']);
  jest.mocked(operations.startOperation).mockImplementation(async (_, { workflowId }) => ({ workflowId, runId: 'run-1', already: false }));
  jest.mocked(operations.findRunning).mockResolvedValue(false);
  jest.mocked(operations.look).mockResolvedValue({ workflowId: 'w', runId: 'run-1', status: 'COMPLETED', report: report({ outcome: 'planned', dryRun: true }), attempts: [] });
});

const input = async (...words: string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await stctl(['input', 'set-up-cluster', ...words]);
  return code === 0 ? (JSON.parse(stdout) as unknown) : stderr;
};

test('the cluster is the one named, that of ST_CLUSTER, or the only one there is, which is said', async () => {
  expect(await input('one')).toEqual({ cluster: 'one' });
  expect(await input('-c', 'two')).toEqual({ cluster: 'two' });
  expect(JSON.parse((await stctl(['input', 'setUpCluster'], { env: { ST_CLUSTER: 'three' } })).stdout)).toEqual({ cluster: 'three' });
  expect(await stctl(['input', 'set-up-cluster', '-o', 'jsonl'])).toEqual({ code: 0, stdout: '{"cluster":"demo"}\n', stderr: 'Cluster demo, the only one there is.\n' });
  jest.mocked(clusters.listClusters).mockResolvedValue(['demo', 'prod']);
  expect(await input()).toContain('which cluster? Name it, or set ST_CLUSTER: there are demo, prod');
  expect(await input('one', '-c', 'two')).toContain('the command is about cluster "one", not "two"');
});

test('an input file gives the fields, and what else is said wins', async () => {
  const path = file('{ "cluster": "demo", "reason": "as filed", "patience": "5m" }');
  expect(await input('--input-file', path)).toEqual({ cluster: 'demo', reason: 'as filed', patience: '5m' });
  expect(await input('--input-file', path, '-c', 'prod', '--patience', '1m')).toEqual({ cluster: 'prod', reason: 'as filed', patience: '1m' });
});

test.each([
  ['{ "cluster": "demo", "resaon": "x" }', 'resaon: unknown key; did you mean "reason"?'],
  ['{ "cluster": ', 'input.json: not valid JSON'],
  ['[]', 'expected one JSON object'],
])('an input file %s is refused before anything starts', async (content, hint) => {
  const { code, stderr } = await stctl(['set-up-cluster', '--yes', '--input-file', file(content)]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(hint) });
  expect(operations.startOperation).not.toHaveBeenCalled();
});

test('a plan is run under an id of its own, and names the command that runs exactly it', async () => {
  const { code, stdout, stderr } = await stctl(['plan', 'set-up-cluster', '--reason', 'it\'s due', '--patience=5m', '-v']);
  expect(code).toBe(0);
  expect(jest.mocked(operations.startOperation).mock.calls[0]![1]).toMatchObject({ workflowId: 'set-up-cluster/demo/plan', input: { cluster: 'demo', dryRun: true, reason: 'it\'s due', patience: '5m' } });
  expect(stdout).toContain(`Run exactly this: stctl set-up-cluster --reason 'it'\\''s due' --patience 5m --cluster demo --fingerprint 0123456789ab`);
  expect(stderr).toContain('temporal workflow start --type setUpCluster');
});

test('a dry run in the input file is one, whatever the verb', async () => {
  const { code, stdout } = await stctl(['set-up-cluster', '--input-file', file('{ "cluster": "demo", "dryRun": true }')]);
  expect({ code, plan: stdout.startsWith('Plan setUpCluster demo') }).toEqual({ code: 0, plan: true });
});
