/** addNode, rollingRestart and removeNode on a cluster that works, against the product's own time: first by bare hands, then by the orchestrator, on the same estate. */
import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { applySpec } from '../src/control/clusters';
import type { ClusterSpec } from '../src/model/spec';
import { withClients, startEstate, startWorker } from './estate';
import { figureOf, type OperationFigures } from './figure';
import { nodesAlone } from './nodesAlone';
import { operate } from './operate';
import { productAlone } from './productAlone';
import type { ProductStep } from './bareHands';

const kinds = ['addNode', 'rollingRestart', 'removeNode'] as const;
type Kind = (typeof kinds)[number];

export interface NodeFigures extends OperationFigures {
  operation: Kind;
  /** Of the cluster; one of them comes and goes. */
  servers: number;
  productTimeMs: number;
}

/** @throws Error when an operation does not complete */
export async function measureNodes(client: Client, { servers, productTimeMs }: { servers: number; productTimeMs: number }): Promise<NodeFigures[]> {
  const estate = await startEstate({ servers: servers - 1, reserve: 1, productTimeMs });
  try {
    const grown = estate.specOf('cluster-grown.yaml');
    const node = `st${servers}`;
    const alone = await withClients(async (clients): Promise<Record<Kind, ProductStep[]>> => {
      await productAlone(estate.spec, clients);
      const product = nodesAlone(grown, node, clients);
      return { addNode: await product.add(), rollingRestart: await product.restart(), removeNode: await product.remove() };
    });
    await estate.reset();
    const taken = await byOrchestrator(client, { spec: estate.spec, grown, node });
    return kinds.map((operation) => ({ operation, servers, productTimeMs, ...figureOf(taken[operation], alone[operation]) }));
  } finally {
    await estate.down();
  }
}

async function byOrchestrator(client: Client, { spec, grown, node }: { spec: ClusterSpec; grown: ClusterSpec; node: string }): Promise<Record<Kind, Awaited<ReturnType<typeof operate>>>> {
  const cluster = spec.metadata.name;
  const taskQueue = `bench-${randomBytes(4).toString('hex')}`;
  const worker = await startWorker(taskQueue);
  const run = (operation: Kind | 'setUpCluster', input: object): ReturnType<typeof operate> => operate(client, { operation, cluster, taskQueue, input });
  try {
    await run('setUpCluster', { spec });
    await applySpec(client, grown, { taskQueue });
    return { addNode: await run('addNode', { nodes: [node] }), rollingRestart: await run('rollingRestart', { gracefulTimeout: '60s' }), removeNode: await run('removeNode', { nodes: [node] }) };
  } finally {
    await worker.stop();
  }
}
