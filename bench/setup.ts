/** One figure of the set-up: the product alone, then the operation, on the same estate put back to its beginning in between. */
import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { ClusterSpec } from '../src/model/spec';
import type { ProductStep } from './bareHands';
import { startEstate, startWorker, withClients } from './estate';
import { figureOf, type OperationFigures } from './figure';
import { operate } from './operate';
import { productAlone } from './productAlone';

interface Size {
  servers: number;
  edges: number;
  productTimeMs: number;
}

export interface SetUpFigures extends OperationFigures, Size {}

/** Measures one size at one product time. @throws Error when the set-up does not complete as planned */
export async function measureSetUp(client: Client, { repeat, ...options }: Size & { repeat: number }): Promise<SetUpFigures> {
  const estate = await startEstate(options);
  const taken: SetUpFigures[] = [];
  try {
    for (let run = 0; run < repeat; run += 1) {
      if (run > 0) await estate.reset();
      const alone = await withClients((clients) => productAlone(estate.spec, clients));
      await estate.reset();
      taken.push({ ...options, ...(await measureOperation(client, estate.spec, alone, run)) });
    }
    return middle(taken);
  } finally {
    await estate.down();
  }
}

async function measureOperation(client: Client, lab: ClusterSpec, alone: ProductStep[], run: number): Promise<OperationFigures> {
  // A cluster of its own each time: the record of the one before says that it is set up.
  const cluster = `${lab.metadata.name}-${run}`;
  const spec = { ...lab, metadata: { ...lab.metadata, name: cluster } };
  const taskQueue = `bench-${randomBytes(4).toString('hex')}`;
  const worker = await startWorker(taskQueue);
  try {
    return figureOf(await operate(client, { operation: 'setUpCluster', cluster, taskQueue, input: { spec } }), alone);
  } finally {
    // Its record goes on; with its worker gone it costs nothing.
    await worker.stop();
  }
}

/** The median of every figure by itself: what is beside us on the machine disturbs now this step, now that. */
function middle(taken: SetUpFigures[]): SetUpFigures {
  const median = (of: (one: SetUpFigures) => number): number => taken.map(of).sort((a, b) => a - b)[Math.floor((taken.length - 1) / 2)]!;
  const [first] = taken as [SetUpFigures, ...SetUpFigures[]];
  return {
    ...first,
    total: median(({ total }) => total), product: median(({ product }) => product), checks: median(({ checks }) => checks), events: median(({ events }) => events), bytes: median(({ bytes }) => bytes),
    steps: first.steps.map(({ key, nodes }, at) => ({ key, nodes, took: median(({ steps }) => steps[at]!.took), product: median(({ steps }) => steps[at]!.product), added: median(({ steps }) => steps[at]!.added) })),
    types: first.types.map(({ type, count, retried }) => {
      const of = (figure: 'waited' | 'ran' | 'longest') => (one: SetUpFigures): number => one.types.find((other) => other.type === type)![figure];
      return { type, count, retried, waited: median(of('waited')), ran: median(of('ran')), longest: median(of('longest')) };
    }),
  };
}
