/**
 * What an operation is made of, as plain JSON: tasks (what a step asks an activity to do), outcomes, problems, progress rows and the report.
 */
import type { ErrorCode } from './errors';

/** What a changing activity answers. `note` is the sentence people read ("admin was running; stopped after 1.2 s"). */
export interface Outcome<T = void> {
  changed: boolean;
  note: string;
  /** What it found that a person must put right; it stands in the report and in the mail of its end. */
  byHand?: string[];
  value?: T;
}

/** One failed prerequisite. Both sentences are shown to people as they are. */
export interface Problem {
  /** What was found and what was expected, with the place: "st2: the clock is 5.1 s ahead (limit 1 s)". */
  what: string;
  remedy: string;
  /** The error code, where a look failed instead of finding something. */
  code?: string;
  /** Shown in the report, and never refuses: what works today and is worth a person's look. */
  level?: 'warning';
}

export const isWarning = ({ level }: Problem): boolean => level === 'warning';

/** What a checking activity answers: stable facts (they go into the fingerprint) and every prerequisite that does not hold. */
export interface CheckResult<T, M = unknown> {
  facts: T;
  problems: Problem[];
  /** What is another number at every look (how far a clock is off): compared side by side, kept out of the fingerprint. */
  measured?: M;
}

/** A request to an activity, as data: nothing runs until `check`, `step` or `forEachNode` schedules it. */
export interface Task<R> {
  /** Registered name, `group.method`. */
  activity: string;
  input: object;
  /** Longest real run of one attempt, in milliseconds. */
  limitMs?: number;
  /** Carries the result's type; never set. */
  readonly result?: R;
}

export type StepState = 'planned' | 'running' | 'done' | 'failed' | 'waiting' | 'skipped' | 'undoing' | 'undone' | 'undo failed';

/** What a step that runs waits for, as its activity told last with its heartbeat. Told by `stctl` alone: a workflow can't read heartbeats, and what it were told would be history. */
export interface Waits {
  /** "3 events in process and 2 sessions". */
  for: string;
  /** Whose or which those are. */
  names?: string;
  /** How much longer at most, in milliseconds. */
  leftMs?: number;
}

/** At work now, forwards or back. */
export const isUnderWay = (state: string): boolean => state === 'running' || state === 'undoing';

/** The id of the activity that is at work on a step, forwards or back. */
export const activityOf = ({ key, state }: Pick<StepRow, 'key' | 'state'>): string => (state === 'undoing' ? `undo/${key}` : key);

/** One row of the plan and of the report. */
export interface StepRow {
  /** Stable key, also the activity id. */
  key: string;
  title: string;
  node?: string;
  state: StepState;
  changed?: boolean;
  note?: string;
  /** While it runs, where it waits and somebody who can asked. */
  waits?: Waits;
  startedAt?: string;
  /** Milliseconds. */
  took?: number;
  undo?: string;
  /** Done or not, nothing is half-done by it: a backup, an epoch. */
  aside?: boolean;
  /** Of a step on several nodes: on how many it must succeed. */
  need?: 'all' | 'best-effort' | number;
}

export interface CheckRow {
  key: string;
  title: string;
  node?: string;
  state: 'running' | 'passed' | 'failed';
  /** Of a check that passed: warnings only. */
  problems: Problem[];
  endedAt?: string;
}

export type OperationPhase = 'waiting for the lease' | 'checking' | 'planned' | 'working' | 'held' | 'undoing' | 'ended';
export type OperationOutcome = 'running' | 'planned' | 'completed' | 'nothing to do' | 'failed' | 'cancelled' | 'refused';

/** The one sentence of an operation that somebody ended, with the reason that they gave. */
export const cancelledText = (reason?: string): string => (reason === undefined ? 'cancelled' : `cancelled: ${reason}`);

/** The answer of an operation and of its `status` query. Times are ISO-8601 UTC. */
export interface OperationReport {
  apiVersion: 'st-orchestrator/v1';
  kind: 'OperationReport';
  operation: string;
  cluster: string;
  workflowId: string;
  dryRun: boolean;
  phase: OperationPhase;
  /** Since when it is in this phase. */
  phaseSince?: string;
  outcome: OperationOutcome;
  /** One sentence: what happened or is happening now. */
  summary: string;
  /** What the state is now, what will happen by itself, what a person can do. */
  now: string;
  next: string;
  epoch?: number;
  revision?: number;
  fingerprint?: string;
  /** Past its point of no return: a cancel is no longer heard. */
  forwardOnly?: boolean;
  startedAt: string;
  endedAt?: string;
  checks: CheckRow[];
  steps: StepRow[];
  /** The sum of the longest that each step may take, in milliseconds: what it comes to at worst, never what is expected. */
  worstCaseMs?: number;
  /** What was begun and is neither done nor undone. */
  unfinished: string[];
  /** What the product lets only a person do, in the order in which it is done; told by the operation that makes it due. */
  byHand?: string[];
  failure?: { code: ErrorCode | string; message: string };
  decisions: DecisionRecord[];
  /** The answer of an operation that is asked for one. */
  result?: unknown;
  requestedBy?: string;
  reason?: string;
}

/** A person's answer to an operation that holds after its point of no return. */
export interface Decision {
  step: string;
  node?: string;
  do: 'retry' | 'skip' | 'done-by-hand' | 'abort';
  by: string;
  reason: string;
}

/** Recorded as claimed: a client's identity is not proven here. */
export interface DecisionRecord extends Decision {
  at: string;
}
