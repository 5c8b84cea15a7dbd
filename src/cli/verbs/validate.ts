/** `stctl validate`. */
import { siteOf } from '../../model/slices';
import { exit, UsageError } from '../failure';
import { count } from '../output';
import { tryClusterFile } from '../files';
import { anyFormat, type Verb } from '../verb';

export const validate: Verb = {
  usage: 'validate [cluster.yaml]',
  summary: 'Check a cluster file without any network',
  examples: ['stctl validate -f cluster.yaml', 'stctl validate cluster.yaml -o json'],
  output: anyFormat,
  options: (command) => command.option('-f, --file <cluster.yaml>', 'the file; - is the standard input'),
  run: async (cli, [named], flags: { file?: string }) => {
    const file = flags.file ?? named;
    if (file === undefined) throw new UsageError('which file? stctl validate -f cluster.yaml');
    const loaded = tryClusterFile(cli, file);
    const problems = 'problems' in loaded ? loaded.problems : [];
    const spec = 'spec' in loaded ? loaded.spec : undefined;
    const data = { apiVersion: 'st-orchestrator/v1', kind: 'Validation', file, valid: problems.length === 0, ...(spec ? { cluster: spec.metadata.name } : {}), problems };
    const sites = (): string => Object.keys(spec!.sites).map((site) => `${site} with ${count(siteOf(spec!, site).servers.length, 'Server')}${siteOf(spec!, site).edges.length > 0 ? ` and ${count(siteOf(spec!, site).edges.length, 'Edge')}` : ''}`).join(', ');
    cli.print({ data, table: () => (spec ? `${file === '-' ? 'stdin' : file}: valid; cluster ${spec.metadata.name}: ${sites()}` : ''), name: () => spec?.metadata.name ?? '' });
    if (spec) cli.say(`Next: stctl plan set-up-cluster -f ${file}`);
    else cli.io.err(`${problems.join('\n')}\n${count(problems.length, 'problem')}; nothing was started.\n`);
    return spec ? exit.ok : exit.usage;
  },
};
