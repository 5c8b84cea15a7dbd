/** Of what stands around the nodes: when it is told that the database or a balancer serves nobody, though every node may go on as ever, and that it serves again. Pure. */
import type { Cause, ClusterHealth } from './health';
import type { ClusterEvent, EventKind } from './events';
import type { Down } from './watch';

export interface AroundIncident extends Pick<Down, 'what' | 'name'> {
  since: string;
  /** Somebody was told. */
  told: boolean;
  /** Since when it is well again (ISO-8601 UTC, as `since`). */
  wellSince?: string;
}

export interface AroundTold {
  kind: EventKind;
  severity: ClusterEvent['severity'];
  summary: string;
  youCan?: string[];
  about?: { node: string };
}

export interface AroundSeen {
  /** What is out, or has not been well for long enough. */
  open: AroundIncident[];
  /** What is worth telling now; once. */
  told: AroundTold[];
}

interface Shown {
  health: ClusterHealth;
  down?: readonly Down[];
  /** ISO-8601 UTC; how long it must hold before it is told as back, in milliseconds. */
  at: string;
  calmMs: number;
  /** The cause that a fall below the threshold was told with, while it lasts: what it names has been told. */
  said?: Cause | undefined;
}

/** A window that covers the whole cluster expects all of it; one that names nodes is about these alone. */
const isExpected = ({ record }: ClusterHealth): boolean => record?.maintenance.some(({ nodes }) => nodes.length === 0) === true;

export function observeAround(before: readonly AroundIncident[], { health, down = [], at, calmMs, said }: Shown): AroundSeen {
  // Of what is not seen from here nothing is claimed, and nothing is restored.
  if (health.cause?.code === 'our network') return { open: [...before], told: [] };
  const same = (a: Pick<Down, 'what' | 'name'>) => (b: Pick<Down, 'what' | 'name'>): boolean => a.what === b.what && a.name === b.name;
  const known = before.map(({ wellSince, ...one }): AroundIncident => (down.some(same(one)) ? one : { ...one, wellSince: wellSince ?? at }));
  const news = isExpected(health) ? [] : down.filter((one) => !before.some(same(one))).map(({ what, name }): AroundIncident => ({ what, name, since: at, told: false }));
  const isBack = ({ wellSince }: AroundIncident): boolean => wellSince !== undefined && Date.parse(at) - Date.parse(wellSince) >= calmMs;
  const open = [...known, ...news].filter((one) => !isBack(one));
  const gone = open.flatMap((one) => (one.told || one.what === said ? [] : down.filter(same(one))));
  return {
    open: open.map((one) => (gone.some(same(one)) ? { ...one, told: true } : one)),
    told: [...gone.map((thing) => goneWords(thing, health.cluster)), ...known.filter((one) => one.told && isBack(one)).map((one) => backWords(one, health.cluster))],
  };
}

/** A name of HAProxy's, as far as the id of an event may have it. */
const aboutOf = ({ what, name }: Pick<Down, 'what' | 'name'>): Pick<AroundTold, 'about'> => (what === 'balancer' ? { about: { node: name.replaceAll(':', '-') } } : {});

function goneWords(thing: Down, cluster: string): AroundTold {
  const { what, why, left = [] } = thing;
  if (what === 'database') {
    return { kind: 'database-down', severity: 'critical', summary: `The database of ${cluster} does not serve: ${why}`, youCan: ['see to its host, its process and its log: the monitor leaves all of it alone'] };
  }
  const youCan = ['see to its host, its HAProxy and its map: the monitor leaves all of it alone'];
  return left.length > 0
    ? { kind: 'balancer-down', severity: 'warning', summary: `A load balancer of ${cluster} does not serve (${left.join(', ')} ${left.length === 1 ? 'does' : 'do'}): ${why}`, youCan, ...aboutOf(thing) }
    : { kind: 'balancer-down', severity: 'critical', summary: `No load balancer of ${cluster} serves, as far as is seen from here, and no partner gets in: ${why}`, youCan, ...aboutOf(thing) };
}

const backWords = (one: AroundIncident, cluster: string): AroundTold => (one.what === 'database'
  ? { kind: 'database-up', severity: 'info', summary: `The database of ${cluster} serves again.` }
  : { kind: 'balancer-up', severity: 'info', summary: `${one.name} of ${cluster} serves again.`, ...aboutOf(one) });
