/**
 * Makes the histories of the operations on a cluster that works, on a lab of three Servers and two Edges: nodes out and in, one replaced, restarts, an update,
 * the workload, an adoption; with what happens to those that are terminated, cancelled, or held for a person.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { Client as Database } from 'pg';
import { applySpec } from '../../src/control/clusters';
import { connectClient } from '../../src/control/connect';
import { readConnectionConfig } from '../../src/control/connectionConfig';
import { cancelOperation } from '../../src/control/operations';
import type { ClusterSpec } from '../../src/model/spec';
import { startEstate, startWorker, type Estate } from '../../bench/estate';
import { ended, identity, saver, stepIs, taskQueue, type Save } from './histories';

const types = ['addNode', 'removeNode', 'replaceNode', 'rollingRestart', 'updateCluster', 'rebalanceWorkload', 'adoptCluster'];

async function main(): Promise<void> {
  const client = await connectClient(readConnectionConfig(process.env, []), { identity });
  const estate = await startEstate({ name: 'histories-nodes', servers: 3, edges: 2, productTimeMs: 50 });
  const worker = await startWorker(taskQueue, { ST_IDENTITY: identity });
  try {
    await aYear(client, estate, saver(client, estate, types));
  } finally {
    await worker.stop();
    await estate.down();
    await client.connection.close();
  }
}

async function aYear(client: Client, estate: Estate, save: Save): Promise<void> {
  const { spec: found } = estate;
  const spec: ClusterSpec = { ...found, policies: { ...found.policies, minimumNodes: 1 } };
  const cluster = spec.metadata.name;
  const start = (type: string, input: object, workflowId: string): Promise<WorkflowHandle> =>
    client.workflow.start(type, { taskQueue, workflowId, args: [{ cluster, ...input }], workflowTaskTimeout: '3s' });
  /** Runs it to this end and saves it as `<type>.<name>`; `meanwhile` is what happens to it. */
  const run = async (type: string, name: string, input: object, end: string, meanwhile: (handle: WorkflowHandle) => Promise<unknown> = async () => undefined): Promise<void> => {
    const handle = await start(type, input, `${type}.${name}`);
    await meanwhile(handle);
    await ended(handle, end);
    if (types.includes(type)) await save(`${type}.${name}`, handle.workflowId);
  };
  const gracefulTimeout = '2s';

  await run('setUpCluster', 'first', { spec }, 'completed');
  const both = { nodes: ['st3', 'ed2'] };
  await run('removeNode', 'planned', { ...both, gracefulTimeout, dryRun: true }, 'planned');
  await run('removeNode', 'cancelled', { ...both, gracefulTimeout }, 'Cancelled', async (handle) => {
    await stepIs(handle, 'drain/st3', 'running');
    await cancelOperation(client, handle.workflowId, 'to have a history of it');
  });
  await run('removeNode', 'completed', { ...both, gracefulTimeout }, 'completed');
  await run('addNode', 'cancelled', both, 'Cancelled', async (handle) => {
    await stepIs(handle, 'start-admin/st3', 'running');
    await cancelOperation(client, handle.workflowId, 'to have a history of it');
  });
  await run('addNode', 'completed', { ...both, parallel: 2 }, 'completed');
  await run('removeNode', 'one', { nodes: ['st3'], gracefulTimeout }, 'completed');
  await run('replaceNode', 'completed', { node: 'st2', by: 'st3', gracefulTimeout }, 'completed');

  await run('rollingRestart', 'planned', { dryRun: true }, 'planned');
  await run('rollingRestart', 'completed', { gracefulTimeout }, 'completed');
  const lost = await start('rollingRestart', { gracefulTimeout }, 'rollingRestart.terminated');
  await stepIs(lost, 'online/st1', 'running');
  await lost.terminate('to have a history of it');
  await save('rollingRestart.terminated', lost.workflowId);
  await run('rollingRestart', 'completed-after', { gracefulTimeout }, 'completed');
  await run('rollingRestart', 'cancelled', { nodes: ['st3'], gracefulTimeout }, 'Cancelled', async (handle) => {
    await stepIs(handle, 'stop/st3', 'running');
    await cancelOperation(client, handle.workflowId, 'to have a history of it');
  });

  const directed = { policy: 'attributeMatchPolicy', assign: { st1: { PUSH: true } }, toWholeCluster: ['PGP', 'PULL', 'FM_TRIGGERED', 'MAINTENANCE'], weights: { ed1: 5 }, window: '1s', gracefulTimeout };
  await run('rebalanceWorkload', 'completed', directed, 'completed');
  await run('rebalanceWorkload', 'nothing', directed, 'nothing to do');
  await run('rebalanceWorkload', 'suggested', { suggest: true, window: '1s' }, 'planned');

  await applySpec(client, { ...spec, product: { ...spec.product, version: '5.5-20261126', update: { command: ['/opt/install/SecureTransport_5.5/update.sh'], nodeByNode: true } } }, { taskQueue });
  const host = (name: string, ...path: string[]): string => join(estate.dir, 'hosts', name, 'home/ops', ...path);
  writeFileSync(host('st3', 'update.env'), 'UPDATE_FAILS=st3\n');
  await run('updateCluster', 'held', { version: '5.5-20261126', gracefulTimeout }, 'completed', async (handle) => {
    await stepIs(handle, 'update/st3', 'waiting');
    writeFileSync(host('st3', 'update.env'), '');
    await handle.executeUpdate('decide', { args: [{ step: 'update/st3', do: 'retry', by: 'histories', reason: 'cured' }] });
  });
  await run('updateCluster', 'nothing', { version: '5.5-20261126' }, 'nothing to do');
  await applySpec(client, { ...spec, product: { ...spec.product, version: '5.5-20261127', update: { command: ['/opt/install/SecureTransport_5.5/update.sh'], nodeByNode: true } } }, { taskQueue });
  for (const name of ['st1', 'st3', 'ed1', 'ed2']) writeFileSync(host(name, 'update.env'), 'UPDATE_BESIDE_OLDER=yes\n');
  await run('updateCluster', 'node-by-node', { version: '5.5-20261127', nodeByNode: true, keepOnline: 1, gracefulTimeout }, 'completed');

  // The estate as one that nobody of ours has taken, without the node that was replaced.
  for (const name of ['st1', 'st2', 'st3', 'ed1', 'ed2', 'lb1']) rmSync(host(name, '.st-orchestrator'), { recursive: true, force: true });
  const { database } = spec.sites['prod']!;
  await forget({ ...database, dir: estate.dir });
  const adopted = 'histories-adopted';
  const site = spec.sites['prod']!;
  const taken = { ...spec, metadata: { name: adopted }, product: spec.product, sites: { prod: { ...site, servers: site.servers.filter(({ name }) => name !== 'st2') } } };
  await run('adoptCluster', 'completed', { cluster: adopted, spec: taken, apply: true }, 'completed');
}

/** What says beside the database whose it is. */
async function forget({ host, port, name, user, stateDatabase = `${name}_orchestrator`, dir }: { host: string; port: number; name: string; user: string; stateDatabase?: string; dir: string }): Promise<void> {
  const read = (file: string): string => readFileSync(join(dir, file), 'utf8').trim();
  const database = new Database({ host, port, user, database: stateDatabase, password: read('secrets/database-password'), ssl: { ca: read('ca.pem') } });
  await database.connect();
  await database.query('drop table if exists st_orchestrator_epoch');
  await database.end();
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
