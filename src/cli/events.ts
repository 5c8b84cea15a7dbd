/** What happened between two looks at an operation, as events: each is one line for people and one JSON object for programs. Pure. */
import type { Attempt } from '../control/operations';
import { isUnderWay, type CheckRow, type OperationReport, type StepRow, type Waits } from '../model/operation';
import { attemptTitle, rowOf } from './attempts';
import { count, waitsText } from './output';

export interface OperationEvent {
  apiVersion: 'st-orchestrator/v1';
  kind: 'OperationEvent';
  /** ISO-8601 UTC; left out of what had happened before anybody looked, where the report does not tell when. */
  at?: string;
  workflowId: string;
  event: 'phase' | 'check' | 'step' | 'attempt' | 'connection';
  /** Of a phase, check or step its state; of an attempt `retrying`; of the connection `lost`, `back` or `reset`. */
  state: string;
  title: string;
  node?: string;
  /** Stable key of a step or check. */
  key?: string;
  /** Position of a step among all, from 1. */
  step?: number;
  steps?: number;
  /** Milliseconds. */
  took?: number;
  attempt?: number;
  note?: string;
}

type Parts = Omit<OperationEvent, 'apiVersion' | 'kind' | 'workflowId'>;

/** What is waited for may change with every session that ends: so often it is told, in milliseconds. */
const waitEveryMs = 5_000;

export interface Watcher {
  /** @param now ISO-8601 UTC: when this was seen. What has no time of its own happened just before, unless nobody had looked before */
  next(report: OperationReport, attempts: Attempt[], now: string): OperationEvent[];
}

/** Remembers what it was shown, so that each thing is told once. */
export function watcher(workflowId: string): Watcher {
  const states = new Map<string, string>();
  const tried = new Map<string, number>();
  const waited = new Map<string, { for: string; at: number }>();
  let phase: string | undefined;
  let before: OperationReport['phase'] | undefined;
  const isNew = (key: string, state: string): boolean => {
    if (states.get(key) === state) return false;
    states.set(key, state);
    return true;
  };
  const waitsAnew = (key: string, { for: what }: Waits, now: string): boolean => {
    const told = waited.get(key);
    const at = Date.parse(now);
    if (told && (told.for === what || at - told.at < waitEveryMs)) return false;
    waited.set(key, { for: what, at });
    return true;
  };
  return {
    next(report, attempts, now) {
      const events: Parts[] = [];
      const seen = before === undefined ? undefined : now;
      const sign = `${report.phase} ${report.phase === 'waiting for the lease' || report.phase === 'held' ? report.summary : ''}`;
      for (const check of report.checks) if (check.state !== 'running' && isNew(check.key, check.state)) events.push(checkEvent(check, seen));
      const since = before === report.phase ? undefined : report.phaseSince;
      if (report.phase !== 'ended' && phase !== sign) events.push({ ...stamp(since ?? seen), event: 'phase', state: report.phase, title: phaseTitle(report) });
      phase = sign;
      for (const [index, row] of report.steps.entries()) {
        const place = { step: index + 1, steps: report.steps.length };
        if (row.state !== 'planned' && isNew(row.key, `${row.state} ${row.startedAt ?? ''}`)) events.push(stepEvent(row, place, seen));
        if (row.waits && waitsAnew(row.key, row.waits, now)) events.push({ ...stepEvent(row, place, seen), at: now, note: waitsText(row.waits) });
      }
      for (const one of attempts) {
        const { key, attempt, lastFailure } = one;
        // A step may try for an hour: the first tries are told, then only every doubling.
        if (attempt < 2 * (tried.get(key) ?? 1)) continue;
        tried.set(key, attempt);
        const { row } = rowOf(report, one);
        events.push({ at: now, event: 'attempt', state: 'retrying', title: attemptTitle(report, one), ...(row?.node ? { node: row.node } : {}), key, attempt, note: lastFailure });
      }
      before = report.phase;
      return events.map((event) => ({ apiVersion: 'st-orchestrator/v1', kind: 'OperationEvent', ...event, workflowId }));
    },
  };
}

/** The summary of a report speaks of the step at that moment; a phase lasts longer. */
function phaseTitle({ phase, summary, steps }: OperationReport): string {
  if (phase === 'checking') return 'The prerequisites are being checked.';
  return phase === 'working' ? `${count(steps.length, 'step')} to do.` : summary;
}

export const connectionEvent = (workflowId: string, state: 'lost' | 'back' | 'reset', title: string, at: string): OperationEvent =>
  ({ apiVersion: 'st-orchestrator/v1', kind: 'OperationEvent', at, workflowId, event: 'connection', state, title });

const stamp = (at: string | undefined): { at?: string } => (at === undefined ? {} : { at });

function checkEvent({ key, title, node, state, problems, endedAt }: CheckRow, seen: string | undefined): Parts {
  const note = problems.map(({ what }) => what).join('; ');
  return { ...stamp(endedAt ?? seen), event: 'check', state, title, ...(node ? { node } : {}), key, ...(note ? { note } : {}) };
}

function stepEvent({ key, title, node, state, startedAt, took, note }: StepRow, place: { step: number; steps: number }, seen: string | undefined): Parts {
  const ended = startedAt !== undefined && took !== undefined && !isUnderWay(state);
  const at = startedAt === undefined ? seen : ended ? new Date(Date.parse(startedAt) + took).toISOString() : startedAt;
  return { ...stamp(at), event: 'step', state, title, ...(node ? { node } : {}), key, ...place, ...(ended ? { took } : {}), ...(note && !isUnderWay(state) ? { note } : {}) };
}
