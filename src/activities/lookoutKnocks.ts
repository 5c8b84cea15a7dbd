/** Between two looks around, each of which costs logins and commands: one TCP connection to each door, so that a database or a balancer that is gone is not found half a minute later. */
import { setTimeout as pause } from 'node:timers/promises';
import { knock } from '../clients/knock';
import type { WatchTimes } from '../model/healthVotes';
import type { BalancerTarget, DatabaseTarget } from '../model/targets';

export interface Door {
  address: string;
  port: number;
}

/** What can be reached from here; a balancer behind a jump host has no door of its own. */
export const doorsOf = ({ host, port }: DatabaseTarget, balancers: readonly BalancerTarget[]): Door[] =>
  [{ address: host, port }, ...balancers.flatMap(({ ssh }) => (ssh.jump ? [] : [{ address: ssh.address, port: ssh.port }]))];

/** Knocks for ever; tells when one answers otherwise than before. The first answers tell nothing. */
export async function knockOn(doors: readonly Door[], { interval, missAfter }: WatchTimes, { signal, onChange }: { signal: AbortSignal; onChange: () => void }): Promise<never> {
  let before: string | undefined;
  for (;;) {
    const began = Date.now();
    const answers = (await Promise.all(doors.map(({ address, port }) => knock(address, port, { timeoutMs: missAfter, signal })))).join();
    signal.throwIfAborted();
    if (before !== undefined && answers !== before) onChange();
    before = answers;
    await pause(Math.max(1, began + interval - Date.now()), undefined, { signal });
  }
}
