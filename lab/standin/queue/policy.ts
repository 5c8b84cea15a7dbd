/** Which Transaction Manager an event goes to: the product's three dispatch policies, as pure functions. */
import { createHash } from 'node:crypto';

/** Names of the attributes every event may carry; more come from `EventQueue.submissionConfigurator.additionalAttributes`. */
export const eventKinds = ['PGP', 'PUSH', 'PULL', 'FM_TRIGGERED', 'MAINTENANCE'] as const;
export type EventKind = (typeof eventKinds)[number];

export type Attributes = Record<string, string>;

/** A Server whose TM may be given work. */
export interface Candidate {
  /** Its LocalConfigurationsId. */
  node: string;
  /** `EventQueue.taskProcessor.attributes` as its TM read it at its start. */
  attributes: Attributes;
  /** `EventQueue.taskProcessor.threshold`. */
  threshold: number;
  /** Events that are queued for it or that it processes. */
  load: number;
}

/** Reads `PGP=false, PUSH=true, DXAGENT_APPLICATION_NAME=smbBU1`. */
export function parseAttributes(text: string): Attributes {
  return Object.fromEntries(text.split(',').flatMap((part) => {
    const [name = '', ...value] = part.split('=');
    return name.trim() === '' ? [] : [[name.trim(), value.join('=').trim()]];
  }));
}

/**
 * The Server that an event goes to; undefined when there is none. `turn` counts on from event to event in the whole cluster.
 * An unknown policy is taken for the default one.
 */
export function chooseNode(policy: string, event: { account: string; attributes: Attributes }, candidates: Candidate[], turn: number): string | undefined {
  const inOrder = [...candidates].sort((a, b) => (a.node < b.node ? -1 : 1));
  const inTurn = (list: Candidate[]) => list[turn % list.length]?.node;
  if (policy === 'roundRobinPolicy') return inTurn(inOrder);
  if (policy === 'attributeMatchPolicy') {
    const matching = inOrder.filter((one) => one.load < one.threshold && Object.entries(event.attributes).some(([name, value]) => one.attributes[name] === value));
    return inTurn(matching.length > 0 ? matching : inOrder);
  }
  return ofAccount(event.account, inOrder);
}

/** The same Server for all events of an account; when a Server goes, only the accounts it had move. */
function ofAccount(account: string, candidates: Candidate[]): string | undefined {
  const weight = ({ node }: Candidate) => createHash('sha256').update(`${account}\0${node}`).digest('hex');
  const weighed = candidates.map((one) => ({ node: one.node, weight: weight(one) }));
  return weighed.sort((a, b) => (a.weight < b.weight ? -1 : 1))[0]?.node;
}
