/**
 * Makes the histories that test/workflows/replay.test.ts replays: a cluster's life on a lab, with every way in which a set-up can end, and how it is watched. What
 * they hold of the machine they were made on is its lab's fixed path, nothing else; this program refuses to write one that says more.
 * Arguments: `setUp`, `watching`, to make only those.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, WorkflowHandle, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { connectClient } from '../../src/control/connect';
import { readConnectionConfig } from '../../src/control/connectionConfig';
import { cancelOperation } from '../../src/control/operations';
import { waitFor } from '../../src/clients/waitFor';
import { clusterWorkflowId, maintenanceWorkflowId, monitorWorkflowId } from '../../src/model/ids';
import { createClients } from '../../src/clients';
import type { ClusterRecord } from '../../src/model/cluster';
import type { ClusterEvent } from '../../src/model/events';
import type { ClusterHealth } from '../../src/model/health';
import { serverTarget } from '../../src/model/slices';
import { startEstate, startWorker, type Estate } from '../../bench/estate';
import { ended, identity, saver, soon, stepIs, taskQueue, type Save } from './histories';

const groups = {
  setUp: { types: ['cluster', 'setUpCluster'], make: async (client: Client, estate: Estate, save: Save): Promise<void> => {
    await firstCluster(client, estate, save);
    await estate.reset();
    await secondCluster(client, estate, save);
  } },
  watching: { types: ['monitorCluster', 'checkHealth', 'checkEnds', 'keepMaintenance', 'notify'], make: watchedCluster },
};

async function main(asked: string[]): Promise<void> {
  const wanted = Object.entries(groups).filter(([name]) => asked.length === 0 || asked.includes(name)).map(([, group]) => group);
  const client = await connectClient(readConnectionConfig(process.env, []), { identity });
  const estate = await startEstate({ name: 'histories', servers: 2, productTimeMs: 100 });
  const worker = await startWorker(taskQueue, { ST_IDENTITY: identity });
  try {
    for (const { types, make } of wanted) {
      await make(client, estate, saver(client, estate, types));
      await estate.reset();
    }
  } finally {
    await worker.stop();
    await estate.down();
    await client.connection.close();
  }
}

/** Set up in one go; then what happens to those who ask at the wrong time. */
async function firstCluster(client: Client, estate: Estate, save: Save): Promise<void> {
  const { spec } = estate;
  const cluster = spec.metadata.name;
  const start = starter(client);
  const plan = await start('planned', { cluster, spec, dryRun: true });
  await ended(plan, 'planned');
  const set = await start('completed', { cluster, spec });
  await stepIs(set, 'install-first/st1', 'running');
  const busy = await start('busy', { cluster });
  const waiting = await start('waited', { cluster, waitForLease: '60s' });
  await ended(busy, 'ClusterBusy');
  await ended(set, 'completed');
  await ended(waiting, 'nothing to do');
  const changed = await start('plan-changed', { cluster, fingerprint: '000000000000' });
  await ended(changed, 'PlanChanged');
  for (const { workflowId } of [plan, set, busy, waiting, changed]) await save(`setUpCluster.${workflowId}`, workflowId);
  await save('cluster', clusterWorkflowId(cluster));
}

/** Refused, failed, cancelled, terminated, and in the end complete; its record is begun anew when its history is long. */
async function secondCluster(client: Client, estate: Estate, save: Save): Promise<void> {
  const spec = { ...estate.spec, metadata: { ...estate.spec.metadata, name: 'histories2' } };
  const cluster = spec.metadata.name;
  const record = await client.workflow.start('cluster', { taskQueue, workflowId: clusterWorkflowId(cluster), args: [{ name: cluster, lookUpEvery: 1_000, historyLimit: 60 }], workflowTaskTimeout: '3s' });
  const start = starter(client);
  const kept: WorkflowHandle[] = [];
  const run = async (name: string, end: string): Promise<void> => {
    const handle = await start(name, { cluster, spec });
    kept.push(handle);
    await ended(handle, end);
  };

  const licence = join(estate.dir, 'licences', estate.spec.metadata.name, 'st.license');
  const enough = readFileSync(licence, 'utf8');
  writeFileSync(licence, enough.replace(/ClusterNodes=\d+/, 'ClusterNodes=1'));
  await run('refused', 'PreconditionFailed');
  writeFileSync(licence, enough);

  const installer = join(estate.dir, 'package/SecureTransport_5.5/setup.sh');
  const good = readFileSync(installer, 'utf8');
  writeFileSync(installer, good.replace('\n', '\n[ "$(hostname)" != st2 ] || { echo "Installation failed: no" >&2; exit 1; }\n'));
  await run('failed', 'Refused');
  writeFileSync(installer, good);

  const cancelled = await start('cancelled', { cluster, spec });
  kept.push(cancelled);
  await stepIs(cancelled, 'install-others/st2', 'running');
  await cancelOperation(client, cancelled.workflowId, 'to have a history of it');
  await ended(cancelled, 'Cancelled');

  const terminated = await start('terminated', { cluster, spec });
  kept.push(terminated);
  await stepIs(terminated, 'online/st1', 'running');
  await terminated.terminate('to have a history of it');
  const current = client.workflow.getHandle(record.workflowId);
  await waitFor('the record says that it was interrupted', () => current.query<ClusterRecord>('status'), ({ phase }) => phase === 'interrupted', soon);
  await run('completed-after', 'completed');

  for (const { workflowId } of kept) await save(`setUpCluster.${workflowId}`, workflowId);
  const { runId } = await current.describe();
  if (runId === record.firstExecutionRunId) throw new Error('the record was not begun anew: raise the number of operations, or lower historyLimit');
  await save('cluster.full', record.workflowId, record.firstExecutionRunId);
  await save('cluster.interrupted', record.workflowId, runId);
}

/** One watch with all that it can see, be asked and tell, over two histories; single looks, a maintenance window, and a way to tell that ends nowhere. */
async function watchedCluster(client: Client, estate: Estate, save: Save): Promise<void> {
  const cluster = 'histories3';
  const spec = { ...estate.spec, metadata: { ...estate.spec.metadata, name: cluster }, notifications: { command: ['/usr/bin/true'] } };
  const clients = createClients();
  const onSt2 = (command: string) => clients.ssh.run(serverTarget(spec, 'prod', 'st2').ssh, ['sudo', '-n', '-u', 'axway', `/opt/axway/SecureTransport/bin/${command}`], { timeoutMs: 30_000, purpose: command });
  const begin = (type: string, workflowId: string, input: object): Promise<WorkflowHandleWithFirstExecutionRunId> => client.workflow.start(type, { taskQueue, workflowId, args: [input], workflowTaskTimeout: '3s' });
  try {
    await ended(await begin('setUpCluster', 'set-up', { cluster, spec }), 'completed');
    await (await begin('checkHealth', 'well', { cluster, failWhen: 'degraded' })).result();
    await save('checkHealth', 'well');

    const first = await begin('monitorCluster', monitorWorkflowId(cluster), { cluster, interval: 500, failuresToOffline: 2, calm: 1_000, for: 2_000, historyLimit: 150, vantage: [taskQueue] });
    const monitor = client.workflow.getHandle(first.workflowId);
    const health = (what: string, is: (seen: ClusterHealth) => boolean): Promise<ClusterHealth> => waitFor(what, () => monitor.query<ClusterHealth>('status'), is, soon);
    await health('all is well', (seen) => seen.health === 'ok');
    await onSt2('stop_monitord');
    await onSt2('stop_tm');
    const belowTold = async (): Promise<boolean> => {
      for await (const { workflowId } of client.workflow.list({ query: `WorkflowType="notify" AND StCluster="${cluster}"` })) if (workflowId.includes('below-threshold')) return true;
      return false;
    };
    await waitFor('too few for long enough', belowTold, Boolean, soon);
    await ended(await begin('checkHealth', 'degraded', { cluster, failWhen: 'below threshold' }), 'BelowThreshold');
    await save('checkHealth.failed', 'degraded');
    await onSt2('start_tm');
    await health('the incident is over', (seen) => seen.health === 'ok' && seen.watch?.incidents.length === 0);
    await monitor.executeUpdate('pause', { args: [{ by: 'ops', reason: 'to have a history of it', until: new Date(Date.now() + 2_000).toISOString() }] });
    await health('the pause is over', (seen) => seen.health === 'ok');
    await monitor.executeUpdate('configure', { args: [{ interval: 1_000 }] });
    const another = async (): Promise<boolean> => (await monitor.describe()).runId !== first.firstExecutionRunId;
    for (let report = 0; report < 100 && !(await another()); report += 1) await monitor.executeUpdate('report', { args: [{ from: 'nagios', node: 'st2', what: `load ${report}` }] });
    await waitFor('another history', another, Boolean, soon);
    await health('sight', (seen) => seen.health === 'ok');
    await monitor.cancel();
    await monitor.result().catch(() => undefined);
    await save('monitorCluster.full', first.workflowId, first.firstExecutionRunId);
    await save('monitorCluster.cancelled', first.workflowId);

    const record = client.workflow.getHandle(clusterWorkflowId(cluster));
    const { window } = await record.executeUpdate<{ window: { id: string } }, [object]>('maintenance', { args: [{ start: { nodes: ['st2'], for: '1h', reason: 'to have a history of it', by: 'ops' } }] });
    const threshold = clients.admin.server(serverTarget(spec, 'prod', 'st1').admin);
    await waitFor('silence', () => threshold.nodeThreshold(), ({ sendNotification }) => !sendNotification, soon);
    await record.executeUpdate('maintenance', { args: [{ end: window.id }] });
    await client.workflow.getHandle(maintenanceWorkflowId(cluster)).result();
    await save('keepMaintenance', maintenanceWorkflowId(cluster));

    const licence = join(estate.dir, 'licences', estate.spec.metadata.name, 'st.license');
    writeFileSync(licence, `${readFileSync(licence, 'utf8')}ValidTo=${new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10)}\n`);
    await (await begin('checkEnds', 'ends', { cluster })).result();
    await save('checkEnds', 'ends');

    const event: ClusterEvent = { id: 'test.1', kind: 'test', cluster, at: '2026-11-30T12:00:00Z', severity: 'info', incident: 'test.1', summary: 'A test.', now: 'Nothing has happened.', next: 'Nothing.', youCan: [], facts: {} };
    await (await begin('notify', 'told', { event, notifications: spec.notifications })).result();
    await save('notify', 'told');
    await ended(await begin('notify', 'not-told', { event, notifications: { command: ['/usr/bin/false'] }, patience: 1_000 }), 'NotYet');
    await save('notify.failed', 'not-told');
  } finally {
    await clients.close();
  }
}

const starter = (client: Client) => (workflowId: string, input: object): Promise<WorkflowHandle> =>
  client.workflow.start('setUpCluster', { taskQueue, workflowId, args: [input], workflowTaskTimeout: '3s' });

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
