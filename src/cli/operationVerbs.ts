/** The three verbs that come from the declaration of an operation: run it, plan it, print its input. */
import type { Command } from 'commander';
import { kebabCase } from '../model/ids';
import { exit } from './failure';
import { timeoutOf } from './following';
import type { OperationDoor } from './operationDoor';
import { asked, requestOf, type InputFlags } from './request';
import { runOperation, showPlan } from './running';
import { anyFormat, type Verb } from './verb';

interface Flags extends InputFlags {
  yes?: boolean;
  dryRun?: boolean;
  detach?: boolean;
  timeout?: string;
}

export function runVerb(door: OperationDoor): Verb {
  return {
    ...named(door),
    output: anyFormat,
    options: (command) => {
      inputOptions(door, command);
      command
        .option('--fingerprint <digits>', 'run exactly this plan, or refuse')
        .option('--dry-run', `the same as "stctl plan ${kebabCase(door.operation)}"`)
        .option('--detach', 'start it, print its id and leave')
        .option('--timeout <duration>', 'how long to follow it; it goes on afterwards (exit code 5)')
        .option('-y, --yes', 'do not ask');
    },
    run: async (cli, args, flags: Flags, { given }) => {
      const follow = timeoutOf(flags.timeout);
      const what = await asked(cli, door, words(args), flags, given);
      if (flags.dryRun || what.input['dryRun'] === true || door.looksOnly?.(what.input)) return showPlan(cli, what, follow);
      return runOperation(cli, what, { yes: flags.yes === true, detach: flags.detach === true, ...follow });
    },
  };
}

export function planVerb(door: OperationDoor): Verb {
  return {
    ...named(door, 'plan'),
    output: anyFormat,
    options: (command) => {
      inputOptions(door, command);
      command.option('--timeout <duration>', 'how long to wait for the plan (exit code 5)');
    },
    run: async (cli, args, flags: Flags, { given }) => showPlan(cli, await asked(cli, door, words(args), flags, given), timeoutOf(flags.timeout)),
  };
}

export function inputVerb(door: OperationDoor): Verb {
  return {
    ...named(door, 'input'),
    output: ['json', 'jsonl', 'yaml'],
    options: (command) => {
      inputOptions(door, command);
      command.option('--fingerprint <digits>', 'run exactly this plan, or refuse').option('--dry-run', 'only plan');
    },
    run: async (cli, args, flags: Flags, { given }) => {
      const { input } = requestOf(cli, await asked(cli, door, words(args), flags, given), { dryRun: flags.dryRun === true });
      cli.print({ data: input, table: () => '', name: () => input.cluster });
      return exit.ok;
    },
  };
}

/** Under `plan` and `input` the workflow type is a name too, as `temporal workflow start --type` has it. */
function named({ operation, args, summary, examples }: OperationDoor, under?: 'plan' | 'input'): Pick<Verb, 'usage' | 'alias' | 'summary' | 'examples'> {
  // What is missing may come with --input-file.
  const usage = [kebabCase(operation), args?.replace(/<([^>]+)>/g, '[$1]')].filter(Boolean).join(' ');
  if (under === undefined) return { usage, summary, examples };
  return { usage, alias: operation, summary, examples: [examples[0]!.replace(/^stctl /, `stctl ${under} `).replace(/ {2,}.*$/, '')] };
}

function inputOptions(door: OperationDoor, command: Command): void {
  door.options?.(command);
  command
    .usage(['[options]', door.args].filter(Boolean).join(' '))
    .option('-c, --cluster <name>', 'the cluster; left out: ST_CLUSTER, or the only one there is')
    .option('--input-file <input.json>', 'the input as for the temporal CLI (- is the standard input); what else is said here wins')
    .option('--wait-for-lease <duration>', 'wait this long for another operation on the cluster to end, e.g. 30s, 10m')
    .option('--patience <duration>', 'how long a step keeps trying after its first failure, through faults that may pass, e.g. 10m')
    .option('--reason <text>', 'why, for the report and the history');
}

const words = (args: (string | undefined)[]): string[] => args.filter((word) => word !== undefined);
