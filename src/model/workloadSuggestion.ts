/**
 * A proposal of what each Server is sent, from one window of measurements. Pure: the same input gives the same plan.
 *
 * It moves one event type on or off one Server at a time, always where that lowers the *crowding* (workloadLoad.ts) most, and stops when no move lowers it by a
 * twentieth. The first move must lower it by a tenth: so what was suggested and done is not suggested otherwise by measurements that differ a little.
 * What it counts with: events of a type are taken in turn by the Servers that are assigned it; cores that are busy beyond one per event in process are
 * busy with what no assignment moves (sessions, other programs), and stand in the way of events as much as an event does.
 */
import type { RebalanceWorkloadInput } from './rebalanceWorkloadInput';
import { coresOf, type Load } from './workloadLoad';
import { eventTypes, takes, type Attributes, type DispatchPolicy, type EventType } from './workloadAttributes';

export interface Situation {
  cluster: string;
  policy: string;
  /** Of the Servers that are Online and were measured. */
  attributes: Record<string, Attributes>;
  load: Load;
}

export interface Suggestion {
  /** Ready to run; null: leave it as it is. */
  input: Pick<RebalanceWorkloadInput, 'cluster' | 'assign' | 'toWholeCluster'> & { policy?: DispatchPolicy | undefined } | null;
  /** Crowding as measured, and as it is expected to become. */
  measure: { now: number | null; expected: number | null };
  why: string;
}

const firstGain = 0.1;
const nextGain = 0.05;
const fewestEvents = 1;

/** Shares of a type's events by node; a type that stays where it was seen keeps its shares. */
interface State {
  on: Record<EventType, number[]>;
  shares: Record<string, number[]>;
}

interface Problem {
  nodes: string[];
  cores: number[];
  besides: number[];
  /** All events of a type, on average. */
  demand: Record<string, number>;
}

const everywhere = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export function suggestWorkload({ cluster, policy, attributes, load }: Situation): Suggestion {
  const measured = load.nodes.filter(({ node }) => attributes[node] !== undefined).sort((a, b) => (a.node < b.node ? -1 : 1));
  const types = [...new Set(measured.flatMap(({ types: seen }) => Object.keys(seen)))].sort();
  const seen = Object.fromEntries(types.map((type) => [type, measured.map(({ types: of }) => (of[type] ? of[type].waiting + of[type].active : 0))]));
  const cores = coresOf(measured);
  const activity = measured.map(({ types: of }) => sum(Object.values(of).map(({ active }) => active)));
  const counted = measured.every(({ cores: known, cpu }) => known !== null && cpu !== null);
  const problem: Problem = {
    nodes: measured.map(({ node }) => node), cores, demand: Object.fromEntries(types.map((type) => [type, sum(seen[type]!)])),
    besides: measured.map(({ cpu }, at) => (counted ? Math.max(0, cpu! * cores[at]! - activity[at]!) : 0)),
  };
  const directs = policy === 'attributeMatchPolicy';
  const all = everywhere(measured.length);
  const onOf = (type: EventType): number[] => all.filter((at) => takes(attributes[problem.nodes[at]!]!, type));
  const now: State = { on: byType((type) => (directs && onOf(type).length > 0 ? onOf(type) : all)), shares: seen };
  const before = crowdingOf(problem, now);
  const stay = (why: string): Suggestion => ({ input: null, measure: { now: before, expected: before }, why });
  if (measured.length < 2) return stay('there are no two Servers to choose from');
  if (before === null || sum(Object.values(problem.demand)) < fewestEvents) return stay('too little was waiting or in process in the window to say anything: measure when there is work');

  // Another policy spreads everything in turn; what that does counts as the first move.
  let state = directs ? now : evenly(problem);
  let measure = before;
  let moves = 0;
  for (let first = true; ; first = false) {
    const found = best(problem, state, first && !directs);
    if (!found || found.crowding > measure * (1 - (first ? firstGain : nextGain))) break;
    ({ state, crowding: measure } = found);
    moves += 1;
  }
  if (moves === 0) return stay(`no move of one event type on or off one Server would lower the crowding by a tenth: it stays as it is`);
  const input = inputOf(cluster, { directs, problem, state, attributes });
  if (!input.assign && !input.policy) return stay('where events were seen does not fit what the Servers are assigned (it was changed a short while ago?); the assignment itself stays as it is');
  return {
    input,
    measure: { now: before, expected: measure },
    why: `the average event would find ${text(measure)} events per core on its Server instead of ${text(before)}, if the next hour is like the window that was measured`,
  };
}

const byType = <T>(of: (type: EventType) => T): Record<EventType, T> => Object.fromEntries(eventTypes.map((type) => [type, of(type)])) as Record<EventType, T>;
const text = (value: number): string => String(Math.round(value * 100) / 100);

function evenly({ nodes, demand }: Problem): State {
  const all = everywhere(nodes.length);
  return { on: byType(() => all), shares: Object.fromEntries(Object.entries(demand).map(([type, events]) => [type, all.map(() => events / nodes.length)])) };
}

/** How many events and otherwise busy cores the average event meets per core, itself included. */
function crowdingOf({ cores, besides }: Problem, { shares }: State): number | null {
  const events = cores.map((_, at) => sum(Object.values(shares).map((share) => share[at]!)));
  const total = sum(events);
  return total > 0 ? sum(events.map((here, at) => (here * (here + besides[at]!)) / cores[at]!)) / total : null;
}

/** The best state one move away; with `orNone` the state itself is one of them. The first of equals, in the order of types and nodes. */
function best(problem: Problem, state: State, orNone: boolean): { state: State; crowding: number } | undefined {
  let found: { state: State; crowding: number } | undefined;
  const look = (candidate: State): void => {
    const crowding = crowdingOf(problem, candidate)!;
    if (!found || crowding < found.crowding - 1e-9) found = { state: candidate, crowding };
  };
  if (orNone) look(state);
  for (const type of eventTypes.filter((one) => (problem.demand[one] ?? 0) > 0)) {
    for (const at of everywhere(problem.nodes.length)) {
      const on = state.on[type].includes(at) ? state.on[type].filter((one) => one !== at) : [...state.on[type], at].sort((a, b) => a - b);
      if (on.length > 0) look(moved(problem, state, type, on));
    }
  }
  return found;
}

const moved = ({ nodes, demand }: Problem, { on, shares }: State, type: EventType, to: number[]): State => ({
  on: { ...on, [type]: to },
  shares: { ...shares, [type]: everywhere(nodes.length).map((at) => (to.includes(at) ? demand[type]! / to.length : 0)) },
});

/** Only what differs, for the types that had work; the rest is as it was. */
function inputOf(cluster: string, { directs, problem: { nodes, demand }, state, attributes }: { directs: boolean; problem: Problem; state: State; attributes: Record<string, Attributes> }): NonNullable<Suggestion['input']> {
  const assign: Record<string, Record<string, boolean>> = {};
  const toWholeCluster: string[] = [];
  for (const type of eventTypes) {
    const had = nodes.filter((node) => takes(attributes[node]!, type));
    const on = (demand[type] ?? 0) > 0 ? state.on[type].map((at) => nodes[at]!) : had;
    // Everybody, where nobody was named: that is the whole cluster without a word.
    const wanted = on.length === nodes.length && had.length === 0 ? [] : on;
    if (wanted.length === 0) toWholeCluster.push(type);
    for (const node of nodes) if (wanted.includes(node) !== had.includes(node)) (assign[node] ??= {})[type] = wanted.includes(node);
  }
  return { cluster, ...(directs ? {} : { policy: 'attributeMatchPolicy' as const }), ...(Object.keys(assign).length > 0 ? { assign } : {}), ...(toWholeCluster.length > 0 ? { toWholeCluster } : {}) };
}
