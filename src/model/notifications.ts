/** Who is told of an event, and how long it is tried. Pure. */
import { z } from 'zod';
import { eventKinds, type ClusterEvent, type EventKind } from './events';
import { clusterName, matching, nodeName, oneOf, strict } from './fields';
import type { MailTemplates } from './mailTexts';
import { notificationSchema } from './notificationSchema';
import type { NotificationSpec } from './specTypes';

/** What the activity of each way gets. */
export interface MailWay {
  smtp: NonNullable<NotificationSpec['smtp']>;
  from: string;
  to: string[];
  templates?: MailTemplates;
}
export interface Ways {
  mail?: { mail: MailWay };
  webhook?: { webhook: NonNullable<NotificationSpec['webhook']> };
  program?: { command: string[] };
}
export type Way = keyof Ways;

export function waysOut({ smtp, from, to, templates, webhook, command }: NotificationSpec): Ways {
  return {
    ...(smtp && from !== undefined && to && { mail: { mail: { smtp, from, to, ...(templates && { templates }) } } }),
    ...(webhook && { webhook: { webhook } }),
    ...(command && { program: { command } }),
  };
}

/** A test is told to everybody: it is there to see whether it arrives. */
export const isTold = ({ events }: NotificationSpec, kind: EventKind): boolean => kind === 'test' || events === undefined || events.includes(kind);

/** Milliseconds between two tries: growing from the first to the longest. */
export const firstPauseMs = 1_000;
export const longestPauseMs = 60_000;

/** How many tries fill this time, in milliseconds, when each fails at once: counted, so that a night without a worker uses up nothing. */
export function triesWithin(patienceMs: number): number {
  let tries = 1;
  for (let pause = firstPauseMs, left = patienceMs; left >= pause; pause = Math.min(pause * 2, longestPauseMs)) {
    left -= pause;
    tries += 1;
  }
  return tries;
}

const sentence = z.string().min(1).max(2_000);
const isoTime = matching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/, 'a time such as 2026-10-01T12:00:00Z');
/** Part of a workflow id, a header and a Message-ID. */
export const eventId = matching(/^[A-Za-z0-9._-]{1,150}$/, 'at most 150 letters, digits, dots, dashes and underscores');

const clusterEvent = () => strict({
  id: eventId,
  kind: oneOf(eventKinds),
  cluster: clusterName,
  site: clusterName.optional(),
  node: nodeName.optional(),
  at: isoTime,
  severity: oneOf(['info', 'warning', 'critical']),
  incident: eventId,
  summary: sentence, now: sentence, next: sentence,
  youCan: z.array(sentence).max(20),
  facts: z.record(z.string().min(1).max(100), z.string().max(2_000)),
});

/** The input of the workflow `notify`. `patience`: how long each way is tried, in milliseconds. */
export const notifyInput = () => strict({ event: clusterEvent(), notifications: notificationSchema(), patience: z.int().min(0).max(7 * 86_400_000).optional() });

export interface NotifyInput {
  event: ClusterEvent;
  notifications: NotificationSpec;
  patience?: number;
}

/** The answer of `notify`. */
export interface NotificationReport {
  apiVersion: 'st-orchestrator/v1';
  kind: 'NotificationReport';
  event: string;
  cluster: string;
  ways: { way: Way; arrived: boolean; note: string }[];
}
