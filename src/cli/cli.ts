/** What every verb has at hand: the terminal, the options that all share, and the client, connected when it is first needed. */
import type { Client } from '@temporalio/client';
import { createColors } from 'picocolors';
import type { Colors } from 'picocolors/types';
import { connectClient } from '../control/connect';
import { connectionConfig, type Environment } from '../control/connectionConfig';
import { taskQueue } from '../model/ids';
import { render, type Format, type View } from './output';

/** The terminal and the process around it; tests make their own. */
export interface Io {
  env: Environment;
  /** Data. */
  out(text: string): void;
  /** Progress, questions, warnings, failures. */
  err(text: string): void;
  tty: { in: boolean; out: boolean; err: boolean };
  /** Of the terminal, in characters. */
  size(): { columns: number; rows: number };
  ask(question: string): Promise<string>;
  /** The standard input, for `-f -`, as far as a cluster file may reach; the same at every call. */
  readIn(): Buffer;
  /** Aborted by Ctrl-C. */
  interrupted: AbortSignal;
}

export interface CommonFlags {
  output: Format;
  verbose?: boolean;
  color: 'auto' | 'always' | 'never';
}

export interface Cli {
  io: Io;
  /** For stderr; what goes to stdout has its own. */
  colors: Colors;
  outColors: Colors;
  taskQueue: string;
  flags: CommonFlags;
  /** Writes one value to stdout in the format asked for. */
  print(view: View): void;
  /** One line to stderr, for people. */
  say(line: string): void;
  /** With -v: the equal command of the `temporal` CLI. */
  same(command: string): void;
  client(): Promise<Client>;
  /** Where a workflow can be looked at. */
  where(workflowId: string): string[];
  /** What Ctrl-C says from now on. */
  onInterrupt(note: () => string): void;
  /** Set before a request that changes something leaves. */
  sent: boolean;
  interruptNote(): string;
  close(): Promise<void>;
}

export function createCli(io: Io): Cli {
  let connected: Promise<Client> | undefined;
  let note = (): string => 'Interrupted; nothing was started.\n';
  const cli: Cli = {
    io,
    colors: createColors(false),
    outColors: createColors(false),
    taskQueue: io.env['ST_TASK_QUEUE'] || taskQueue,
    flags: { output: 'table', color: 'auto' },
    print: (view) => io.out(render(cli.flags.output, view)),
    say: (line) => io.err(`${line}\n`),
    same: (command) => {
      if (cli.flags.verbose) io.err(`${cli.colors.dim(`# the same with the temporal CLI:\n${command}`)}\n`);
    },
    client: () => (connected ??= Promise.resolve().then(() => connectClient(connectionConfig(io.env)))),
    where: (workflowId) => {
      const ui = io.env['ST_TEMPORAL_UI']?.replace(/\/$/, '');
      const namespace = io.env['TEMPORAL_NAMESPACE'] || 'default';
      return [`workflow ${workflowId}`, ...(ui ? [`${ui}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`] : [])];
    },
    sent: false,
    onInterrupt: (next) => {
      note = next;
    },
    interruptNote: () => note(),
    close: async () => {
      const client = await connected?.catch(() => undefined);
      await client?.connection.close();
    },
  };
  return cli;
}

/** Takes over the options that a verb was called with. */
export function setFlags(cli: Cli, flags: CommonFlags): void {
  const { env, tty } = cli.io;
  const wanted = (isTty: boolean): boolean => flags.color === 'always' || (flags.color === 'auto' && isTty && !env['NO_COLOR'] && env['TERM'] !== 'dumb');
  Object.assign(cli, { flags, colors: createColors(wanted(tty.err)), outColors: createColors(wanted(tty.out)) });
}
