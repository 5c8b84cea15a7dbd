/** The command of the plain `temporal` CLI that does the same as one of ours, for people who prefer it or want to see what is meant. */
import { sh } from '../clients/quote';
import { clusterWorkflowId } from '../model/ids';
import type { Decision } from '../model/operation';
import type { StartRequest } from './operations';

/** A command line that a shell reads as exactly these words. */
export { sh as commandLine } from '../clients/quote';

const temporal = (...words: string[]): string => sh(['temporal', 'workflow', ...words]);

/** @param inputFrom our own command line that prints the input, when that is too long to stand in a command */
export function startCommand({ operation, workflowId, input, taskQueue, summary }: StartRequest, inputFrom?: string): string {
  const words = ['start', '--type', operation, '--task-queue', taskQueue, '--workflow-id', workflowId, '--fail-existing', '--task-timeout', '3s', '--static-summary', summary];
  if (inputFrom === undefined) return temporal(...words, '--input', JSON.stringify(input));
  return `${inputFrom} | ${temporal(...words, '--input-file', '/dev/stdin')}`;
}

export const queryCommand = (workflowId: string, type: 'status' | 'report'): string => temporal('query', '--workflow-id', workflowId, '--type', type);

export const listCommand = (): string => temporal('list', '--query', 'WorkflowType="cluster"');

/** Of one workflow the temporal CLI takes no reason. */
export const cancelCommand = (workflowId: string): string => temporal('cancel', '--workflow-id', workflowId);

export const updateCommand = (workflowId: string, name: string, input: object): string => temporal('update', 'execute', '--workflow-id', workflowId, '--name', name, '--input', JSON.stringify(input));

export const decideCommand = (workflowId: string, decision: Decision): string => updateCommand(workflowId, 'decide', decision);

/** Of a workflow that only looks; it needs no input file. */
export const startWatcherCommand = (type: string, workflowId: string, input: object, taskQueue: string): string =>
  temporal('start', '--type', type, '--task-queue', taskQueue, '--workflow-id', workflowId, '--fail-existing', '--task-timeout', '3s', '--input', JSON.stringify(input));

/** The update's input holds the whole spec, so it is named rather than shown. */
export const applyCommand = (cluster: string, taskQueue: string): string =>
  `${temporal('execute-update-with-start', '--type', 'cluster', '--task-queue', taskQueue, '--workflow-id', clusterWorkflowId(cluster), '--id-conflict-policy', 'UseExisting', '--id-reuse-policy', 'RejectDuplicate', '--input', JSON.stringify({ name: cluster }), '--update-name', 'apply')} --update-input '{"spec": …}'`;
