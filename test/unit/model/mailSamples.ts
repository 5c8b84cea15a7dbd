/** Events as they are told, one of each look that a mail may have. */
import type { ClusterEvent } from '../../../src/model/events';
import type { ClusterHealth, NodeHealth } from '../../../src/model/health';
import { noIncidents, observe } from '../../../src/model/incidents';
import type { Down } from '../../../src/model/watch';

const at = '2026-11-01T03:12:04.511Z';
const server = (node: string): NodeHealth => ({ node, site: 'prod', role: 'server', address: node, state: 'Online', since: at, services: { running: 5, of: 5, stopped: [] } });
/** As the monitor tells it: every Server goes on. */
function aroundThe(down: Down, problem: string, cause?: ClusterHealth['cause']): ClusterEvent {
  const health: ClusterHealth = { apiVersion: 'st-orchestrator/v1', kind: 'ClusterHealth', cluster: 'mft-prod', site: 'prod', sampledAt: at, online: 3, members: 3, minimumNodes: 2, health: 'degraded', nodes: ['st1', 'st2', 'st3'].map(server), problems: [problem], ...(cause ? { cause } : {}) };
  return observe(noIncidents(), { health, down: [down], at, calmMs: 30_000 }).events[0]!;
}
const refused = 'database st at 10.20.0.5:5432: connect ECONNREFUSED 10.20.0.5:5432';
const silent = 'lb1 can\'t be asked: ops@10.20.0.6:22 could not be reached over SSH: connect EHOSTUNREACH 10.20.0.6:22.';

export const mailSamples: Record<string, ClusterEvent> = {
  'node-failed': {
    id: 'node.st3.1761998400', kind: 'node-failed', cluster: 'mft-prod', site: 'prod', node: 'st3', at: '2026-11-01T03:12:04.511Z', severity: 'critical', incident: 'node.st3.1761998400',
    summary: 'st3 is Offline: the Transaction Manager does not run. 1 of 3 Servers is Online, fewer than 2.',
    now: 'st1 serves alone; the balancer sends nobody to st3.', next: 'Nothing is restarted by itself. It is told again when st3 is back.',
    youCan: ['See every node: stctl nodes mft-prod', 'Look at its log: ssh ops@10.20.0.13, then /opt/axway/SecureTransport/var/logs/tm.log', 'Replace it: stctl replace-node st3 st4 -c mft-prod'],
    facts: { online: '1 of 3', minimumNodes: '2', lastSeen: '2026-11-01T03:11:58Z' },
  },
  'balancer-down': aroundThe({ what: 'balancer', name: 'lb1', why: silent, left: [] }, silent),
  'database-down': aroundThe({ what: 'database', name: 'st', why: refused }, `The database does not serve: ${refused}`, { code: 'database', sentence: `The database does not serve: ${refused}` }),
  'operation-ended': {
    id: 'set-up-cluster.0a8f.ended', kind: 'operation-ended', cluster: 'mft-prod', at: '2026-11-01T03:12:04Z', severity: 'info', incident: 'set-up-cluster.0a8f',
    summary: 'setUpCluster has completed: mft-prod is set up: 3 of 3 Servers are Online.', now: 'Everything asked for is as it should be.', next: 'Nothing.', youCan: [], facts: { operation: 'setUpCluster', requestedBy: 'ops@desk (as claimed)', byHand: 'ed1: import its certificate <1> into each Server\ned2: import its certificate into each Server' },
  },
  'ends-soon': {
    id: 'ends.certificate.st1.14', kind: 'ends-soon', cluster: 'mft-prod', site: 'prod', node: 'st1', at: '2026-11-01T06:00:00Z', severity: 'warning', incident: 'ends.certificate.st1',
    summary: 'The certificate of the Administration Tool of st1 ends in 14 days.', now: 'It still works.', next: 'On 2026-11-15 every login to it is refused. It is told again 3 days before.', youCan: ['Renew it in the Administration Tool'], facts: { ends: '2026-11-15T00:00:00Z' },
  },
  hostile: {
    id: 'test.1', kind: 'test', cluster: 'mft-prod', node: 'st1', at: '2026-11-01T06:00:00Z', severity: 'info', incident: 'test.1',
    summary: '<script>alert(1)</script> & "quotes" \r\nBcc: thief@example.com {{id}} ünïcödé 漢字 🙂', now: '</td></table><img src=x onerror=alert(1)>', next: `a very long word ${'x'.repeat(300)}`,
    youCan: ['See <b>it</b>: stctl status "$(reboot)" <img src=x>'], facts: { '<b>name</b>': '<i>value</i>' },
  },
};
