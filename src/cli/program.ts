/** `stctl` as a function: arguments in, exit code out, everything else through `Io`. */
import { Command, CommanderError } from 'commander';
import { AdvisedError } from '../control/advised';
import { StError } from '../model/errors';
import { createCli, type Cli, type Io } from './cli';
import { exit, exitCodeHelp, exitOfCode, failureOfError, failureText, UsageError } from './failure';
import { addVerb } from './verb';
import { verbs } from './verbs';

/** Runs one command. Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const cli = createCli(io);
  const interrupted = new Promise<number>((resolve) => {
    io.interrupted.addEventListener('abort', () => resolve(interruptedBy(cli)), { once: true });
  });
  if (io.interrupted.aborted) return interruptedBy(cli);
  try {
    return await Promise.race([perform(argv, cli), interrupted]);
  } finally {
    // After Ctrl-C nobody waits for a connection that is still being made.
    const closed = cli.close();
    if (!io.interrupted.aborted) await closed;
  }
}

function interruptedBy(cli: Cli): number {
  cli.io.err(cli.interruptNote());
  return exit.interrupted;
}

async function perform(argv: readonly string[], cli: Cli): Promise<number> {
  let code: number = exit.ok;
  const program = createProgram(cli, (ended) => (code = ended));
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return failed(cli, error);
  }
}

export function createProgram(cli: Cli, ended: (code: number) => void): Command {
  const program = new Command('stctl')
    .description('Runs the life of SecureTransport clusters: every verb that changes something starts a durable operation on the Temporal server.')
    .exitOverride()
    .configureOutput({ writeOut: cli.io.out, writeErr: cli.io.err, getOutHasColors: () => false, getErrHasColors: () => false })
    .showHelpAfterError('Nothing was started. "stctl <verb> --help" shows examples.')
    .addHelpText('before', 'Examples:\n  stctl validate -f cluster.yaml\n  stctl plan set-up-cluster -f cluster.yaml\n  stctl set-up-cluster -f cluster.yaml\n  stctl status demo\n')
    .addHelpText('after', `\n${exitCodeHelp}\n\nThe server is that of the temporal CLI: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE.\nST_CLUSTER names the cluster when a command does not; ST_TEMPORAL_UI the address of the Temporal UI.`);
  for (const verb of verbs) addVerb(program, cli, verb, ended);
  return program;
}

function failed(cli: Cli, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage;
  const { io, colors, flags } = cli;
  if (error instanceof UsageError) {
    io.err(`stctl: ${error.message}\nNothing was started.\n`);
    return exit.usage;
  }
  const code = error instanceof StError ? error.code : 'Bug';
  const message = error instanceof Error ? error.message : String(error);
  io.err(failureText(failureOfError(code, message, cli.sent, error instanceof AdvisedError ? error.youCan : undefined), colors));
  if (flags.verbose && error instanceof Error && code === 'Bug') io.err(`${error.stack ?? ''}\n`);
  return exitOfCode(code);
}
