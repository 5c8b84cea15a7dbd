/** `stctl apply`. */
import { InvalidArgumentError } from 'commander';
import { applySpec } from '../../control/clusters';
import { applyCommand } from '../../control/temporalCommand';
import type { ClusterSpec } from '../../model/spec';
import { exit, UsageError } from '../failure';
import { readClusterFile } from '../files';
import { anyFormat, type Verb } from '../verb';

const wholeNumber = (hint: string) => (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`expected a whole number${hint}.`);
  return Number(text);
};

export const apply: Verb = {
  usage: 'apply [cluster.yaml]',
  summary: 'Make a cluster file the spec of its cluster',
  examples: ['stctl apply -f cluster.yaml', 'stctl apply -f cluster.yaml --expected-revision 3'],
  output: anyFormat,
  options: (command) =>
    command
      .option('-f, --file <cluster.yaml>', 'the file; - is the standard input')
      .option('--expected-revision <n>', 'refuse unless the spec is at this revision; left out: the one that stands now', wholeNumber('; 0 is a cluster that was never applied'))
      .option('--epoch-at-least <n>', 'raise the epoch to what the hosts have seen: only for a record that was lost or restored', wholeNumber('; the checks of an operation name it')),
  run: async (cli, [named], flags: { file?: string; expectedRevision?: number; epochAtLeast?: number }) => {
    const file = flags.file ?? named;
    if (file === undefined) throw new UsageError('which file? stctl apply -f cluster.yaml');
    const spec = readClusterFile(cli, file);
    const cluster = spec.metadata.name;
    cli.same(applyCommand(cluster, cli.taskQueue));
    const { expectedRevision, epochAtLeast } = flags;
    cli.onInterrupt(() => `\nInterrupted; see whether it was applied: stctl status ${cluster}\n`);
    const client = await cli.client();
    cli.sent = true;
    const applied = await applySpec(client, spec, { taskQueue: cli.taskQueue, ...(expectedRevision === undefined ? {} : { expectedRevision }), ...(epochAtLeast === undefined ? {} : { epochAtLeast }) });
    const changes = applied.changes.map((change) => `  ${change}`);
    const words = applied.changed ? (applied.from === 0 ? `new, revision ${applied.revision}` : `revision ${applied.from} → ${applied.revision}`) : `unchanged, revision ${applied.revision}`;
    cli.print({
      data: { apiVersion: 'st-orchestrator/v1', kind: 'AppliedCluster', cluster, ...applied },
      table: () => [`Cluster ${cluster}: ${words}${applied.epoch === undefined ? '' : `, epoch raised to ${applied.epoch}`}`, ...changes].join('\n'),
      name: () => cluster,
    });
    cli.say(nextOf(spec, applied));
    return exit.ok;
  },
};

/** Another version is installed by an update, not by a set-up. */
function nextOf({ metadata: { name }, product: { version } }: ClusterSpec, { from, changes }: { from: number; changes: string[] }): string {
  if (from === 0) return `Next: stctl set-up-cluster ${name}`;
  return changes.includes('product.version') ? `Next: stctl update-cluster --to ${version} -c ${name}` : `Next: stctl plan set-up-cluster ${name}`;
}
