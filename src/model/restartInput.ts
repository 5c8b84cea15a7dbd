/** What rollingRestart and updateCluster take. */
import { z } from 'zod';
import { checked, duration, matching, nodeName, strict, timeWithZone, whole } from './fields';
import { backedUp, common, day, line } from './inputs';
import { describe } from './problems';

/** What every graceful stop is told: how long it lasts at most (whole seconds of it count), what is accepted as cut, and what forbids it. */
export const gracefully = {
  gracefulTimeout: duration(1_000, day).optional(),
  acceptActive: z.boolean().optional(),
  blocking: z.array(line).min(1).max(50).optional(),
  sweep: z.boolean().optional(),
};

export const defaultGracefulMs = 5 * 60_000;
export const gracefulSecondsOf = ({ gracefulTimeout }: { gracefulTimeout?: number | undefined }): number => Math.max(1, Math.floor((gracefulTimeout ?? defaultGracefulMs) / 1_000));

/** A moment in UTC: `2026-11-30T12:00:00Z`. */
const moment = checked((text) => (text.endsWith('Z') && timeWithZone.safeParse(text).success ? undefined : `expected a time in UTC such as 2026-11-30T12:00:00Z, found ${describe(text)}`));

export const rollingRestartInput = strict({
  ...common,
  ...gracefully,
  nodes: z.array(nodeName).min(1).max(70).optional(),
  startedBefore: moment.optional(),
  parallel: whole(1, 10).optional(),
  keepOnline: whole(0, 20).optional(),
  probe: z.boolean().optional(),
});
export type RollingRestartInput = z.output<typeof rollingRestartInput>;

export const updateClusterInput = strict({
  ...common,
  ...backedUp,
  ...gracefully,
  version: matching(/^\d{1,3}\.\d{1,3}([.-][0-9A-Za-z]{1,20}){0,3}$/, 'a version such as 5.5-20261126'),
  nodeByNode: z.boolean().optional(),
  keepOnline: whole(0, 20).optional(),
  updateTimeout: duration(1_000, day).optional(),
  probe: z.boolean().optional(),
});
export type UpdateClusterInput = z.output<typeof updateClusterInput>;
