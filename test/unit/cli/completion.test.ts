/** What the shells are told may follow. */
import { execFileSync } from 'node:child_process';
import * as clusters from '../../../src/control/clusters';
import * as connect from '../../../src/control/connect';
import { stctl } from './terminal';

jest.mock('../../../src/control/clusters');
jest.mock('../../../src/control/connect');

beforeEach(() => {
  jest.mocked(connect.connectClient).mockResolvedValue({ connection: { close: async () => undefined } } as never);
  jest.mocked(clusters.listClusters).mockResolvedValue(['demo', 'demo2', 'prod']);
});

test.each([
  [['st'], ['status']],
  [['status', 'de'], ['demo', 'demo2']],
  [['status', '--wa'], ['--watch']],
  [['status', 'demo', '-o', 'j'], ['json', 'jsonl']],
  [['plan', 'set'], ['set-up-cluster']],
  [['plan', 'set-up-cluster', 'de'], ['demo', 'demo2']],
  [['plan', 'setUpCluster', '--fi'], ['--file']],
  [['adopt-cluster', '--cluster', 'p'], ['prod']],
  [['explain', 'Cluster'], ['ClusterBusy']],
  [['decide', 'x', '--do', 'd'], ['done-by-hand']],
  [['validate', '-f', 'cl'], []],
  [['nothing', 'x'], []],
])('after %j may come %j', async (words, found) => {
  const { code, stdout } = await stctl(['__complete', '--', ...words]);
  expect({ code, found: stdout.split('\n').filter(Boolean) }).toEqual({ code: 0, found });
});

test('a server that is away is no reason to say anything', async () => {
  jest.mocked(connect.connectClient).mockRejectedValue(new Error('away'));
  expect(await stctl(['__complete', '--', 'status', ''])).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('the helper is not in the help', async () => {
  expect((await stctl(['--help'])).stdout).not.toContain('__complete');
});

test('bash completes with it', async () => {
  const { stdout } = await stctl(['completion', 'bash']);
  const asked = execFileSync('bash', ['-c', `stctl() { printf '%s\\n' status; }\n${stdout}\nCOMP_WORDS=(stctl st) COMP_CWORD=1\n_stctl\necho "\${COMPREPLY[@]}"`], { encoding: 'utf8' });
  expect(asked.trim()).toBe('status');
});
