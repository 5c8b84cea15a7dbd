/**
 * The accounts that the load generator logs in with: made in the shared database as an administrator would have made them.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { superuser } from '../database';
import { labFolder } from '../place';
import type { LabCluster, LabPlan } from '../plan';
import { hashPassword } from '../standin/schema';

export const partnerPassword = (lab: string): string => fs.readFileSync(path.join(labFolder(lab), 'secrets/partner-password'), 'utf8').trim();

/** Names of the partners: `p01`, `p02` … */
export const partnerNames = (count: number): string[] => Array.from({ length: count }, (_, n) => `p${String(n + 1).padStart(2, '0')}`);

/**
 * Makes the accounts that are not there yet.
 * @throws Error when the cluster has not been set up.
 */
export async function ensureAccounts(plan: LabPlan, cluster: LabCluster, names: string[]): Promise<void> {
  const client = await superuser(plan, cluster.database);
  try {
    const { rows } = await client.query<{ there: boolean }>(`select to_regclass('public.account') is not null as there`);
    if (rows[0]?.there !== true) throw new Error(`the cluster "${cluster.name}" has not been set up: its database holds no accounts`);
    for (const name of names) {
      const { salt, hash } = hashPassword(partnerPassword(plan.name));
      await client.query('insert into account (name, homefolder, salt, passwordhash) values ($1, $2, $3, $4) on conflict do nothing', [name, `/srv/st/shared/home/${name}`, salt, hash]);
    }
  } finally {
    await client.end();
  }
}
