/**
 * A seed: what an operator writes down so that a cluster that exists can be found. Only what can't be asked of the estate: one Server's address, how
 * its hosts and Administration Tools are reached, and where secrets and licences are kept. Its keys mean what they mean in a cluster file.
 */
import { z } from 'zod';
import { apiVersion, clusterFileSchema } from './clusterFileSchema';
import { address, clusterName, nodeName, oneOf, strict } from './fields';
import { checkHygiene } from './hygiene';
import { checkNodes } from './nodeRules';
import { problemsFromZod, type InputProblem } from './problems';

function build() {
  const { metadata, defaults, product, licences, sites, notifications, monitoring } = clusterFileSchema().shape;
  const site = sites.valueType.shape;
  const node = site.servers.element.shape;
  const database = site.database.shape;
  const balancer = site.loadBalancer.unwrap().shape;
  return strict({
    apiVersion: oneOf([apiVersion]),
    kind: oneOf(['ClusterSeed']),
    metadata,
    server: address.meta({ description: 'The address of any one Server of the cluster whose Administration Tool runs; the others are found through it.' }),
    site: clusterName.optional().meta({ description: 'What the site is called; prod when left out.' }),
    defaults,
    reach: z.record(address, strict({ name: nodeName.optional(), ssh: node.ssh, admin: node.admin })).optional().meta({ description: 'Nodes that are called or reached otherwise than by the defaults, by the address that the cluster knows them by.' }),
    product: strict({ fileDriveHome: product.shape.fileDriveHome, user: product.shape.user, installer: product.shape.installer }),
    licences,
    database: strict({ password: database.password, ca: database.ca, tablespaces: database.tablespaces, stateDatabase: database.stateDatabase }),
    sharedFiles: site.sharedFiles,
    loadBalancer: strict({ instances: balancer.instances, map: balancer.map.optional(), mapKey: balancer.mapKey, stateFile: balancer.stateFile, siteBackend: balancer.siteBackend.optional(), healthBackend: balancer.healthBackend.optional() })
      .optional()
      .meta({ description: 'The balancers, when there are any; map, key and backends are found where they can be told.' }),
    notifications,
    monitoring,
  });
}

let built: ReturnType<typeof build> | undefined;
export const clusterSeedSchema = () => (built ??= build());

/** A seed as it was written and checked; its durations stay as they are, for the cluster file it becomes part of. */
export type ClusterSeed = z.input<ReturnType<typeof build>>;

/** Checks a value of the shape of a seed. All problems at once. Paths must be absolute already. */
export function parseClusterSeed(value: unknown): { seed: ClusterSeed; problems?: undefined } | { seed?: undefined; problems: InputProblem[] } {
  const hygiene = checkHygiene(value);
  if (hygiene.fatal) return { problems: hygiene.problems };
  const parsed = clusterSeedSchema().safeParse(value, { reportInput: true });
  const problems = [...hygiene.problems, ...(parsed.error ? problemsFromZod(parsed.error) : [])];
  if (problems.length > 0 || !parsed.success) return { problems };
  const seed = value as ClusterSeed;
  const lacking = missingAccess(seed);
  return lacking.length > 0 ? { problems: lacking } : { seed };
}

/** That the one Server and the balancers can be reached, by the rules of a cluster file that has them alone. */
function missingAccess({ server, defaults, reach, loadBalancer, site = 'prod' }: ClusterSeed): InputProblem[] {
  const { ssh, admin } = reach?.[server] ?? {};
  const alone = { defaults, sites: { [site]: { servers: [{ name: 'server', address: server, ssh, admin }], ...(loadBalancer ? { loadBalancer } : {}) } } };
  return checkNodes(alone).map(({ path, message }) => {
    if (path[2] === 'loadBalancer') return { path: path.slice(2), message };
    return path[2] === 'servers' ? { path: ['reach', server, ...path.slice(4)], message } : { path, message };
  });
}
