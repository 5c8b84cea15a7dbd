/** The tasks as steps of an operation: a Temporal server, a worker that runs already, one activity for each task and host. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { applySpec } from '../../src/control/clusters';
import type { OperationReport } from '../../src/model/operation';
import type { ClusterSpec } from '../../src/model/spec';
import { buildWorkflowBundle } from '../../src/worker/bundle';
import { startWorker } from '../estate';
import { activitiesOf } from '../history';
import type { Times } from './others';

const kinds = ['oneStep', 'fourSteps'] as const;

/** Of each operation: all of it, and its steps alone, from the order of the first activity to the end of the last. */
export type OurTimes = Record<(typeof kinds)[number], { all: Times; steps: Times }>;

export async function ours(client: Client, spec: ClusterSpec, repeat: number, dir: string): Promise<OurTimes> {
  const bundle = await buildWorkflowBundle(join(dir, 'bundle.js'), require.resolve('./workflows'));
  const taskQueue = `bench-${randomBytes(4).toString('hex')}`;
  const worker = await startWorker(taskQueue, {}, [join(__dirname, 'worker.js'), bundle]);
  const cluster = spec.metadata.name;
  const id = (what: string): string => `${what}/${cluster}/${randomBytes(4).toString('hex')}`;
  const operate = async (kind: string): Promise<{ all: number; steps: number }> => {
    const began = performance.now();
    const handle = await client.workflow.start(kind, { taskQueue, workflowId: id('fan-out'), args: [{ cluster }], workflowTaskTimeout: '3s' });
    const report = (await handle.result()) as OperationReport;
    const all = (performance.now() - began) / 1000;
    if (report.outcome !== 'completed') throw new Error(`${kind} ended as "${report.outcome}": ${report.summary}`);
    const tasks = activitiesOf(await handle.fetchHistory()).filter(({ type }) => type.startsWith('fanout.'));
    return { all, steps: (Math.max(...tasks.map(({ completed }) => completed)) - Math.min(...tasks.map(({ scheduled }) => scheduled))) / 1000 };
  };
  const none = (): { all: Times; steps: Times } => ({ all: { cold: [], open: [] }, steps: { cold: [], open: [] } });
  const times: OurTimes = { oneStep: none(), fourSteps: none() };
  try {
    await applySpec(client, spec, { taskQueue });
    // The first time is the warm-up of worker and server, as others have when they run for long.
    for (let i = 0; i <= repeat; i += 1) {
      for (const kind of kinds) {
        await client.workflow.execute('disconnect', { taskQueue, workflowId: id('disconnect') });
        const [cold, open] = [await operate(kind), await operate(kind)];
        if (i === 0) continue;
        const { all, steps } = times[kind];
        all.cold.push(cold.all);
        all.open.push(open.all);
        steps.cold.push(cold.steps);
        steps.open.push(open.steps);
      }
    }
  } finally {
    await worker.stop();
    await client.workflow.getHandle(`cluster/${cluster}`).terminate('measured').catch(() => undefined);
  }
  return times;
}
