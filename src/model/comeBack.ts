/** A cluster that worked and all of whose Servers were removed comes back with one of them; additions bring the others. Pure. */
import type { Debt, Member } from './cluster';
import type { ServerFacts } from './facts';
import type { GateFacts } from './gate';
import type { Problem } from './operation';

/** A record that was lost knows nobody either, and its Servers may all serve: it is none of these. */
export const hasNoServerLeft = ({ complete, recovered, members }: { complete: boolean; recovered?: boolean; members: readonly Pick<Member, 'role'>[] }): boolean =>
  complete && recovered !== true && members.every(({ role }) => role === 'edge');

/** For refusals of what needs a Server. */
export const noServerLeft = (cluster: string): string => `${cluster} has no Server left. Bring one back first: "stctl set-up-cluster ${cluster}"; "stctl add-node" adds the others to it. Nothing was changed.`;

/** What a try that was cut off has begun goes on; then what was removed and gated, the first of the cluster file before others, since the product lets the Server that made the schema work alone. */
function rank({ gate, runs, ours }: GateFacts, owes: boolean): number {
  if (gate === 'unknown') return 5;
  if (!ours || gate === 'none') return 4;
  if (runs) return 0;
  return owes ? 3 : gate === 'open' ? 1 : 2;
}

const owesIn = (debts: readonly Debt[]) => ({ node }: GateFacts): boolean => debts.some((debt) => debt.node === node);

/** The Server that the cluster comes back with. `gates`: of all Servers of the site, in the order of the cluster file; `debts`: of that site. */
export function firstToReturn(gates: readonly GateFacts[], debts: readonly Debt[]): GateFacts | undefined {
  const rankOf = (facts: GateFacts): number => rank(facts, owesIn(debts)(facts));
  return [...gates].sort((a, b) => rankOf(a) - rankOf(b))[0];
}

/** What keeps the cluster from coming back, and what is not known of those that do not answer. */
export function returnProblems(cluster: string, gates: readonly GateFacts[], debts: readonly Debt[]): Problem[] {
  const chosen = firstToReturn(gates, debts);
  const running = gates.filter(({ runs, ours }) => ours && runs === true);
  const owing = running.filter(owesIn(debts));
  const names = (some: readonly GateFacts[]): string => some.map(({ node }) => node).join(', ');
  return [
    ...owing.map(({ node }) => ({ what: `${node} was removed while it did not answer, and runs now: what it works on is not known`, remedy: `look at what it works on, stop it (FILEDRIVEHOME/bin/stop_all), and run this again; once a Server is back, "stctl remove-node -c ${cluster} ${node}" gates it` })),
    ...(owing.length === 0 && running.length > 1 ? [{ what: `the product runs on ${names(running)}, and none of them is a member of ${cluster}`, remedy: 'stop all of them but one (FILEDRIVEHOME/bin/stop_all), and run this again' }] : []),
    ...gates.filter(({ gate, node }) => gate === 'unknown' && node !== chosen?.node).map(({ node, why }): Problem => ({ what: `${node} does not answer (${why}): it was removed, and may still run`, remedy: 'see to it that it is off, or off the network', level: 'warning' })),
  ];
}

/** One that runs and can't be asked: whom it serves is not known. */
export function silentReturn({ node, gate, runs }: GateFacts, seen: ServerFacts | undefined): Problem[] {
  // Of a host that does not answer the checks tell.
  if (gate === 'unknown' || runs === false || seen?.admin !== 'not running') return [];
  return [{ what: `the product runs on ${node}, or may run, and its Administration Tool does not answer: whether it serves somebody can't be known`, remedy: 'when it is just being started, wait until it answers; else stop it (FILEDRIVEHOME/bin/stop_all), and run this again' }];
}
