/**
 * Every `kind` of JSON that stctl prints, against a file: fields may be added, never renamed or removed.
 * `ST_UPDATE_GOLDEN=1 npx jest test/unit/cli/golden` writes them anew.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as clusters from '../../../src/control/clusters';
import * as connect from '../../../src/control/connect';
import * as maintenance from '../../../src/control/maintenance';
import * as notifying from '../../../src/control/notifyTest';
import * as operations from '../../../src/control/operations';
import * as schedules from '../../../src/control/schedules';
import * as watching from '../../../src/control/watching';
import { health, lease, record, report, schedule, window } from './samples';
import { stctl } from './terminal';

jest.mock('../../../src/control/clusters');
jest.mock('../../../src/control/connect');
jest.mock('../../../src/control/maintenance');
jest.mock('../../../src/control/notifyTest');
jest.mock('../../../src/control/operations');
jest.mock('../../../src/control/schedules', () => ({ ...jest.requireActual<object>('../../../src/control/schedules'), applySchedules: jest.fn(), listSchedules: jest.fn(), removeSchedules: jest.fn() }));
jest.mock('../../../src/control/watching');

const examples = join(__dirname, '../../../examples/cluster.yaml');
const golden = join(__dirname, 'golden');
const running = report({ phase: 'working', outcome: 'running', steps: [{ ...report().steps[0]!, state: 'running' }] });
const closed = { workflowId: 'set-up-cluster/demo', runId: 'run-1', status: 'COMPLETED', report: report(), attempts: [] };

beforeEach(() => {
  jest.useFakeTimers({ now: Date.parse('2026-10-01T12:02:00.000Z'), doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'setInterval', 'queueMicrotask'] });
  jest.mocked(connect.connectClient).mockResolvedValue({ options: { identity: 'ops@desk' }, connection: { close: async () => undefined } } as never);
  jest.mocked(clusters.readCluster).mockResolvedValue(record());
  jest.mocked(clusters.listClusters).mockResolvedValue(['demo']);
  jest.mocked(clusters.applySpec).mockResolvedValue({ revision: 2, changed: true, from: 1, changes: ['sites.prod.label'] });
  jest.mocked(operations.startOperation).mockResolvedValue({ workflowId: 'set-up-cluster/demo', runId: 'run-1', already: false });
  jest.mocked(operations.look).mockResolvedValue(closed);
  jest.mocked(operations.runsOf).mockResolvedValue([]);
  jest.mocked(watching.readHealth).mockResolvedValue(null);
  jest.mocked(watching.lookAtHealth).mockResolvedValue(health());
  jest.mocked(operations.findOperation).mockResolvedValue({ workflowId: 'set-up-cluster/demo', runId: 'run-1' } as never);
  jest.mocked(operations.cancelOperation).mockResolvedValue({ ...closed, status: 'RUNNING', report: running });
  jest.mocked(operations.decide).mockResolvedValue('recorded: retry');
});
afterEach(() => jest.useRealTimers());

const statusInWords = `\
Cluster demo   ACTIVE SITE prod (fra)   active   revision 2, epoch 3
BELOW THRESHOLD   1 of 3 Servers Online, at least 2 asked for   seen 12:01:58Z
Problems:
  - 1 of 3 Servers are Online or excused, fewer than the 2 that are asked for.
  - st2 is Offline: port 8444 refuses
  - st3 is Unknown: does not answer
  - lb1 sees ed2 as MAINT, expected UP
Too few Servers since 2026-10-01T12:01:00Z
Incident of st2 since 2026-10-01T11:58:00Z, 2 times
Reported by nagios at 2026-10-01T12:01:30Z: st3: ping lost

NODE  ROLE    STATE    LAST SEEN  WHY      SVC  LB           SESS  STREAM  SINCE
st2   Server  OFFLINE             refused  0/5                             4m00s
st3   Server  Unknown  12:00:54Z  silent   0/5                             1m00s
ed2   Edge    Online                       2/2  UP/MAINT/UP  12    1/3     2h12m
st1   Server  Online                       5/5               12            2h12m
ed1   Edge    Online                       2/2  UP           12    1/3     2h12m

No operation is running.
Last: setUpCluster completed 2026-10-01T12:01:12Z: 3 Servers are Online.
Version 5.5-20251030.
`;

/** Compares what a command prints with the file of this name; answers the kinds in it. */
async function compare(name: string, words: string[], kind = name): Promise<void> {
  const { stdout, stderr } = await stctl([...words, '-o', 'json']);
  const file = join(golden, `${name}.json`);
  if (!stdout) throw new Error(`nothing was printed: ${stderr}`);
  // The spec has tests and a schema of its own.
  const printed = JSON.parse(stdout.replaceAll(examples, 'examples/cluster.yaml'), (key, value: unknown) => (key === 'spec' ? 'as applied' : value)) as object;
  if (process.env['ST_UPDATE_GOLDEN']) writeFileSync(file, `${JSON.stringify(printed, null, 2)}\n`);
  expect(printed).toMatchObject(JSON.parse(readFileSync(file, 'utf8')) as object);
  expect(printed).toMatchObject({ apiVersion: 'st-orchestrator/v1', kind });
}

test('Validation', () => compare('Validation', ['validate', '-f', examples]));
test('AppliedCluster', () => compare('AppliedCluster', ['apply', '-f', examples]));
test('ClusterStatusList', () => compare('ClusterStatusList', ['status']));
test('ClusterStatus, with what runs', async () => {
  jest.mocked(clusters.readCluster).mockResolvedValue(record({ lease, phase: 'setting up' }));
  jest.mocked(operations.look).mockResolvedValue({ ...closed, status: 'RUNNING', report: running });
  await compare('ClusterStatus', ['status', 'demo']);
});
test('ClusterStatus, with what the monitor sees: problems first, the time of the look, and 8', async () => {
  jest.mocked(watching.readHealth).mockResolvedValue(health());
  await compare('ClusterStatus.health', ['status', 'demo'], 'ClusterStatus');
  const { code, stdout } = await stctl(['status', 'demo']);
  expect({ code, stdout }).toEqual({ code: 8, stdout: statusInWords });
  expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
});
test('ClusterHealth', () => compare('ClusterHealth', ['check-health', 'demo']));
test('NodeList, EdgeList and BalancerList', async () => {
  jest.mocked(watching.readHealth).mockResolvedValue(health());
  await compare('NodeList', ['nodes', 'demo']);
  await compare('EdgeList', ['edges', 'demo']);
  await compare('BalancerList', ['lb', 'demo']);
});
test('StartedMonitor', async () => {
  jest.mocked(watching.startMonitor).mockResolvedValue({ workflowId: 'monitor/demo', already: true });
  await compare('StartedMonitor', ['monitor-cluster', 'demo', '--interval', '1s']);
  expect(watching.startMonitor).toHaveBeenLastCalledWith(expect.anything(), { cluster: 'demo', settings: { interval: '1s' }, taskQueue: 'st-orchestrator' });
});
test('PausedMonitor and ResumedMonitor: a pause has an end and a reason', async () => {
  jest.mocked(watching.tellMonitor).mockResolvedValue('demo is not watched until 2026-10-01T14:02:00.000Z');
  await compare('PausedMonitor', ['pause', 'demo', '--for', '2h', '--reason', 'new network']);
  await compare('ResumedMonitor', ['resume', 'demo']);
  for (const words of [['--reason', 'x'], ['--for', '2h'], ['--for', 'soon', '--reason', 'x'], ['--until', '2026-10-01T13:00', '--reason', 'x'], ['--until', '2020-10-01T13:00:00Z', '--reason', 'x']]) expect((await stctl(['pause', 'demo', ...words])).code).toBe(2);
});
test('MaintenanceWindow and MaintenanceList', async () => {
  jest.mocked(maintenance.changeMaintenance).mockResolvedValue({ window, open: [window] });
  await compare('MaintenanceWindow', ['maintenance', 'start', 'demo', '--nodes', 'st2', '--for', '2h', '--reason', 'new disks', '--ticket', 'CHG-4711']);
  expect(maintenance.changeMaintenance).toHaveBeenLastCalledWith(expect.anything(), 'demo', { start: { nodes: ['st2'], for: '2h', reason: 'new disks', ticket: 'CHG-4711', by: 'ops@desk' } });
  jest.mocked(maintenance.changeMaintenance).mockResolvedValue({ window, open: [] });
  await compare('MaintenanceWindow.ended', ['maintenance', 'end', 'demo', window.id], 'MaintenanceWindow');
  jest.mocked(clusters.readCluster).mockResolvedValue(record({ maintenance: [window, { ...window, id: 'm-ba9876543210', nodes: [], until: '2026-10-01T11:59:00.000Z' }] }));
  await compare('MaintenanceList', ['maintenance', 'list', 'demo']);
  const { stdout } = await stctl(['maintenance', 'list', 'demo', '-o', 'name']);
  expect(stdout).toBe(`${window.id}\n`);
});
test('ScheduleList and RemovedSchedules', async () => {
  jest.mocked(schedules.applySchedules).mockResolvedValue([{ ...schedule, changed: 'created' }]);
  await compare('ScheduleList.applied', ['schedules', 'apply', 'demo', '--health-every', '90s'], 'ScheduleList');
  expect(schedules.applySchedules).toHaveBeenLastCalledWith(expect.anything(), 'demo', { taskQueue: 'st-orchestrator', every: { health: 90_000 } });
  jest.mocked(schedules.listSchedules).mockResolvedValue([{ ...schedule, paused: true, last: '2026-10-01T12:00:00.000Z' }]);
  await compare('ScheduleList', ['schedules', 'list']);
  jest.mocked(schedules.removeSchedules).mockResolvedValue(['health/demo']);
  await compare('RemovedSchedules', ['schedules', 'remove', 'demo']);
});
test('NotificationReport: 1 when a way did not arrive', async () => {
  jest.mocked(notifying.notifyTest).mockResolvedValue({
    apiVersion: 'st-orchestrator/v1', kind: 'NotificationReport', event: 'test.20261001120200000', cluster: 'demo',
    ways: [{ way: 'mail', arrived: true, note: 'handed to mail.example.com:587 for mft@example.com' }, { way: 'webhook', arrived: false, note: 'hooks.example.com answered 503' }],
  });
  await compare('NotificationReport', ['notify-test', 'demo']);
  expect((await stctl(['notify-test', 'demo'])).code).toBe(1);
});
test('what stands around a watch that is paused: nothing is known to be dead, and nobody is advised to replace it', async () => {
  const seen = health();
  jest.mocked(watching.readHealth).mockResolvedValue({ ...seen, watch: { ...seen.watch!, paused: { until: '2026-10-01T14:00:00.000Z', by: 'ops@desk', reason: 'network' } } });
  const { stderr } = await stctl(['status', 'demo']);
  expect(stderr).toBe('Watch it again: stctl resume demo\n');
});
test('OperationHistory', () => compare('OperationHistory', ['history', 'demo']));
test('OperationReport', () => compare('OperationReport', ['report', 'set-up-cluster/demo']));
test('StartedOperation', () => compare('StartedOperation', ['set-up-cluster', 'demo', '--yes', '--detach']));
test('CancelRequest', () => compare('CancelRequest', ['cancel', 'set-up-cluster/demo', '--reason', 'wrong database']));
test('RecordedDecision', () => compare('RecordedDecision', ['decide', 'set-up-cluster/demo', '--step', 'Start the Server', '--node', 'st2', '--do', 'retry', '--reason', 'cable is back']));
test('Adoption', async () => {
  const result = { file: { kind: 'Cluster' }, differences: [{ about: 'time zone', values: [{ value: 'UTC', nodes: ['st1'] }, { value: 'JST', nodes: ['st2'] }] }], left: 0, notes: [{ what: 'a note', remedy: 'a remedy' }], obstacles: [] };
  jest.mocked(operations.look).mockResolvedValue({ ...closed, report: report({ operation: 'adoptCluster', outcome: 'planned', dryRun: true, steps: [], result }) });
  await compare('Adoption', ['adopt-cluster', '-f', join(__dirname, '../../../examples/seed.yaml')]);
  const { stdout, stderr } = await stctl(['adopt-cluster', '-f', join(__dirname, '../../../examples/seed.yaml')]);
  expect(stdout).toMatch(/^# Cluster "demo" as it was found at [^]*\nkind: Cluster\n$/);
  expect(stderr).toContain('1 difference between the Servers:\n  - time zone: st1: UTC | st2: JST\n');
  expect(stderr).toContain('  - a note\n    a remedy\n');
});
test('NothingRunning', () => compare('NothingRunning', ['watch', 'demo']));
test('ExitCodes', () => compare('ExitCodes', ['explain', 'exit-codes']));

test('OperationEvent', async () => {
  jest.mocked(operations.look).mockResolvedValueOnce({ ...closed, status: 'RUNNING', report: running, attempts: [{ key: 'a/st1', attempt: 3, lastFailure: 'st1: connection refused' }] });
  const { stdout } = await stctl(['watch', 'set-up-cluster/demo', '-o', 'jsonl']);
  const events = stdout.trim().split('\n').map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'OperationEvent');
  const file = join(golden, 'OperationEvent.json');
  if (process.env['ST_UPDATE_GOLDEN']) writeFileSync(file, `${JSON.stringify(events, null, 2)}\n`);
  expect(events).toMatchObject(JSON.parse(readFileSync(file, 'utf8')));
});

test('Explanation: the texts are the model\'s, the fields are these', async () => {
  const { stdout } = await stctl(['explain', 'clusterbusy', '-o', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({ apiVersion: 'st-orchestrator/v1', kind: 'Explanation', code: 'ClusterBusy', happened: expect.any(String), state: expect.any(String), byItself: expect.any(String), youCan: expect.any(Array) });
});

test('no golden file is left over', () => {
  expect(readdirSync(golden).sort()).toEqual([
    'Adoption.json', 'AppliedCluster.json', 'BalancerList.json', 'CancelRequest.json', 'ClusterHealth.json', 'ClusterStatus.health.json', 'ClusterStatus.json', 'ClusterStatusList.json', 'EdgeList.json', 'ExitCodes.json', 'MaintenanceList.json', 'MaintenanceWindow.ended.json', 'MaintenanceWindow.json', 'NodeList.json', 'NothingRunning.json', 'NotificationReport.json',
    'OperationEvent.json', 'OperationHistory.json', 'OperationReport.json', 'PausedMonitor.json', 'RecordedDecision.json', 'RemovedSchedules.json', 'ResumedMonitor.json', 'ScheduleList.applied.json', 'ScheduleList.json', 'StartedMonitor.json', 'StartedOperation.json', 'Validation.json',
  ]);
});

test.each(['table', 'wide', 'json', 'jsonl', 'yaml', 'name'])('-o %s: stdout is data alone, with a newline at its end', async (format) => {
  jest.mocked(watching.readHealth).mockResolvedValue(health({ health: 'ok', problems: [] }));
  for (const words of [['status', 'demo'], ['status'], ['history', 'demo'], ['report', 'set-up-cluster/demo'], ['watch', 'set-up-cluster/demo']]) {
    const { code, stdout } = await stctl([...words, '-o', format]);
    expect({ words, code, ends: stdout.endsWith('\n') && !stdout.endsWith('\n\n') }).toEqual({ words, code: 0, ends: true });
    expect(stdout).not.toMatch(/Next:.*stctl|\u001b/);
  }
});
