/**
 * One vantage point's look at a cluster: every node at its own pace, what stands around them more seldom, until what is believed differs from what was told
 * last, or the slice is over. Connections and logins belong to the worker's clients and outlive it.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { inDoubt, neverSeen, sighted, stale, watchTimes, type NodeVote, type WatchTimes } from '../model/healthVotes';
import { signatureOf, type AroundLook, type Glimpse, type Unheard, type Vote, type WatchInput, type Watched } from '../model/watch';
import { judgeUnheard, type NodeLook } from '../model/nodeLook';
import type { Clients } from './clients';
import { createBell } from './bell';
import { createAround } from './lookoutAround';
import { createHeard } from './lookoutHeard';
import { hostSign, licenceComplaint, lookAtNode, lookBeforeLogin, readDetails, type LookedAt, type NodeDetails } from './lookAtNode';
import { lookedAt, readKnown, type Known } from './lookRecord';
import { voteOf } from './lookoutVote';

export interface LookoutDependencies {
  clients: Clients;
  temporal: Client;
  taskQueue: string;
}

/** What one node is known by; changed by the looks at it. */
export interface Watching {
  looked: LookedAt;
  vote: NodeVote;
  look?: NodeLook;
  details?: NodeDetails;
  detailsAt: number;
  sign?: { answers: boolean; words: string };
  /** Looks of this slice that have ended, or are missed. */
  looks: number;
  /** The begin of the latest look that was answered. */
  answered: number;
  /** Looks that are under way. */
  open: number;
  /** Services as the last look found them. */
  found?: string;
  /** Of a Server that the product calls Offline though its services run. */
  unheard?: Unheard;
}

export interface LookoutOptions {
  signal: AbortSignal;
  /** Told every second. */
  beat?: (glimpse: Glimpse) => void;
  /** How long to wait for nodes about which there is doubt, before something is told; milliseconds. Left out: as long as the next look at them takes, at most a second. */
  settleMs?: number;
  /** How long to wait for Servers of which the product has just begun to hear nothing; milliseconds. Left out: not at all. */
  unheardMs?: number;
}

const mostOpen = 3;
const firstMs = 5_000;
const recordMs = 30_000;
/** While something excuses a node: that it does so no more shows on no node, and what is still down then is to be told at once. */
const excusedMs = 2_000;
/** A record that is older is read again before anything is told: an operation may just have taken a node down. */
const recordFreshMs = 1_000;

/** @throws StError as `readKnown`, when it begins; the signal's reason. */
export async function watchCluster(dependencies: LookoutDependencies, input: WatchInput, { signal, beat, settleMs, unheardMs = 0 }: LookoutOptions): Promise<Watched> {
  const { clients } = dependencies;
  const ending = Date.now() + input.sliceMs;
  let known = await readKnown(dependencies, input.cluster, new Map(Object.entries(input.last?.excused ?? {})));
  const { monitoring } = known.record.spec!;
  const times = watchTimes(input.interval ?? monitoring.interval);
  const failures = input.failuresToOffline ?? monitoring.failuresToOffline;
  const nodes = lookedAt(known).map((looked): Watching => {
    const unheard = input.last?.around?.unheard?.[looked.target.node];
    return { looked, vote: carried(looked.target.node, input), detailsAt: 0, looks: 0, answered: 0, open: 0, ...(unheard ? { unheard } : {}) };
  });

  const stop = new AbortController();
  const inner = AbortSignal.any([signal, stop.signal]);
  // Each node's loop listens.
  setMaxListeners(0, inner);
  const bell = createBell();
  const newcomers = input.last ? nodes.flatMap(({ vote: { node } }) => (input.last!.votes.some((one) => one.node === node) ? [] : [node])) : [];
  let allSeen: () => void = () => undefined;
  const begun = new Promise<void>((resolve, reject) => {
    allSeen = resolve;
    inner.addEventListener('abort', () => reject(inner.reason as Error), { once: true });
  });
  begun.catch(() => undefined);
  const seenOnce = (): void => { if (nodes.every(({ looks }) => looks > 0)) allSeen(); };
  seenOnce();
  const around = createAround(clients, known, { times, failures, nodes, begun, newcomers, signal: inner, ring: bell.ring, ...(input.last?.around ? { before: input.last.around } : {}) });
  const heard = createHeard(clients, { times, nodes, begun, signal: inner, ring: bell.ring, databaseGone: () => around.seen().database?.well === false });
  // One that was taken out of the cluster meanwhile is nobody's failure.
  let belonging = nodes;
  const build = (): Vote => voteOf({ known, nodes: belonging, around: around.seen() });
  const tell = (vote: Vote, signature = signatureOf(vote)): Watched => ({ vote, signature, around: { ...withUnheard(around.seen(), nodes), reached: vote.around.reached } });

  const look = (node: Watching): Promise<void> => follow(clients, node, { times, failures, signal: inner, onLook: (before) => {
    seenOnce();
    const doubt = inDoubt(node.vote);
    if (doubt && !inDoubt(before)) around.hurry();
    if (node.looks === 1 || node.vote.state !== before.state || doubt !== inDoubt(before) || seenAnew(node)) bell.ring();
  } });
  const readAgain = async (): Promise<void> => {
    const before = known;
    known = await readKnown(dependencies, input.cluster, before.excuses).catch(() => before);
    if (known.revision !== before.revision) belonging = stillIn(nodes, known);
    // Whom the balancers have out of service, and who is connected to whom, is otherwise as soon as an operation is over.
    if ([...before.excuses.keys()].some((name) => !known.excuses.has(name))) around.hurry();
  };
  const readOn = async (): Promise<void> => {
    for (let waited = 1; ; waited += 1) {
      await pause(1_000, undefined, { signal: inner });
      if (waited * 1_000 < (known.excuses.size > 0 ? excusedMs : recordMs)) continue;
      await readAgain();
      waited = 0;
      bell.ring();
    }
  };
  const beatOn = async (): Promise<void> => {
    for (;;) {
      beat?.(glimpseOf(nodes));
      await pause(1_000, undefined, { signal: inner });
    }
  };

  const { revision } = known;
  const decide = async (): Promise<Watched> => {
    for (;;) {
      await bell.wait(ending - Date.now());
      if (Date.now() >= ending) break;
      const seen = nodes.every(({ looks }) => looks > 0);
      if (!seen || (input.last?.fresh && known.revision === revision && signatureOf(build()) === input.last.signature)) continue;
      const settled = Date.now() + (settleMs ?? Math.min(1_000, times.again));
      while (Date.now() < settled && (nodes.some(({ vote }) => inDoubt(vote)) || ((around.busy() || (unheardMs > 0 && heard.busy())) && !oneAlone(nodes)))) await bell.wait(settled - Date.now());
      const heardBy = settled + unheardMs;
      while (Date.now() < heardBy && unheardMs > 0 && nodes.some(undecided)) await bell.wait(Math.min(times.again, heardBy - Date.now()));
      if (Date.now() - Date.parse(known.view.readAt) > recordFreshMs) await readAgain();
      const vote = build();
      const signature = signatureOf(vote);
      if (!input.last?.fresh || signature !== input.last.signature || known.revision !== revision) return tell(vote, signature);
    }
    return tell(build());
  };

  const running = [...nodes.map(look), around.run(), around.listen(), heard.run(), readOn(), beatOn()];
  // What stops them is no failure; a defect in one of them is everybody's.
  const broken = Promise.race(running).then(() => new Promise<never>(() => undefined));
  try {
    return await Promise.race([decide(), broken]);
  } finally {
    stop.abort();
    // What hangs at a host that is gone ends in its own time: what was seen is told at once.
    void Promise.allSettled(running);
  }
}

/** One is lost while all others serve: its news need not wait for what stands around them, which was asked at the first doubt and would explain several. */
const oneAlone = (nodes: readonly Watching[]): boolean => nodes.length > 1 && nodes.filter(({ vote }) => vote.state !== 'Online').length === 1;

/** The product has begun to hear nothing of it, and what that makes of it is still open. */
const undecided = ({ vote, unheard }: Watching): boolean => unheard !== undefined && (!unheard.believed || vote.state === 'Online');

/** For the next slice; it begins with what was believed. */
function withUnheard({ unheard: _before, ...look }: AroundLook, nodes: readonly Watching[]): AroundLook {
  const unheard = Object.fromEntries(nodes.flatMap((node) => (node.unheard ? [[node.looked.target.node, node.unheard]] : [])));
  return Object.keys(unheard).length > 0 ? { ...look, unheard } : look;
}

/** Whether the last look found other services than the one before it. */
function seenAnew(node: Watching): boolean {
  const found = JSON.stringify([node.look?.services, node.details?.services]);
  const anew = found !== node.found;
  node.found = found;
  return anew;
}

/** Those who belong to the cluster as the record has it now. */
function stillIn(nodes: readonly Watching[], known: Known): Watching[] {
  const names = new Set(lookedAt(known).map(({ target }) => target.node));
  return nodes.filter(({ looked }) => names.has(looked.target.node));
}

/** What was believed, to be confirmed when nobody has looked meanwhile. */
function carried(node: string, { last }: WatchInput): NodeVote {
  const vote = last?.votes.find((one) => one.node === node);
  if (!vote) return neverSeen(node, new Date().toISOString());
  return last!.fresh ? vote : stale(vote);
}

interface FollowOptions {
  times: WatchTimes;
  failures: number;
  signal: AbortSignal;
  onLook: (before: NodeVote) => void;
}

/**
 * Looks at one node for ever. A look without an answer is a miss after a while, and the next one begins beside it on another connection; the answer of either
 * counts, so a slow node is not a silent one, and a connection that died alone hides nothing.
 */
async function follow(clients: Clients, node: Watching, { times, failures, signal, onLook }: FollowOptions): Promise<void> {
  const note = (look: NodeLook, began: number): void => {
    const before = node.vote;
    // One look that says nothing takes back nothing that was known.
    const { services = node.vote.state === 'Online' ? node.look?.services : undefined } = look;
    node.look = { ...look, ...(services ? { services } : {}) };
    node.looks += 1;
    node.vote = sighted(node.vote, look.sight, { at: new Date().toISOString(), failures });
    if (look.cause !== 'silent') node.answered = Math.max(node.answered, began);
    onLook(before);
  };
  for (;;) {
    const began = Date.now();
    // The first look may have to connect and to log in, after others; where the slice before has left a login it has not.
    const first = node.looks === 0 && (node.vote.stale === true || !clients.admin.server(node.looked.target.admin).loggedIn());
    const missAfter = first ? firstMs : times.missAfter;
    const look = begin(clients, node, { timeoutMs: Math.max(times.giveUpAfter, missAfter), ...(first || node.vote.state !== 'Online' ? { knockMs: first ? times.giveUpAfter : times.missAfter } : {}) });
    const answered = await Promise.race([look, pause(missAfter, undefined, { signal })]);
    const early = answered && heardOf(node, answered);
    const online = early?.sight === 'online' && !inDoubt(node.vote);
    const missing = Object.values(node.details?.services ?? {}).includes(false);
    if (online && began - node.detailsAt >= (missing ? times.interval : times.details)) {
      node.detailsAt = began;
      const reading = readDetails(clients, node.looked, { timeoutMs: times.giveUpAfter });
      // A node that dies while it is asked for them is looked at no later.
      const untilNextLook = Math.max(1, Math.min(times.missAfter, began + times.interval - Date.now()));
      const details = await Promise.race([reading, pause(untilNextLook, undefined, { signal })]);
      if (details) node.details = details;
      else void ask(reading, (late) => { node.details = late; });
    }
    if (early && early.cause !== 'silent') note(await explained(clients, node, early, times), began);
    else {
      note({ sight: 'unknown', why: 'the Administration Tool does not answer', cause: 'silent' }, began);
      void ask(hostSign(node.looked.target, { timeoutMs: times.missAfter }), (sign) => { node.sign = sign; });
      if (!early) void ask(look, (late) => { if (late.cause !== 'silent' && began > node.answered) note(heardOf(node, late), began); });
    }
    const next = began + (inDoubt(node.vote) || undecided(node) ? times.again : times.interval);
    await pause(Math.max(1, next - Date.now()), undefined, { signal });
  }
}

/** A look that finds all well says nothing of a Transaction Manager that hangs. */
const heardOf = ({ unheard }: Watching, look: NodeLook): NodeLook => (unheard?.believed && look.sight === 'online' ? judgeUnheard(look) : look);

/** `knockMs`: the door is tried first, since a login that hangs would hold up those of all others. Of a node that says nothing only a few looks are open. */
function begin(clients: Clients, node: Watching, { timeoutMs, knockMs }: { timeoutMs: number; knockMs?: number }): Promise<NodeLook> {
  if (node.open >= mostOpen) return new Promise(() => undefined);
  node.open += 1;
  const door = knockMs === undefined ? Promise.resolve(undefined) : lookBeforeLogin(node.looked, { timeoutMs: knockMs });
  return door.then((shut) => shut ?? lookAtNode(clients, node.looked, { timeoutMs })).finally(() => { node.open -= 1; });
}

/** A Transaction Manager that does not run may be kept from it by the licence; asked once for each time it stops. */
async function explained(clients: Clients, node: Watching, look: NodeLook, { missAfter }: WatchTimes): Promise<NodeLook> {
  if (look.cause !== 'TM stopped') return look;
  if (node.look?.cause === 'TM stopped' || node.look?.cause === 'licence') return { ...look, cause: node.look.cause, ...(node.look.why === undefined ? {} : { why: node.look.why }) };
  const complaint = await licenceComplaint(clients, node.looked, { timeoutMs: missAfter }).catch(() => undefined);
  return complaint === undefined ? look : { ...look, cause: 'licence', why: complaint };
}

/** Hands on what comes; a look that was called off tells nothing. */
const ask = <T>(answer: Promise<T>, take: (value: T) => void): Promise<void> => answer.then(take, () => undefined);

const glimpseOf = (nodes: readonly Watching[]): Glimpse => ({
  at: new Date().toISOString(),
  nodes: nodes.map(({ vote: { node, state }, details }) => ({ node, state, ...(details?.sessions === undefined ? {} : { sessions: details.sessions }) })),
});
