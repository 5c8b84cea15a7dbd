/**
 * Adopts a cluster that exists. It looks and answers with a cluster file and what differs between the nodes; nothing on the estate is changed. Only when
 * asked to apply a file that somebody has read does it take the hosts over, and then it writes what says whose they are, beside the product.
 * It has no undo: run again, it does only what is missing.
 */
import { adoption, type Adoption, type FoundEstate } from '../model/adoption';
import { seedSpec, type Known } from '../model/adoptionFile';
import { adoptClusterInput, parseInput, type AdoptClusterInput } from '../model/inputs';
import { membersOf } from '../model/members';
import type { OperationReport } from '../model/operation';
import { balancerTargets, databaseTarget, hostTarget, productionSite, serverTarget, siteOf } from '../model/slices';
import { formatProblem, type ClusterSpec } from '../model/spec';
import { check, checkEachNode } from './operation/context';
import { failure } from './operation/failures';
import { operation } from './operation/operation';
import { counted } from './operation/report';
import { adoption as adopting, database, discovery } from './operation/groups';

/** Reading a thousand options, or hashing files on a slow disk. */
const lookMs = 60_000;

export async function adoptCluster(raw: unknown): Promise<OperationReport> {
  return operation<AdoptClusterInput>('adoptCluster', raw, async ({ input, cluster, checks, step, forEachNode }) => {
    const { seed } = input;
    // What has been seen before this operation: its own epoch is nobody else's.
    const recordEpoch = input.dryRun ? cluster.epoch : cluster.epoch - 1;
    const file = (known: Known = {}): ClusterSpec => (seed ? completed(seedSpec(seed, known)) : cluster.spec);
    const site = productionSite(file());
    const one = siteOf(file(), site).servers[0]!;

    // Alone: wrong passwords on several Servers at once would lock the administrator in the whole cluster.
    const { described } = await checks({
      described: check(`What the cluster says of itself, asked at ${one.address}`, discovery.readCluster({ server: serverTarget(file(), site, one.name) })),
    });
    if (!described) throw failure('PreconditionFailed', `${one.address} is in no Enterprise Cluster. Nothing was changed.`);

    const spec = file({ cluster: described });
    const { servers, edges } = siteOf(spec, site);
    const nodes = servers.map(({ name }) => ({ name, server: serverTarget(spec, site, name) }));
    const [first, ...rest] = nodes;
    const balancers = balancerTargets(spec, site).map((balancer) => ({ name: balancer.name, balancer }));
    const addresses = [...servers, ...edges].map(({ address }) => address);
    const found = await checks({
      servers: checkEachNode('What stands on the host, and what the Server does', nodes, ({ server }) => discovery.readServer({ server, package: spec.product.installer.package, sharedPath: siteOf(spec, site).sharedFiles.path }, { limitMs: lookMs })),
      others: checkEachNode(`How it differs from ${first!.name}`, rest, ({ server }) => discovery.compareServer({ server, first: first!.server }, { limitMs: lookMs })),
      // By a seed nobody has said yet how they are logged in to, and one refused login would stop the same credential everywhere.
      edges: checkEachNode(`How the Edge differs from ${edges[0]?.name}`, seed ? [] : edges.slice(1), ({ name }) => discovery.compareEdge({ edge: serverTarget(spec, site, name), first: serverTarget(spec, site, edges[0]!.name), protocols: spec.product.protocols }, { limitMs: lookMs })),
      balancers: checkEachNode('What the balancer knows of the nodes', balancers, ({ balancer }) => discovery.readBalancer({ balancer, addresses })),
      database: check('The database', discovery.readDatabase({ database: databaseTarget(spec, site) })),
      licences: check('The licences on the worker\'s host', discovery.readLicences({ licences: spec.licences })),
    }, {
      title: seed ? 'Everything was looked at' : 'The cluster file and the estate say the same, and nothing is in the way',
      problems: (facts) => (seed ? [] : judged({ ...facts, cluster: described }).obstacles),
    });
    const estate = { ...found, cluster: described };

    function judged(it: FoundEstate): Adoption {
      return adoption({ cluster: cluster.name, epoch: recordEpoch, given: seed ? { seed } : { spec: cluster.spec, site } }, it);
    }
    const answer = judged(estate);
    const counts = `${counted(nodes.length, 'Server')}, version ${described.version}; ${counted(answer.differences.length + answer.left, 'difference')} between them, ${counted(answer.notes.length, 'note')}`;
    if (seed) return { summary: `${cluster.name} was found: ${counts}${answer.obstacles.length > 0 ? `, ${counted(answer.obstacles.length, 'obstacle')} to be cured before it can be adopted` : ''}.`, result: answer };

    const taken = found.servers.filter(({ claim }) => claim?.cluster === cluster.name).map(({ address }) => address);
    const open = nodes.filter(({ server }) => !taken.includes(server.address));
    const openBalancers = balancers.filter(({ name }) => Object.keys(found.balancers.find((facts) => facts.name === name)?.owners ?? {}).length === 0);
    const begins = cluster.members.length === 0 || open.length > 0 || openBalancers.length > 0;

    if (begins) await step('Record the epoch beside the database', database.ensureEpoch({ database: databaseTarget(spec, site) }), { aside: true });
    await forEachNode('Take the Server over', open, ({ server }) => adopting.ensureHostTaken({ host: server }), { key: 'take' });
    await forEachNode('Take the Edge over', begins ? edges : [], ({ name }) => adopting.ensureHostTaken({ host: hostTarget(spec, site, name) }), { key: 'take-edge' });
    await forEachNode('Make the cluster\'s part of the balancer its own', openBalancers, ({ balancer }) => adopting.ensureBalancerTaken({ balancer }), { key: 'take-balancer' });

    return {
      summary: `${cluster.name} is adopted: ${counts}.`,
      members: membersOf(spec, site),
      activeSite: site,
      complete: true,
      byHand: ['see that no administrator has the password it was shipped with: an adoption tries none, checkEnds ("stctl schedules apply") tries each once and tells'],
      result: answer,
    };
  }, {
    parse: (value) => parseInput(adoptClusterInput, value),
    specOf: ({ spec }) => spec,
    discovers: ({ seed }) => seed !== undefined,
  });
}

/** What the seed and the answers come to; a cluster that can't be described by a file can't be looked at further. */
function completed(parsed: ReturnType<typeof seedSpec>): ClusterSpec {
  if (parsed.spec) return parsed.spec;
  throw failure('PreconditionFailed', `What was found makes no cluster file; nothing was changed. ${parsed.problems.map(formatProblem).join('; ')}`);
}
