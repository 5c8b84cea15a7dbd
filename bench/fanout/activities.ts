/** The four tasks as activities like ours, one by one or together: the file is put under the operation's authority, the others read. */
import { guardedCommand } from '../../src/clients/guard';
import { script } from '../../src/clients/quote';
import type { Clients } from '../../src/clients';
import { abortSignal } from '../../src/activities/context';
import type { Outcome } from '../../src/model/operation';
import type { Authority, HostTarget } from '../../src/model/targets';

export interface FanOutActivities {
  ensureFolder(input: { host: HostTarget }): Promise<Outcome>;
  ensureNothing(input: { host: HostTarget }): Promise<Outcome>;
  ensureFile(input: { host: HostTarget; path: string; content: string }, authority: Authority): Promise<Outcome>;
  ensureRead(input: { host: HostTarget; path: string; content: string }): Promise<Outcome>;
  /** All four as one script, as our activities are written: every command of its own would be a round trip. */
  ensureAll(input: { host: HostTarget; path: string; content: string }, authority: Authority): Promise<Outcome>;
  /** The worker's connections are closed: what comes next is cold. */
  disconnect(input: object): Promise<Outcome>;
}

const timeoutMs = 30_000;
const done: Outcome = { changed: true, note: '' };

export function fanOutActivities({ ssh }: Clients): FanOutActivities {
  const limits = () => ({ timeoutMs, signal: abortSignal() });
  return {
    ensureFolder: ({ host }) => ssh.run(host.ssh, ['test', '-d', '/home'], limits()).then(() => done),
    ensureNothing: ({ host }) => ssh.run(host.ssh, ['true'], limits()).then(() => done),
    ensureFile: ({ host, path, content }, authority) => ssh.run(host.ssh, guardedCommand(authority, script('cat >"$1"', [path])), { ...limits(), stdin: content }).then(() => done),
    async ensureRead({ host, path, content }) {
      const { stdout } = await ssh.run(host.ssh, ['cat', path], limits());
      if (stdout !== content) throw new Error(`${host.node}: what was read is not what was put`);
      return done;
    },
    async ensureAll({ host, path, content }, authority) {
      const command = guardedCommand(authority, script('test -d /home && true && cat >"$1" && cat "$1"', [path]));
      const { stdout } = await ssh.run(host.ssh, command, { ...limits(), stdin: content });
      if (stdout !== content) throw new Error(`${host.node}: what was read is not what was put`);
      return done;
    },
    disconnect: () => ssh.close().then(() => done),
  };
}
