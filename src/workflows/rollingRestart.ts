/**
 * Restarts the members of a cluster one after the other, or a few at once, while the others go on: for changes of configuration, never for a new version. It stops at
 * the first failure, with that node back in work; run again with `startedBefore` it restarts only what has not been restarted. What an earlier operation left standing still, or out of the balancer,
 * is brought up before anything goes down.
 */
import { workflowInfo } from '@temporalio/workflow';
import { parseInput } from '../model/inputs';
import type { OperationReport } from '../model/operation';
import { gracefulSecondsOf, rollingRestartInput, type RollingRestartInput } from '../model/restartInput';
import { planRestart } from '../model/restartPlan';
import { workingSite } from '../model/slices';
import { describe, failure, isCancellation } from './operation/failures';
import { operation } from './operation/operation';
import { counted } from './operation/report';
import { lookAt } from './parts/lookAtNodes';
import { bringUp, stopStanding, takeDown, type Gently } from './parts/restartNode';
import { siteView, type SiteNode } from './parts/site';

export async function rollingRestart(raw: unknown): Promise<OperationReport> {
  return operation<RollingRestartInput>('rollingRestart', raw, async (context) => {
    const { input, cluster } = context;
    const { spec } = cluster;
    const members = siteView(cluster, workingSite(cluster));
    const wish = { nodes: input.nodes, startedBefore: input.startedBefore, parallel: input.parallel ?? 1, keepOnline: input.keepOnline ?? spec.policies.minimumNodes, resumes: cluster.unfinished, acceptActive: input.acceptActive === true };
    const gently: Gently = {
      gracefulSeconds: gracefulSecondsOf(input), acceptActive: wish.acceptActive, sweep: input.sweep === true, keepOnline: wish.keepOnline, probe: input.probe !== false,
    };
    const { facts, balancers, site } = await lookAt(context, members, { nodes: input.nodes, blocking: input.blocking ?? [], startedBefore: input.startedBefore, acceptActive: gently.acceptActive }, (found, at) => planRestart(found, wish, at).problems);
    const plan = planRestart(facts, wish, balancers);
    const standing = plan.first.filter((name) => facts.some(({ node, online }) => node === name && !online));
    const nodesOf = (names: readonly string[]): SiteNode[] => [...site.servers, ...site.edges].filter(({ name }) => names.includes(name));

    try {
      for (const [role, nodes] of [['server', site.servers], ['edge', site.edges]] as const) {
        const wave = nodes.filter(({ name }) => plan.first.includes(name));
        await stopStanding(context, site, wave.filter(({ name }) => standing.includes(name)), facts, gently);
        if (wave.length > 0) await bringUp(context, site, role, wave, { ...gently, prefix: 'first/' });
      }
      for (const [role, waves] of [['server', plan.servers], ['edge', plan.edges]] as const) {
        for (const wave of waves.map(nodesOf)) {
          await takeDown(context, site, role, wave, gently);
          await bringUp(context, site, role, wave, gently);
        }
      }
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { code, message } = describe(error);
      throw failure(code, `${message} Nodes before it stay restarted. To restart the others, run it again with "startedBefore": "${input.startedBefore ?? workflowInfo().startTime.toISOString()}" (stctl: --started-before).`);
    }
    const restarted = [...standing, ...[...plan.servers, ...plan.edges].flat()];
    const skipped = facts.length - restarted.length;
    return { summary: `${counted(restarted.length, 'node')} of ${cluster.name} restarted${restarted.length > 0 ? ` (${restarted.join(', ')})` : ''}${skipped > 0 ? `; ${counted(skipped, 'other')} left as ${skipped === 1 ? 'it is' : 'they are'}` : ''}.` };
  }, { parse: (value) => parseInput(rollingRestartInput, value), about: ({ nodes = [] }) => nodes });
}
