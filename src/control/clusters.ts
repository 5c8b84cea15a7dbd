/** The record of a cluster as doors read and change it. */
import { WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { ApplyAnswer, ApplyRequest, ClusterRecord } from '../model/cluster';
import { StError } from '../model/errors';
import { clusterWorkflowId } from '../model/ids';
import type { ClusterSpec } from '../model/spec';
import { differences } from '../model/specDifferences';
import { AdvisedError } from './advised';
import { askServer, askWorker } from './calls';
import { commandLine } from './temporalCommand';

/** A record as it was found: also one whose workflow has ended still answers, with what it last knew. */
export interface FoundRecord extends ClusterRecord {
  /** Temporal's word in small letters (`terminated`) when the workflow of the record has ended. */
  closed?: string;
}

/** The record, or null for a cluster that nobody applied. @throws StError Unreachable when no worker or server answers */
export async function findCluster(client: Client, name: string): Promise<FoundRecord | null> {
  const id = clusterWorkflowId(name);
  const handle = client.workflow.getHandle(id);
  try {
    const { status } = await askServer(client, `the record of cluster "${name}"`, () => handle.describe());
    const record = await askWorker(client, id, `the record of cluster "${name}"`, () => handle.query<ClusterRecord>('status'));
    return open.has(status.name) ? record : { ...record, closed: status.name.toLowerCase() };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** A record is one chain of runs; between two of them it may be seen as continued. */
const open: ReadonlySet<string> = new Set(['RUNNING', 'CONTINUED_AS_NEW']);

/** @throws StError UnknownCluster */
export async function readCluster(client: Client, name: string): Promise<FoundRecord> {
  const record = await findCluster(client, name);
  if (record) return record;
  const known = await listClusters(client);
  throw new StError('UnknownCluster', `Cluster "${name}" was never applied or set up on this Temporal server${known.length > 0 ? `; it knows ${known.join(', ')}` : ', which knows none'}.`);
}

const mostClusters = 200;

/** Names of all clusters that have a record, also one that was closed, sorted. Visibility may lag a moment behind. */
export function listClusters(client: Client): Promise<string[]> {
  return askServer(client, 'the list of clusters', async () => {
    const names = new Set<string>();
    for await (const { workflowId } of client.workflow.list({ query: 'WorkflowType="cluster" AND ExecutionStatus!="ContinuedAsNew"', pageSize: mostClusters })) {
      if (workflowId.startsWith(clusterWorkflowId(''))) names.add(workflowId.slice(clusterWorkflowId('').length));
      if (names.size >= mostClusters) break;
    }
    return [...names].sort();
  });
}

export interface Applied extends ApplyAnswer {
  /** The revision that the change was made from; 0 for a new cluster. */
  from: number;
  /** Places of the spec that differ from the one before, at most 50. */
  changes: string[];
}

/**
 * Applies a spec: creates the record, or changes it when it is still at the revision expected (the one that stands when it is left out, so that
 * two people who apply at once don't overwrite each other).
 * @throws StError SpecConflict, ClusterBusy, Unreachable, or Refused when the record was closed
 */
export async function applySpec(client: Client, spec: ClusterSpec, { expectedRevision, epochAtLeast, taskQueue }: { expectedRevision?: number; epochAtLeast?: number; taskQueue: string }): Promise<Applied> {
  const { name } = spec.metadata;
  const before = await findCluster(client, name);
  const from = before?.revision ?? 0;
  const request: ApplyRequest = { spec, expectedRevision: expectedRevision ?? from, ...(epochAtLeast === undefined ? {} : { epochAtLeast, by: client.options.identity }) };
  const startWorkflowOperation = new WithStartWorkflowOperation('cluster', {
    workflowId: clusterWorkflowId(name), taskQueue, args: [{ name }], workflowTaskTimeout: '3s',
    workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'REJECT_DUPLICATE', staticSummary: `The record of cluster ${name}`,
  });
  try {
    const answer = await askWorker(client, clusterWorkflowId(name), `the update of cluster "${name}"`, () =>
      client.workflow.executeUpdateWithStart<Workflow, ApplyAnswer, [ApplyRequest]>('apply', { args: [request], startWorkflowOperation }));
    return { ...answer, from, changes: answer.changed ? differences(before?.spec ?? undefined, spec) : [] };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      throw new AdvisedError('Refused', `The record of cluster "${name}" (workflow ${clusterWorkflowId(name)}) was closed by hand. Nothing was changed.`, [reopening(name)], { cause: error });
    }
    throw error;
  }
}

/** How a record that was closed comes back, as far as it had got. */
export const reopening = (name: string): string =>
  `Bring the record back: ${commandLine(['temporal', 'workflow', 'reset', '--workflow-id', clusterWorkflowId(name), '--type', 'LastWorkflowTask', '--reason', 'the record was closed by mistake'])}`;
