/** One figure of the set-up: the product alone, then the operation, on the same estate put back to its beginning in between. */
import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { createClients } from '../src/clients';
import { startOperation } from '../src/control/operations';
import { operationWorkflowId } from '../src/model/ids';
import type { OperationReport } from '../src/model/operation';
import type { ClusterSpec } from '../src/model/spec';
import { startEstate, startWorker } from './estate';
import { activitiesOf, checksMs, stepsOf, typesOf, type TypeTimes } from './history';
import { productAlone, type ProductStep } from './productAlone';

export interface StepFigure {
  key: string;
  nodes: number;
  /** Milliseconds: in the operation, of the product alone, and the difference. */
  took: number;
  product: number;
  added: number;
}

export interface SetUpFigures {
  servers: number;
  productTimeMs: number;
  /** Milliseconds, from the order to the report. */
  total: number;
  /** The product's critical path, measured alone. */
  product: number;
  checks: number;
  steps: StepFigure[];
  types: TypeTimes[];
  activities: number;
  events: number;
  bytes: number;
}

/** Measures one size at one product time. @throws Error when the set-up does not complete as planned */
export async function measureSetUp(client: Client, { repeat, ...options }: { servers: number; productTimeMs: number; repeat: number }): Promise<SetUpFigures> {
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

async function withClients<T>(act: (clients: ReturnType<typeof createClients>) => Promise<T>): Promise<T> {
  const clients = createClients();
  try {
    return await act(clients);
  } finally {
    await clients.close();
  }
}

async function measureOperation(client: Client, lab: ClusterSpec, alone: ProductStep[], run: number): Promise<Omit<SetUpFigures, 'servers' | 'productTimeMs'>> {
  // A cluster of its own each time: the record of the one before says that it is set up.
  const cluster = `${lab.metadata.name}-${run}`;
  const spec = { ...lab, metadata: { ...lab.metadata, name: cluster } };
  const workflowId = operationWorkflowId('setUpCluster', cluster);
  const taskQueue = `bench-${randomBytes(4).toString('hex')}`;
  const worker = await startWorker(taskQueue);
  try {
    const began = performance.now();
    await startOperation(client, { operation: 'setUpCluster', workflowId, taskQueue, summary: `Set up cluster ${cluster}`, input: { cluster, spec } });
    const handle = client.workflow.getHandle(workflowId);
    const report = (await handle.result()) as OperationReport;
    const total = performance.now() - began;
    if (report.outcome !== 'completed') throw new Error(`the set-up ended as "${report.outcome}": ${report.summary}`);
    const [history, described] = await Promise.all([handle.fetchHistory(), handle.describe()]);
    const activities = activitiesOf(history);
    const steps = compare(stepsOf(activities), alone);
    return {
      total, steps, product: alone.reduce((sum, { ms }) => sum + ms, 0), checks: checksMs(activities), types: typesOf(activities),
      activities: activities.length, events: described.historyLength, bytes: described.historySize ?? 0,
    };
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

/** Steps without a command of the product (files, the epoch) took the product no time. */
function compare(steps: ReturnType<typeof stepsOf>, alone: readonly ProductStep[]): StepFigure[] {
  const left = [...alone];
  const figures = steps.map(({ key, nodes, ms }) => {
    const at = left.findIndex((one) => one.key === key && one.nodes === nodes);
    const product = at < 0 ? 0 : left.splice(at, 1)[0]!.ms;
    return { key, nodes, took: ms, product, added: ms - product };
  });
  if (left.length > 0) throw new Error(`the product alone did steps that the operation did not: ${left.map(({ key, nodes }) => `${key} (${nodes})`).join(', ')}`);
  return figures;
}
