/** What the monitor and `checkHealth` take, and the updates that the monitor answers. Durations are milliseconds or texts such as "2s". */
import { z } from 'zod';
import { clusterName, duration, matching, nodeName, oneOf, strict, whole } from './fields';
import { day, line } from './inputs';

const queue = matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/, 'the name of a task queue, such as st-site-prod');

/** What may be changed while it watches. Left out: what the cluster file says, or what it was. */
const settings = {
  /** Between two looks, and how many must agree. */
  interval: duration(100, 3_600_000).optional(),
  failuresToOffline: whole(1, 100).optional(),
  /** Task queues of the workers that look; the monitor's own when left out. */
  vantage: z.array(queue).min(1).max(9).refine((queues) => new Set(queues).size === queues.length, { error: 'expected different task queues' }).optional(),
  /** How many of them must agree; more than half when left out. */
  quorum: whole(1, 9).optional(),
  /** How long too few Servers must be missing before `below-threshold` is told. */
  for: duration(0, day).optional(),
  /** How long a node must hold before it is told as recovered. */
  calm: duration(0, day).optional(),
  /** How long one activity looks when nothing changes. */
  sliceMs: duration(500, 3_600_000).optional(),
};

/** Why these vantage points can't agree as asked for, if they can't; undefined: a majority of them. */
export const quorumProblem = (quorum: number | undefined, points: number): string | undefined =>
  quorum !== undefined && quorum > points ? `expected at most ${points}, the number of vantage points, found ${quorum}` : undefined;

/** The monitor's own queue is the one vantage point where none is named. */
const quorumFits = (ctx: { value: { vantage?: string[] | undefined; quorum?: number | undefined }; issues: unknown[] }): void => {
  const { vantage, quorum } = ctx.value;
  const message = quorumProblem(quorum, vantage?.length ?? 1);
  if (message !== undefined) ctx.issues.push({ code: 'custom', path: ['quorum'], message, input: quorum });
};

export const monitorClusterInput = strict({ cluster: clusterName, ...settings, historyLimit: whole(20, 50_000).optional() }).check(quorumFits);
export type MonitorClusterInput = z.output<typeof monitorClusterInput>;

/** Whether the quorum fits depends on how it is watched by then: `quorumProblem`. */
export const configureInput = strict(settings);
export type MonitorSettings = z.output<typeof configureInput>;

export const pauseInput = strict({
  until: z.iso.datetime({ offset: true, error: 'expected the time at which it ends, such as 2026-11-30T18:00:00Z: a pause always ends' }),
  by: line, reason: line,
});
export type PauseInput = z.output<typeof pauseInput>;

export const reportInput = strict({ from: line, node: nodeName.optional(), what: line });
export type ReportInput = z.output<typeof reportInput>;

export const failWhen = ['degraded', 'below threshold'] as const;

export const checkHealthInput = strict({
  cluster: clusterName,
  /** The worst that is still a success; left out: whatever is seen is an answer. */
  failWhen: oneOf(failWhen).optional(),
  requestedBy: line.optional(),
});
export type CheckHealthInput = z.output<typeof checkHealthInput>;
