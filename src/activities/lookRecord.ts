/** What the monitor must know of a cluster before it looks: its spec and members, and what excuses a node. Read from the record, and from the operation that runs. */
import type { Client } from '@temporalio/client';
import { StError } from '../model/errors';
import { excusesOf, inForce, type Excuses } from '../model/excuses';
import type { RecordView } from '../model/health';
import type { ClusterRecord } from '../model/cluster';
import { mayHaveWorked } from '../model/clusterRecord';
import { memberSite } from '../model/members';
import type { OperationReport } from '../model/operation';
import { shorten } from '../model/shorten';
import { balancerTargets, databaseTarget, serverTarget, workingSite } from '../model/slices';
import type { ClusterSpec } from '../model/spec';
import { firstLines } from '../model/unfinished';
import type { BalancerTarget, DatabaseTarget } from '../model/targets';
import { leaseActivities } from './leases';
import type { LookedAt } from './lookAtNode';

export interface Known {
  record: ClusterRecord;
  view: RecordView;
  excuses: Map<string, string>;
  site: string;
  /** What changes when other nodes must be looked at, or in another way. */
  revision: string;
}

const readMs = 5_000;
const askMs = 3_000;

/**
 * `before`: what excused whom when this was read last.
 * @throws StError UnknownCluster when nobody applied it; NotYet when the record does not answer.
 */
export async function readKnown({ temporal, taskQueue }: { temporal: Client; taskQueue: string }, cluster: string, before: Excuses): Promise<Known> {
  const read = (): Promise<ClusterRecord | null> => leaseActivities({ temporal, taskQueue }).read({ cluster });
  const record = await temporal.withDeadline(Date.now() + readMs, read).catch((error: unknown) => {
    throw error instanceof StError ? error : new StError('NotYet', `The record of cluster "${cluster}" does not answer: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
  if (!record?.spec) throw new StError('UnknownCluster', `No cluster "${cluster}" was applied: stctl apply -f cluster.yaml`);
  const at = new Date().toISOString();
  const site = workingSite({ spec: record.spec, activeSite: record.activeSite });
  const report = record.lease ? await reportOf(temporal, record.lease.workflowId) : undefined;
  const names = record.members.map(({ node }) => node);
  // An operation that does not answer may have taken down what it had taken down a moment ago.
  const unanswered = report === undefined ? [...before].filter(([, why]) => why === record.lease?.workflowId) : [];
  const excuses = new Map([...unanswered, ...excusesOf(names, { windows: record.maintenance, at, ...(report ? { report } : {}) })]);
  return { record, view: viewOf(record, at), excuses, site, revision: JSON.stringify([record.revision, record.members, record.activeSite]) };
}

const reportOf = (temporal: Client, workflowId: string): Promise<OperationReport | undefined> =>
  temporal.withDeadline(Date.now() + askMs, () => temporal.workflow.getHandle(workflowId).query<OperationReport>('status')).catch(() => undefined);

function viewOf(record: ClusterRecord, at: string): RecordView {
  const { phase, revision, epoch, lease, unfinished, maintenance, operations: [last] } = record;
  return {
    readAt: at, phase, complete: mayHaveWorked(record), revision, epoch, unfinished: firstLines(unfinished, 20),
    maintenance: inForce(maintenance, at).map(({ nodes, until, reason }) => ({ nodes, until, reason })),
    ...(lease ? { lease: { workflowId: lease.workflowId, operation: lease.operation, since: lease.since } } : {}),
    ...(last ? { lastOperation: { operation: last.operation, outcome: last.outcome, endedAt: last.endedAt, summary: shorten(last.summary, 300) } } : {}),
  };
}

/** The members that are looked at, each as its Administration Tool is reached. */
export function lookedAt({ record, site }: Known): LookedAt[] {
  const spec = record.spec!;
  const { servers, edges } = memberSite(spec, site, record.members);
  const as = (role: LookedAt['role']) => ({ name }: { name: string }): LookedAt => ({ role, target: serverTarget(spec, site, name), protocols: spec.product.protocols });
  return [...servers.map(as('server')), ...edges.map(as('edge'))];
}

export interface Surroundings {
  database: DatabaseTarget;
  sharedPath: string;
  balancers: BalancerTarget[];
  fronts: LookedAt['role'];
  protocols: ClusterSpec['product']['protocols'];
}

export function surroundings({ record, site }: Known): Surroundings {
  const spec = record.spec!;
  const { sharedFiles, loadBalancer } = spec.sites[site]!;
  return {
    database: databaseTarget(spec, site), sharedPath: sharedFiles.path, balancers: balancerTargets(spec, site),
    fronts: loadBalancer?.fronts === 'edges' ? 'edge' : 'server', protocols: spec.product.protocols,
  };
}
