/**
 * Which of what is seen is worth telling, and when: one incident from the first failure until the cluster has been well for a while, however often a node flaps
 * meanwhile. Pure: a machine that is shown one view after another and answers with events. Nothing is "restored" while nobody can see.
 */
import type { Cause, ClusterHealth, NodeHealth } from './health';
import { noEdgeServes, present } from './clusterHealth';
import type { ClusterEvent, EventKind } from './events';
import { explains } from './healthCauses';
import { observeAround, type AroundIncident } from './incidentsAround';
import { shorten } from './shorten';
import type { Down } from './watch';

export interface NodeIncident {
  node: string;
  since: string;
  /** How often it failed within this incident. */
  count: number;
  down: boolean;
  /** Since when it is well again. */
  wellSince?: string;
  /** Somebody was told. */
  told: boolean;
  /** One cause of the whole cluster has said all of it: "now", or since when none does any more (ISO-8601 UTC). */
  explained?: string;
}

export interface Incidents {
  /** Numbers the incidents of this monitor. */
  next: number;
  /** The one that is open: all that fails before it is over belongs to it. */
  open: { id: string; since: string; nodes: NodeIncident[] } | null;
  /** Since when fewer than `minimumNodes` are present; `told` once the time of the policy was over and those who looked again agreed. */
  below: { since: string; told: boolean } | null;
  /** Somebody was told that the threshold is lost. */
  lost: { since: string; wellSince?: string; cause?: Cause } | null;
  noEdge: { since: string; wellSince?: string } | null;
  /** The database and the balancers; left out where nobody knew of them. */
  around?: AroundIncident[];
}

export const noIncidents = (): Incidents => ({ next: 1, open: null, below: null, lost: null, noEdge: null });

export interface Shown {
  health: ClusterHealth;
  /** What stands around and serves nobody. */
  down?: readonly Down[];
  /** ISO-8601 UTC. */
  at: string;
  /** How long a node, or the threshold, must hold before it is told as recovered, in milliseconds. */
  calmMs: number;
}

export interface Told {
  incidents: Incidents;
  events: ClusterEvent[];
}

/** Whether what was seen can be believed at all: otherwise things stay as they were told. */
const seeing = ({ health, cause, members }: ClusterHealth): boolean => health === 'below threshold' || (members > 0 && !(health === 'unknown' && cause?.code !== 'our network'));

export function observe(before: Incidents, shown: Shown): Told {
  const { health, at } = shown;
  if (!seeing(health)) return { incidents: before, events: [] };
  const incidents: Incidents = structuredCopy(before);
  const events: ClusterEvent[] = [];
  const isBelow = present(health.nodes) < health.minimumNodes;
  const dead = noEdgeServes(health.nodes) && health.cause?.code !== 'our network';
  const down = health.nodes.filter(({ state, excused }) => state !== 'Online' && excused === undefined);

  // A fall that is told with a cause, or was, has said it.
  const said = isBelow ? (incidents.lost ?? { cause: health.cause?.code }).cause : undefined;
  const around = observeAround(incidents.around ?? [], { ...shown, said });
  if (down.length > 0 || isBelow || dead || around.open.length > 0) incidents.open ??= { id: incidentId(health.cluster, at, incidents.next++), since: at, nodes: [] };
  const { open } = incidents;
  if (!open) return { incidents, events };
  const tell = (kind: EventKind, words: Words, node?: About): void => void events.push(eventOf(kind, open.id, shown, words, node));

  countFailures(open.nodes, { nodes: health.nodes, down, at });
  if (isBelow && !incidents.below) incidents.below = { since: at, told: false };
  if (!isBelow) incidents.below = null;
  if (isBelow && !incidents.lost) {
    incidents.lost = { since: at, ...(health.cause ? { cause: health.cause.code } : {}) };
    tell('threshold-lost', lostWords(health));
  }
  // The product's rule: each distinct failure while fewer are Online than asked for; one that failed before that as well.
  if (isBelow) {
    for (const node of down.filter(({ role }) => role === 'server')) {
      const one = open.nodes.find((entry) => entry.node === node.node)!;
      if (one.told || !isUnexplained(one, node, shown)) continue;
      one.told = true;
      tell('node-failed', { severity: 'warning', summary: `${node.node} of ${health.cluster} is ${node.state}${node.why ? `: ${node.why}` : ''}.` }, node);
    }
  }
  if (dead && !incidents.noEdge) {
    incidents.noEdge = { since: at };
    tell('no-edge', { severity: 'critical', summary: `No Edge of ${health.cluster} serves: no partner gets in.` });
  }
  for (const { kind, about, ...words } of around.told) tell(kind, words, about);
  incidents.around = around.open;
  recover(incidents, shown, { isBelow, tell });
  return { incidents, events };
}

/** The time of the policy is over and those who looked again still see too few: told once for each fall. */
export function confirmBelow(before: Incidents, shown: Shown): Told {
  const { health } = shown;
  const { below, open } = before;
  if (!below || below.told || !open || !seeing(health) || present(health.nodes) >= health.minimumNodes) return { incidents: before, events: [] };
  const words: Words = { severity: 'critical', summary: `${health.cluster} has had fewer than ${health.minimumNodes} Servers since ${below.since}: ${present(health.nodes)} of ${health.members} are there.${health.cause ? ` ${health.cause.sentence}` : ''}` };
  return { incidents: { ...before, below: { ...below, told: true } }, events: [eventOf('below-threshold', open.id, shown, words)] };
}

/** Whether somebody must look at the clock later, though nothing is seen to change: something is well, or no longer explained, and not yet for long enough. */
export const waitsForCalm = ({ open, below, lost, noEdge, around = [] }: Incidents): boolean =>
  open !== null && (around.some(({ wellSince }) => wellSince !== undefined) || open.nodes.some(({ wellSince, told, explained }) => wellSince !== undefined || (below !== null && !told && explained !== undefined && explained !== 'now')) || lost?.wellSince !== undefined || noEdge?.wellSince !== undefined || (open.nodes.length === 0 && !lost && !noEdge && around.length === 0));

interface Words {
  severity: ClusterEvent['severity'];
  summary: string;
  youCan?: string[];
}

/** Whom an event is about: a node, or by its name a balancer. */
type About = Pick<NodeHealth, 'node'> & Partial<Pick<NodeHealth, 'state' | 'why'>>;

/** Whom the one cause explains the threshold's own event tells of; one that stays away for a while when the cause is gone has failed by itself. */
function isUnexplained(one: NodeIncident, node: NodeHealth, { health, at, calmMs }: Shown): boolean {
  if (explains(health.cause, node)) {
    one.explained = 'now';
    return false;
  }
  if (one.explained === undefined) return true;
  if (one.explained === 'now') one.explained = at;
  return Date.parse(at) - Date.parse(one.explained) >= calmMs;
}

/** One that is excused neither fails nor is well again: only one that is Online is, or that has left the cluster. */
function countFailures(known: NodeIncident[], { nodes, down, at }: { nodes: readonly NodeHealth[]; down: readonly NodeHealth[]; at: string }): void {
  for (const one of known) {
    const seen = nodes.find(({ node }) => node === one.node);
    if (seen && seen.state !== 'Online') delete one.wellSince;
    else Object.assign(one, { down: false, wellSince: one.wellSince ?? at });
  }
  for (const { node } of down) {
    let one = known.find((entry) => entry.node === node);
    if (!one) known.push(one = { node, since: at, count: 0, down: false, told: false });
    if (one.down) continue;
    Object.assign(one, { down: true, count: one.count + 1 });
    delete one.wellSince;
    delete one.explained;
  }
}

interface Now {
  isBelow: boolean;
  tell(kind: EventKind, words: Words, node?: About): void;
}

function recover(incidents: Incidents, { health, at, calmMs }: Shown, { isBelow, tell }: Now): void {
  const calm = (since: string | undefined): boolean => since !== undefined && Date.parse(at) - Date.parse(since) >= calmMs;
  const { open } = incidents;
  if (!open) return;
  // That somebody expects what is missing brings nothing back.
  if (health.online < health.minimumNodes) delete incidents.lost?.wellSince;
  else if (incidents.lost) {
    incidents.lost.wellSince ??= at;
    if (calm(incidents.lost.wellSince)) {
      tell('threshold-restored', { severity: 'info', summary: `${health.cluster} has the ${health.minimumNodes} Servers again that are asked for: ${health.online} of ${health.members} are there.` });
      incidents.lost = null;
    }
  }
  if (noEdgeServes(health.nodes.map(({ excused: _, ...node }) => node))) delete incidents.noEdge?.wellSince;
  else if (incidents.noEdge) {
    incidents.noEdge.wellSince ??= at;
    if (calm(incidents.noEdge.wellSince)) {
      tell('node-recovered', { severity: 'info', summary: `An Edge of ${health.cluster} serves again.` });
      incidents.noEdge = null;
    }
  }
  for (const one of open.nodes.filter(({ down, wellSince }) => !down && calm(wellSince))) {
    const node = health.nodes.find((seen) => seen.node === one.node);
    if (one.told && node) tell('node-recovered', { severity: 'info', summary: `${one.node} of ${health.cluster} is Online again${one.count > 1 ? `, after it failed ${one.count} times` : ''}.` }, node);
    open.nodes = open.nodes.filter((entry) => entry !== one);
  }
  if (open.nodes.length === 0 && !isBelow && !incidents.lost && !incidents.noEdge && incidents.around?.length === 0) incidents.open = null;
}

const lostWords = (health: ClusterHealth): Words => ({
  severity: 'critical',
  summary: `${health.cluster} has fewer Servers than the ${health.minimumNodes} that are asked for: ${present(health.nodes)} of ${health.members} are there.${health.cause ? ` ${health.cause.sentence}` : ''}`,
});

/** `demo-20261130T121500Z-3`: unique for a cluster, and fit for the ids of events. */
const incidentId = (cluster: string, at: string, number: number): string => `${cluster}-${at.replace(/[-:]/g, '').replace(/\.\d+/, '')}-${number}`;

function eventOf(kind: EventKind, incident: string, { health, at }: Shown, { severity, summary, youCan = [] }: Words, node?: About): ClusterEvent {
  const missing = health.nodes.filter(({ state }) => state !== 'Online').map(({ node: name, state }) => `${name} ${state}`);
  return {
    id: [incident, kind, ...(node ? [node.node] : []), String(Date.parse(at) % 100_000_000)].join('.').slice(0, 150), kind, cluster: health.cluster, site: health.site, ...(node ? { node: node.node } : {}),
    at, severity, incident, summary: shorten(summary, 600),
    now: `${health.online} of ${health.members} Servers are Online, ${health.minimumNodes} are asked for.${missing.length > 0 ? ` Not Online: ${missing.slice(0, 20).join(', ')}.` : ''}`,
    next: severity === 'info' ? 'Nothing: the incident is over when all have been well for a while.' : 'The monitor goes on looking and tells when it is over. It starts no operation.',
    youCan: severity === 'info' ? [] : [`see it: stctl status ${health.cluster}`, ...(node?.state ? [`replace it when it stays away: stctl replace-node ${node.node} <new node> -c ${health.cluster}`] : []), ...youCan],
    facts: {
      online: String(health.online), members: String(health.members), minimumNodes: String(health.minimumNodes), health: health.health, sampledAt: health.sampledAt,
      ...(health.cause ? { cause: health.cause.code } : {}), ...(node?.state ? { state: node.state, ...(node.why ? { why: shorten(node.why, 300) } : {}) } : {}),
    },
  };
}

/** `structuredClone` does not exist where workflows run. */
const structuredCopy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
