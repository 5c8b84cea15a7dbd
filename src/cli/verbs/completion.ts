/** `stctl completion`, and the hidden command that the shells' functions ask for what may follow. */
import type { Command } from 'commander';
import { listClusters } from '../../control/clusters';
import { errorCodes } from '../../model/errors';
import type { Cli } from '../cli';
import { exit, UsageError } from '../failure';
import type { Verb } from '../verb';

const scripts: Record<string, string> = {
  bash: `_stctl() {
  local IFS=$'\\n'
  COMPREPLY=($(stctl __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _stctl stctl`,
  zsh: `#compdef stctl
_stctl() {
  local -a found
  found=("\${(@f)$(stctl __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if (( \${#found} )) && [[ -n $found[1] ]]; then compadd -a found; else _files; fi
}
compdef _stctl stctl`,
  fish: `function __stctl
  stctl __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null
end
complete -c stctl -a '(__stctl)'`,
};

export const completion: Verb = {
  usage: 'completion <shell>',
  summary: 'Print the completion for bash, zsh or fish',
  examples: ['source <(stctl completion bash)', 'stctl completion fish > ~/.config/fish/completions/stctl.fish'],
  run: async (cli, [shell]) => {
    const text = Object.hasOwn(scripts, shell!) ? scripts[shell!] : undefined;
    if (text === undefined) throw new UsageError(`there is no completion for ${JSON.stringify(shell)}; there is bash, zsh and fish`);
    cli.io.out(`${text}\n`);
    return exit.ok;
  },
};

export const complete: Verb = {
  usage: '__complete [words...]',
  summary: 'What may follow these words, one a line',
  examples: ['stctl __complete -- status d'],
  hidden: true,
  run: async (cli, words, _, { command }) => {
    const known = words.filter((word) => word !== undefined);
    const partial = known.at(-1) ?? '';
    const found = (await candidates(cli, command.parent!, known.slice(0, -1), partial)).filter((one) => one.startsWith(partial));
    cli.io.out(found.map((one) => `${one}\n`).join(''));
    return exit.ok;
  },
};

async function candidates(cli: Cli, program: Command, before: string[], partial: string): Promise<string[]> {
  const { command, rest } = commandAt(program, before);
  if (command.commands.length > 0) return rest.length > 0 ? [] : command.commands.map((one) => one.name()).filter((name) => !name.startsWith('_'));
  const last = before.at(-1)!;
  const option = command.options.find(({ short, long, required }) => required && (short === last || long === last));
  if (option) return option.long === '--cluster' ? clusterNames(cli) : (option.argChoices ?? []);
  if (partial.startsWith('-')) return command.options.map(({ long }) => long!);
  switch (command.registeredArguments[rest.filter((word) => !word.startsWith('-')).length]?.name()) {
    case 'cluster':
    case 'cluster-or-workflow-id':
      return clusterNames(cli);
    case 'code':
      return [...Object.keys(errorCodes), 'exit-codes'];
    case 'shell':
      return Object.keys(scripts);
    default:
      return [];
  }
}

/** The command that the words so far name, and what stands after its name. */
function commandAt(program: Command, words: string[]): { command: Command; rest: string[] } {
  const next = program.commands.find((one) => one.name() === words[0] || one.aliases().includes(words[0]!));
  return next ? commandAt(next, words.slice(1)) : { command: program, rest: words };
}

/** Whoever presses Tab does not want to read that the server is away. */
async function clusterNames(cli: Cli): Promise<string[]> {
  try {
    return await listClusters(await cli.client());
  } catch {
    return [];
  }
}
