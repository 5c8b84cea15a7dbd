/** How a verb is declared: its help opens with examples, it shares the common options, and it answers with an exit code. */
import { Option, type Command } from 'commander';
import { setFlags, type Cli, type CommonFlags } from './cli';
import { UsageError } from './failure';
import { formats, type Format } from './output';

/** An option of the verb's own as it was given. */
export interface Given {
  /** `--reason`, also when it was given in short. */
  option: string;
  value?: string;
}

interface Common {
  /** Name and arguments: `status [cluster]`. */
  usage: string;
  summary: string;
  examples: string[];
  /** Another spelling. */
  alias?: string;
  hidden?: boolean;
}

export interface Leaf extends Common {
  /** Left out: the verb has no -o. The first is the default. */
  output?: readonly Format[];
  options?: (command: Command) => void;
  run: (cli: Cli, args: (string | undefined)[], flags: never, called: { command: Command; given: Given[] }) => Promise<number>;
}

/** A verb that is a group of others: `plan set-up-cluster`. */
export interface Group extends Common {
  verbs: Verb[];
}

export type Verb = Leaf | Group;

/** @param ended is told the exit code */
export function addVerb(program: Command, cli: Cli, verb: Verb, ended: (code: number) => void): void {
  const [name, ...args] = verb.usage.split(' ');
  const command = program.command([name, ...('verbs' in verb ? [] : args)].join(' '), verb.hidden ? { hidden: true } : {}).summary(verb.summary).description(`${verb.summary}.`);
  if (verb.alias) command.alias(verb.alias);
  command.addHelpText('before', `Examples:\n${verb.examples.map((example) => `  ${example}`).join('\n')}\n`);
  if ('verbs' in verb) for (const one of verb.verbs) addVerb(command, cli, one, ended);
  else addLeaf(command, cli, verb, ended);
}

function addLeaf(command: Command, cli: Cli, verb: Leaf, ended: (code: number) => void): void {
  verb.options?.(command);
  const given: Given[] = [];
  for (const option of command.options) command.on(`option:${option.name()}`, (value: string | null | undefined) => given.push({ option: option.long!, ...(typeof value === 'string' ? { value } : {}) }));
  if (verb.output) command.addOption(new Option('-o, --output <format>', 'how the answer is written').choices(verb.output).default(verb.output[0]));
  command.option('-v, --verbose', 'also print the equal command of the temporal CLI');
  command.addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'));
  // Refused here, in words that show how it is said.
  command.allowExcessArguments();
  command.action(async (...called: unknown[]) => {
    refuseStray(command, verb);
    const flags = called.at(-2) as CommonFlags;
    const args = called.slice(0, -2).flat() as (string | undefined)[];
    setFlags(cli, { ...flags, output: flags.output ?? 'table' });
    ended(await verb.run(cli, args, flags as never, { command, given }));
  });
}

/** @throws UsageError when there are more arguments than the verb takes */
function refuseStray({ args, registeredArguments, options }: Command, { usage, examples }: Leaf): void {
  const [name, ...takes] = usage.split(' ');
  const stray = args.slice(takes.length);
  if (stray.length === 0 || registeredArguments.some(({ variadic }) => variadic)) return;
  const found = stray.map((word) => JSON.stringify(word)).join(' ');
  const none = `no argument${options.some(({ long }) => long === '--cluster') ? ' (the cluster is --cluster)' : ''}`;
  throw new UsageError(`${name} takes ${takes.length === 0 ? `${none}, found` : `${takes.join(' ')}, found also`} ${found}. For example: ${examples[0]!.replace(/ {2,}.*$/, '')}`);
}

export const anyFormat = formats;
