/** The event queue in the shared database: putting events in, and giving them to the Transaction Managers of Online Servers. */
import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../database';
import { chooseNode, eventKinds, parseAttributes, type Attributes, type Candidate, type EventKind } from './policy';

export interface NewEvent {
  account: string;
  kind: EventKind;
  /** Besides the kind: only those that the cluster's option names are kept. */
  attributes: Attributes;
  /** Path of the file below the account's home folder; the folder for a pull. */
  filename: string;
  /** Absolute path of the same. */
  path: string;
  /** Row in `transferdata`. */
  transfer: number | null;
  rulesPackage: string | null;
}

/** Channel on which the TM of a Server hears of events that were given to it. */
export const channelOf = (node: string): string => `tm_${node}`;

interface Situation {
  policy: string;
  additional: string[];
  candidates: Candidate[];
}

/** The policy, and the Servers that are Online and whose TM takes work. */
async function readSituation(client: PoolClient): Promise<Situation> {
  const options = await client.query(
    `select name, value ->> 0 as value from configurationoption where name in ('EventQueue.DispatchPolicy.name', 'EventQueue.submissionConfigurator.additionalAttributes')`);
  const value = (name: string) => String(options.rows.find((row) => row.name === name)?.value ?? '');
  const policy = value('EventQueue.DispatchPolicy.name');
  // Only that policy asks, and counting a long queue for every event would make it longer.
  const load = policy === 'attributeMatchPolicy' ? '(select count(*)::int from event e where e.node = o.node)' : '0';
  const { rows } = await client.query(
    `select o.node, s.attributes, s.threshold, ${load} as load
     from onlinenode o join nodeservice s on s.localconfigurationsid = o.node and s.service = 'tm' and s.accepting`);
  return {
    policy,
    additional: value('EventQueue.submissionConfigurator.additionalAttributes').split(',').map((name) => name.trim()),
    candidates: rows as Candidate[],
  };
}

async function nextTurn(client: PoolClient): Promise<number> {
  const { rows } = await client.query(`select nextval('eventturn')::int as turn`);
  return rows[0].turn as number;
}

/** Puts an event into the queue, within the caller's transaction; with no Server Online it waits there for one. */
export async function submit(client: PoolClient, event: NewEvent): Promise<void> {
  const { policy, additional, candidates } = await readSituation(client);
  const kept = Object.entries(event.attributes).filter(([name]) => additional.includes(name) || (eventKinds as readonly string[]).includes(name));
  const attributes = { [event.kind]: 'true', ...Object.fromEntries(kept) };
  const node = chooseNode(policy, { account: event.account, attributes }, candidates, await nextTurn(client)) ?? '';
  await client.query(
    `insert into event (id, account, kind, attributes, status, node, filename, path, transfer, rulespackage) values ($1, $2, $3, $4, 'ready', $5, $6, $7, $8, $9)`,
    [randomUUID(), event.account, event.kind, JSON.stringify(attributes), node, event.filename, event.path, event.transfer, event.rulesPackage]);
  if (node !== '') await client.query('select pg_notify($1, $2)', [channelOf(node), '']);
}

/** Events nobody took whose Server is not Online any more, or that never had one, go to the others. Answers how many. */
export async function redispatch(pool: Pool): Promise<number> {
  const orphan = `status = 'ready' and node not in (select o.node from onlinenode o join nodeservice s on s.localconfigurationsid = o.node and s.service = 'tm' and s.accepting)`;
  const { rows } = await pool.query(`select exists (select 1 from event where ${orphan}) as found`);
  if (!rows[0].found) return 0;
  return inTransaction(pool, async (client) => {
    const { policy, candidates } = await readSituation(client);
    if (candidates.length === 0) return 0;
    const orphans = await client.query(`select id, account, attributes from event where ${orphan} order by arrival_at, id limit 500 for update skip locked`);
    const turn = await nextTurn(client);
    const chosen = orphans.rows.map((event, index) => chooseNode(policy, event as { account: string; attributes: Attributes }, candidates, turn + index) ?? '');
    await client.query('update event e set node = c.node from unnest($1::text[], $2::text[]) as c (id, node) where e.id = c.id', [orphans.rows.map((row) => row.id as string), chosen]);
    for (const node of new Set(chosen)) await client.query('select pg_notify($1, $2)', [channelOf(node), '']);
    return orphans.rows.length;
  });
}

/** What the TM of this Server said about itself when it started: the local options it works by until its next start. */
export async function readOwnAttributes(read: (name: string) => Promise<string[] | undefined>): Promise<{ attributes: Attributes; threshold: number }> {
  return {
    attributes: parseAttributes((await read('EventQueue.taskProcessor.attributes'))?.join(',') ?? ''),
    threshold: Number((await read('EventQueue.taskProcessor.threshold'))?.join('') ?? 100),
  };
}
