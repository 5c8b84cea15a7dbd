/** The text of `EventQueue.taskProcessor.attributes` and its fellows (reference §9): `PGP=false, PUSH=true, DXAGENT_APPLICATION_NAME=smbBU1`. Pure. */

/** What every event is, whatever else it carries. */
export const eventTypes = ['PGP', 'PUSH', 'PULL', 'FM_TRIGGERED', 'MAINTENANCE'] as const;
export type EventType = (typeof eventTypes)[number];
export const isEventType = (name: string): name is EventType => (eventTypes as readonly string[]).includes(name);

export const dispatchPolicies = ['cacheBasedPolicy', 'attributeMatchPolicy', 'roundRobinPolicy'] as const;
export type DispatchPolicy = (typeof dispatchPolicies)[number];

/** Names of the options; the first two are the cluster's, the others each Server's own. */
export const workloadOptions = {
  policy: 'EventQueue.DispatchPolicy.name',
  additional: 'EventQueue.submissionConfigurator.additionalAttributes',
  attributes: 'EventQueue.taskProcessor.attributes',
  threshold: 'EventQueue.taskProcessor.threshold',
} as const;

/** By name, in the order of the text. */
export type Attributes = Record<string, string>;

export function parseAttributes(values: readonly string[]): Attributes {
  const pairs = values.join(',').split(',').map((part) => part.split('='));
  return Object.fromEntries(pairs.flatMap(([name = '', ...value]) => (name.trim() === '' ? [] : [[name.trim(), value.join('=').trim()]])));
}

/** One value, written as the product writes its default. */
export const printAttributes = (attributes: Attributes): string[] => [Object.entries(attributes).map(([name, value]) => `${name}=${value}`).join(', ')];

export const parseNames = (values: readonly string[]): string[] => values.join(',').split(',').map((name) => name.trim()).filter((name) => name !== '');
export const printNames = (names: readonly string[]): string[] => [names.join(',')];

/** Whether a Server with these attributes is sent events of that type. */
export const takes = (attributes: Attributes, type: EventType): boolean => attributes[type] === 'true';

/** Attributes beyond the types, as `NAME=value`. */
export const additionalPairs = (attributes: Attributes): string[] => Object.entries(attributes).filter(([name, value]) => !isEventType(name) && value !== '').map(([name, value]) => `${name}=${value}`);
