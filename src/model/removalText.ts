/** What people read of a removal. Pure. */
import type { Debt, Member } from './cluster';

export interface RemovalResult {
  asked: readonly string[];
  leaving: readonly string[];
  unknown: readonly string[];
  members: readonly Member[];
  paid: readonly string[];
  debts: readonly Debt[];
}

const list = (names: readonly string[]): string => (names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`);
const are = (names: readonly string[], one: string, many: string): string => `${list(names)} ${names.length === 1 ? one : many}`;
const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** One line: who went, who is left, who owes. */
export function removalSummary(cluster: string, { asked, leaving, unknown, members, paid, debts }: RemovalResult): string {
  const left = `${count(members.filter(({ role }) => role === 'server').length, 'Server')} and ${count(members.filter(({ role }) => role === 'edge').length, 'Edge')} are left`;
  const owing = asked.filter((name) => debts.some(({ node }) => node === name));
  const sentences = [
    ...(leaving.length > 0 ? [`${are(leaving, 'was', 'were')} removed from ${cluster}: ${left}.`] : []),
    ...(unknown.length > 0 ? [`${are(unknown, 'does', 'do')} not answer: not known to be stopped, and not gated yet.`] : []),
    ...(paid.length > 0 ? [`${are(paid, 'answers now, is', 'answer now, are')} stopped and gated.`] : []),
    ...(leaving.length === 0 && owing.length > 0 ? [`${are(owing, 'still does', 'still do')} not answer: not known to be stopped, and not gated.`] : []),
  ];
  return sentences.length > 0 ? sentences.join(' ') : `${are(asked, 'is', 'are')} no member of ${cluster}, and nothing can be started there.`;
}

/** What only a person can do about nodes that do not answer. */
export function leftByRemoval(cluster: string, unknown: readonly string[]): string[] {
  if (unknown.length === 0) return [];
  return [
    `keep ${list(unknown)} off, or off the network: nothing keeps the product from being started there. Once ${unknown.length === 1 ? 'it answers' : 'they answer'}, "stctl remove-node -c ${cluster} ${unknown.join(' ')}" stops and gates ${unknown.length === 1 ? 'it' : 'them'}`,
    `look for files that ${list(unknown)} had in process when the Transaction Manager died: transfers that stay "In Progress", with a mark .m_inproc beside the file`,
  ];
}

/** With the last Server goes what everybody was served by. */
export function leftWithoutServer(cluster: string, gone: readonly string[], members: readonly Member[]): string[] {
  if (gone.length === 0 || members.some(({ role }) => role !== 'edge')) return [];
  return [`bring a Server back, since none is left and nobody is served: "stctl set-up-cluster ${cluster}" starts one of them, alone; "stctl add-node -c ${cluster} …" adds the others to it`];
}

/** What only a person can do about the Edges that stay. `gone`: the Edges that went. */
export function leftByEdges(gone: readonly string[], staying: readonly string[]): string[] {
  if (gone.length === 0 || staying.length === 0) return [];
  return [`take ${list(gone)} out of lib/admin/config/servers on ${list(staying)}, where the Edges are synchronised. If the primary has gone, name another: for that all Edges are stopped`];
}

/** One line of a replacement. */
export function replacementSummary(cluster: string, { node, by, unknown, done, debts }: { node: string; by: string; unknown: readonly string[]; done: boolean; debts: readonly Debt[] }): string {
  const owes = unknown.includes(node) || debts.some((debt) => debt.node === node);
  const rest = owes ? ` ${node} does not answer: not known to be stopped, and not gated yet.` : '';
  return done ? `${by} took the place of ${node} in ${cluster}.${rest}` : `${by} has taken the place of ${node} in ${cluster} before.${rest}`;
}
