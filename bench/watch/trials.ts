/** How soon a Server whose power fails is told as such: in the status, and by a mail that has reached its server. On the practice estate. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { createClients } from '../../src/clients';
import { monitorWorkflowId, operationWorkflowId } from '../../src/model/ids';
import type { ClusterHealth } from '../../src/model/health';
import { serverTarget } from '../../src/model/slices';
import { startOperation } from '../../src/control/operations';
import type { OperationReport } from '../../src/model/operation';
import { startEstate, startWorker, type Estate } from '../estate';

export interface TrialFigures {
  name: string;
  settings: { interval: number; failuresToOffline: number };
  /** Milliseconds from the end of power to the status that says so, one for each trial. */
  status: number[];
}

const kinds = [
  { name: 'defaults', settings: { interval: 2_000, failuresToOffline: 3 } },
  { name: 'tuned', settings: { interval: 500, failuresToOffline: 2 } },
];
const pollMs = 25;

export async function measureTrials(client: Client, { trials }: { trials: number }): Promise<TrialFigures[]> {
  const estate = await startEstate({ servers: 3, productTimeMs: 0 });
  const taskQueue = `bench-${randomBytes(4).toString('hex')}`;
  const worker = await startWorker(taskQueue);
  const clients = createClients();
  try {
    const { name } = estate.spec.metadata;
    const workflowId = operationWorkflowId('setUpCluster', name);
    await startOperation(client, { operation: 'setUpCluster', workflowId, taskQueue, summary: `Set up cluster ${name}`, input: { cluster: name, spec: estate.spec } });
    const report = (await client.workflow.getHandle(workflowId).result()) as OperationReport;
    if (report.outcome !== 'completed') throw new Error(`the set-up did not complete: ${report.summary}`);
    const figures: TrialFigures[] = [];
    for (const { name: kind, settings } of kinds) {
      const monitor = await client.workflow.start('monitorCluster', { taskQueue, workflowId: monitorWorkflowId(name), args: [{ cluster: name, ...settings }], workflowTaskTimeout: '3s' });
      const status: number[] = [];
      try {
        await wait(monitor, ({ online }) => online === 3);
        for (let trial = 0; trial < trials; trial += 1) status.push(await oneTrial(estate, clients, monitor, `st${1 + (trial % 3)}`));
      } finally {
        await monitor.terminate('the measurement is over');
      }
      figures.push({ name: kind, settings, status });
    }
    return figures;
  } finally {
    await clients.close();
    await worker.stop();
    await estate.down();
  }
}

async function oneTrial({ dir, spec }: Estate, clients: ReturnType<typeof createClients>, monitor: WorkflowHandle, node: string): Promise<number> {
  // Not always at the same moment between two looks.
  await pause(Math.random() * 2_000);
  const began = performance.now();
  await lab(dir, 'kill', node);
  const killed = performance.now();
  await wait(monitor, ({ nodes }) => nodes.some((one) => one.node === node && one.state !== 'Online'));
  // The power ends somewhere within the lab's command: its begin is the worse for us.
  const took = performance.now() - began;
  if (process.env['ST_BENCH_VERBOSE']) console.error(`${node}: told after ${Math.round(took)} ms (the command took ${Math.round(killed - began)})`);
  await lab(dir, 'start', node);
  const { ssh } = serverTarget(spec, Object.keys(spec.sites)[0]!, node);
  await clients.ssh.run(ssh, ['sudo', '-n', '-u', spec.product.user, `${spec.product.fileDriveHome}/bin/start_all`], { timeoutMs: 60_000, purpose: 'start_all' });
  await wait(monitor, ({ online }) => online === 3);
  return took;
}

async function wait(monitor: WorkflowHandle, test: (health: ClusterHealth) => boolean): Promise<void> {
  const ends = performance.now() + 120_000;
  for (;;) {
    const health = await monitor.query<ClusterHealth>('status');
    if (test(health)) return;
    if (performance.now() > ends) throw new Error(`the status did not change within two minutes: ${health.problems.join('; ')}`);
    await pause(pollMs);
  }
}

const lab = (dir: string, verb: string, host: string): Promise<void> =>
  new Promise((done, fail) => {
    const [home, name] = [resolve(dir, '..'), dir.split('/').at(-1)!];
    execFile(join(resolve(__dirname, '../../..'), 'scripts/lab'), [verb, '--name', name, host], { env: { ...process.env, ST_LAB_HOME: home }, timeout: 120_000 }, (error, _, stderr) => (error ? fail(new Error(`lab ${verb} ${host}: ${stderr || error.message}`)) : done()));
  });

