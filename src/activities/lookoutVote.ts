/** What was seen, put into the words of the answer. */
import { causeOf } from '../model/healthCauses';
import type { NodeHealth } from '../model/health';
import { adminService, transactionManager } from '../model/nodeLook';
import { shorten } from '../model/shorten';
import type { Around, AroundLook, Down, Vote } from '../model/watch';
import type { Watching } from './lookout';
import { surroundings, type Known } from './lookRecord';

export interface Seen {
  known: Known;
  nodes: readonly Watching[];
  around: AroundLook;
}

export function voteOf({ known, nodes, around: look }: Seen): Vote {
  const { fronts, balancers, database } = surroundings(known);
  const { policies, monitoring } = known.record.spec!;
  const named = nodes.map((node) => nodeHealth(node, { known, look, fronts, nodes }));
  const hung = Object.values(look.sharedFiles).flatMap((found) => (found?.well === false ? [found.why] : []));
  const around: Around = {
    ...(look.database?.well === false ? { database: look.database.why ?? '' } : {}),
    ...(hung.length > 0 ? { sharedFiles: hung.slice(0, 5).join('; ') } : {}),
    balancers: look.balancers.flatMap(({ trouble }) => trouble ?? []),
    ...downOf(look, database.name),
    reached: look.reached === true || look.database?.well === true || look.balancers.some(({ runtime }) => runtime !== undefined) || nodes.some(({ sign }) => sign?.answers === true)
      // Where there is nothing around to be asked, several that are silent at once are still no proof of a network.
      || (look.database === undefined && balancers.length === 0 && nodes.length < 2),
  };
  const cause = causeOf(named, around);
  return {
    at: new Date().toISOString(), site: known.site, nodes: named, votes: nodes.map(({ vote }) => vote), around, ...(cause ? { cause } : {}),
    policies: { minimumNodes: policies.minimumNodes, forMs: policies.failover.for, interval: monitoring.interval, failuresToOffline: monitoring.failuresToOffline }, record: known.view,
  };
}

/** What is out and believed to be. */
function downOf({ database, balancers }: AroundLook, name: string): { down?: Down[] } {
  const left = balancers.filter(({ out }) => out === false).map((one) => one.name);
  const down: Down[] = [
    ...(database?.gone?.believed ? [{ what: 'database' as const, name, why: database.why ?? '' }] : []),
    ...balancers.flatMap(({ name: balancer, trouble = '', gone }) => (gone?.believed ? [{ what: 'balancer' as const, name: balancer, why: trouble, left }] : [])),
  ];
  return down.length > 0 ? { down } : {};
}

function nodeHealth(node: Watching, { known, look, fronts, nodes }: { known: Known; look: AroundLook; fronts: 'server' | 'edge'; nodes: readonly Watching[] }): NodeHealth {
  const { looked: { role, target }, vote, details } = node;
  const excused = known.excuses.get(target.node);
  const streaming = streamingOf(node, look, nodes);
  const why = whyOf(node);
  return {
    node: target.node, site: known.site, role, address: target.address, state: vote.state, since: vote.since,
    ...(why ? { why: shorten(why, 400) } : {}), ...(vote.state !== 'Online' && node.look?.cause ? { cause: node.look.cause } : {}),
    ...(vote.lastSeen === undefined ? {} : { lastSeen: vote.lastSeen }),
    services: servicesOf(node),
    ...(role === fronts && look.balancers.length > 0 ? { balancer: look.balancers.map(({ name, runtime, file }) => ({ name, wanted: 'UP', runtime: runtime?.[target.node] ?? 'unknown', file: file?.[target.node] ?? 'unknown' })) } : {}),
    ...(details?.sessions === undefined ? {} : { sessions: details.sessions }), ...(details?.version === undefined ? {} : { version: details.version }),
    ...(streaming ? { streaming } : {}), ...(excused === undefined ? {} : { excused }),
  };
}

function whyOf({ vote, look, sign }: Watching): string | undefined {
  if (vote.state === 'Online') return undefined;
  if (look?.sight === 'online') return `it answers again, and must hold for some looks: it came back and fell ${vote.flaps} times`;
  if (look?.cause === 'silent' && sign) return `${look.why}, ${sign.answers ? 'but ' : ''}${sign.words}`;
  return look?.why;
}

/** What runs of what there is; of a node that says nothing nothing is known to run or to stand. */
function servicesOf({ looked: { role, protocols }, vote, look, details }: Watching): NodeHealth['services'] {
  const expected = [adminService, ...(role === 'server' ? [transactionManager, 'Scheduler', 'FolderMonitor'] : []), ...protocols];
  if (!look?.services || vote.state === 'Unknown') return { running: 0, of: expected.length, stopped: [] };
  const said: Record<string, boolean> = { ...details?.services, ...look.services };
  // Both live in the Transaction Manager.
  if (said[transactionManager] === false) Object.assign(said, { Scheduler: false, FolderMonitor: false });
  return { running: expected.filter((name) => said[name] === true).length, of: expected.length, stopped: expected.filter((name) => said[name] === false) };
}

/** Of a Server the Edges it dialled; of an Edge the Servers that dialled it, of those that could be asked. */
function streamingOf({ looked: { role, target } }: Watching, { streaming }: AroundLook, nodes: readonly Watching[]): NodeHealth['streaming'] {
  const named = (wanted: 'server' | 'edge'): string[] => nodes.filter(({ looked }) => looked.role === wanted).map(({ looked }) => looked.target.node);
  if (role === 'server') {
    const connected = streaming[target.node];
    if (!connected) return undefined;
    const edges = named('edge');
    return { connected: edges.filter((edge) => connected.includes(edge)).length, of: edges.length, missing: edges.filter((edge) => !connected.includes(edge)) };
  }
  const asked = named('server').filter((server) => streaming[server] !== undefined);
  if (asked.length === 0) return undefined;
  const missing = asked.filter((server) => !streaming[server]!.includes(target.node));
  return { connected: asked.length - missing.length, of: asked.length, missing };
}
