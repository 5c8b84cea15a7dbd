/** The input of `rebalanceWorkload`. */
import { z } from 'zod';
import { duration, matching, nodeNamePattern, oneOf, strict, whole } from './fields';
import { backedUp, common, day, line } from './inputs';
import { didYouMean } from './problems';
import { dispatchPolicies, eventTypes } from './workloadAttributes';

const attributeName = matching(/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/, 'the name of an attribute: letters, digits and . _ -');
/** Commas and equal signs divide the option's text. */
const attributeValue = matching(/^[^,=\s][^,=]{0,199}$/, 'a value without commas and equal signs, at most 200 characters');

const assignment = z.record(z.string(), z.union([z.boolean(), attributeValue, z.null()], { error: 'expected true or false (event types), a text (additional attributes) or null (take the attribute away)' })).check((ctx) => {
  for (const [name, value] of Object.entries(ctx.value)) {
    const say = (message: string): void => void ctx.issues.push({ code: 'custom', path: [name], message, input: value });
    const type = eventTypes.find((one) => one.toLowerCase() === name.toLowerCase());
    if (type !== undefined && type !== name) say(`unknown event type${didYouMean(name, eventTypes)}; expected one of ${eventTypes.join(', ')}`);
    else if (type !== undefined && typeof value === 'string') say('expected true or false for an event type');
    else if (type === undefined && typeof value === 'boolean') say(`expected one of the event types ${eventTypes.join(', ')}${didYouMean(name, eventTypes)}; an additional attribute takes a text, or null to take it away`);
    else if (!attributeName.safeParse(name).success) say('expected the name of an attribute: letters, digits and . _ -');
  }
});

const perNode = <V extends z.ZodType>(value: V) => z.record(z.string(), value).check((ctx) => {
  for (const name of Object.keys(ctx.value)) if (!nodeNamePattern.test(name)) ctx.issues.push({ code: 'custom', path: [name], message: 'expected the name of a node', input: name });
});

const asked = ['policy', 'assign', 'weights', 'additionalAttributes', 'pgpExpression'] as const;

export const rebalanceWorkloadInput = strict({
  ...common,
  ...backedUp,
  policy: oneOf(dispatchPolicies).optional(),
  /** What each Server is sent, by node: event types true or false, additional attributes a text, null takes one away. What is not named stays. */
  assign: perNode(assignment).optional(),
  /** Balancer weights of the nodes that it sends to. */
  weights: perNode(whole(1, 256)).optional(),
  /** Event types, or additional `NAME=value`, that no Server has on purpose. */
  toWholeCluster: z.array(line).max(50).optional(),
  /** The names beyond the event types, exactly; left out: what is there and what `assign` needs. */
  additionalAttributes: z.array(attributeName).max(50).optional(),
  /** Whether the PGP expression of Streaming.xml counts; left out: while PGP is directed to somebody. */
  pgpExpression: oneOf(['in', 'out']).optional(),
  suggest: z.boolean().optional(),
  /** How long the load is measured, before and after. */
  window: duration(200, 60 * 60_000).optional(),
  /** How long what runs on a Server may take to end before its Transaction Manager is stopped. */
  gracefulTimeout: duration(0, day).optional(),
  /** Stops a Transaction Manager while it processes events all the same; they are listed. */
  acceptActive: z.boolean().optional(),
}).check((ctx) => {
  const { suggest } = ctx.value;
  const named = asked.filter((key) => ctx.value[key] !== undefined);
  if (suggest && named.length > 0) ctx.issues.push({ code: 'custom', path: ['suggest'], message: `a suggestion only measures: leave out ${named.join(', ')}`, input: suggest });
  if (!suggest && named.length === 0) ctx.issues.push({ code: 'custom', path: [], message: `nothing is asked for: expected at least one of ${asked.join(', ')}, or "suggest": true`, input: undefined });
})
  // A suggestion changes nothing: it is a plan.
  .transform((value) => ({ ...value, dryRun: value.dryRun === true || value.suggest === true }));
export type RebalanceWorkloadInput = z.output<typeof rebalanceWorkloadInput>;

export const defaultWindowMs = 60_000;
export const defaultGracefulMs = 5 * 60_000;
