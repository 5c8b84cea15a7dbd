import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Pool } from 'pg';
import { inTransaction } from './database';
import { ownAddresses, readOverwrites, type Home } from './home';

export interface NodeRow {
  id: number;
  address: string;
}

/** Milliseconds between two heartbeats, and after how many without one a service counts as gone. */
export const heartbeatMs = 1000;
const freshSql = `beat_at > now() - interval '4 seconds'`;

/**
 * This Server's entry in the node table: the one that carries its LocalConfigurationsId, else the one with an address of this host,
 * which is then tied to it. An entry that was added twice is not valid and never found.
 */
export async function findNode(pool: Pool, home: Home): Promise<NodeRow | undefined> {
  const known = await pool.query('select id, address from clusternode where valid and localconfigurationsid = $1', [home.id]);
  if (known.rows[0]) return known.rows[0] as NodeRow;
  const { rows } = await pool.query('select id, address from clusternode where valid order by id');
  const own = ownAddresses(home).map((address) => address.toLowerCase());
  for (const row of rows as NodeRow[]) {
    if (!own.includes(row.address.toLowerCase()) && !own.includes(await resolveName(row.address))) continue;
    await pool.query('update clusternode set localconfigurationsid = $1 where id = $2', [home.id, row.id]);
    return row;
  }
  return undefined;
}

/** The address of a name in the node table; the name itself when it has none. */
async function resolveName(name: string): Promise<string> {
  if (isIP(name) !== 0) return name;
  return lookup(name).then(({ address }) => address, () => name);
}

/** Writes what `conf/options-overwrite.conf` says into the database, as the product does at every start. */
export async function applyOverwrites(pool: Pool, home: Home): Promise<void> {
  for (const [name, value] of Object.entries(readOverwrites(home))) {
    const json = JSON.stringify([value]);
    await pool.query(`update configurationoption set value = $2 where name = $1 and scope = 'shared'`, [name, json]);
    await pool.query(
      `insert into configurationoptionlocal select $1, name, $3 from configurationoption where name = $2 and scope = 'local'
       on conflict (localconfigurationsid, name) do update set value = excluded.value`, [home.id, name, json]);
    if (name === 'node.ip' && value !== '') await pool.query('update clusternode set address = $2 where localconfigurationsid = $1 and valid', [home.id, value]);
    if (name === 'Cluster.DeploymentSite') await pool.query('update clusternode set deploymentsite = $2 where localconfigurationsid = $1', [home.id, value]);
  }
}

/** Records that `service` of this Server is in `state`. */
export async function beat(pool: Pick<Pool, 'query'>, home: Home, service: string, state: string): Promise<void> {
  await pool.query(
    `insert into nodeservice (localconfigurationsid, service, state) values ($1, $2, $3)
     on conflict (localconfigurationsid, service) do update set state = excluded.state, beat_at = now(), offlinelogged = false`, [home.id, service, state]);
}

/** Records, at the start of the TM, by what it is to be given work: it keeps to that until its next start. */
export async function declareTaskProcessor(pool: Pool, home: Home, { attributes, threshold }: { attributes: Record<string, string>; threshold: number }): Promise<void> {
  await pool.query(`update nodeservice set attributes = $2, threshold = $3, accepting = true where localconfigurationsid = $1 and service = 'tm'`,
    [home.id, JSON.stringify(attributes), Number.isFinite(threshold) ? Math.round(threshold) : 100]);
}

/** Records whether the TM of this Server is to be given work; one that is being stopped gracefully is not. */
export async function setAccepting(pool: Pool, home: Home, accepting: boolean): Promise<void> {
  await pool.query(`update nodeservice set accepting = $2 where localconfigurationsid = $1 and service = 'tm'`, [home.id, accepting]);
}

export interface Heart {
  /** From the next beat on, and once at once, the service counts as running. */
  running(): Promise<void>;
  stop(): Promise<void>;
}

/** Beats every second, first as `Starting`; a beat that fails is the database's trouble, the next one tells. */
export function startHeart(pool: Pool, home: Home, service: string, alsoEachTime: () => Promise<unknown> = async () => undefined): Heart {
  let state = 'Starting';
  let last: Promise<unknown> = Promise.resolve();
  let beating = false;
  // One after the other: a beat that was on its way must not land after the one that says "Not running".
  const once = () => (last = last.then(async () => {
    beating = true;
    await beat(pool, home, service, state).then(alsoEachTime).catch(() => undefined);
    beating = false;
  }));
  const timer = setInterval(() => { if (!beating) void once(); }, heartbeatMs);
  return {
    async running() {
      state = 'Running';
      await once();
    },
    async stop() {
      clearInterval(timer);
      state = 'Not running';
      await once();
    },
  };
}

/**
 * Takes one of the licensed places for the TM of this Server, or answers how many are taken. Servers that start together take turns.
 */
export async function takePlace(pool: Pool, home: Home, licensed: number): Promise<{ taken: boolean; others: number }> {
  return inTransaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(8088)`);
    const { rows } = await client.query(
      `select count(distinct s.localconfigurationsid)::int as others from nodeservice s join clusternode n using (localconfigurationsid)
       where n.valid and s.service = 'tm' and s.localconfigurationsid <> $1 and state in ('Starting', 'Running') and ${freshSql}`, [home.id]);
    const others = rows[0].others as number;
    if (others >= licensed) return { taken: false, others };
    await beat(client, home, 'tm', 'Starting');
    return { taken: true, others };
  });
}

export interface NodeStatus {
  serverAddress: string;
  status: 'Online' | 'Offline' | 'Invalid';
  deploymentSite: string;
}

/** The node table as the Administration Tool shows it: Online when both the admin service and the TM run and reach the database. */
export async function readNodes(pool: Pool): Promise<NodeStatus[]> {
  const { rows } = await pool.query(
    `select n.address, n.valid, n.deploymentsite,
       (select count(distinct service) from nodeservice s where s.localconfigurationsid = n.localconfigurationsid and service in ('admin', 'tm') and state = 'Running' and ${freshSql}) as up
     from clusternode n order by n.id`);
  return rows.map((row) => ({
    serverAddress: row.address,
    status: !row.valid ? 'Invalid' : Number(row.up) === 2 ? 'Online' : 'Offline',
    deploymentSite: row.deploymentsite,
  }));
}

/** Logs, once in the whole cluster, each service that stopped beating. */
export async function logLostNodes(pool: Pool): Promise<void> {
  await pool.query(
    `with lost as (update nodeservice s set offlinelogged = true from clusternode n
       where n.localconfigurationsid = s.localconfigurationsid and n.valid and not s.offlinelogged and s.beat_at < now() - interval '4 seconds'
       returning n.address, s.service, s.localconfigurationsid)
     insert into logging_event (node, component, level, message)
     select localconfigurationsid, 'ADMIN', 'ERROR', 'Node ' || address || ' went offline: its ' || service || ' does not run.' from lost`);
}

/** This Server's value of an option, local before shared; undefined when there is none of that name. */
export async function readOption(pool: Pool, home: Home, name: string): Promise<string[] | undefined> {
  const { rows } = await pool.query(
    `select coalesce(l.value, o.value) as value from configurationoption o
     left join configurationoptionlocal l on l.name = o.name and l.localconfigurationsid = $2 and o.scope = 'local' where o.name = $1`, [name, home.id]);
  return rows[0]?.value as string[] | undefined;
}
