/** What every operation that stops nodes is told on its command line. */
import type { Command } from 'commander';

export interface GracefulFlags {
  gracefulTimeout?: string;
  acceptActive?: boolean;
  blocking?: string[];
  sweep?: boolean;
  keepOnline?: string;
  /** Commander's negation: true unless --no-probe. */
  probe?: boolean;
}

export const gracefulOptions = (command: Command): Command => command
  .option('--graceful-timeout <duration>', 'how long what is at work has to end, e.g. 10m; 5m when left out')
  .option('--accept-active', 'stop also where events do not end in that time (they are named, and may be left "In Progress")')
  .option('--blocking <names...>', 'refuse when one of these accounts or files is at work on a node that would be stopped')
  .option('--sweep', 'remove the marks of files that a stop left in process, so that they can be submitted again')
  .option('--keep-online <n>', 'how many Servers stay Online; policies.minimumNodes when left out')
  .option('--no-probe', 'do not log in as a partner does before the balancer sends anybody');

export const gracefulFields = ({ gracefulTimeout, acceptActive, blocking, sweep, keepOnline, probe }: GracefulFlags): Record<string, unknown> =>
  ({ gracefulTimeout, acceptActive, blocking, sweep, keepOnline: wholeOf(keepOnline), ...(probe === false ? { probe } : {}) });

/** A number where it is one; what is none is refused by the operation's own schema, in its words. */
export const wholeOf = (text: string | undefined): number | string | undefined => (text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : text);
