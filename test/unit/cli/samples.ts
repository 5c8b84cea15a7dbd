/** A record and a report as they come from the server, with fixed times. */
import type { ClusterRecord } from '../../../src/model/cluster';
import type { OperationReport } from '../../../src/model/operation';
import { parseClusterSpec } from '../../../src/model/spec';
import { demoFile } from '../model/demoFile';

export const spec = parseClusterSpec(demoFile()).spec!;

export const record = (over: Partial<ClusterRecord> = {}): ClusterRecord => ({
  apiVersion: 'st-orchestrator/v1', kind: 'ClusterStatus', name: 'demo', phase: 'active', complete: true, spec, revision: 2,
  members: [1, 2, 3].map((n) => ({ site: 'prod', node: `st${n}`, address: `10.86.0.1${n}`, role: 'server' as const })), activeSite: 'prod', epoch: 3, lease: null, unfinished: [], debts: [], maintenance: [],
  operations: [{ operation: 'setUpCluster', workflowId: 'set-up-cluster/demo', epoch: 3, startedAt: '2026-10-01T12:00:00.000Z', endedAt: '2026-10-01T12:01:12.000Z', outcome: 'completed', summary: '3 Servers are Online.' }],
  ...over,
});

export const lease = { workflowId: 'set-up-cluster/demo', firstExecutionRunId: 'run-1', operation: 'setUpCluster', epoch: 3, since: '2026-10-01T12:00:00.000Z' };

export const report = (over: Partial<OperationReport> = {}): OperationReport => ({
  apiVersion: 'st-orchestrator/v1', kind: 'OperationReport', operation: 'setUpCluster', cluster: 'demo', workflowId: 'set-up-cluster/demo', dryRun: false,
  phase: 'ended', outcome: 'completed', summary: '3 Servers are Online.', now: 'Everything asked for is as it should be.', next: 'Nothing.',
  epoch: 3, revision: 2, fingerprint: '0123456789ab', startedAt: '2026-10-01T12:00:00.000Z', endedAt: '2026-10-01T12:01:12.000Z',
  checks: [{ key: 'check/host/st1', title: 'The host is ready', node: 'st1', state: 'passed', problems: [] }],
  steps: [
    { key: 'a/st1', title: 'Install the Server', node: 'st1', state: 'done', changed: true, note: 'installed', startedAt: '2026-10-01T12:00:10.000Z', took: 30_000 },
    { key: 'b/st1', title: 'Start the Server', node: 'st1', state: 'done', changed: false, note: 'was running', startedAt: '2026-10-01T12:00:40.000Z', took: 1_200 },
  ],
  unfinished: [], decisions: [], requestedBy: 'ops@desk', reason: 'first set-up', ...over,
});
