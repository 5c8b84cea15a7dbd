/**
 * What a set-up has still to do for the Edges (reference §§14, 15), computed from what the checks found. Pure: Edges that serve give an empty plan.
 * An Edge is opened to clients only when every Transaction Manager is connected to it and a login through it has worked.
 */
import { hasAddress } from './fields';
import type { EdgeFacts, HostFacts, LicenceFacts, WayFacts } from './facts';
import type { Problem } from './operation';
import type { SiteSpec } from './specTypes';

export interface EdgeState {
  node: string;
  installed: boolean;
  licensed: boolean;
  /** Its Administration Tool answers. */
  admin: boolean;
  daemons: boolean;
  /** It trusts the cluster's CA, and the cluster trusts its; unknown where one of them could not be asked. */
  trust: 'yes' | 'no' | 'unknown';
  /** The network zone of the spec names it, with the ports that it has itself. */
  zoned: boolean;
}

export interface EdgePlan {
  /** The first has the secret file that the others import. Empty when one is there. */
  installFirst: string[];
  installOthers: string[];
  /** The Edge whose secret file the others take. */
  first: string;
  license: string[];
  startAdmin: string[];
  /** Their daemons read the trusted CAs when they start. Only where trust is known to be missing: what can't be asked may serve. */
  stop: string[];
  trust: string[];
  zone: string[];
  start: string[];
}

export interface FoundEdges {
  hosts: readonly HostFacts[];
  edges: readonly EdgeFacts[];
  licence: LicenceFacts;
  /** What the Servers know of the Edges; undefined where no Server could be asked. */
  ways: WayFacts | undefined;
}

/** Puts together what the checks found, in the order of the spec. What could not be asked is looked at again by the steps that may do it twice; nothing is stopped for it. */
export function edgeStates(site: Pick<SiteSpec, 'edges' | 'deploymentSite'>, { hosts, edges, licence, ways }: FoundEdges): EdgeState[] {
  return site.edges.flatMap(({ name, address, zone }) => {
    const host = hosts.find(({ node }) => node === name);
    const edge = edges.find(({ node }) => node === name);
    if (!host || !edge) return [];
    const entry = ways?.zones.find((one) => one.zone === zone && hasAddress(one.addresses, address));
    return [{
      node: name,
      installed: host.installation === 'complete',
      licensed: host.licences.core === licence.core && host.licences.features === licence.features,
      admin: edge.admin,
      daemons: edge.daemons,
      trust: trustBetween(ways, edge),
      zoned: entry !== undefined && entry.deploymentSite === site.deploymentSite && Object.entries(edge.ports).every(([protocol, port]) => entry.ports[protocol] === port) && Object.keys(edge.ports).length > 0,
    }];
  });
}

function trustBetween(ways: WayFacts | undefined, edge: EdgeFacts): EdgeState['trust'] {
  if (!ways || ways.ca === null || edge.ca === null) return 'unknown';
  return edge.trusted.includes(ways.ca) && ways.trusted.includes(edge.ca) ? 'yes' : 'no';
}

export function planEdges(states: readonly EdgeState[]): EdgePlan {
  const installed = states.filter((edge) => edge.installed);
  const missing = states.filter((edge) => !edge.installed);
  const first = installed[0] ?? states[0];
  return {
    first: first?.node ?? '',
    installFirst: nodes(missing.filter((edge) => edge === first)),
    installOthers: nodes(missing.filter((edge) => edge !== first)),
    license: nodes(states.filter((edge) => !edge.licensed)),
    // The installer starts that of a new one, and answers before it is up.
    startAdmin: nodes(states.filter((edge) => !edge.installed || !edge.admin)),
    stop: nodes(installed.filter((edge) => edge.trust === 'no')),
    trust: nodes(states.filter((edge) => edge.trust !== 'yes')),
    zone: nodes(states.filter((edge) => !edge.zoned)),
    start: nodes(states.filter((edge) => !edge.installed || !edge.admin || !edge.daemons || edge.trust === 'no')),
  };
}

/** True when there is nothing to do. */
export function isEmptyEdgePlan({ first: _, ...steps }: EdgePlan): boolean {
  return Object.values(steps).every((step) => step.length === 0);
}

/** Entries of zones that name an Edge's address under a zone that the spec does not: the Servers would dial it twice. */
export function zoneProblems(site: Pick<SiteSpec, 'edges'>, ways: WayFacts | undefined): Problem[] {
  return (ways?.zones ?? []).flatMap(({ zone, title, addresses }) => {
    const edge = site.edges.find(({ address }) => hasAddress(addresses, address));
    if (!edge || edge.zone === zone) return [];
    return [{ what: `${edge.name} is in the network zone "${zone}" (as "${title}"), expected "${edge.zone}"`, remedy: `name that zone in the cluster file, or remove the Edge from it` }];
  });
}

const nodes = (edges: readonly EdgeState[]): string[] => edges.map(({ node }) => node);
