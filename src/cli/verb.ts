/** How a verb is declared: its help opens with examples, it shares the common options, and it answers with an exit code. */
import { Option, type Command } from 'commander';
import { setFlags, type Cli, type CommonFlags } from './cli';
import { formats, type Format } from './output';

export interface Verb {
  /** Name and arguments: `status [cluster]`. */
  usage: string;
  summary: string;
  examples: string[];
  /** Left out: the verb has no -o. The first is the default. */
  output?: readonly Format[];
  hidden?: boolean;
  options?: (command: Command) => void;
  run: (cli: Cli, args: (string | undefined)[], flags: never, command: Command) => Promise<number>;
}

/** @param ended is told the exit code */
export function addVerb(program: Command, cli: Cli, verb: Verb, ended: (code: number) => void): void {
  const command = program.command(verb.usage, verb.hidden ? { hidden: true } : {}).summary(verb.summary).description(`${verb.summary}.`);
  command.addHelpText('before', `Examples:\n${verb.examples.map((example) => `  ${example}`).join('\n')}\n`);
  verb.options?.(command);
  if (verb.output) command.addOption(new Option('-o, --output <format>', 'how the answer is written').choices(verb.output).default(verb.output[0]));
  command.option('-v, --verbose', 'also print the equal command of the temporal CLI');
  command.addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'));
  command.action(async (...given: unknown[]) => {
    const flags = given.at(-2) as CommonFlags;
    const args = given.slice(0, -2).flat() as (string | undefined)[];
    setFlags(cli, { ...flags, output: flags.output ?? 'table' });
    ended(await verb.run(cli, args, flags as never, command));
  });
}

export const anyFormat = formats;
