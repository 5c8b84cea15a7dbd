/**
 * Directs the workload otherwise (reference §9): dispatch policy, what each Server is sent, balancer weights. Transaction Managers read the options when they start, so those
 * of which anything changes are restarted, one at a time. With `suggest` it measures, proposes, and changes nothing.
 */
import { noServerLeft } from '../model/comeBack';
import { parseInput } from '../model/inputs';
import { memberSite } from '../model/members';
import type { OperationReport } from '../model/operation';
import { defaultGracefulMs, defaultWindowMs, rebalanceWorkloadInput, type RebalanceWorkloadInput } from '../model/rebalanceWorkloadInput';
import { balancerTargets, serverTarget, workingSite } from '../model/slices';
import { drainLimitMs, neighboursOf, type Room } from '../model/stopPlan';
import type { BalancerTarget, ServerTarget } from '../model/targets';
import { planWeights } from '../model/weightsPlan';
import { planWorkload, restarting, type WorkloadFacts } from '../model/workload';
import { parseAttributes, printAttributes } from '../model/workloadAttributes';
import { combineLoad, compareLoads, type Load, type LoadPart } from '../model/workloadLoad';
import { suggestWorkload } from '../model/workloadSuggestion';
import { backUp } from './operation/backUp';
import { checkEachNode, type OperationContext } from './operation/context';
import { failure } from './operation/failures';
import { operation } from './operation/operation';
import { counted } from './operation/report';
import { edges, loadBalancer, servers, stops, workload } from './operation/groups';
import { requireMembers } from './parts/site';

interface Node {
  name: string;
  server: ServerTarget;
}
type Context = OperationContext<RebalanceWorkloadInput>;

/** A worker and a Server may take their time beside the window. */
const besidesMs = 60_000;

export async function rebalanceWorkload(raw: unknown): Promise<OperationReport> {
  return operation<RebalanceWorkloadInput>('rebalanceWorkload', raw, async (context) => {
    const { input, cluster, checks, forEachNode, step } = context;
    const { spec } = cluster;
    const site = workingSite(cluster);
    requireMembers(cluster);
    const here = memberSite(spec, site, cluster.members);
    const nodes: Node[] = here.servers.map(({ name }) => ({ name, server: serverTarget(spec, site, name) }));
    const [first] = nodes;
    if (!first) throw failure('PreconditionFailed', noServerLeft(cluster.name));
    const strangers = Object.keys(input.assign ?? {}).filter((name) => !nodes.some((node) => node.name === name));
    if (strangers.length > 0) throw failure('InvalidInput', `assign: ${strangers.join(', ')} ${strangers.length === 1 ? 'is no Server' : 'are no Servers'} of ${cluster.name}; its Servers are ${nodes.map(({ name }) => name).join(', ')}. Nothing was changed.`);
    const balancers = input.weights === undefined ? [] : balancerTargets(spec, site).map((balancer) => ({ name: balancer.name, balancer }));
    const fronted = here.loadBalancer?.fronts === 'edges' ? { what: 'Edge', names: here.edges.map(({ name }) => name) } : { what: 'Server', names: nodes.map(({ name }) => name) };
    const { minimumNodes } = spec.policies;
    const planned = (facts: readonly WorkloadFacts[]) => planWorkload(input, facts, { minimumNodes });

    // Alone: wrong passwords on several Servers at once would lock the administrator in the whole cluster.
    const { login } = await checks({ login: checkEachNode('How the first Server is set', [first], ({ server }) => workload.checkWorkload({ server })) });
    const found = await checks({
      others: checkEachNode('How the other Servers are set', nodes.slice(1), ({ server }) => workload.checkWorkload({ server })),
      weights: checkEachNode('What the balancer weighs', balancers, ({ balancer }) => workload.checkWeights({ balancer, nodes: fronted.names })),
    }, {
      title: 'The workload can be directed so',
      problems: ({ others, weights }) => (input.suggest ? [] : [...planned([...login, ...others]).problems, ...planWeights(input.weights, fronted, weights).problems]),
    });
    const facts = [...login, ...found.others];
    const windowMs = input.window ?? defaultWindowMs;
    const parts = loadParts(nodes, facts, windowMs);
    if (input.suggest) return suggest(context, parts, facts);

    const plan = planned(facts);
    const weights = planWeights(input.weights, fronted, found.weights).set.map((change) => ({ ...change, name: `${change.node} at ${change.balancer}`, target: balancers.find(({ name }) => name === change.balancer)!.balancer }));
    const chosen = (names: readonly string[]): Node[] => names.flatMap((one) => nodes.filter(({ name }) => name === one));
    const gracefulSeconds = Math.max(1, Math.floor((input.gracefulTimeout ?? defaultGracefulMs) / 1_000));
    const restart: Restart = { gracefulSeconds, acceptActive: input.acceptActive === true, keep: minimumNodes, all: nodes, fronted: here.loadBalancer?.fronts === 'servers' ? balancerTargets(spec, site) : [],
      doors: here.edges.map(({ name, address }) => ({ node: name, address })), protocols: spec.product.protocols, sharedPath: here.sharedFiles.path };
    if (plan.pgp && (plan.streaming !== null || plan.local.length > 0)) {
      await checks({ mounts: checkEachNode('The shared files are mounted as PGP needs it', nodes, ({ server }) => workload.checkMount({ server, path: here.sharedFiles.path })) });
    }
    if (plan.restart.length > 0) await checks({ work: checkEachNode('What the restart would cut', chosen(plan.restart), ({ server }) => stops.checkWork({ node: server, role: 'server', blocking: [], acceptActive: restart.acceptActive })) });

    const shared = Object.keys(plan.shared.set).length > 0;
    const configures = shared || plan.local.length > 0 || plan.streaming !== null;
    if (!configures && plan.restart.length === 0 && weights.length === 0) {
      await forgetNotes(context, chosen(plan.settled));
      return { summary: `The workload of ${cluster.name} is directed so already.` };
    }
    if (configures) await backUp(context, site, nodes.filter(({ name }) => facts.some(({ node, answers }) => node === name && answers)));

    const before = await measure(context, 'before', parts);
    const touched = chosen(plan.restart);
    const nowOf = ({ name }: Node): string => plan.touched.find(({ node }) => node === name)!.now;
    await forEachNode('Note by which options its Transaction Manager works', touched, (node) => workload.ensureNoted({ server: node.server, worksBy: nowOf(node) }), {
      // Undone last, when the options are back, and one at a time as it was done.
      key: 'note', parallel: 1, undo: (node) => workload.ensureWorksByOptions({ server: node.server, protocols: restart.protocols, gracefulSeconds, acceptActive: restart.acceptActive, room: roomOf(restart, node) }, { limitMs: drainLimitMs(gracefulSeconds) + 10 * besidesMs }),
    });
    const through = nodes.find(({ name }) => facts.some(({ node, answers }) => node === name && answers))!;
    if (shared) {
      await step('Set the options of the cluster', workload.ensureOptions({ server: through.server, scope: 'shared', options: plan.shared.set }), {
        key: 'shared-options', undo: workload.ensureOptions({ server: through.server, scope: 'shared', options: plan.shared.before }),
      });
    }
    const local = plan.local.map((change) => ({ ...change, name: change.node, server: serverTarget(spec, site, change.node) }));
    const option = (values: string[]): Record<string, string[]> => ({ 'EventQueue.taskProcessor.attributes': values });
    await forEachNode('Set what the Server is sent', local, ({ server, values }) => workload.ensureOptions({ server, scope: 'local', options: option(values) }), {
      key: 'local-options', undo: ({ server, before: values }) => workload.ensureOptions({ server, scope: 'local', options: option(values) }),
    });
    const expression = plan.streaming?.to ?? 'in';
    const files = (plan.streaming?.nodes ?? []).map((change) => ({ ...change, name: change.node, server: serverTarget(spec, site, change.node) }));
    await forEachNode(expression === 'in' ? 'Take the PGP expression of Streaming.xml in' : 'Comment the PGP expression of Streaming.xml out', files, ({ server }) => workload.ensureStreaming({ server, expression }), {
      key: 'streaming', undo: ({ server, before: was }) => workload.ensureStreaming({ server, expression: was }),
    });
    await forEachNode('Set the weight at the balancer', weights, ({ target, node, weight, before: was }) => workload.ensureWeights({ balancer: target, node, weights: Object.fromEntries(Object.keys(was).map((backend) => [backend, weight])) }), {
      key: 'weights', parallel: 1, undo: ({ target, node, before: was }) => workload.ensureWeights({ balancer: target, node, weights: was }),
    });
    for (const node of touched) await restartOne(context, node, restart, plan.touched.find((one) => one.node === node.name)!.next);
    const after = await measure(context, 'after', parts);
    await forgetNotes(context, chosen([...plan.restart, ...plan.settled]));

    const verdict = compareLoads(before, after);
    const undo = { ...plan.undo, ...(weights.length > 0 ? { weights: planWeights(input.weights, fronted, found.weights).undo } : {}) };
    return {
      summary: `The workload of ${cluster.name} is directed otherwise: ${counted(touched.length, 'Transaction Manager')} restarted. Did it help? ${verdict.helped === 'can\'t be told' ? 'It can\'t be told' : verdict.helped}: ${verdict.why}.`,
      // A plan has measured nothing yet.
      result: { undo, wholeCluster: plan.wholeCluster, restarted: plan.restart, ...(after.looks > 0 ? { before, after, ...verdict } : {}) },
      ...(plan.streaming?.to === 'in' ? { byHand: ['Look at the storage: the shared files must be exported with sync,no_wdelay for PGP, which can\'t be seen from the Servers.'] } : {}),
    };
  }, { parse: (value) => parseInput(rebalanceWorkloadInput, value) });
}

interface MeasuredPart {
  name: string;
  request: { what: 'node' | 'queue'; server: ServerTarget; windowMs: number; id?: string | null };
}

/** The parts of one measurement, all at the same time: the queue, asked of a Server that answers, and each Server that does. */
function loadParts(nodes: readonly Node[], facts: readonly WorkloadFacts[], windowMs: number): MeasuredPart[] {
  const seen = nodes.flatMap((node) => facts.filter(({ node: name, answers }) => name === node.name && answers).map(({ id }) => ({ node, id })));
  const [asked] = seen;
  return [
    ...(asked ? [{ name: 'event queue', request: { what: 'queue' as const, server: asked.node.server, windowMs } }] : []),
    ...seen.map(({ node: { name, server }, id }) => ({ name, request: { what: 'node' as const, server, windowMs, id } })),
  ];
}

async function measure({ forEachNode }: Context, when: 'before' | 'after', parts: readonly MeasuredPart[]): Promise<Load> {
  const none: LoadPart = { what: 'queue', halves: null, halfMs: 0, looks: 0 };
  const found = await forEachNode(`Measure the load ${when}`, parts, ({ request }) => workload.measureLoad(request, { limitMs: request.windowMs + besidesMs }), { key: `measure-${when}`, aside: true, planned: none });
  return combineLoad(found);
}

async function suggest({ input, cluster, checks }: Context, parts: readonly MeasuredPart[], facts: readonly WorkloadFacts[]) {
  const { load } = await checks({ load: checkEachNode('Measure the load', parts, ({ request }) => workload.checkLoad(request, { limitMs: request.windowMs + besidesMs })) });
  const seen = combineLoad(load);
  const online = facts.filter(({ answers, tm, attributes }) => answers && tm && attributes !== null);
  const suggestion = suggestWorkload({ cluster: input.cluster, policy: facts.find(({ policy }) => policy !== null)?.policy?.join('') ?? '', attributes: Object.fromEntries(online.map(({ node, attributes }) => [node, parseAttributes(attributes!)])), load: seen });
  return {
    summary: suggestion.input ? `A suggestion for ${cluster.name}: ${suggestion.why}. It is in "result", ready to be run.` : `No suggestion for ${cluster.name}: ${suggestion.why}.`,
    result: { ...suggestion, load: seen, now: Object.fromEntries(online.map(({ node, attributes }) => [node, printAttributes(parseAttributes(attributes!)).join('')])) },
  };
}

interface Restart {
  gracefulSeconds: number;
  acceptActive: boolean;
  keep: number;
  all: readonly Node[];
  /** Balancers that send to the Servers themselves. */
  fronted: readonly BalancerTarget[];
  doors: { node: string; address: string }[];
  protocols: ServerTargetProtocols;
  sharedPath: string;
}
type ServerTargetProtocols = Parameters<typeof servers.ensureOnline>[0]['protocols'];

const roomOf = ({ all, keep }: Restart, { name }: Node): Room => ({ role: 'server', others: neighboursOf(all.filter((one) => one.name !== name).map(({ server }) => server)), keep });

/** One Server's daemons and Transaction Manager, gracefully (reference §8.5), and started again; its Administration Tool goes on. */
async function restartOne({ forEachNode }: Context, node: Node, how: Restart, next: string): Promise<void> {
  const { gracefulSeconds, acceptActive, protocols, sharedPath, doors } = how;
  const { name, server } = node;
  const one = [{ name, server }];
  const at = how.fronted.map((balancer) => ({ name: `${name} at ${balancer.name}`, balancer }));
  const limits = { limitMs: drainLimitMs(gracefulSeconds) };
  await forEachNode('Note that it is being restarted', one, () => workload.ensureNoted({ server, worksBy: restarting }), { key: 'restarting' });
  await forEachNode('Take the Server out of the balancer and wait for its sessions', at, ({ balancer }) => loadBalancer.ensureOutOfService({ balancer, node: name, waitMs: gracefulSeconds * 1_000 }, limits), { key: 'out', undo: ({ balancer }) => loadBalancer.ensureServing({ balancer, node: name, ifOurs: true }) });
  await forEachNode('Stop its daemons and its Transaction Manager gracefully', one, () => stops.ensureDrained({ server, protocols, gracefulSeconds, acceptActive, room: roomOf(how, node) }, limits), { key: 'drain', undo: () => servers.ensureOnline({ server, protocols }, limits) });
  await forEachNode('Start the Server and wait until it is Online', one, () => servers.ensureOnline({ server, protocols }), { key: 'online' });
  if (doors.length > 0) await forEachNode('Wait until its Transaction Manager is connected to every Edge', one, () => edges.ensureConnected({ server, edges: doors, protocols }), { key: 'connected' });
  await forEachNode('Look for files that its stop left in process', one, () => stops.ensureSwept({ server, sharedPath, release: false }, { limitMs: 20 * 60_000 }), { key: 'sweep' });
  await forEachNode('Let the balancer send to the Server again', at, ({ balancer }) => loadBalancer.ensureServing({ balancer, node: name, ifOurs: true }), { key: 'serving' });
  await forEachNode('Note that it works by the new options', one, () => workload.ensureNoted({ server, worksBy: next }), { key: 'restarted' });
}

async function forgetNotes({ forEachNode }: Context, nodes: readonly Node[]): Promise<void> {
  await forEachNode('Forget the note: it works by its options', nodes, ({ server }) => workload.ensureNoted({ server, worksBy: null }), { key: 'forget' });
}
