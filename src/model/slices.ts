/** The slice of a spec that one effect gets: at most 2 KB as JSON, never the whole spec (the parser refuses specs whose slices are larger). */
import { StError } from './errors';
import type { InputProblem } from './problems';
import type { BalancerInstanceSpec, ClusterSpec, LicenceFiles, NodeSpec, SiteSpec, SshSpec } from './specTypes';
import type { BalancerTarget, DatabaseTarget, HostTarget, ServerTarget, SshAccess } from './targets';

/** Longest slice, in bytes of JSON. */
export const sliceLimit = 2048;

/** The site of this name; `InvalidInput` when there is none. */
export function siteOf(spec: ClusterSpec, site: string): SiteSpec {
  if (!Object.hasOwn(spec.sites, site)) throw new StError('InvalidInput', `${spec.metadata.name} has no site ${site}; it has ${Object.keys(spec.sites).join(' and ')}`);
  return spec.sites[site]!;
}

/** The name of the production site. */
export function productionSite(spec: ClusterSpec): string {
  const found = Object.keys(spec.sites).find((name) => spec.sites[name]!.deploymentSite === 'Prod');
  if (found === undefined) throw new StError('InvalidInput', `${spec.metadata.name} has no production site`);
  return found;
}

/** The site at which operations on a cluster that works act: the one that is active, before anything was recorded the production site. */
export const workingSite = ({ spec, activeSite }: { spec: ClusterSpec; activeSite: string | null }): string => activeSite ?? productionSite(spec);

/** The Server or Edge of this name in the site; `InvalidInput` when there is none. */
export function nodeOf(spec: ClusterSpec, site: string, node: string): NodeSpec {
  const { servers, edges } = siteOf(spec, site);
  const found = [...servers, ...edges].find(({ name }) => name === node);
  if (!found) throw new StError('InvalidInput', `site ${site} of ${spec.metadata.name} has no node ${node}; its nodes are ${[...servers, ...edges].map(({ name }) => name).join(', ')}`);
  return found;
}

export function sshAccess(ssh: SshSpec, address: string): SshAccess {
  const { jump, ...own } = ssh;
  return { ...own, address: ssh.address ?? address, ...(jump && { jump }) };
}

/** The host of a Server or Edge. */
export function hostTarget(spec: ClusterSpec, site: string, node: string): HostTarget {
  const found = nodeOf(spec, site, node);
  return {
    cluster: spec.metadata.name,
    site,
    node,
    ssh: sshAccess(found.ssh, found.address),
    productUser: spec.product.user,
    fileDriveHome: spec.product.fileDriveHome,
  };
}

/** A Server (or Edge) with its Administration Tool. */
export function serverTarget(spec: ClusterSpec, site: string, node: string): ServerTarget {
  const { address, admin } = nodeOf(spec, site, node);
  return { ...hostTarget(spec, site, node), address, admin: { ...admin, address: admin.address ?? address } };
}

export function databaseTarget(spec: ClusterSpec, site: string): DatabaseTarget {
  return { cluster: spec.metadata.name, ...siteOf(spec, site).database };
}

/** Every balancer of the site; none when the site has no balancer. */
export function balancerTargets(spec: ClusterSpec, site: string): BalancerTarget[] {
  const { loadBalancer } = siteOf(spec, site);
  if (!loadBalancer) return [];
  const siteBackends = Object.fromEntries(Object.entries(spec.sites).flatMap(([name, { loadBalancer: other }]) => (other ? [[name, other.siteBackend]] : [])));
  const target = ({ name, address, socket, ssh }: BalancerInstanceSpec): BalancerTarget => ({
    cluster: spec.metadata.name,
    site,
    name,
    ssh: sshAccess(ssh, address),
    socket,
    map: loadBalancer.map,
    mapKey: loadBalancer.mapKey,
    ...(loadBalancer.stateFile !== undefined && { stateFile: loadBalancer.stateFile }),
    healthBackend: loadBalancer.healthBackend,
    siteBackends,
  });
  return loadBalancer.instances.map(target);
}

/** Paths, addresses and names that are each within their limits may together be too long for one slice. */
export function checkSlices(spec: ClusterSpec): InputProblem[] {
  const options = JSON.stringify(spec.product.options).length;
  const tooMany = options <= sliceLimit / 2 ? [] : [{ path: ['product', 'options'], message: `the options are too long together: ${options} characters, at most ${sliceLimit / 2}` }];
  return tooMany.concat(Object.entries(spec.sites).flatMap(([site, { servers, edges }]) =>
    [
      ...[...servers, ...edges].map(({ name }) => ({ what: name, slice: serverTarget(spec, site, name) as object })),
      { what: 'the database', slice: databaseTarget(spec, site) },
      ...balancerTargets(spec, site).map((target) => ({ what: target.name, slice: target })),
    ].flatMap(({ what, slice }) => {
      const bytes = [...JSON.stringify(slice)].reduce((sum, character) => sum + utf8Bytes(character), 0);
      return bytes <= sliceLimit ? [] : [{ path: ['sites', site], message: `the paths, addresses and references for ${what} are too long together: ${bytes} bytes, at most ${sliceLimit}` }];
    }),
  ));
}

function utf8Bytes(character: string): number {
  const point = character.codePointAt(0)!;
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/** Those of the Servers or of the Edges alone, as an activity takes them. */
export const licencesOf = ({ core, features }: LicenceFiles): LicenceFiles => ({ core, features });
