/** `rebalance-workload --undo`: whose input it is that takes something back, when an id has several runs. */
import * as connect from '../../../src/control/connect';
import * as operations from '../../../src/control/operations';
import { report } from './samples';
import { stctl } from './terminal';

jest.mock('../../../src/control/connect');
jest.mock('../../../src/control/operations');

const id = 'rebalance-workload/demo';
const undo = { cluster: 'demo', weights: { ed1: 5 } };
/** Runs of that id, newest first. */
function runs(...of: [outcome: string, result?: object][]): void {
  const sightings = of.map(([outcome, result], index) => ({ workflowId: id, runId: `run-${index}`, status: 'COMPLETED', attempts: [], report: report({ outcome: outcome as never, ...(result ? { result } : {}) }) }));
  jest.mocked(operations.look).mockImplementation(async (_client, _id, runId) => sightings.find((one) => one.runId === runId) ?? sightings[0]!);
  jest.mocked(operations.runsOf).mockResolvedValue(sightings.map(({ runId }) => ({ runId, status: 'COMPLETED', startedAt: '2026-10-01T12:00:00Z' })));
}
beforeEach(() => void jest.mocked(connect.connectClient).mockResolvedValue({ options: { identity: 'ops@desk' }, connection: { close: async () => undefined } } as never));

const asked = () => stctl(['input', 'rebalance-workload', '--undo', id]);

test('the last run is taken back, and runs after it that changed nothing are passed over', async () => {
  for (const after of [[], [['nothing to do']], [['refused'], ['nothing to do']]] as [string][][]) {
    runs(...after, ['completed', { undo }], ['completed', { undo: { cluster: 'demo', weights: { ed1: 9 } } }]);
    const { code, stdout } = await asked();
    expect({ code, input: JSON.parse(stdout) }).toEqual({ code: 0, input: undo });
  }
});

test('one that put back itself what it had begun is not passed over: what came before it is named, and left to the person', async () => {
  runs(['refused'], ['failed'], ['completed', { undo }]);
  expect(await asked()).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/names nothing that takes it back[^]*--run 2/) });
});
