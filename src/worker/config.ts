/** The worker's settings, from the environment. All problems are found before any is told. */
import { hostname } from 'node:os';
import { z } from 'zod';
import { readConnectionConfig, type ConnectionConfig, type Environment } from '../control/connectionConfig';
import { StError } from '../model/errors';
import { taskQueue } from '../model/ids';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;

export interface WorkerConfig extends ConnectionConfig {
  logLevel: (typeof logLevels)[number];
  taskQueue: string;
  /** `host:port` where Prometheus reads the metrics; none when absent. */
  metricsAddress?: string;
  /** Activities at once in this process. */
  maxActivities: number;
  /** Workflows kept between their tasks; by free memory when absent, 0 replays every task from its history. */
  maxCachedWorkflows?: number;
  /** How long running activities may go on after the order to end, before they are cancelled; in milliseconds. */
  shutdownGraceMs: number;
  /** How long after that order the process ends whatever still runs; in milliseconds. */
  shutdownForceMs: number;
  /** Who works, as Temporal shows it. */
  identity: string;
}

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

const duration = z.string().transform((text, context) => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match) return Number(match[1]) * units[match[2]!]!;
  context.addIssue({ code: 'custom', message: 'must be a duration such as 500ms, 10s or 2m' });
  return z.NEVER;
});

const integer = (least: number, most: number) =>
  z.string().transform((text, context) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    context.addIssue({ code: 'custom', message: `must be a whole number from ${least} to ${most}` });
    return z.NEVER;
  });

const socketAddress = z.string().refine((text) => {
  const match = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text);
  return match !== null && Number(match[2]) <= 65_535;
}, 'must be host:port, such as 127.0.0.1:9464');

const variables = z.object({
  ST_LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
  ST_TASK_QUEUE: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/, 'must be letters, digits, dots, dashes and underscores').default(taskQueue),
  ST_METRICS_ADDRESS: socketAddress.optional(),
  ST_MAX_ACTIVITIES: integer(1, 10_000).default(100),
  ST_MAX_CACHED_WORKFLOWS: integer(0, 100_000).optional(),
  // Together below the 30 s that process managers usually leave before they kill.
  ST_SHUTDOWN_GRACE: duration.default(10_000),
  ST_SHUTDOWN_FORCE: duration.default(20_000),
  ST_IDENTITY: z.string().max(200, 'must have at most 200 characters').optional(),
});

/**
 * Reads and checks the settings; a variable that is set but empty counts as not set.
 * @throws StError InvalidInput whose message has one line for every problem
 */
export function workerConfig(env: Environment = process.env): WorkerConfig {
  const given = Object.fromEntries(Object.keys(variables.shape).map((name) => [name, env[name]?.trim() || undefined]));
  const parsed = variables.safeParse(given);
  const problems = parsed.error?.issues.map(({ path, message }) => `${path.join('.')} ${message}, not "${given[String(path[0])]}"`) ?? [];
  const connection = readConnectionConfig(env, problems);
  if (parsed.success && parsed.data.ST_SHUTDOWN_FORCE < parsed.data.ST_SHUTDOWN_GRACE) problems.push('ST_SHUTDOWN_FORCE must not be shorter than ST_SHUTDOWN_GRACE');
  if (!parsed.success || problems.length) throw new StError('InvalidInput', problems.join('\n'));
  const { data } = parsed;
  return {
    ...connection,
    logLevel: data.ST_LOG_LEVEL,
    taskQueue: data.ST_TASK_QUEUE,
    metricsAddress: data.ST_METRICS_ADDRESS,
    maxActivities: data.ST_MAX_ACTIVITIES,
    maxCachedWorkflows: data.ST_MAX_CACHED_WORKFLOWS,
    shutdownGraceMs: data.ST_SHUTDOWN_GRACE,
    shutdownForceMs: data.ST_SHUTDOWN_FORCE,
    identity: data.ST_IDENTITY ?? `st-orchestrator@${hostname()}:${process.pid}`,
  };
}
