/**
 * Between two looks around, each of which costs logins and commands: one short question to each of those around, so that a database or a balancer that is gone, hangs or
 * was reloaded is not found half a minute later.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { haproxyOverSsh } from '../clients/haproxy';
import { knock } from '../clients/knock';
import { helloPostgres } from '../clients/postgres';
import type { WatchTimes } from '../model/healthVotes';
import type { BalancerTarget, DatabaseTarget } from '../model/targets';
import type { Clients } from './clients';
import type { Limits } from './lookAround';

/** Answers in one word how it is; the same word as long as nothing changes. Never throws. */
export type Knock = (limits: Limits) => Promise<string>;

/** A login that is kept and a command on it take less; where the login is made anew, this. */
const balancerMs = 1_000;

/** The database without a login, so that its log says nothing; a balancer by its socket, since a HAProxy may be dead on a host that answers. */
export const knocksOn = ({ ssh }: Pick<Clients, 'ssh'>, { host, port }: DatabaseTarget, balancers: readonly BalancerTarget[]): Knock[] =>
  [(limits) => knock(host, port, { ...limits, hello: helloPostgres }), ...balancers.map((balancer) => knockOnBalancer(ssh, balancer))];

function knockOnBalancer(ssh: Clients['ssh'], { ssh: access, socket }: BalancerTarget): Knock {
  const haproxy = haproxyOverSsh(ssh, access, socket);
  let uptime = 0;
  let starts = 0;
  return async ({ timeoutMs, signal }) => {
    try {
      const now = await haproxy.uptime({ timeoutMs: Math.max(balancerMs, timeoutMs), ...(signal ? { signal } : {}) });
      if (now < uptime) starts += 1;
      uptime = now;
      return `start ${starts}`;
    } catch {
      return 'no answer';
    }
  };
}

/** Knocks for ever; tells when one answers otherwise than before. The first answers tell nothing. */
export async function knockOn(knocks: readonly Knock[], { interval, missAfter }: WatchTimes, { signal, onChange }: { signal: AbortSignal; onChange: () => void }): Promise<never> {
  let before: string | undefined;
  for (;;) {
    const began = Date.now();
    const answers = (await Promise.all(knocks.map((one) => one({ timeoutMs: missAfter, signal })))).join();
    signal.throwIfAborted();
    if (before !== undefined && answers !== before) onChange();
    before = answers;
    await pause(Math.max(1, began + interval - Date.now()), undefined, { signal });
  }
}
