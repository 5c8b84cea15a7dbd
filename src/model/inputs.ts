/** The inputs of operations and updates as people write them in JSON: one schema each, all problems at once, as `field: message`. */
import { z } from 'zod';
import { parseClusterSeed, type ClusterSeed } from './clusterSeed';
import { clusterName, duration, matching, oneOf, strict } from './fields';
import { checkHygiene } from './hygiene';
import type { Decision } from './operation';
import { describe, formatProblem, problemsFromZod, type InputProblem } from './problems';
import { parseClusterSpec, type ClusterSpec } from './spec';

export const day = 86_400_000;

/** Names, reasons and titles that people write: one line, at most 500 characters. */
export const line = z.string().trim().min(1).max(500);

const inlineSpec = z.unknown().transform((value, ctx): ClusterSpec => {
  const parsed = parseClusterSpec(value);
  if (parsed.spec) return parsed.spec;
  for (const { path, message } of parsed.problems) ctx.issues.push({ code: 'custom', message, path, input: undefined });
  return z.NEVER;
});

const inlineSeed = z.unknown().transform((value, ctx): ClusterSeed => {
  const parsed = parseClusterSeed(value);
  if (parsed.seed) return parsed.seed;
  for (const { path, message } of parsed.problems) ctx.issues.push({ code: 'custom', message, path, input: undefined });
  return z.NEVER;
});

/** What every operation takes. Durations are milliseconds or texts such as "30s". */
export const common = {
  cluster: clusterName,
  dryRun: z.boolean().optional(),
  fingerprint: matching(/^[0-9a-f]{12}$/, 'the 12 hexadecimal digits that a plan names').optional(),
  waitForLease: duration(0, 7 * day).optional(),
  patience: duration(0, day).optional(),
  requestedBy: line.optional(),
  reason: line.optional(),
};

/** The DBA's own backup of the database, in place of a dump. */
export const backedUp = { databaseBackup: line.optional() };

export const setUpClusterInput = strict({ ...common, ...backedUp, spec: inlineSpec.optional() }).check((ctx) => {
  const { cluster, spec } = ctx.value;
  if (spec && spec.metadata.name !== cluster) {
    ctx.issues.push({ code: 'custom', path: ['cluster'], message: `expected the name in the spec (${spec.metadata.name}), found ${describe(cluster)}`, input: cluster });
  }
});
/** After parsing: durations in milliseconds, the spec normalised. */
export type SetUpClusterInput = z.output<typeof setUpClusterInput>;

/** Without `apply` it only looks. A seed is answered with a cluster file; what is applied is a file that somebody has read: a spec, or the one applied before. */
export const adoptClusterInput = strict({ ...common, seed: inlineSeed.optional(), spec: inlineSpec.optional(), apply: z.boolean().optional() })
  .check((ctx) => {
    const { cluster, spec, seed, apply } = ctx.value;
    const name = (spec ?? seed)?.metadata.name;
    if (name !== undefined && name !== cluster) ctx.issues.push({ code: 'custom', path: ['cluster'], message: `expected the name in the ${spec ? 'spec' : 'seed'} (${name}), found ${describe(cluster)}`, input: cluster });
    if (spec && seed) ctx.issues.push({ code: 'custom', path: ['seed'], message: 'expected a seed or a spec, found both', input: undefined });
    if (seed && apply) ctx.issues.push({ code: 'custom', path: ['apply'], message: 'a seed is not applied: look first, read the cluster file that comes of it, and give that as "spec"', input: apply });
  })
  // What was not asked to change anything must not.
  .transform((value) => ({ ...value, dryRun: value.dryRun === true || value.apply !== true }));
export type AdoptClusterInput = z.output<typeof adoptClusterInput>;

export const decideInput = strict({
  step: line,
  // As the step shows it: "st2 at lb1" too.
  node: line.optional(),
  do: oneOf(['retry', 'skip', 'done-by-hand', 'abort']),
  by: line,
  reason: line,
}) satisfies z.ZodType<Decision, unknown>;

export type ParsedInput<T> = { value: T } | { problems: string[] };

/** Checks one JSON value against a schema of this file. Never throws; keys that were left out stay out. */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown): ParsedInput<T> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { problems: [`expected one JSON object, found ${describe(value)}`] };
  const hygiene = checkHygiene(value, { quotes: true });
  if (hygiene.fatal) return { problems: hygiene.problems.map(formatProblem) };
  const parsed = schema.safeParse(value, { reportInput: true });
  const problems: InputProblem[] = [...hygiene.problems, ...(parsed.success ? [] : problemsFromZod(parsed.error))];
  return parsed.success && problems.length === 0 ? { value: parsed.data } : { problems: [...new Set(problems.map(formatProblem))] };
}
