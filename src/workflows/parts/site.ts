/** The members of a site as operations on a working cluster act on them: names with slices, once for all who need them. */
import type { OperationContext, OperationInput } from '../operation/context';
import { failure } from '../operation/failures';
import type { Member } from '../../model/cluster';
import { memberSite } from '../../model/members';
import { balancerTargets, serverTarget } from '../../model/slices';
import type { ClusterSpec, Protocol } from '../../model/spec';
import type { BalancerTarget, ServerTarget } from '../../model/targets';

export interface SiteNode {
  name: string;
  target: ServerTarget;
}

export interface Site {
  name: string;
  servers: SiteNode[];
  edges: SiteNode[];
  balancers: { name: string; balancer: BalancerTarget }[];
  /** What the balancers send to; nobody without one. */
  fronts: 'servers' | 'edges' | null;
  /** `ed1 at lb1`: somebody took it out there, and it is left so. */
  leftOut: string[];
  /** Names of those that were Online at the look, and of those that the run has started since: what is tried and waited for is tried with these alone. */
  atWork: string[];
  protocols: Protocol[];
  sharedPath: string;
  probe: ClusterSpec['probe'];
}

/** Refuses where nobody knows who belongs to the cluster: `memberSite` then takes the whole cluster file for it. */
export function requireMembers({ name, members }: { name: string; members: readonly Member[] }): void {
  if (members.length === 0) throw failure('PreconditionFailed', `The record of ${name} knows no members. Nothing was changed. Run setUpCluster (or adoptCluster) first: it finds who belongs to the cluster.`);
}

/** The site with its members alone. @throws PreconditionFailed where the record knows none */
export function siteView(cluster: { name: string; spec: ClusterSpec; members: readonly Member[] }, site: string): Site {
  requireMembers(cluster);
  const { spec, members } = cluster;
  const here = memberSite(spec, site, members);
  const nodes = (listed: readonly { name: string }[]): SiteNode[] => listed.map(({ name }) => ({ name, target: serverTarget(spec, site, name) }));
  const balancers = balancerTargets(spec, site).map((balancer) => ({ name: balancer.name, balancer }));
  return {
    name: site, servers: nodes(here.servers), edges: nodes(here.edges), balancers, fronts: balancers.length > 0 ? (here.loadBalancer?.fronts ?? null) : null,
    leftOut: [], atWork: [], protocols: spec.product.protocols, sharedPath: here.sharedFiles.path, probe: spec.probe,
  };
}

export type Context = OperationContext<OperationInput>;
