/** What is not the same on all Servers of a cluster, and what a person should know before it is adopted. Pure. */
import type { Claim, Difference, FoundDifferences, FoundServer } from './estate';
import { epochProblems } from './facts';
import type { Problem } from './operation';

/** Names by address. */
export type NameOf = (address: string) => string;

/** At most so many differences of options and files: beyond that the Servers are not one cluster, and nobody reads on. */
const most = 100;

export function differencesOf(servers: readonly FoundServer[], others: readonly FoundDifferences[], nameOf: NameOf): { differences: Difference[]; left: number } {
  const plain: [string, (server: FoundServer) => string | null][] = [
    ['version', ({ version, build }) => (version === null ? null : `${version}${build === null ? '' : ` build ${build}`}`)],
    ['time zone', ({ timeZone }) => timeZone],
    ['secret file bin/taeh (hash)', ({ taeh }) => short(taeh)],
    ['core licence (hash)', ({ licences }) => short(licences.core)],
    ['features licence (hash)', ({ licences }) => short(licences.features)],
    ['daemons that run', ({ admin, running }) => (admin === 'running' ? running.join(', ') || 'none' : null)],
    ['Transaction Manager', ({ admin, tm }) => (admin === 'running' ? (tm ? 'running' : 'not running') : null)],
    ['Administration Tool', ({ admin }) => admin],
    ['table of nodes', ({ members }) => (members === null ? null : [...members].sort().join(', '))],
    ['installation (install.log)', ({ installation }) => installation],
  ];
  const found = plain.flatMap(([about, valueOf]) => grouped(about, servers.flatMap((server) => {
    const value = valueOf(server);
    return value === null ? [] : [{ node: nameOf(server.address), value }];
  })));
  const first = servers[0];
  const rest = first ? comparedWith(nameOf(first.address), others, nameOf) : { differences: [], left: 0 };
  const all = [...found, ...rest.differences];
  return { differences: all.slice(0, most), left: rest.left + Math.max(0, all.length - most) };
}

/** Options, files and settings in which others differ from the one they were all compared with. */
export function comparedWith(first: string, others: readonly FoundDifferences[], nameOf: NameOf): { differences: Difference[]; left: number } {
  const named = new Map<string, { node: string; value: string }[]>();
  for (const { address, items } of others) {
    for (const { kind, name, here, there } of items) {
      const about = `${kind} ${name}`;
      named.set(about, [...(named.get(about) ?? [{ node: first, value: there }]), { node: nameOf(address), value: here }]);
    }
  }
  // Who was compared and not told of has what the first has.
  const differences = [...named].flatMap(([about, values]) => {
    const silent = others.filter(({ address, unread }) => unread === undefined && !values.some(({ node }) => node === nameOf(address))).map(({ address }) => ({ node: nameOf(address), value: values[0]!.value }));
    return grouped(about, [...values, ...silent]);
  });
  return { differences, left: others.reduce((sum, { left }) => sum + left, 0) };
}

const short = (hash: string | null): string => hash?.slice(0, 12) ?? 'missing';

function grouped(about: string, entries: readonly { node: string; value: string }[]): Difference[] {
  const values = [...new Set(entries.map(({ value }) => value))].map((value) => ({ value, nodes: entries.filter((entry) => entry.value === value).map(({ node }) => node) }));
  return values.length > 1 ? [{ about, values }] : [];
}

/** What keeps these hosts from being taken over: another cluster's claim, or one of this cluster that its record knows nothing of. */
export function claimProblems(record: { name: string; epoch: number }, claims: readonly { where: string; claim: Claim }[]): Problem[] {
  const foreign = claims.filter(({ claim }) => claim.cluster !== record.name).map(({ where, claim }): Problem => ({
    what: `${where} belongs to cluster "${claim.cluster}"`, remedy: `remove it from "${claim.cluster}" first; when that is gone for good, remove ~/.st-orchestrator there, of the user that logs in`,
  }));
  const own = claims.filter(({ claim }) => claim.cluster === record.name);
  return [...foreign, ...epochProblems(record, own.map(({ where, claim }) => ({ where, epoch: claim.epoch })))];
}
