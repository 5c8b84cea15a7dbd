/** Whether anybody takes the work of a task queue: what is started on one that nobody polls waits for ever. */
import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { AdvisedError } from './advised';
import { askServer } from './calls';
import { commandLine } from './temporalCommand';

/** gRPC's enum: workflow tasks. */
const workflowTasks = 1;

/** For how long a queue without a poller is asked again, in ms: a worker, or a server, that has just started is seen a moment later. */
const settling = 5_000;

/** How many workers have polled the queue within the last minutes; undefined when the server does not say. */
async function pollers(client: Client, taskQueue: string): Promise<number | undefined> {
  try {
    const found = await askServer(client, `the workers of task queue ${taskQueue}`, () => client.workflowService.describeTaskQueue({ namespace: client.options.namespace, taskQueue: { name: taskQueue }, taskQueueType: workflowTasks }));
    return found.pollers?.length ?? 0;
  } catch {
    // Whatever is wrong with the server, the start that follows says it better.
    return undefined;
  }
}

/** @throws AdvisedError Unreachable when certainly no worker polls this task queue */
export async function requirePollers(client: Client, taskQueue: string): Promise<void> {
  const deadline = Date.now() + settling;
  while ((await pollers(client, taskQueue)) === 0) {
    if (Date.now() < deadline) await setTimeout(250);
    else throw nobodyPolls(client, taskQueue);
  }
}

function nobodyPolls(client: Client, taskQueue: string): AdvisedError {
  return new AdvisedError('Unreachable', `No worker polls the task queue "${taskQueue}" of namespace "${client.options.namespace}": what is started there would wait for one for ever. Nothing was started.`, [
    'Check ST_TASK_QUEUE and TEMPORAL_NAMESPACE: they must be those of the worker.',
    `See who polls: ${commandLine(['temporal', 'task-queue', 'describe', '--task-queue', taskQueue])}`,
    'Start a worker, and run the same command again.',
  ]);
}
