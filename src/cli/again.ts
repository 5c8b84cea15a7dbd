/** The commands that ask for an operation again, complete it, or take it back. Pure. */
import { commandLine } from '../control/temporalCommand';
import { kebabCase } from '../model/ids';
import type { OperationReport } from '../model/operation';

/** Fields that say how it was run that time, or that the record keeps. */
const once: ReadonlySet<string> = new Set(['cluster', 'spec', 'seed', 'requestedBy', 'fingerprint', 'dryRun']);

/**
 * Arguments and options are called as their fields are; what no option can say comes with a file.
 * @param args those of its verb: `<nodes...>`
 */
export function again(operation: string, args: string | undefined, input: Record<string, unknown>): string {
  const names = [...(args ?? '').matchAll(/[<[](\w+)/g)].map(([, name]) => name!);
  const words = ['stctl', kebabCase(operation), ...names.flatMap((name) => input[name] ?? []).map(String)];
  if (!names.includes('cluster')) words.push('--cluster', String(input['cluster']));
  for (const [field, value] of Object.entries(input)) {
    if (once.has(field) || names.includes(field) || value === false) continue;
    if (value === true) words.push(`--${kebabCase(field)}`);
    else if (typeof value === 'string' || typeof value === 'number') words.push(`--${kebabCase(field)}`, String(value));
    else return `${commandLine(words)} --input-file input.json`;
  }
  return `${commandLine(words)}${input['spec'] ? ' -f cluster.yaml' : input['seed'] ? ' -f seed.yaml' : ''}`;
}

/** A restart that is asked for again restarts everything again, unless it is told since when a node counts as restarted. */
export const completingCommand = (command: string, { operation, startedAt, steps }: OperationReport): string =>
  (operation === 'rollingRestart' && steps.some(({ state }) => state === 'done') && !command.includes('--started-before') ? `${command} --started-before ${startedAt}` : command);

/** What takes an operation back that says how; undefined of all others. */
export const undoCommand = ({ operation, cluster, workflowId, result }: OperationReport): string | undefined =>
  (typeof result === 'object' && result !== null && 'undo' in result ? commandLine(['stctl', kebabCase(operation), '--cluster', cluster, '--undo', workflowId]) : undefined);
