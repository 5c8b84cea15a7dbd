/**
 * Whom the product itself hears nothing of, though its services run: a Transaction Manager that hangs answers nobody and still counts as running. One Server a round is
 * asked for its table of nodes, in turn, and every table that could be read for a while must say so: a split of the cluster's own network tells two stories, and is no hang.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { steadyMs, type WatchTimes } from '../model/healthVotes';
import { transactionManager } from '../model/nodeLook';
import { lateBeatMs, statusIn } from '../model/nodeTable';
import type { Unheard } from '../model/watch';
import type { Clients } from './clients';
import type { Watching } from './lookout';

interface Options {
  times: WatchTimes;
  nodes: readonly Watching[];
  /** Every node has been looked at once. */
  begun: Promise<void>;
  signal: AbortSignal;
  /** Without its database nobody is heard of. */
  databaseGone: () => boolean;
  /** The first table has been read, or could not be; or somebody is believed to hang. */
  ring: () => void;
}

export interface HeardWatch {
  run(): Promise<never>;
  /** True until the first table has been read, or could not be. */
  busy(): boolean;
}

/** Tables in a row that must say so. */
const leastTables = 3;

export function createHeard(clients: Clients, { times, nodes, begun, signal, databaseGone, ring }: Options): HeardWatch {
  const servers = nodes.filter(({ looked: { role } }) => role === 'server');
  let turn = 0;
  let rounds = 0;

  /** Asks the next one that can answer; undefined when none can, or it does not. */
  async function readTable(): Promise<{ serverAddress: string }[] | undefined> {
    const able = servers.filter(runs);
    if (able.length === 0) return undefined;
    const { looked: { target } } = able[turn++ % able.length]!;
    return clients.admin.server(target.admin).clusterNodes({ timeoutMs: times.giveUpAfter, signal }).catch(() => undefined);
  }

  async function round(): Promise<void> {
    const table = await readTable();
    signal.throwIfAborted();
    const at = new Date().toISOString();
    for (const node of servers) {
      const before = node.unheard;
      const known = table && !databaseGone() ? statusIn(table, node.looked.target.address) : 'not told';
      const next = unheardAfter(node, runs(node) ? known : node.look?.sight === 'unknown' ? 'not told' : undefined, at);
      if (next) node.unheard = next;
      else delete node.unheard;
      if (next?.believed !== before?.believed) ring();
    }
    rounds += 1;
    if (rounds === 1) ring();
  }

  return {
    busy: () => rounds === 0,
    async run() {
      await begun;
      for (;;) {
        const began = Date.now();
        await round();
        const every = servers.some(({ unheard }) => unheard !== undefined) ? times.again : times.interval;
        await pause(Math.max(1, began + every - Date.now()), undefined, { signal });
      }
    },
  };
}

/** By its own Administration Tool its Transaction Manager runs. */
const runs = ({ look }: Watching): boolean => look?.services?.[transactionManager] === true && (look.sight === 'online' || look.cause === 'TM hangs');

/** What is believed after one more table; `word`: the product's own for this node, "not told" where none could be read, or nobody can say whether the node runs. */
function unheardAfter({ unheard, vote }: Watching, word: string | undefined, at: string): Unheard | undefined {
  // What was believed holds until the product says otherwise; what was not yet is to be seen anew.
  if (word === 'not told') return unheard?.believed ? unheard : undefined;
  if (word !== 'Offline') return undefined;
  // One that has just come back, or is about to, has not been heard of yet.
  if (!unheard && (vote.state !== 'Online' || (vote.recovered && Date.parse(at) - Date.parse(vote.since) < steadyMs))) return undefined;
  const { since, tables } = unheard ?? { since: at, tables: 0 };
  return { since, tables: tables + 1, believed: unheard?.believed === true || (tables + 1 >= leastTables && Date.parse(at) - Date.parse(since) >= lateBeatMs) };
}
