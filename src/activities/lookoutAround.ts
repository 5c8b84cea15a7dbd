/** The looks at what stands around the nodes: seldom while all is well, at once when a node is in doubt or a door answers otherwise, and often until it is well again. */
import { setTimeout as pause } from 'node:timers/promises';
import { within } from '../clients/within';
import { createBell } from './bell';
import type { WatchTimes } from '../model/healthVotes';
import type { AroundLook, Gone } from '../model/watch';
import type { Clients } from './clients';
import { lookAtBalancer, lookAtDatabase, lookAtSharedFiles, lookAtStreaming } from './lookAround';
import type { Watching } from './lookout';
import { knockOn, knocksOn } from './lookoutKnocks';
import { surroundings, type Known } from './lookRecord';

export interface AroundWatch {
  run(): Promise<never>;
  /** Beside it: notices a database or a balancer that is gone, hangs, or is back. */
  listen(): Promise<never>;
  seen(): AroundLook;
  /** The first look, or one that runs, has not ended. */
  busy(): boolean;
  /** Something is in doubt: look now, or as soon as the last look is `soonestMs` old. */
  hurry(): void;
}

interface Options {
  times: WatchTimes;
  /** Looks in a row that it takes to call a node something else. */
  failures: number;
  nodes: readonly Watching[];
  /** Every node has been looked at once. */
  begun: Promise<void>;
  signal: AbortSignal;
  ring: () => void;
  /** What was believed when this slice began; of nodes that are new since then nothing was. */
  before?: AroundLook;
  newcomers: readonly string[];
}

const lookMs = 3_000;
/** The script on the host gives a mount four seconds. */
const sharedMs = 8_000;
/** Whose shared files are asked for while all is well. */
const serversATurn = 3;
/** Between the begins of two looks, at least. */
const soonestMs = 1_000;

export function createAround(clients: Clients, known: Known, { times, failures, nodes, begun, signal, ring, before, newcomers }: Options): AroundWatch {
  const { database, sharedPath, balancers, fronts, protocols } = surroundings(known);
  const servers = nodes.filter(({ looked: { role } }) => role === 'server');
  const edges = nodes.filter(({ looked: { role } }) => role === 'edge').map(({ looked: { target } }) => ({ node: target.node, address: target.address }));
  const fronted = nodes.filter(({ looked: { role } }) => role === fronts).map(({ looked: { target } }) => target.node);
  const members = servers.map(({ looked: { target } }) => target.node);
  const seen: AroundLook = before ? carriedOver(before, { members, newcomers, newEdge: edges.some(({ node }) => newcomers.includes(node)) }) : { sharedFiles: {}, balancers: [], streaming: {} };
  let looks = 0;
  let busy = false;
  let hurried = false;
  let begunAt = 0;
  let turn = 0;
  const alarm = createBell();
  signal.addEventListener('abort', () => alarm.ring(), { once: true });
  const limits = { timeoutMs: lookMs, signal };

  const troubled = (): boolean => nodes.some(({ vote, look }) => vote.state !== 'Online' || look?.sight !== 'online') || seen.database?.well === false || Object.values(seen.sharedFiles).some((found) => found?.well === false) || seen.balancers.some(({ trouble }) => trouble !== undefined)
    || Object.values(seen.streaming).some((connected) => connected.length < edges.length) || seen.balancers.some(({ runtime }) => fronted.some((name) => runtime?.[name] !== undefined && !runtime[name].startsWith('UP')));

  /** One failure is none: a database that is failing over, a balancer that reloads. What is out twice is so since `before`, or since now; what can't be asked is as it was. */
  async function twice<T extends { out?: boolean; gone?: Gone }>(read: () => Promise<T>, well: (found: T) => boolean, before: Gone | undefined): Promise<T> {
    const began = Date.now();
    const first = await read();
    if (well(first)) return first;
    await pause(500, undefined, { signal });
    const answered = Math.max(...nodes.map((node) => node.answered));
    const found = await read();
    if (well(found)) return found;
    if (found.out === false) return found;
    const gone = found.out ? goneSince(before, { began, answered, believeMs: failures * times.again }) : before;
    return gone ? { ...found, gone } : found;
  }

  /** Out, not believed to be yet, and not since nothing answers: another look soon decides. */
  const undecided = (): boolean => [seen.database, ...seen.balancers].some((found) => found?.gone?.believed === false) && nodes.some(({ look }) => look !== undefined && look.cause !== 'silent');

  async function lookOnce(thorough: boolean): Promise<void> {
    const asked = servers.filter(({ look }) => look?.sight === 'online');
    // Otherwise some Servers a turn, and those that failed: each costs a command, and a mount that hangs keeps a process on its host for each time that it is asked.
    const due = new Set(Array.from({ length: Math.min(serversATurn, asked.length) }, () => asked[turn++ % asked.length]));
    const files = asked.filter((node) => thorough || due.has(node) || seen.sharedFiles[node.looked.target.node]?.well === false);
    const slow = Promise.all(files.map(async ({ looked: { target } }) => { seen.sharedFiles[target.node] = await lookAtSharedFiles(clients, target, sharedPath, { timeoutMs: sharedMs, signal }); }));
    // Awaited at the end; when the others are called off before, nobody is left to hear of it.
    slow.catch(() => undefined);
    const [found, fronts] = await Promise.all([
      twice(() => lookAtDatabase(clients, database, limits), ({ well }) => well, seen.database?.gone),
      Promise.all(balancers.map((balancer) => twice(() => lookAtBalancer(clients, balancer, limits), ({ trouble }) => trouble === undefined, seen.balancers.find(({ name }) => name === balancer.name)?.gone))),
      edges.length === 0 ? undefined : Promise.all(asked.map(async ({ looked: { target } }) => {
        const look = lookAtStreaming(clients, target, edges, { ...limits, protocols });
        const connected = await within<string[] | undefined>(look, limits, () => new Error('too late')).catch(() => undefined);
        if (connected) seen.streaming[target.node] = connected;
        else delete seen.streaming[target.node];
      })),
    ]);
    seen.database = found;
    seen.balancers = fronts;
    delete seen.reached;
    for (const { looked: { target }, look } of servers) if (look?.sight !== 'online') delete seen.streaming[target.node];
    looks += 1;
    busy = false;
    ring();
    await slow;
    ring();
  }

  function hurry(): void {
    hurried = true;
    alarm.ring();
  }

  async function lookOn(): Promise<never> {
    // Whom to ask is known when the nodes have been looked at.
    await begun;
    for (;;) {
      const thorough = hurried;
      hurried = false;
      busy = true;
      begunAt = Date.now();
      await lookOnce(thorough).finally(() => { busy = false; });
      signal.throwIfAborted();
      if (!hurried) await alarm.wait(undecided() ? Math.max(1, begunAt + soonestMs - Date.now()) : troubled() ? times.aroundInTrouble : times.around);
      // What changed after the last look had asked for it is not known by that look.
      if (hurried) await pause(Math.max(1, begunAt + soonestMs - Date.now()), undefined, { signal });
      signal.throwIfAborted();
    }
  }

  return {
    run: lookOn,
    listen: () => knockOn(knocksOn(clients, database, balancers), times, { signal, onChange: hurry }),
    seen: () => seen,
    busy: () => busy || hurried || looks === 0,
    hurry,
  };
}

/** Believed to be gone like a node: after as long as `failures` misses take, and only when something else has answered before the last try. Else the way there may be what is gone. */
function goneSince(before: Gone | undefined, { began, answered, believeMs }: { began: number; answered: number; believeMs: number }): Gone {
  const since = before === undefined ? began : Date.parse(before.since);
  return { since: new Date(since).toISOString(), believed: before?.believed === true || (Date.now() - since >= believeMs && answered > since) };
}

/** What was seen before some nodes belonged says nothing of these: neither which Servers are connected to them, nor what the balancers make of them. */
function carriedOver(before: AroundLook, { members, newcomers, newEdge }: { members: readonly string[]; newcomers: readonly string[]; newEdge: boolean }): AroundLook {
  const known = (runtime: Record<string, string>): Record<string, string> => Object.fromEntries(Object.entries(runtime).filter(([name]) => !newcomers.includes(name)));
  return {
    ...before, sharedFiles: only(before.sharedFiles, members), streaming: newEdge ? {} : only(before.streaming, members),
    balancers: before.balancers.map(({ runtime, ...rest }) => (runtime ? { ...rest, runtime: known(runtime) } : rest)),
  };
}

const only = <T>(known: Record<string, T>, names: readonly string[]): Record<string, T> => Object.fromEntries(Object.entries(known).filter(([name]) => names.includes(name)));
