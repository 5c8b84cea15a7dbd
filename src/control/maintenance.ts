/** Maintenance windows as doors start and end them. */
import type { Client } from '@temporalio/client';
import { StError } from '../model/errors';
import { AdvisedError } from './advised';
import { clusterWorkflowId } from '../model/ids';
import { parseInput } from '../model/inputs';
import { maintenanceRequest, type MaintenanceAnswer, type MaintenanceRequest } from '../model/maintenance';
import { askWorker } from './calls';
import { readCluster } from './clusters';

/** @throws StError InvalidInput in the record's own words, UnknownCluster, Unreachable */
export async function changeMaintenance(client: Client, cluster: string, request: MaintenanceRequest): Promise<MaintenanceAnswer> {
  const parsed = parseInput(maintenanceRequest(), request);
  if ('problems' in parsed) throw new StError('InvalidInput', parsed.problems.join('\n'));
  await readCluster(client, cluster);
  return askWorker(client, clusterWorkflowId(cluster), `the maintenance windows of "${cluster}"`, () =>
    client.workflow.getHandle(clusterWorkflowId(cluster)).executeUpdate<MaintenanceAnswer, [MaintenanceRequest]>('maintenance', { args: [request] })).catch((error: unknown) => {
    if (!(error instanceof StError) || error.code !== 'InvalidInput') throw error;
    throw new AdvisedError('InvalidInput', error.message, [`See which nodes there are: stctl status ${cluster}`, `See which windows are open: stctl maintenance list ${cluster}`], { cause: error });
  });
}
