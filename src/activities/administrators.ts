/**
 * Whether administrators still have the passwords that they are delivered with. The one way to know is to log in, and the product locks an account after wrong passwords,
 * so every try is written down beside the database before it is made: whoever comes next, also after a crash in between, makes none.
 */
import type { Client } from 'pg';
import { unlessSilent } from '../model/errors';
import type { Outcome } from '../model/operation';
import { shippedAdministrators, shippedLines, shippedPassword, type ShippedPassword } from '../model/shippedPasswords';
import type { Authority, DatabaseTarget, ServerTarget } from '../model/targets';
import { resolveSecret } from '../clients/secrets';
import { abortSignal } from './context';
import type { Clients } from './clients';

export interface ShippedInput {
  /** A Server speaks for its whole cluster, whose administrators are in the shared database; an Edge for itself. */
  server: ServerTarget;
  role: 'server' | 'edge';
  database: DatabaseTarget;
}

export interface AdministratorActivities {
  /** Tries what was never tried, and again what worked; never what was refused or has no answer. */
  readShipped(input: ShippedInput): Promise<ShippedPassword[]>;
  /**
   * The same as a step: it changes nothing, but a wrong password counts. `installed`: this operation has installed it, so what was written down is of an installation
   * that is gone.
   */
  ensureTried(input: ShippedInput & { installed: boolean }, authority: Authority): Promise<Outcome<ShippedPassword[]>>;
}

type Kept = 'begun' | 'works' | 'changed';
const lookMs = 10_000;

export function administratorActivities({ clients }: { clients: Clients }): AdministratorActivities {
  async function readShipped({ server, role, database }: ShippedInput, installedBy = ''): Promise<ShippedPassword[]> {
    const { node, admin } = server;
    const limits = { signal: abortSignal(), timeoutMs: lookMs };
    const others = shippedAdministrators.filter((account) => account !== admin.user);
    // The orchestrator's own administrator needs no try: its password is known.
    const own = shippedAdministrators.filter((account) => account === admin.user);
    const known = await Promise.all(own.map(async (account): Promise<ShippedPassword> => ({ node, account, state: (await resolveSecret(admin.password)).reveal() === shippedPassword(account) ? 'works' : 'changed' })));
    const { stateDatabase } = database;
    // Nowhere to write a try down: none is made.
    if (stateDatabase === undefined) return [...known, ...others.map((account): ShippedPassword => ({ node, account, state: 'unknown' }))];
    // One that does not answer would leave every try without an answer, for ever.
    await clients.admin.server(admin).version(limits);
    const tried = await clients.postgres.withDatabase(database, async (client) => {
      await makeTable(client);
      const found: ShippedPassword[] = [];
      const place = role === 'server' ? 'cluster' : node;
      for (const account of others) {
        const may = await claimTry(client, [database.cluster, place, account, installedBy]);
        const state = may ? await attempt(account) : await keptState(client, [database.cluster, place, account]);
        if (may && state !== 'begun') await client.query('update st_orchestrator_login_try set state = $4, tried_at = now() where cluster = $1 and place = $2 and account = $3', [database.cluster, place, account, state]);
        found.push({ node, account, state: state === 'begun' ? 'unknown' : state });
      }
      return found;
    }, { signal: abortSignal(), database: stateDatabase });
    return [...known, ...tried];

    async function attempt(account: string): Promise<Kept> {
      const works = await unlessSilent(clients.admin.tryPassword(admin, { user: account, password: shippedPassword(account) }, limits), undefined);
      // Without an answer it is not known whether it was counted: it stays begun.
      return works === undefined ? 'begun' : works ? 'works' : 'changed';
    }
  }

  return {
    readShipped: (input) => readShipped(input),
    async ensureTried({ installed, ...input }, { operation, epoch }) {
      const found = await readShipped(input, installed ? `${operation} ${epoch}` : '');
      return { changed: false, note: shippedLines(found).join('; ') || 'no administrator has the password it was shipped with', value: found };
    },
  };
}

/** Two that both find no table would both create it, and "if not exists" does not hold between them. */
async function makeTable(client: Client): Promise<void> {
  await client.query("select pg_advisory_lock(hashtext('st_orchestrator_login_try'))");
  await client.query('create table if not exists st_orchestrator_login_try (cluster text, place text, account text, state text not null, installed_by text not null, tried_at timestamptz not null default now(), primary key (cluster, place, account))');
  await client.query("select pg_advisory_unlock(hashtext('st_orchestrator_login_try'))");
}

/** True for the one who may try now: nobody ever did, or the last try worked and so counted nothing, or was made of an earlier installation. */
async function claimTry(client: Client, key: readonly string[]): Promise<boolean> {
  const { rowCount } = await client.query(
    `insert into st_orchestrator_login_try as kept (cluster, place, account, state, installed_by) values ($1, $2, $3, 'begun', $4)
     on conflict (cluster, place, account) do update set state = 'begun', tried_at = now(), installed_by = coalesce(nullif(excluded.installed_by, ''), kept.installed_by)
     where kept.state = 'works' or excluded.installed_by not in ('', kept.installed_by)`, [...key]);
  return rowCount === 1;
}

async function keptState(client: Client, key: readonly string[]): Promise<Kept> {
  const { rows } = await client.query<{ state: Kept }>('select state from st_orchestrator_login_try where cluster = $1 and place = $2 and account = $3', [...key]);
  return rows[0]?.state ?? 'begun';
}
