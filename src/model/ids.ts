/** Ids, names of task queues and search attributes: built here only, shared by workflows, worker and clients. */

export const taskQueue = 'st-orchestrator';

export const clusterWorkflowId = (cluster: string): string => `cluster/${cluster}`;

/** `set-up-cluster/demo`, `add-node/demo/st4`; a dry run has its own (`…/plan`). */
export function operationWorkflowId(operation: string, cluster: string, options: { node?: string; dryRun?: boolean } = {}): string {
  return [kebabCase(operation), cluster, options.node, options.dryRun ? 'plan' : undefined].filter(Boolean).join('/');
}

/** The workflow that tells of one event; the event's id makes it one however often it is told. */
export const notificationWorkflowId = (cluster: string, event: string): string => `notify/${cluster}/${event}`;
export const monitorWorkflowId = (cluster: string): string => `monitor/${cluster}`;
export const checkHealthWorkflowId = (cluster: string): string => `check-health/${cluster}`;

/** The workflow that stands beside the record while a maintenance window is open. */
export const maintenanceWorkflowId = (cluster: string): string => `maintenance/${cluster}`;

/** `setUpCluster` → `set-up-cluster`: the name of a verb is the name of its workflow type. */
export const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export const searchAttributes = ['StCluster', 'StOperation', 'StSite', 'StHealth'] as const;

/** Every workflow type an operations engineer starts; `cluster` is started by `apply` and set-up only. */
export const operations = ['setUpCluster', 'adoptCluster', 'rebalanceWorkload', 'removeNode', 'replaceNode', 'rollingRestart', 'updateCluster', 'addNode'] as const;
export type OperationName = (typeof operations)[number];

/** What looks and changes nothing: no lease, no plan. */
export const watchers = ['monitorCluster', 'checkHealth'] as const;
export type WatcherName = (typeof watchers)[number];
