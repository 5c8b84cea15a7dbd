/**
 * Layer (a) of the fault tests: an operation on an estate in memory, cut at the boundary of one activity. The worker is the product's own, made by its
 * one seam; the activities are the estate's, put in their place by an interceptor.
 */
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { until } from '../../../lab/shell';
import { StError } from '../../../src/model/errors';
import type { ClusterRecord } from '../../../src/model/cluster';
import type { OperationReport } from '../../../src/model/operation';
import type { Authority } from '../../../src/model/targets';
import type { Clients } from '../../../src/worker/clients';
import { workerConfig } from '../../../src/worker/config';
import { createWorker } from '../../../src/worker/createWorker';
import { operationsOn } from '../operations';
import { unique, type Ground } from '../workflows';

export interface PretendGround {
  /** By registered name. */
  activities: Record<string, (input: never, authority: Authority) => Promise<unknown>>;
  /** What an operation is to bring about, as plain data; equal states are equal ends. */
  state(): unknown;
}

/** What the harness needs to know of an operation. */
export interface Rehearsal {
  operation: string;
  input(cluster: string): object;
  /** A fresh estate; `cluster` is the name in the input. */
  ground(cluster: string): PretendGround;
  /** What the record knows when the operation begins; left out: there is none. */
  record?(cluster: string): ClusterRecord;
}

export interface BoundaryFault {
  /** Activity id: the step's key. */
  at: string;
  /**
   * Once: the first try has no effect and fails with what may pass. For good: it fails with what no retry cures. Worker lost: it has its effect and is
   * never heard of again, so the server gives it to another worker after the heartbeat time-out, and it is performed twice. Cancelled and terminated: so is
   * the operation when it is begun.
   */
  kind: 'once' | 'for good' | 'worker lost' | 'cancelled' | 'terminated';
}

export interface Played {
  /** Activity ids in the order in which they were first begun. */
  performed: string[];
  /** How often an activity was begun. */
  tries: Record<string, number>;
  report: OperationReport | undefined;
  failure: ApplicationFailure | undefined;
  /** Absent where the operation never got as far as the record. */
  record: ClusterRecord | undefined;
  state: unknown;
}

export interface Stage {
  /** Plays the operation once on an estate of its own, or `again` on that of an earlier play; `left`: the record, once it has seen that nobody holds its lease. */
  play(fault?: BoundaryFault): Promise<Played & { again(): Promise<Played>; left(): Promise<ClusterRecord> }>;
}

export interface OpenStage extends Stage {
  close(): Promise<void>;
}

export const saying = 'the fault of this test';

interface Scene {
  ground: PretendGround;
  fault: BoundaryFault | undefined;
  tries: Record<string, number>;
  /** The fault has happened: a step that a person has tried again goes well. */
  happened?: boolean;
}

/** How often a record looks after the holder of its lease, in milliseconds. */
const lookUpEvery = 500;

/**
 * One worker on which several plays may run at once. `everyTaskReplays`: no workflow is kept between its tasks, which finds what is not
 * deterministic and costs five times the time.
 */
export async function openStage(ground: Ground, rehearsal: Rehearsal, { everyTaskReplays }: { everyTaskReplays: boolean }): Promise<OpenStage> {
  const taskQueue = unique('faults');
  const scenes = new Map<string, Scene>();
  const bundle = process.env['ST_WORKFLOW_BUNDLE'];
  const worker = await createWorker({
    config: { ...workerConfig({ TEMPORAL_ADDRESS: process.env['TEMPORAL_ADDRESS'] }), ...(everyTaskReplays ? { maxCachedWorkflows: 0 } : {}), shutdownGraceMs: 0, shutdownForceMs: 10_000 },
    clients: {} as Clients, connection: ground.connection, taskQueue, interceptors: { activity: [interceptor(scenes, ground)] }, ...(bundle ? { bundle: { codePath: bundle } } : {}),
  });
  const operations = operationsOn(ground, taskQueue);

  const recordOf = (cluster: string): Promise<ClusterRecord | undefined> => operations.record(cluster).catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  });

  async function perform(cluster: string, scene: Scene): Promise<Played> {
    const workflowId = `${rehearsal.operation}/${cluster}`;
    scenes.set(workflowId, scene);
    const handle = await operations.start(rehearsal.operation, rehearsal.input(cluster), workflowId);
    const ended = handle.result();
    if (scene.fault?.kind === 'for good') void decideWhenHeld(handle, ended);
    const failure = await ended.then(() => undefined, (thrown: unknown) => {
      if (thrown instanceof WorkflowFailedError) return thrown.cause as ApplicationFailure;
      throw thrown;
    });
    // A query has a time of its own, which a busy machine may let pass: it is asked once more.
    const ask = (): Promise<OperationReport> => handle.query<OperationReport>('report');
    const report = await ask().catch(ask);
    return { performed: Object.keys(scene.tries), tries: scene.tries, report, failure, record: await recordOf(cluster), state: scene.ground.state() };
  }

  const running = worker.run();
  return {
    async play(fault) {
      const cluster = unique('c');
      const estate = rehearsal.ground(cluster);
      const record = rehearsal.record?.(cluster);
      if (record) await operations.start('cluster', { name: cluster, record, lookUpEvery }, `cluster/${cluster}`);
      const played = await perform(cluster, { ground: estate, fault, tries: {} });
      return {
        ...played,
        again: () => perform(cluster, { ground: estate, fault: undefined, tries: {} }),
        left: () => until('the record to see that its operation is gone', async () => {
          const seen = await operations.record(cluster);
          return seen.lease === null && seen;
        }, 20_000, 100),
      };
    },
    async close() {
      worker.shutdown();
      await running;
    },
  };
}

/** Runs `test` on a stage of its own. */
export async function withStage<T>(ground: Ground, rehearsal: Rehearsal, how: { everyTaskReplays: boolean }, test: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = await openStage(ground, rehearsal, how);
  try {
    return await test(stage);
  } finally {
    await stage.close();
  }
}

function interceptor(scenes: Map<string, Scene>, { client }: Ground): ActivityInterceptorsFactory {
  return (context) => {
    const { activityId, activityType, attempt, workflowExecution } = context.info;
    const scene = scenes.get(workflowExecution?.workflowId ?? '');
    const fault = scene?.fault?.at === activityId && attempt === 1 && !scene.happened ? scene.fault.kind : undefined;
    if (scene && fault) scene.happened = true;
    // Taken away before the product's own interceptor takes hold of it: a lost worker sends no heartbeat.
    if (fault === 'worker lost') Object.defineProperty(context, 'heartbeat', { configurable: true, value: () => undefined });
    return {
      inbound: {
        async execute(input, next) {
          if (!scene) return next(input);
          scene.tries[activityId] = attempt;
          const handle = client.workflow.getHandle(workflowExecution!.workflowId);
          if (fault === 'cancelled') await handle.cancel();
          if (fault === 'terminated') await handle.terminate(saying);
          if (fault === 'once') throw new StError('Unreachable', saying);
          if (fault === 'for good') throw new StError('Refused', saying);
          const act = scene.ground.activities[activityType];
          const result: unknown = act ? await act(...(input.args as [never, Authority])) : await next(input);
          if (fault === 'worker lost') await nextTry(scene, activityId);
          return result;
        },
      },
    };
  };
}

/** Answers a hold as a person would who has mended what was wrong. */
async function decideWhenHeld(handle: WorkflowHandle, ended: Promise<unknown>): Promise<void> {
  let over = false;
  ended.then(() => (over = true), () => (over = true));
  while (!over) {
    await new Promise<void>((resolve) => void setTimeout(resolve, 250));
    const report = await handle.query<OperationReport>('report').catch(() => undefined);
    const waiting = report?.phase === 'held' ? report.steps.find(({ state }) => state === 'waiting') : undefined;
    if (waiting) await handle.executeUpdate('decide', { args: [{ step: waiting.key, ...(waiting.node === undefined ? {} : { node: waiting.node }), do: 'retry', by: 'a test', reason: saying }] }).catch(() => undefined);
  }
}

/** Until the server has given the activity to another try, or the worker ends. */
async function nextTry(scene: Scene, activityId: string): Promise<never> {
  const { cancellationSignal } = Context.current();
  while (scene.tries[activityId] === 1 && !cancellationSignal.aborted) await new Promise<void>((resolve) => void setTimeout(resolve, 20));
  throw new StError('ConnectionLost', saying);
}

/** Does `look` for every item, at most `parallel` at once; answers one line for everything that was thrown. */
export async function everywhere<T>(items: readonly T[], parallel: number, name: (item: T) => string, look: (item: T) => Promise<void>): Promise<string[]> {
  const waiting = [...items];
  const problems: string[] = [];
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      const current = item;
      await look(current).catch((error: Error) => problems.push(`${name(current)}: ${error.message}`));
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  return problems;
}
