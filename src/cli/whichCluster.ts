/** Which cluster a command is about: the one it names, that of ST_CLUSTER, or the only one there is. */
import { listClusters } from '../control/clusters';
import { StError } from '../model/errors';
import type { Cli } from './cli';
import { UsageError } from './failure';

/** @throws UsageError when that can't be told */
export async function whichCluster(cli: Cli, named: string | undefined): Promise<string> {
  const chosen = named ?? cli.io.env['ST_CLUSTER'];
  if (chosen) return chosen;
  const known = await listed(cli);
  if (known === undefined) throw new UsageError('which cluster? Name it, or set ST_CLUSTER: the Temporal server, which knows the names, does not answer');
  if (known.length === 0) throw new UsageError('which cluster? None was applied yet: stctl apply -f cluster.yaml');
  if (known.length > 1) throw new UsageError(`which cluster? Name it, or set ST_CLUSTER: there are ${known.join(', ')}`);
  cli.say(`Cluster ${known[0]}, the only one there is.`);
  return known[0]!;
}

async function listed(cli: Cli): Promise<string[] | undefined> {
  try {
    return await listClusters(await cli.client());
  } catch (error) {
    if (error instanceof StError && error.code === 'Unreachable') return undefined;
    throw error;
  }
}
