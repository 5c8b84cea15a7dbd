/** From the words of a command line to the request that starts an operation. Everything that can be known to be wrong is said here, before anything starts. */
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { largestFileBytes, loadAdoptionFile, loadBytes, loadClusterFile, type LoadedClusterFile, type TextLoader } from '../control/clusterFile';
import type { StartRequest } from '../control/operations';
import { commandLine, startCommand } from '../control/temporalCommand';
import { readBounded } from '../control/textFile';
import { StError } from '../model/errors';
import { kebabCase, operations, operationWorkflowId, type OperationName } from '../model/ids';
import { parseInput } from '../model/inputs';
import { operationKinds } from '../model/operations';
import { didYouMean } from '../model/problems';
import type { ClusterSeed } from '../model/clusterSeed';
import type { ClusterSpec } from '../model/spec';
import type { Cli } from './cli';
import { UsageError } from './failure';

export interface OperationFlags {
  file?: string;
  fingerprint?: string;
  waitForLease?: string;
  patience?: string;
  reason?: string;
  /** adoptCluster alone. */
  apply?: boolean;
  /** Of those that make a backup first. */
  databaseBackup?: string;
}

/** Of operations that make a backup first. */
export const backupOption = (command: Command): Command => command.option('--database-backup <id>', 'the DBA\'s own backup of the database, made for this change; no dump is made');

/** The options that say what an operation is to do; the same for running, planning and printing it. */
export function operationOptions(command: Command): void {
  command
    .option('-f, --file <cluster.yaml>', 'set up what this file says (- is the standard input); left out: what was applied')
    .option('--wait-for-lease <duration>', 'wait this long for another operation on the cluster to end, e.g. 30s, 10m')
    .option('--patience <duration>', 'how long a step keeps trying through faults that may pass, e.g. 10m')
    .option('--reason <text>', 'why, for the report and the history');
}

/** The workflow type of an operation named in either way. @throws UsageError */
export function operationNamed(word: string): OperationName {
  const found = operations.find((name) => name === word || kebabCase(name) === word);
  if (found) return found;
  const known = operations.flatMap((name) => [kebabCase(name)]);
  throw new UsageError(`there is no operation ${JSON.stringify(word)}${didYouMean(word, [...known, ...operations]) || `; there is ${known.join(', ')}`}`);
}

/** A file's spec. @throws StError InvalidInput with every problem, a line each */
export function readClusterFile(cli: Cli, file: string): ClusterSpec {
  const loaded = tryClusterFile(cli, file);
  if ('problems' in loaded) throw new StError('InvalidInput', loaded.problems.join('\n'));
  return loaded.spec;
}

/** `-` is the standard input, whose relative paths start at the current folder. */
export const tryClusterFile = (cli: Cli, file: string): LoadedClusterFile => tryFile(cli, file, loadClusterFile);

function tryFile<T>({ io }: Cli, file: string, load: TextLoader<T>): T | { problems: string[] } {
  const fromInput = file === '-';
  const name = fromInput ? 'stdin' : file;
  let bytes: Buffer;
  try {
    bytes = fromInput ? io.readIn() : readBounded(file, largestFileBytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { problems: [`${name}: ${code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'is a folder; expected a cluster file' : `can't be read (${code ?? String(error)})`}`] };
  }
  return loadBytes(bytes, name, { baseDir: fromInput ? process.cwd() : dirname(resolve(file)) }, load);
}

/** What a file gives to an operation: the spec, or to adoptCluster perhaps a seed. @throws StError InvalidInput with every problem, a line each */
function given(cli: Cli, operation: OperationName, file: string): { spec: ClusterSpec } | { seed: ClusterSeed } {
  const loaded = tryFile(cli, file, operation === 'adoptCluster' ? loadAdoptionFile : loadClusterFile);
  if ('problems' in loaded) throw new StError('InvalidInput', loaded.problems.join('\n'));
  return loaded;
}

/** The JSON object that an operation takes, as `stctl input` prints it. @throws UsageError, StError InvalidInput */
export function operationInput(cli: Cli, operation: OperationName, cluster: string | undefined, flags: OperationFlags): { cluster: string } & Record<string, unknown> {
  const from: { spec?: ClusterSpec; seed?: ClusterSeed } = flags.file === undefined ? {} : given(cli, operation, flags.file);
  const named = (from.spec ?? from.seed)?.metadata.name;
  if (named !== undefined && cluster !== undefined && cluster !== named) throw new UsageError(`${flags.file} is about cluster "${named}", not "${cluster}": name one of them only`);
  const { fingerprint, waitForLease, patience, reason, apply, databaseBackup } = flags;
  const options = { fingerprint, waitForLease, patience, reason, apply, databaseBackup };
  const input = { cluster: named ?? cli.cluster(cluster), ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)), ...from };
  const parsed = parseInput<unknown>(operationKinds[operation].input, input);
  if ('problems' in parsed) throw new StError('InvalidInput', parsed.problems.join('\n'));
  return input;
}

export interface OperationRequest extends StartRequest {
  input: { cluster: string } & Record<string, unknown>;
  /** The words of the command that does the same, without a fingerprint. */
  words: string[];
  /** The equal command of the `temporal` CLI. */
  same: string;
}

export function operationRequest(cli: Cli, operation: OperationName, cluster: string | undefined, flags: OperationFlags, { dryRun = false } = {}): OperationRequest {
  const plain = operationInput(cli, operation, cluster, flags);
  const input = { ...plain, ...(dryRun ? { dryRun } : {}) };
  const workflowId = operationWorkflowId(operation, input.cluster, { dryRun });
  const request = { operation, workflowId, input, taskQueue: cli.taskQueue, summary: `${dryRun ? 'Plan: ' : ''}${operationKinds[operation].title} ${input.cluster}` };
  const options = [...(flags.file ? ['-f', flags.file] : []), ...optionWords(flags)];
  const inputFrom = flags.file ? commandLine(['stctl', 'input', operation, ...options, ...(dryRun ? ['--dry-run'] : []), ...(flags.fingerprint ? ['--fingerprint', flags.fingerprint] : [])]) : undefined;
  return { ...request, words: [kebabCase(operation), ...(flags.file ? [] : [input.cluster]), ...options], same: startCommand(request, inputFrom) };
}

const optionWords = ({ waitForLease, patience, reason, apply, databaseBackup }: OperationFlags): string[] => [
  ...(apply ? ['--apply'] : []),
  ...Object.entries({ '--wait-for-lease': waitForLease, '--patience': patience, '--reason': reason, '--database-backup': databaseBackup }).flatMap(([option, value]) => (value === undefined ? [] : [option, value])),
];
