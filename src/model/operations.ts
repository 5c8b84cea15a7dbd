/** The operations that people start: what each is called in a sentence, and what it takes. The doors (stctl, the page) are made from this. */
import type { z } from 'zod';
import { addNodeInput } from './addNodeInput';
import type { OperationName } from './ids';
import { adoptClusterInput, setUpClusterInput } from './inputs';
import { rebalanceWorkloadInput } from './rebalanceWorkloadInput';
import { removeNodeInput } from './removeNodeInput';
import { replaceNodeInput } from './replaceNodeInput';
import { rollingRestartInput, updateClusterInput } from './restartInput';

export interface OperationKind {
  /** "Add node", before the names of cluster and nodes. */
  title: string;
  input: z.ZodType;
}

export const operationKinds: Record<OperationName, OperationKind> = {
  setUpCluster: { title: 'Set up cluster', input: setUpClusterInput },
  addNode: { title: 'Add node', input: addNodeInput },
  adoptCluster: { title: 'Adopt cluster', input: adoptClusterInput },
  rebalanceWorkload: { title: 'Rebalance workload of', input: rebalanceWorkloadInput },
  removeNode: { title: 'Remove node', input: removeNodeInput },
  replaceNode: { title: 'Replace node', input: replaceNodeInput },
  rollingRestart: { title: 'Restart the nodes of cluster', input: rollingRestartInput },
  updateCluster: { title: 'Update cluster', input: updateClusterInput },
};
