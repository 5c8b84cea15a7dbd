/** A record and a report as they come from the server, with fixed times. */
import type { ScheduleView } from '../../../src/control/schedules';
import type { ClusterRecord, Maintenance } from '../../../src/model/cluster';
import type { ClusterHealth, NodeHealth } from '../../../src/model/health';
import type { OperationReport } from '../../../src/model/operation';
import { parseClusterSpec } from '../../../src/model/spec';
import { demoFile } from '../model/demoFile';

export const spec = parseClusterSpec(demoFile()).spec!;

export const record = (over: Partial<ClusterRecord> = {}): ClusterRecord => ({
  apiVersion: 'st-orchestrator/v1', kind: 'ClusterStatus', name: 'demo', phase: 'active', complete: true, spec, revision: 2,
  members: [1, 2, 3].map((n) => ({ site: 'prod', node: `st${n}`, address: `10.86.0.1${n}`, role: 'server' as const })).concat([1, 2].map((n) => ({ site: 'prod', node: `ed${n}`, address: `10.86.0.2${n}`, role: 'edge' as const })) as never), activeSite: 'prod', epoch: 3, changedBy: 3, lease: null, left: [], unfinished: [], debts: [], maintenance: [],
  operations: [{ operation: 'setUpCluster', workflowId: 'set-up-cluster/demo', epoch: 3, startedAt: '2026-10-01T12:00:00.000Z', endedAt: '2026-10-01T12:01:12.000Z', outcome: 'completed', summary: '3 Servers are Online.' }],
  ...over,
});

export const lease = { workflowId: 'set-up-cluster/demo', firstExecutionRunId: 'run-1', operation: 'setUpCluster', epoch: 3, since: '2026-10-01T12:00:00.000Z' };

export const report = (over: Partial<OperationReport> = {}): OperationReport => ({
  apiVersion: 'st-orchestrator/v1', kind: 'OperationReport', operation: 'setUpCluster', cluster: 'demo', workflowId: 'set-up-cluster/demo', dryRun: false,
  phase: 'ended', phaseSince: '2026-10-01T12:01:12.000Z', outcome: 'completed', summary: '3 Servers are Online.', now: 'Everything asked for is as it should be.', next: 'Nothing.',
  epoch: 3, revision: 2, fingerprint: '0123456789ab', startedAt: '2026-10-01T12:00:00.000Z', endedAt: '2026-10-01T12:01:12.000Z',
  checks: [{ key: 'check/host/st1', title: 'The host is ready', node: 'st1', state: 'passed', problems: [], endedAt: '2026-10-01T12:00:09.000Z' }],
  steps: [
    { key: 'a/st1', title: 'Install the Server', node: 'st1', state: 'done', changed: true, note: 'installed', startedAt: '2026-10-01T12:00:10.000Z', took: 30_000 },
    { key: 'b/st1', title: 'Start the Server', node: 'st1', state: 'done', changed: false, note: 'was running', startedAt: '2026-10-01T12:00:40.000Z', took: 1_200 },
  ],
  unfinished: [], decisions: [], requestedBy: 'ops@desk', reason: 'first set-up', ...over,
});

const server = (n: number, over: Partial<NodeHealth> = {}): NodeHealth => ({
  node: `st${n}`, site: 'prod', role: 'server', address: `10.86.0.1${n}`, state: 'Online', since: '2026-10-01T09:50:00.000Z', lastSeen: '2026-10-01T12:01:58.000Z', services: { running: 5, of: 5, stopped: [] },
  sessions: 12, version: '5.5-20251030', streaming: { connected: 2, of: 2, missing: [] }, ...over,
});
const edge = (n: number, over: Partial<NodeHealth> = {}): NodeHealth =>
  server(0, { node: `ed${n}`, role: 'edge', address: `10.86.0.2${n}`, services: { running: 2, of: 2, stopped: [] }, balancer: [{ name: 'lb1', wanted: 'UP', runtime: 'UP', file: 'UP' }], streaming: { connected: 1, of: 3, missing: ['st2', 'st3'] }, ...over });

/** st2 refuses, st3 is silent, and lb1 has ed2 out although it should be in. */
export const health = (over: Partial<ClusterHealth> = {}): ClusterHealth => ({
  apiVersion: 'st-orchestrator/v1', kind: 'ClusterHealth', cluster: 'demo', site: 'prod', sampledAt: '2026-10-01T12:01:58.000Z', online: 1, members: 3, minimumNodes: 2, health: 'below threshold',
  nodes: [
    server(2, { state: 'Offline', why: 'port 8444 refuses', cause: 'refused', since: '2026-10-01T11:58:00.000Z', services: { running: 0, of: 5, stopped: [] } }),
    server(3, { state: 'Unknown', why: 'does not answer', cause: 'silent', since: '2026-10-01T12:01:00.000Z', lastSeen: '2026-10-01T12:00:54.000Z', services: { running: 0, of: 5, stopped: [] } }),
    edge(2, { balancer: [{ name: 'lb1', wanted: 'UP', runtime: 'MAINT', file: 'UP' }] }), server(1), edge(1),
  ],
  problems: ['1 of 3 Servers are Online or excused, fewer than the 2 that are asked for.', 'st2 is Offline: port 8444 refuses', 'st3 is Unknown: does not answer', 'lb1 sees ed2 as MAINT, expected UP'],
  watch: { interval: 2_000, failuresToOffline: 3, vantage: [{ name: 'st-orchestrator', fresh: true, votedAt: '2026-10-01T12:01:58.000Z' }], quorum: 1, belowSince: '2026-10-01T12:01:00.000Z', incidents: [{ id: 'demo-1', node: 'st2', since: '2026-10-01T11:58:00.000Z', count: 2 }], reports: [{ at: '2026-10-01T12:01:30.000Z', from: 'nagios', node: 'st3', what: 'ping lost' }] },
  ...over,
});

export const window: Maintenance = { id: 'm-0123456789ab', nodes: ['st2'], since: '2026-10-01T12:02:00.000Z', until: '2026-10-01T14:02:00.000Z', reason: 'new disks', ticket: 'CHG-4711', by: 'ops@desk' };

export const schedule: ScheduleView = { id: 'health/demo', cluster: 'demo', workflowType: 'checkHealth', every: 90_000, paused: false, next: '2026-10-01T12:03:00.000Z' };
