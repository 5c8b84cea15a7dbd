/** What directing the workload otherwise comes to: which options differ and where, whose Transaction Manager must begin anew, what is refused, and what takes it back. Pure (reference §9). */
import { canonicalJson } from './fingerprint';
import type { Problem } from './operation';
import { sameValues } from './optionsPlan';
import { didYouMean } from './problems';
import type { RebalanceWorkloadInput } from './rebalanceWorkloadInput';
import type { PgpExpression } from './streamingXml';
import { additionalPairs, eventTypes, isEventType, parseAttributes, parseNames, printAttributes, printNames, takes, workloadOptions, type Attributes } from './workloadAttributes';

/** What one Server says. Values are null where it could not be asked. */
export interface WorkloadFacts {
  node: string;
  /** Whether its Administration Tool answers: its local options are set there, and nowhere else. */
  answers: boolean;
  tm: boolean;
  /** LocalConfigurationsId, by which the event queue names it. */
  id: string | null;
  policy: string[] | null;
  additional: string[] | null;
  attributes: string[] | null;
  streaming: PgpExpression | null;
  /** What its Transaction Manager works by, noted by an operation that changed the options and did not come to its restart. */
  worksBy: string | null;
}

export interface LocalChange {
  node: string;
  values: string[];
  before: string[];
}

export interface WorkloadPlan {
  /** The cluster's options, set through one Server. */
  shared: { set: Record<string, string[]>; before: Record<string, string[]> };
  /** Each Server's own. */
  local: LocalChange[];
  streaming: { to: 'in' | 'out'; nodes: { node: string; before: 'in' | 'out' }[] } | null;
  /** Servers of which anything changes, with what their Transaction Managers work by now and afterwards. */
  touched: { node: string; now: string; next: string }[];
  /** Of those, the ones whose Transaction Manager runs; before them the ones that were stopped for their restart and stand still. */
  restart: string[];
  /** Servers whose notes are to be taken away: it is as they say, or nothing works there. */
  settled: string[];
  /** Event types, and `NAME=value`, that every Server gets. */
  wholeCluster: string[];
  /** Whether PGP is to be directed to somebody: it asks more of the shared files (reference §9). */
  pgp: boolean;
  problems: Problem[];
  /** The input that takes it back. */
  undo: Omit<RebalanceWorkloadInput, 'dryRun'>;
}

type Wish = Pick<RebalanceWorkloadInput, 'cluster' | 'policy' | 'assign' | 'toWholeCluster' | 'additionalAttributes' | 'pgpExpression'>;

/** What the note says of a Transaction Manager that is being stopped: nobody knows by what it will work. */
export const restarting = 'restarting';

/** The text of what a Transaction Manager reads at its start; equal texts need no restart. */
export const workedBy = ({ policy, additional, attributes, streaming }: { policy: readonly string[]; additional: readonly string[]; attributes: readonly string[]; streaming: PgpExpression | null }): string =>
  canonicalJson({ policy, additional: parseNames(additional), attributes: parseAttributes(attributes), streaming });

/** The attributes in a note of `workedBy`; undefined where there is none that says them. */
function notedAttributes({ worksBy }: WorkloadFacts): Attributes | undefined {
  try {
    return (JSON.parse(worksBy ?? '') as { attributes?: Attributes }).attributes;
  } catch {
    return undefined;
  }
}

export function planWorkload(wish: Wish, servers: readonly WorkloadFacts[], { minimumNodes }: { minimumNodes: number }): WorkloadPlan {
  const problems: Problem[] = [];
  const asked = servers.filter(tells);
  const [first] = asked;
  if (!first) return nothing(wish, [{ what: 'no Server could be asked for its options', remedy: 'start the Administration Tool of one' }]);
  for (const other of asked.slice(1)) {
    if (!sameValues(other.policy, first.policy) || !sameValues(other.additional, first.additional)) problems.push({ what: `${other.node} and ${first.node} see different values of the cluster's options ${workloadOptions.policy} and ${workloadOptions.additional}`, remedy: 'are both in the same cluster and on the same database? See their Administration Tools' });
  }
  for (const { node, answers } of servers.filter((server) => !tells(server))) {
    const named = wish.assign?.[node] !== undefined;
    problems.push({ what: `${node}: its Administration Tool ${answers ? 'does not know these options' : 'does not answer'}, so its own options can't be ${named ? 'set' : 'seen: what it is assigned is not known'}`, remedy: named ? 'start it, or leave it out of "assign"' : 'what it is assigned counts again when it is back', ...(named ? {} : { level: 'warning' as const }) });
  }

  const policy = wish.policy === undefined ? first.policy : [wish.policy];
  const known = parseNames(first.additional);
  const needed = Object.values(wish.assign ?? {}).flatMap((attributes) => Object.entries(attributes).filter(([name, value]) => !isEventType(name) && value !== null).map(([name]) => name));
  const names = wish.additionalAttributes ?? [...known, ...new Set(needed.filter((name) => !known.includes(name)))];
  for (const name of new Set(needed.filter((one) => !names.includes(one)))) problems.push({ what: `"${name}" is assigned, and not among "additionalAttributes"${didYouMean(name, names)}: no event would carry it`, remedy: 'add it there, or leave "additionalAttributes" out' });
  const additional = sameValues(names, known) ? first.additional : printNames(names);

  const after = asked.map((server) => ({ server, before: parseAttributes(server.attributes), next: assigned(parseAttributes(server.attributes), wish.assign?.[server.node] ?? {}) }));
  const local = after.filter(({ before, next }) => canonicalJson(before) !== canonicalJson(next)).map(({ server, next }) => ({ node: server.node, values: printAttributes(next), before: server.attributes }));

  const pgp = after.some(({ next }) => takes(next, 'PGP'));
  // What was assigned when the files were last in step with it: a run that was cut off between its options and its files has left a note.
  const hadPgp = after.some(({ server, before }) => takes(notedAttributes(server) ?? before, 'PGP'));
  const expression = wish.pgpExpression ?? (pgp === hadPgp ? undefined : pgp ? 'in' : 'out');
  const streaming = expression === undefined ? null : planStreaming(expression, servers, problems);

  const set = Object.fromEntries([[workloadOptions.policy, policy, first.policy] as const, [workloadOptions.additional, additional, first.additional] as const]
    .filter(([, wanted, found]) => !sameValues(wanted, found)).map(([name, wanted]) => [name, [...wanted]]));
  const works = asked.map((server) => {
    const changed = streaming?.nodes.some(({ node }) => node === server.node) ? streaming.to : server.streaming;
    const now = workedBy(server);
    return { server, now: server.worksBy ?? now, next: workedBy({ policy, additional, attributes: local.find(({ node }) => node === server.node)?.values ?? server.attributes, streaming: changed }) };
  });
  const changed = works.filter(({ now, next }) => now !== next);
  const touched = changed.map(({ server, now, next }) => ({ node: server.node, now, next }));
  const stopped = changed.filter(({ server }) => !server.tm && server.worksBy === restarting).map(({ server }) => server.node);
  const running = changed.filter(({ server }) => server.tm).map(({ server }) => server.node);
  const restart = [...stopped, ...running];

  const directs = policy.join('') === 'attributeMatchPolicy';
  const had = new Set(after.flatMap(({ before }) => additionalPairs(before)));
  const has = new Set(after.flatMap(({ next }) => additionalPairs(next)));
  const toNobody = [...eventTypes.filter((type) => !after.some(({ next }) => takes(next, type))), ...[...had].filter((pair) => !has.has(pair))];
  const wholeCluster = directs ? toNobody : [...eventTypes];
  const onPurpose = wish.toWholeCluster ?? [];
  const changes = touched.length > 0 || Object.keys(set).length > 0;
  if (directs && (wish.assign !== undefined || wish.policy !== undefined)) {
    const forgotten = toNobody.filter((type) => !onPurpose.includes(type));
    if (forgotten.length > 0) problems.push({ what: `no Server takes ${forgotten.join(', ')}: these events would go to the whole cluster in turn`, remedy: `assign ${forgotten.length === 1 ? 'it' : 'each'} to a Server, or name ${forgotten.length === 1 ? 'it' : 'them'} in "toWholeCluster" when that is wanted` });
  }
  for (const name of onPurpose.filter((one) => !isEventType(one) && !one.includes('='))) problems.push({ what: `toWholeCluster: "${name}" is neither an event type nor NAME=value${didYouMean(name, eventTypes)}`, remedy: `the event types are ${eventTypes.join(', ')}` });
  for (const name of onPurpose.filter((one) => directs && !toNobody.includes(one) && (isEventType(one) || has.has(one)))) problems.push({ what: `toWholeCluster: ${name} is assigned to ${after.filter(({ next }) => (isEventType(name) ? takes(next, name) : additionalPairs(next).includes(name))).map(({ server }) => server.node).join(', ')}`, remedy: 'take it away there, or leave it out of "toWholeCluster"' });
  problems.push(...(changes ? warnings({ directs, policy, first, wish }) : []), ...keepsEnough(servers, { stopped, running }, minimumNodes));

  return {
    shared: { set, before: Object.fromEntries(Object.keys(set).map((name) => [name, name === workloadOptions.policy ? first.policy : first.additional])) },
    local, streaming, touched, restart, wholeCluster, pgp, problems,
    settled: works.filter(({ server }) => server.worksBy !== null && !restart.includes(server.node)).map(({ server }) => server.node),
    undo: takeBack(wish, { first, local, streaming, sharedNames: Object.keys(set), after }),
  };
}

const tells = (server: WorkloadFacts): server is WorkloadFacts & { policy: string[]; additional: string[]; attributes: string[] } => server.policy !== null && server.additional !== null && server.attributes !== null;

const assigned = (before: Attributes, wish: NonNullable<Wish['assign']>[string]): Attributes =>
  Object.fromEntries(Object.entries({ ...before, ...Object.fromEntries(Object.entries(wish).map(([name, value]) => [name, value === null ? null : String(value)])) }).filter((entry): entry is [string, string] => entry[1] !== null));

function planStreaming(to: 'in' | 'out', servers: readonly WorkloadFacts[], problems: Problem[]): WorkloadPlan['streaming'] {
  for (const { node, streaming } of servers) {
    if (streaming === 'strange') problems.push({ what: `${node}: Streaming.xml does not look as expected: there is not exactly one PGP expression in it, commented out or not`, remedy: 'edit it by hand as the guide says, the same on every Server, and leave PGP and "pgpExpression" out here' });
    if (streaming === null) problems.push({ what: `${node}: Streaming.xml could not be read, and the PGP expression must be the same on every Server`, remedy: 'bring the host back, or remove the node from the cluster' });
  }
  const nodes = servers.filter(({ streaming }) => streaming === 'in' || streaming === 'out').map(({ node, streaming }) => ({ node, before: streaming as 'in' | 'out' })).filter(({ before }) => before !== to);
  return nodes.length > 0 ? { to, nodes } : null;
}

function warnings({ directs, policy, first, wish }: { directs: boolean; policy: readonly string[]; first: { policy: string[] }; wish: Wish }): Problem[] {
  const found: Problem[] = [];
  const warn = (what: string, remedy: string): void => void found.push({ what, remedy, level: 'warning' });
  if (directs) warn(`attributeMatchPolicy is off for a Server that is overloaded (${workloadOptions.threshold}): its events go to the others meanwhile`, 'raise the threshold there when the assignment must hold under load');
  if (first.policy.join('') === 'cacheBasedPolicy' && policy.join('') !== 'cacheBasedPolicy') warn('the events of one account will no longer all go to the same Servers: what these keep of an account is lost to the others, and events of one account may be processed side by side. (Those of one remote PeSIT server still go to one Server.)', 'keep cacheBasedPolicy where accounts need their order');
  if (!directs && wish.assign !== undefined) warn(`under ${policy.join('')} nobody asks what a Server is assigned`, 'set "policy" to attributeMatchPolicy for the assignment to count');
  return found;
}

/** Those that stand still are started before a running one is stopped, and take nobody away. */
function keepsEnough(servers: readonly WorkloadFacts[], { stopped, running }: { stopped: readonly string[]; running: readonly string[] }, minimumNodes: number): Problem[] {
  const online = servers.filter(({ answers, tm }) => answers && tm).length + stopped.length;
  if (running.length === 0 || online - 1 >= minimumNodes) return [];
  return [{ what: `the Transaction Managers are restarted one at a time, and while one is, ${online - 1} of ${servers.length} Servers are Online: fewer than policies.minimumNodes (${minimumNodes})`, remedy: 'bring the other Servers back, add one, or lower policies.minimumNodes with "stctl apply" for the time' }];
}

interface Before {
  first: { policy: string[] };
  local: LocalChange[];
  streaming: WorkloadPlan['streaming'];
  sharedNames: string[];
  after: { server: { node: string; additional: string[] }; before: Attributes; next: Attributes }[];
}

/** What was there before, as an input: of a Server whose attributes change all that changes, of the rest nothing. */
function takeBack(wish: Wish, { first, local, streaming, sharedNames, after }: Before): WorkloadPlan['undo'] {
  const assign = Object.fromEntries(local.map(({ node }) => {
    const { before, next } = after.find(({ server }) => server.node === node)!;
    const names = [...new Set([...Object.keys(before), ...Object.keys(next)])].filter((name) => before[name] !== next[name]);
    return [node, Object.fromEntries(names.map((name) => [name, before[name] === undefined ? null : isEventType(name) ? before[name] === 'true' : before[name]!]))];
  }));
  const free = [...eventTypes.filter((type) => !after.some(({ before }) => takes(before, type))), ...gone(after)];
  return {
    cluster: wish.cluster,
    ...(sharedNames.includes(workloadOptions.policy) ? { policy: first.policy.join('') as NonNullable<RebalanceWorkloadInput['policy']> } : {}),
    ...(Object.keys(assign).length > 0 ? { assign } : {}),
    ...(sharedNames.includes(workloadOptions.additional) ? { additionalAttributes: parseNames(after[0]!.server.additional) } : {}),
    ...(streaming ? { pgpExpression: streaming.to === 'in' ? 'out' as const : 'in' as const } : {}),
    ...(free.length > 0 && (Object.keys(assign).length > 0 || sharedNames.length > 0) && undoDirects(first) ? { toWholeCluster: free } : {}),
  };
}

const undoDirects = ({ policy }: { policy: string[] }): boolean => policy.join('') === 'attributeMatchPolicy';

/** Additional pairs that go again when the change is taken back. */
const gone = (after: Before['after']): string[] => {
  const had = new Set(after.flatMap(({ before }) => additionalPairs(before)));
  return [...new Set(after.flatMap(({ next }) => additionalPairs(next)))].filter((pair) => !had.has(pair));
};

const nothing = (wish: Wish, problems: Problem[]): WorkloadPlan => ({ shared: { set: {}, before: {} }, local: [], streaming: null, touched: [], restart: [], settled: [], wholeCluster: [], pgp: false, problems, undo: { cluster: wish.cluster } });
