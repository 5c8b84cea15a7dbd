/** The cluster in memory that works while nobody has taken it: what discovery finds of it, and whose its hosts and its balancer are. */
import type { AdoptionActivities } from '../../../src/activities/adoption';
import type { DiscoveryActivities } from '../../../src/activities/discovery';
import type { CheckResult } from '../../../src/model/operation';
import { productionSite, siteOf } from '../../../src/model/slices';
import type { ClusterSpec } from '../../../src/model/spec';
import { done, flatten, type Pretended } from './pretendEstate';
import { pretendWorking } from './pretendWorking';

const fine = async <F>(facts: F): Promise<CheckResult<F>> => ({ facts, problems: [] });

export function pretendAdopted(spec: ClusterSpec): Pretended {
  const { servers, database, loadBalancer } = siteOf(spec, productionSite(spec));
  const names = servers.map(({ name }) => name);
  const pretended = pretendWorking(spec, names);
  const { estate, claim, epoch } = pretended;
  const { name: cluster } = spec.metadata;
  const claims = new Map<string, number>();
  const claimed = (what: string) => (claims.has(what) ? { cluster, epoch: claims.get(what)! } : null);
  const take = async (what: string, authority: Parameters<typeof claim>[0]) => {
    await claim(authority);
    claims.set(what, authority.epoch);
    return done('taken');
  };

  const discovery: DiscoveryActivities = {
    readCluster: () => fine({
      version: '5.5', nodes: servers.map(({ address }) => ({ address, deploymentSite: 'Prod' })), threshold: estate.threshold, zones: [],
      database: { host: database.host, port: database.port, name: database.name, user: database.user, secure: true },
    }),
    readServer: ({ server }) => fine({
      address: server.address, hostName: server.node, timeZone: 'UTC +0000', clockOff: false, identity: server.node, installation: 'complete', version: '5.5', taeh: 'taeh', licences: { core: 'core', features: 'features' },
      admin: 'running', tm: true, daemons: true, members: [...estate.table], localConfigurationsId: server.node, build: '5.5-1', running: ['ssh'], claim: claimed(server.node),
    }),
    compareServer: ({ server }) => fine({ address: server.address, items: [], left: 0 }),
    compareEdge: async () => { throw new Error('there are no Edges here'); },
    readDatabase: () => fine({ schema: true, state: { there: true, epoch: claims.get('database') ?? null } }),
    readBalancer: ({ balancer: { name } }) => fine({
      name, maps: { [loadBalancer!.map]: { [loadBalancer!.mapKey]: loadBalancer!.siteBackend } }, backends: { [loadBalancer!.healthBackend]: Object.fromEntries(servers.map((node) => [node.address, node.name])) },
      owners: claims.has(name) ? { [loadBalancer!.map]: cluster } : {}, epoch: claims.get(name) ?? null,
    }),
    readLicences: () => fine({ core: 'core', features: 'features' }),
  };
  const adoption: AdoptionActivities = {
    ensureHostTaken: ({ host }, authority) => take(host.node, authority),
    ensureBalancerTaken: ({ balancer }, authority) => take(balancer.name, authority),
  };
  return {
    ...pretended,
    activities: { ...pretended.activities, ...flatten({ discovery, adoption, database: { ensureEpoch: (_: unknown, authority: Parameters<typeof claim>[0]) => take('database', authority) } }) },
    // Which run took what differs with the fault.
    state: () => ({ ...(pretended.state() as object), taken: [...claims.keys()].sort(), highest: epoch() > 0 }),
  };
}
