/**
 * The load: partners that send small files through the balancer, at a steady rate, and write down what was acknowledged.
 */
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { balancersOf, type LabCluster, type LabPlan } from '../plan';
import { makeRandom } from '../standin/random';
import { ensureAccounts, partnerNames, partnerPassword } from './accounts';
import { writeDown } from './ledger';
import { makePartner } from './partner';

export interface LoadOptions {
  partners: number;
  /** Files a second, of all partners together. */
  rate: number;
  /** Milliseconds. */
  for: number;
  seed: number;
}

export interface LoadResult {
  acknowledged: number;
  /** Logins and files that failed; what the server has of such a file is not in the ledger. */
  broken: number;
}

/** Files that a partner sends in one session, at most: real ones come and go, and the balancer finds them another Server. */
const filesOfSession = 40;

/** Sends until the time is up or `ended` is aborted. `run` makes the names of its files its own. */
export async function generate(plan: LabPlan, cluster: LabCluster, run: number, options: LoadOptions, ended: AbortSignal): Promise<LoadResult> {
  const names = partnerNames(options.partners);
  // Where there are several balancers, partners are told different ones, as a name with several addresses does.
  const doors = balancersOf(plan);
  await ensureAccounts(plan, cluster, names);
  const until = Date.now() + options.for;
  const gap = (1000 * options.partners) / options.rate;
  const result: LoadResult = { acknowledged: 0, broken: 0 };
  setMaxListeners(2 * options.partners, ended);
  const rest = (ms: number): Promise<void> => sleep(ms, undefined, { signal: ended }).catch(() => undefined);

  const work = async (account: string, index: number): Promise<void> => {
    const random = makeRandom(options.seed * 1000 + run * 100 + index);
    const partner = makePartner({ host: doors[index % doors.length]!.address, port: cluster.ports.ssh, username: account, password: partnerPassword(plan.name) });
    ended.addEventListener('abort', () => partner.hangUp());
    let due = Date.now() + gap * random();
    let left = filesOfSession;
    for (let number = 1; due < until && !ended.aborted; number += 1) {
      await rest(Math.max(0, due - Date.now()));
      if (ended.aborted) break;
      // A partner that was held up does not send all at once what it missed.
      due = Math.max(due + gap * (0.5 + random()), Date.now() - gap);
      const content = Buffer.from(Array.from({ length: 200 + Math.floor(random() * 4000) }, () => 32 + Math.floor(random() * 95)));
      const name = `r${run}-${account}-${String(number).padStart(5, '0')}.dat`;
      try {
        await partner.send(name, content);
        writeDown(plan.name, { cluster: cluster.name, account, name, size: content.length, sha256: createHash('sha256').update(content).digest('hex'), at: Date.now() });
        result.acknowledged += 1;
        left -= 1;
        if (left === 0) {
          partner.hangUp();
          left = Math.ceil(filesOfSession * random());
        }
      } catch {
        result.broken += 1;
        await rest(250 + 500 * random());
      }
    }
    partner.hangUp();
  };
  await Promise.all(names.map(work));
  return result;
}
