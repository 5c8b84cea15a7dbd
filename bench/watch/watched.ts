/** A cluster of the practice estate that is set up and watched: every Server asked for, so that each failure is told; mails go to the lab's own server. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { LabMail } from '../../lab/mail/host';
import type { ClusterHealth } from '../../src/model/health';
import { monitorWorkflowId } from '../../src/model/ids';
import { startEstate, startWorker, type Estate } from '../estate';
import { operate } from '../operate';

/** More than fall within the minute in which a node that falls again counts as flapping, at a few seconds each. */
const servers = 16;
const waitMs = 120_000;

export interface WatchedCluster {
  estate: Estate;
  nodes: string[];
  /** Watches with these settings while `act` runs, from the moment when all are Online. */
  watching<T>(settings: object, act: (monitor: WorkflowHandle) => Promise<T>): Promise<T>;
  mails(): Promise<LabMail[]>;
}

export async function withWatched<T>(client: Client, act: (watched: WatchedCluster) => Promise<T>): Promise<T> {
  const estate = await startEstate({ servers, productTimeMs: 0, mail: true, autostart: true });
  const taskQueue = `bench-${randomBytes(4).toString('hex')}`;
  const worker = await startWorker(taskQueue);
  try {
    const spec = { ...estate.spec, policies: { ...estate.spec.policies, minimumNodes: servers } };
    const cluster = spec.metadata.name;
    await operate(client, { operation: 'setUpCluster', cluster, taskQueue, input: { spec } });
    return await act({
      estate,
      nodes: Object.values(spec.sites)[0]!.servers.map(({ name }) => name),
      async watching(settings, during) {
        const monitor = await client.workflow.start('monitorCluster', { taskQueue, workflowId: monitorWorkflowId(cluster), args: [{ cluster, ...settings }], workflowTaskTimeout: '3s' });
        try {
          await waitFor(monitor, ({ online }) => online === servers);
          return await during(monitor);
        } finally {
          await monitor.terminate('the measurement is over');
        }
      },
      mails: async () => JSON.parse(await estate.lab('mails', '-o', 'json')) as LabMail[],
    });
  } finally {
    await worker.stop();
    await estate.down();
  }
}

/** Answers the status that shows what was asked for. It is asked as often as a person's screen would never be. */
export async function waitFor(monitor: WorkflowHandle, test: (health: ClusterHealth) => boolean, everyMs = 50): Promise<ClusterHealth> {
  const ends = performance.now() + waitMs;
  for (;;) {
    const health = await monitor.query<ClusterHealth>('status');
    if (test(health)) return health;
    if (performance.now() > ends) throw new Error(`the status did not change within two minutes: ${health.problems.join('; ')}`);
    await pause(everyMs);
  }
}

/** When the lab says that it did something: "st1 lost its power at 2026-…", in milliseconds since 1970. */
export function momentOf(said: string): number {
  const at = Date.parse(/ at (\S+)\s*$/.exec(said)?.[1] ?? '');
  if (Number.isNaN(at)) throw new Error(`the lab did not say when: ${said}`);
  return at;
}
