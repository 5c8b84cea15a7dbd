/** What a history tells about time: which steps there were, how long each took from the end of the one before, and where the time went. Pure. */
import type { temporal } from '@temporalio/proto';

type History = temporal.api.history.v1.IHistory;
type Event = temporal.api.history.v1.IHistoryEvent;

/** One activity that completed; times in milliseconds since 1970. */
export interface ActivityTimes {
  /** Its id: the step's or check's key, with the node where there is one. */
  id: string;
  type: string;
  scheduled: number;
  started: number;
  completed: number;
  attempts: number;
}

/** Activities that ran at once, or one alone. */
export interface StepTimes {
  key: string;
  nodes: number;
  /** From the end of the step before (of the checks, for the first) to its own end. */
  ms: number;
}

export function activitiesOf(history: History): ActivityTimes[] {
  const events = history.events ?? [];
  const byId = new Map(events.map((event) => [String(event.eventId), event]));
  return events.flatMap((event) => {
    const completed = event.activityTaskCompletedEventAttributes;
    if (!completed) return [];
    const scheduled = byId.get(String(completed.scheduledEventId));
    const started = byId.get(String(completed.startedEventId));
    const attributes = scheduled?.activityTaskScheduledEventAttributes;
    if (!scheduled || !started || !attributes) return [];
    return [{
      id: attributes.activityId ?? '', type: attributes.activityType?.name ?? '', scheduled: at(scheduled), started: at(started), completed: at(event),
      attempts: started.activityTaskStartedEventAttributes?.attempt ?? 1,
    }];
  }).sort((a, b) => a.scheduled - b.scheduled);
}

const at = ({ eventTime }: Event): number => Number(eventTime?.seconds ?? 0) * 1000 + (eventTime?.nanos ?? 0) / 1e6;

const keyOf = ({ id }: ActivityTimes): string => id.split('/')[0]!;

/** The steps in their order. Checks and the lease are none: what they take is in the total alone. */
export function stepsOf(activities: readonly ActivityTimes[]): StepTimes[] {
  const groups: ActivityTimes[][] = [];
  for (const activity of activities.filter((one) => !isCheck(one) && !isLease(one))) {
    const group = groups.at(-1);
    // A step that begins when all of the group have ended is another one, also under the same key: a wave, or nodes one after the other.
    if (group && keyOf(group[0]!) === keyOf(activity) && activity.scheduled < endOf(group)) group.push(activity);
    else groups.push([activity]);
  }
  let before = endOf(activities.filter(isCheck));
  return groups.map((group) => {
    const end = endOf(group);
    const step = { key: keyOf(group[0]!), nodes: group.length, ms: end - before };
    before = end;
    return step;
  });
}

const isCheck = ({ id }: ActivityTimes): boolean => id.startsWith('check/');
const isLease = ({ id }: ActivityTimes): boolean => id.startsWith('lease/');
const endOf = (group: readonly ActivityTimes[]): number => Math.max(...group.map(({ completed }) => completed));

export interface TypeTimes {
  type: string;
  count: number;
  /** Means, in milliseconds. */
  waited: number;
  ran: number;
  longest: number;
  retried: number;
}

/** Where the time goes, by activity type: waiting for the worker, and running. */
export function typesOf(activities: readonly ActivityTimes[]): TypeTimes[] {
  return [...new Set(activities.map(({ type }) => type))].map((type) => {
    const all = activities.filter((one) => one.type === type);
    const mean = (value: (one: ActivityTimes) => number): number => all.reduce((sum, one) => sum + value(one), 0) / all.length;
    return {
      type, count: all.length,
      waited: mean(({ scheduled, started }) => started - scheduled), ran: mean(({ started, completed }) => completed - started),
      longest: Math.max(...all.map(({ started, completed }) => completed - started)),
      retried: all.filter(({ attempts }) => attempts > 1).length,
    };
  });
}

/** From the first check's order to the last check's end; 0 without checks. */
export function checksMs(activities: readonly ActivityTimes[]): number {
  const checks = activities.filter(isCheck);
  return checks.length === 0 ? 0 : endOf(checks) - Math.min(...checks.map(({ scheduled }) => scheduled));
}
