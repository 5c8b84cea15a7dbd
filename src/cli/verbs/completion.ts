/** `stctl completion`, and the hidden command that the shells' functions ask for what may follow. */
import type { Command } from 'commander';
import { listClusters } from '../../control/clusters';
import { errorCodes } from '../../model/errors';
import { kebabCase, operations } from '../../model/ids';
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
  run: async (cli, words, _, command) => {
    const known = words.filter((word) => word !== undefined);
    const partial = known.at(-1) ?? '';
    const found = (await candidates(cli, command.parent!, known.slice(0, -1), partial)).filter((one) => one.startsWith(partial));
    cli.io.out(found.map((one) => `${one}\n`).join(''));
    return exit.ok;
  },
};

async function candidates(cli: Cli, program: Command, before: string[], partial: string): Promise<string[]> {
  const verbs = program.commands.filter((command) => !command.name().startsWith('_'));
  const verb = verbs.find((command) => command.name() === before[0]);
  if (before.length === 0) return verbs.map((command) => command.name());
  if (!verb) return [];
  const last = before.at(-1)!;
  const option = verb.options.find(({ short, long, required }) => required && (short === last || long === last));
  if (option) return option.argChoices ?? [];
  if (partial.startsWith('-')) return verb.options.map(({ long }) => long!);
  switch (verb.registeredArguments[before.slice(1).filter((word) => !word.startsWith('-')).length]?.name()) {
    case 'operation':
      return operations.flatMap((name) => [kebabCase(name)]);
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

/** Whoever presses Tab does not want to read that the server is away. */
async function clusterNames(cli: Cli): Promise<string[]> {
  try {
    return await listClusters(await cli.client());
  } catch {
    return [];
  }
}
