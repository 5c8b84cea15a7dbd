/**
 * What was measured of the load in a window, put together from its parts and compared. Pure.
 *
 * The measure is *crowding*: how many events the average event finds waiting or in process per core of its Server, itself included. It falls when work moves to where
 * there is less of it, whatever its type. Divided by what it would be if all were spread evenly it is the *imbalance*, 1 at best, and that is what before and after are
 * compared by: the total may have become another meanwhile.
 */

/** Averages over a part of the window; `ended`: events seen that were gone at a later look. */
export interface TypeLoad {
  waiting: number;
  active: number;
  ended: number;
}
/** By the id that the queue gives a Server, then by event type (`unknown` where the API tells none). */
export type QueueLoad = Record<string, Record<string, TypeLoad>>;

export interface QueueMeasure {
  what: 'queue';
  /** First and second half of the window, each so long in milliseconds; null where the queue could not be read. */
  halves: [QueueLoad, QueueLoad] | null;
  halfMs: number;
  looks: number;
  why?: string;
}

export interface NodeMeasure {
  what: 'node';
  node: string;
  /** Names by which the queue may know it. */
  ids: string[];
  cores: number | null;
  /** Share of all cores that was busy, 0 to 1. */
  cpu: number | null;
  sessions: number | null;
  why?: string;
}

export type LoadPart = QueueMeasure | NodeMeasure;

export interface NodeLoad {
  node: string;
  /** By type: waiting and in process on average, ended per second. */
  types: Record<string, TypeLoad>;
  cores: number | null;
  cpu: number | null;
  sessions: number | null;
}

/** What people and the planner get. Numbers are rounded to three digits behind the point. */
export interface Load {
  windowMs: number;
  looks: number;
  nodes: NodeLoad[];
  /** Events that no Server had. */
  unassigned: number;
  /** Events waiting or in process on average, and ended per second, of all. */
  events: number;
  rate: number;
  crowding: number | null;
  imbalance: number | null;
  /** How far the imbalances of the two halves are apart: less than that says nothing. */
  noise: number | null;
  /** What could not be measured. */
  missing: string[];
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Events on each node, and its cores: where the cores of one are not known they are not counted at all. */
interface Heap {
  events: number;
  cores: number;
}

/** Crowding of these nodes; null where there is no event. */
export function crowding(heaps: readonly Heap[]): number | null {
  const total = sum(heaps.map(({ events }) => events));
  return total > 0 ? sum(heaps.map(({ events, cores }) => (events * events) / cores)) / total : null;
}

/** 1 when spread evenly over the cores. */
export function imbalance(heaps: readonly Heap[]): number | null {
  const found = crowding(heaps);
  return found === null ? null : found / (sum(heaps.map(({ events }) => events)) / sum(heaps.map(({ cores }) => cores)));
}

/** Cores count only where all of them are known. */
export function coresOf(nodes: readonly { cores: number | null }[]): number[] {
  return nodes.every(({ cores }) => cores !== null && cores > 0) ? nodes.map(({ cores }) => cores!) : nodes.map(() => 1);
}

export function combineLoad(parts: readonly (LoadPart | undefined)[]): Load {
  const queue = parts.find((part): part is QueueMeasure => part?.what === 'queue');
  const nodes = parts.filter((part): part is NodeMeasure => part?.what === 'node');
  const [first, second] = queue?.halves ?? [{}, {}];
  const halfS = Math.max(1, queue?.halfMs ?? 1) / 1_000;
  const of = (half: QueueLoad, ids: readonly string[]): [string, TypeLoad][] => ids.flatMap((id) => Object.entries(half[id] ?? {}));
  const loads = nodes.map(({ node, ids, cores, cpu, sessions }): NodeLoad => {
    const types: Record<string, TypeLoad> = {};
    for (const half of [first, second]) {
      for (const [type, { waiting, active, ended }] of of(half, ids)) {
        const so = types[type] ?? { waiting: 0, active: 0, ended: 0 };
        types[type] = { waiting: so.waiting + waiting / 2, active: so.active + active / 2, ended: so.ended + ended / (2 * halfS) };
      }
    }
    const rounded = Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1)).map(([type, load]) => [type, { waiting: round(load.waiting), active: round(load.active), ended: round(load.ended) }] as const);
    return { node, types: Object.fromEntries(rounded), cores, cpu: cpu === null ? null : round(cpu), sessions: sessions === null ? null : round(sessions) };
  });
  const cores = coresOf(nodes);
  const heaps = (half: QueueLoad): Heap[] => nodes.map(({ ids }, at) => ({ events: sum(of(half, ids).map(([, { waiting, active }]) => waiting + active)), cores: cores[at]! }));
  const [early, late] = [imbalance(heaps(first)), imbalance(heaps(second))];
  const whole = heaps(first).map(({ events, cores: of_ }, at) => ({ events: (events + heaps(second)[at]!.events) / 2, cores: of_ }));
  const known = nodes.flatMap(({ ids }) => ids);
  const strangers = [first, second].map((half) => sum(Object.entries(half).filter(([id]) => !known.includes(id)).flatMap(([, types]) => Object.values(types).map(({ waiting, active }) => waiting + active))));
  const orNull = (value: number | null): number | null => (value === null ? null : round(value));
  return {
    windowMs: 2 * (queue?.halfMs ?? 0), looks: queue?.looks ?? 0, nodes: loads, unassigned: round(sum(strangers) / 2),
    events: round(sum(whole.map(({ events }) => events))), rate: round(sum(loads.flatMap(({ types }) => Object.values(types).map(({ ended }) => ended)))),
    crowding: orNull(crowding(whole)), imbalance: orNull(imbalance(whole)), noise: early === null || late === null ? null : round(Math.abs(early - late)),
    missing: parts.flatMap((part) => (part?.why === undefined ? [] : [part.why])).concat(queue ? [] : ['the event queue was not measured']),
  };
}

export interface Verdict {
  helped: 'yes' | 'no' | 'no difference' | 'can\'t be told';
  why: string;
}

/** The least that counts as a difference, as a part of what it was before. */
const least = 0.1;
/** Fewer events than that, on average, say nothing about where they go. */
const fewest = 1;

/** Whether it helped, by imbalance, and no surer than the measurements are. */
export function compareLoads(before: Load, after: Load): Verdict {
  if (before.imbalance === null || after.imbalance === null || before.events < fewest || after.events < fewest) return { helped: 'can\'t be told', why: `too little was waiting or in process (on average ${before.events} events before, ${after.events} after) to say how it is spread` };
  const margin = Math.max(least * before.imbalance, before.noise ?? 0, after.noise ?? 0);
  const gain = before.imbalance - after.imbalance;
  const figures = `imbalance ${before.imbalance} before, ${after.imbalance} after (1 is evenly spread), with ${before.events} and ${after.events} events on average; differences below ${round(margin)} are noise`;
  return { helped: gain > margin ? 'yes' : gain < -margin ? 'no' : 'no difference', why: figures };
}
