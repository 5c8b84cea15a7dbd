/** The way of one node, or of a few at once, out of work and back into it, as in the runbook (reference §8.5, §14): shared by restarts, updates and whoever stops a node. */
import { edgesToKeep, type RestartFacts } from '../../model/restartPlan';
import { drainLimitMs, roomFor, type Room } from '../../model/stopPlan';
import { isCancellation } from '../operation/failures';
import { edges, loadBalancer, servers, stops } from '../operation/groups';
import type { Context, Site, SiteNode } from './site';

export interface Gently {
  gracefulSeconds: number;
  acceptActive: boolean;
  /** Marks of files that a stop left in process are removed. */
  sweep: boolean;
  /** How many Servers stay Online; null: everything is stopped, and nobody stays. */
  keepOnline: number | null;
  /** The way of a partner is tried before the balancer sends anybody. */
  probe: boolean;
  /** Before the keys of its steps, where a node is brought up twice in one run. */
  prefix?: string;
  /** The Edges stand still: nobody waits for a Server to be connected to them. */
  withoutEdges?: boolean;
  /** What an update has installed: a node that has another version is not started. */
  version?: string;
}

/** A stop of everything, in milliseconds. */
const stopMs = 10 * 60_000;

const others = (all: readonly SiteNode[], wave: readonly SiteNode[]): SiteNode[] => all.filter(({ name }) => !wave.some((one) => one.name === name));
const working = (nodes: readonly SiteNode[], { atWork }: Site): SiteNode[] => nodes.filter(({ name }) => atWork.includes(name));
const at = (wave: readonly SiteNode[], site: Site) =>
  wave.flatMap(({ name: node, target }) => site.balancers.map(({ name, balancer }) => ({ name: `${node} at ${name}`, node, target, balancer }))).filter(({ name }) => !site.leftOut.includes(name));

/** Out of the balancer, drained, everything stopped. Undone in the opposite order: started, Online, back in the balancer when it is shown to serve. */
export async function takeDown({ forEachNode }: Context, site: Site, role: 'server' | 'edge', wave: readonly SiteNode[], { gracefulSeconds, acceptActive, keepOnline, probe }: Gently): Promise<void> {
  const edge = role === 'edge';
  const { protocols } = site;
  const limits = { limitMs: drainLimitMs(gracefulSeconds) };
  const room: Room | undefined = keepOnline === null ? undefined
    : roomFor(role, others(edge ? site.edges : site.servers, wave).map(({ target }) => target), edge ? edgesToKeep(keepOnline) : keepOnline, protocols);
  if (room) await forEachNode('See that enough others are Online', wave, ({ target }) => stops.ensureRoom({ node: target, room }), { key: 'room', aside: true });
  const fronted = site.fronts === (edge ? 'edges' : 'servers');
  if (fronted) {
    await forEachNode('Take the node out of the balancer and wait for its sessions', at(wave, site), ({ balancer, node }) => loadBalancer.ensureOutOfService({ balancer, node, waitMs: gracefulSeconds * 1_000 }, limits), {
      key: 'out', undo: ({ balancer, node, target }) => loadBalancer.ensureServing({ balancer, node, proof: { target, role, protocols, ...(probe && site.probe ? { probe: site.probe } : {}) } }),
    });
  }
  const looked = room ? { room } : {};
  if (edge) {
    await forEachNode('Stop the Edge gracefully', wave, ({ target }) => stops.ensureEdgeDrained({ edge: target, protocols, gracefulSeconds, ...looked }, limits), {
      // A graceful stop that was asked for has to land first.
      key: 'drain', undo: ({ target }) => edges.ensureOnline({ edge: target, protocols }, limits),
    });
  } else {
    await forEachNode('Stop the Server gracefully: daemons first, Transaction Manager last', wave, ({ target }) => stops.ensureDrained({ server: target, protocols, gracefulSeconds, acceptActive, ...looked }, limits), {
      key: 'drain', undo: ({ target }) => servers.ensureOnline({ server: target, protocols }, limits),
    });
  }
  await forEachNode('Stop what is left of it', wave, ({ target }) => (edge ? servers.ensureAllStopped({ server: target })
    : servers.ensureAllStopped({ server: target, drained: { protocols, gracefulSeconds, acceptActive } }, { limitMs: limits.limitMs + stopMs })), { key: 'stop' });
}

/** Of nodes that are not Online: gracefully what a Server that answers still does, then whole. */
export async function stopStanding({ forEachNode }: Context, site: Site, nodes: readonly SiteNode[], facts: readonly RestartFacts[], { gracefulSeconds, acceptActive }: Gently): Promise<void> {
  const answering = nodes.filter((node) => site.servers.includes(node) && facts.some((one) => one.node === node.name && one.answers));
  await forEachNode('Stop the Server gracefully: daemons first, Transaction Manager last', answering, ({ target }) => stops.ensureDrained({ server: target, protocols: site.protocols, gracefulSeconds, acceptActive }, { limitMs: drainLimitMs(gracefulSeconds) }), { key: 'drain' });
  await forEachNode('Stop everything of a node that is not Online', nodes, ({ target }) => servers.ensureAllStopped({ server: target }), { key: 'stop-down' });
}

/** Started, Online, connected, what its stop left behind found, the way tried, back in the balancer. From then on it stays so, whatever fails later. */
export async function bringUp(context: Context, site: Site, role: 'server' | 'edge', wave: readonly SiteNode[], { sweep, probe, withoutEdges, version, prefix = '' }: Gently): Promise<void> {
  const { forEachNode } = context;
  const { protocols, sharedPath } = site;
  const names = wave.map(({ name }) => name);
  const only = version === undefined ? {} : { version };
  if (role === 'edge') {
    await forEachNode('Start the Edge', wave, ({ target }) => edges.ensureOnline({ edge: target, protocols, ...only }), { key: `${prefix}online` });
    site.atWork.push(...names);
    for (const { name, target } of wave) {
      const door = [{ node: name, address: target.address }];
      await forEachNode(`Wait until its Transaction Manager is connected to ${name}`, working(site.servers, site), ({ target: server }) => edges.ensureConnected({ server, edges: door, protocols }), { key: `${prefix}connected/${name}` });
    }
  } else {
    await forEachNode('Start the Server and wait until it is Online', wave, ({ target }) => servers.ensureOnline({ server: target, protocols, ...only }), { key: `${prefix}online` });
    site.atWork.push(...names);
    const doors = working(site.edges, site).map(({ name, target: { address } }) => ({ node: name, address }));
    if (doors.length > 0 && !withoutEdges) await forEachNode('Wait until its Transaction Manager is connected to every Edge', wave, ({ target }) => edges.ensureConnected({ server: target, edges: doors, protocols }), { key: `${prefix}connected` });
    await forEachNode('Look for files that its stop left in process', wave, ({ target }) => stops.ensureSwept({ server: target, sharedPath, release: sweep }, { limitMs: 20 * 60_000 }), { key: `${prefix}sweep` });
  }
  if (probe) await tryTheWay(context, site, role, wave, prefix);
  await backInBalancer(context, site, role, wave, prefix);
  context.keep([...wave, ...at(wave, site)]);
}

/** Through an Edge as a partner does; at the Server itself where there is none. One after the other: a wrong password is tried once. */
async function tryTheWay({ forEachNode, keep }: Context, site: Site, role: 'server' | 'edge', wave: readonly SiteNode[], prefix: string): Promise<void> {
  const { probe } = site;
  if (!probe) return;
  const through = role === 'server' && site.edges.length > 0 ? working(site.edges, site) : wave;
  const which = role === 'server' ? wave.map(({ name }) => name).join('+') : '';
  for (const node of through) {
    await forEachNode('Log in as a partner does', [node], ({ target }) => edges.ensureLogin({ edge: target, probe }), { key: `${prefix}${which ? `login/${which}` : 'login'}` }).catch((error: unknown) => {
      // Nobody can log in through it: it stays out of the balancer, and no undo tries the password again.
      if (!isCancellation(error)) keep(at([node], site));
      throw error;
    });
  }
}

async function backInBalancer({ forEachNode }: Context, site: Site, role: 'server' | 'edge', wave: readonly SiteNode[], prefix: string): Promise<void> {
  if (site.fronts !== (role === 'edge' ? 'edges' : 'servers')) return;
  await forEachNode('Let the balancer send to the node again', at(wave, site), ({ balancer, node }) => loadBalancer.ensureServing({ balancer, node }), { key: `${prefix}serving` });
}
