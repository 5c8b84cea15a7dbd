/** How an operation is written: the context its body gets, the checks it makes and what it hands back. Types and two builders; no machinery. */
import type { Debt, Member } from '../../model/cluster';
import type { CheckResult, Outcome, Problem, Task } from '../../model/operation';
import type { ClusterSpec } from '../../model/spec';

export interface OperationInput {
  cluster: string;
  dryRun?: boolean | undefined;
  fingerprint?: string | undefined;
  /** Milliseconds. */
  waitForLease?: number | undefined;
  /** How long a step keeps trying through faults that may pass, in milliseconds. */
  patience?: number | undefined;
  requestedBy?: string | undefined;
  reason?: string | undefined;
}

/** The cluster as the record had it when the lease was granted. */
export interface ClusterView {
  name: string;
  spec: ClusterSpec;
  members: Member[];
  debts: Debt[];
  activeSite: string | null;
  /** Of this grant of the lease; in a dry run that of the last. */
  epoch: number;
  /** True once a set-up has completed. */
  complete: boolean;
  /** The record was lost and made anew: that a set-up has completed is taken for granted, not known. */
  recovered: boolean;
  /** An earlier operation has left work undone, and none has completed since. */
  unfinished: boolean;
}

interface NamedNode {
  name: string;
}

/** A read to be made before the first step: of the cluster, or one of each node. */
export interface Check<F> {
  title: string;
  reads: { node?: string; task: Task<CheckResult<unknown>> }[];
  each: boolean;
  /** What a person can do where the far side does not answer; the explanation of its code says the rest, and all of any other failure. */
  silent?: string;
  /** Carries the facts' type; never set. */
  readonly facts?: F;
}

export function check<F>(title: string, task: Task<CheckResult<F>>): Check<F> {
  return { title, reads: [{ task }], each: false };
}

export function checkEachNode<F, N extends NamedNode>(title: string, nodes: readonly N[], read: (node: N) => Task<CheckResult<F>>, { silent }: { silent?: string } = {}): Check<F[]> {
  return { title, reads: nodes.map((node) => ({ node: node.name, task: read(node) })), each: true, ...(silent === undefined ? {} : { silent }) };
}

export interface StepOptions {
  /** Stable key; left out: the activity's name. Two steps of one operation never share one. */
  key?: string;
  undo?: Task<Outcome<unknown>>;
  /** Done or not, nothing is half-done by it (a backup, an epoch): alone it makes no operation unfinished. */
  aside?: boolean;
}
export interface FanOutOptions<N> {
  key?: string;
  aside?: boolean;
  undo?: (node: N) => Task<Outcome<unknown>>;
  /** How many nodes at once; left out: all. */
  parallel?: number;
  /** How many nodes must succeed. */
  need?: 'all' | 'best-effort' | number;
}
/** A step that returns something declares what it would return: a dry run goes on with that. */
type Planned<T> = [T] extends [void] ? { planned?: undefined } : { planned: T };
type Options<O, T> = [T] extends [void] ? [options?: O & Planned<T>] : [options: O & Planned<T>];

export type FactsOf<C extends Record<string, Check<unknown>>> = { [K in keyof C]: NonNullable<C[K]['facts']> };

/** What only shows when the facts are looked at side by side. */
export interface Comparison<F> {
  title: string;
  /** `measured`: what the checks of this and of earlier groups measured, by their names, in no order. */
  problems: (facts: F, measured: Record<string, unknown[]>) => Problem[];
}

export interface OperationContext<I> {
  input: I;
  cluster: ClusterView;
  /**
   * Makes all reads of a group at once and, when any prerequisite does not hold, refuses with all of them. Only before the first step.
   * `compare` looks at the facts side by side (versions, clocks); of lists it gets only what could be read.
   */
  checks<C extends Record<string, Check<unknown>>>(group: C, compare?: Comparison<FactsOf<C>>): Promise<FactsOf<C>>;
  /** Changes one thing. What it returns may be used inside later acts, never to decide what comes next. */
  step<T = void>(title: string, task: Task<Outcome<T>>, ...options: Options<StepOptions & { node?: string }, T>): Promise<T>;
  /** Changes each node; waits for every sibling before it fails. */
  forEachNode<N extends NamedNode, T = void>(title: string, nodes: readonly N[], act: (node: N) => Task<Outcome<T>>, ...options: Options<FanOutOptions<N>, T>): Promise<T[]>;
  /** What was done on these nodes is done and stays, whatever fails later: its undo is dropped. For operations that go from node to node. */
  keep(nodes: readonly NamedNode[]): void;
  /** From here on the way is forward only: no cancel, no undo; a step that can't go on waits for a person's `decide`. */
  pointOfNoReturn(): void;
}

/** What the body hands back for the record. */
export interface Ending {
  summary: string;
  members?: Member[];
  /** What hosts still owe, whole; left out: as before. */
  debts?: Debt[];
  activeSite?: string;
  complete?: boolean;
  /** What is left for a person, since the product has no way to do it for them. */
  byHand?: string[];
  /** What was asked for, where that is an answer; of a dry run too. */
  result?: unknown;
}

export interface OperationOptions<I> {
  /** Answers the input with its defaults, or every problem it has. */
  parse: (raw: unknown) => { value: I } | { problems: string[] };
  /** Only setUpCluster and adoptCluster bring a spec of their own. */
  specOf?: (input: I) => ClusterSpec | undefined;
  /** The nodes that it adds, removes or restarts: what it leaves is over once that has been done to these. Left out, or none: the whole cluster. */
  about?: (input: I) => string[];
  /** Dry runs that look for a cluster: it may have no record and no spec yet, so the body must not ask for it. */
  discovers?: (input: I) => boolean;
}
