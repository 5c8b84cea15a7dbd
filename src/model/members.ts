/** Who belongs to a cluster is state, kept by its record; how to reach whom is in the spec. Both together are what an operation acts on. Pure. */
import type { Member } from './cluster';
import { siteOf } from './slices';
import type { ClusterSpec, SiteSpec } from './specTypes';

/** The nodes of a site as members, in the order of the spec: all, or those named. */
export function membersOf(spec: ClusterSpec, site: string, names?: readonly string[]): Member[] {
  const { servers, edges } = siteOf(spec, site);
  const wanted = ({ name }: { name: string }): boolean => names === undefined || names.includes(name);
  const as = (role: Member['role']) => ({ name, address }: { name: string; address: string }): Member => ({ site, node: name, address, role });
  return [...servers.filter(wanted).map(as('server')), ...edges.filter(wanted).map(as('edge'))];
}

/** The site with those of its nodes that are members; the whole site where no member is known. */
export function memberSite(spec: ClusterSpec, site: string, members: readonly Member[]): SiteSpec {
  const whole = siteOf(spec, site);
  // Records from before members had roles know Servers alone: then the whole site belongs.
  if (members.every(({ role }) => role === undefined)) return whole;
  const isMember = (role: Member['role']) => ({ name }: { name: string }): boolean => members.some((member) => member.site === site && member.node === name && member.role === role);
  return { ...whole, servers: whole.servers.filter(isMember('server')), edges: whole.edges.filter(isMember('edge')) };
}

/** Nodes of the site in the spec that are no members. */
export function outsiders(spec: ClusterSpec, site: string, members: readonly Member[]): string[] {
  const inside = memberSite(spec, site, members);
  const belong = [...inside.servers, ...inside.edges].map(({ name }) => name);
  const { servers, edges } = siteOf(spec, site);
  return [...servers, ...edges].map(({ name }) => name).filter((name) => !belong.includes(name));
}
