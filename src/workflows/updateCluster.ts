/**
 * Updates every member to a new version by the operator's own program, in the vendor's order (reference §16): backup; everything stopped, Edges too; each node updated;
 * the versions equal; then started, one Transaction Manager first. Two versions never run on one schema: a node that is not updated is not started. Node by node only where
 * the cluster file says that the notes of this update allow it.
 */
import { parseInput } from '../model/inputs';
import type { OperationReport } from '../model/operation';
import { gracefulSecondsOf, updateClusterInput, type UpdateClusterInput } from '../model/restartInput';
import { isAt, isTakenOut, nodeByNodeProblems, planRestart, updateProblems } from '../model/restartPlan';
import { workingSite } from '../model/slices';
import { backUp } from './operation/backUp';
import { operation } from './operation/operation';
import { counted } from './operation/report';
import { gates, restarts } from './operation/groups';
import { lookAt } from './parts/lookAtNodes';
import { bringUp, stopStanding, takeDown, type Gently } from './parts/restartNode';
import { siteView, type SiteNode } from './parts/site';

const defaultUpdateMs = 2 * 60 * 60_000;
/** What looking, starting the program and keeping its output take beside the program itself: that its time is over is told before the activity's own is. */
const marginMs = 5 * 60_000;

export async function updateCluster(raw: unknown): Promise<OperationReport> {
  return operation<UpdateClusterInput>('updateCluster', raw, async (context) => {
    const { input, cluster, forEachNode } = context;
    const { spec } = cluster;
    const { version } = input;
    const members = siteView(cluster, workingSite(cluster));
    const { update } = spec.product;
    const nodeByNode = input.nodeByNode === true;
    const keepOnline = nodeByNode ? (input.keepOnline ?? spec.policies.minimumNodes) : null;
    const gently: Gently = { gracefulSeconds: gracefulSecondsOf(input), acceptActive: input.acceptActive === true, sweep: input.sweep === true, keepOnline, probe: input.probe !== false, version };
    const wanted = { version, specVersion: spec.product.version, command: update !== undefined, nodeByNode, allowed: update?.nodeByNode === true, acceptActive: gently.acceptActive };
    const { facts, balancers, site } = await lookAt(context, members, { blocking: input.blocking ?? [], acceptActive: gently.acceptActive }, (found, at) =>
      [...updateProblems(found, wanted), ...(keepOnline === null ? [] : nodeByNodeProblems(found, { version, keepOnline }, at))]);

    const role = (node: SiteNode): 'server' | 'edge' => (site.edges.includes(node) ? 'edge' : 'server');
    const all = [...site.servers, ...site.edges];
    const behind = all.filter(({ name }) => facts.some((one) => one.node === name && !isAt(version, one)));
    // What an earlier try has stopped is started by this one. Some of these answer, and may work on what a stop would cut.
    const down = all.filter(({ name }) => facts.some((one) => one.node === name && !one.online));
    const out = all.filter(({ name }) => facts.some((one) => one.node === name && one.online && isTakenOut(one, balancers)));
    if (behind.length === 0 && down.length === 0 && out.length === 0) return { summary: `Version ${version} is installed on all ${counted(all.length, 'node')} of ${cluster.name}, and they run.` };
    const command = update?.command ?? [];
    const timeoutMs = input.updateTimeout ?? defaultUpdateMs;

    async function updateNodes(nodes: readonly SiteNode[], key: string): Promise<void> {
      await forEachNode('Update the node by the operator\'s program', nodes, (node) => restarts.ensureUpdated({ host: node.target, role: role(node), version, command, timeoutMs }, { limitMs: timeoutMs + marginMs }), { key });
      await forEachNode(`See that version ${version} is installed`, nodes, ({ target }) => restarts.ensureVersion({ host: target, version }), { key: `${key}/version` });
      // An update replaces what is in bin/, a gate of ours too; a member's must be open.
      await forEachNode('See that nothing keeps its start commands from starting it', nodes, ({ target }) => gates.ensureOpened({ host: target }), { key: `${key}/gate` });
    }

    const stopDown = (nodes: readonly SiteNode[]): Promise<void> => stopStanding(context, site, nodes, facts, gently);
    const running = (nodes: readonly SiteNode[]): SiteNode[] => nodes.filter((node) => !down.includes(node));

    const first = site.servers[0]!;
    /** One Transaction Manager first; then the others; the Edges last, and only a login through them opens the balancer. */
    async function start(): Promise<void> {
      const behindEdges: Gently = { ...gently, withoutEdges: true, probe: gently.probe && site.edges.length === 0 };
      await bringUp(context, site, 'server', [first], behindEdges);
      if (site.servers.length > 1) await bringUp(context, site, 'server', site.servers.slice(1), behindEdges);
      if (site.edges.length > 0) await bringUp(context, site, 'edge', site.edges, gently);
    }

    if (behind.length === 0) {
      await start();
      const back = [...down, ...out].map(({ name }) => name);
      return { summary: `${cluster.name} is at version ${version}, and ${back.join(', ')}, which an earlier operation had stopped or taken out of the balancer, ${back.length === 1 ? 'serves' : 'serve'} again.` };
    }
    await backUp(context, site.name, site.servers.map(({ name, target }) => ({ name, server: target })));
    if (nodeByNode) {
      const waves = planRestart(facts, { nodes: behind.map(({ name }) => name), parallel: 1, keepOnline: keepOnline! });
      context.pointOfNoReturn();
      // Those that an earlier try has updated and not started: the others need them.
      const updated = [...down, ...out].filter((node) => !behind.includes(node));
      for (const which of ['server', 'edge'] as const) {
        const standing = updated.filter((node) => role(node) === which);
        if (standing.length > 0) await bringUp(context, site, which, standing, gently);
      }
      for (const [which, names] of [['server', waves.servers], ['edge', waves.edges]] as const) {
        for (const wave of names.map((chosen) => all.filter(({ name }) => chosen.includes(name)))) {
          await takeDown(context, site, which, running(wave), gently);
          await stopDown(wave.filter((node) => down.includes(node)));
          await updateNodes(wave, 'update');
          await bringUp(context, site, which, wave, gently);
        }
      }
    } else {
      await takeDown(context, site, 'edge', running(site.edges), gently);
      await takeDown(context, site, 'server', running(site.servers), gently);
      await stopDown(down);
      context.pointOfNoReturn();
      // The first alone: it may convert the schema, and what is wrong with the update shows on one node.
      if (behind.includes(first)) await updateNodes([first], 'update-first');
      await updateNodes(behind.filter((node) => node !== first), 'update');
      await start();
    }
    return { summary: `${cluster.name} is at version ${version}: ${counted(behind.length, 'node')} updated (${behind.map(({ name }) => name).join(', ')}).` };
  }, { parse: (value) => parseInput(updateClusterInput, value) });
}
