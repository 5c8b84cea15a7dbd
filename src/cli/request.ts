/** From the words of a command line to the request that starts an operation. Everything that can be known to be wrong is said here, before anything starts. */
import type { StartRequest } from '../control/operations';
import { commandLine, startCommand } from '../control/temporalCommand';
import { StError } from '../model/errors';
import { kebabCase, operationWorkflowId } from '../model/ids';
import { parseInput } from '../model/inputs';
import { operationKinds } from '../model/operations';
import type { Cli } from './cli';
import { UsageError } from './failure';
import { readInputFile } from './files';
import type { Input, OperationDoor } from './operationDoor';
import type { Given } from './verb';
import { whichCluster } from './whichCluster';

/** The options that say what an operation is to do; the same for running, planning and printing it. */
export interface InputFlags {
  cluster?: string;
  inputFile?: string;
  fingerprint?: string;
  waitForLease?: string;
  patience?: string;
  reason?: string;
  /** Of those that make a backup first. */
  databaseBackup?: string;
}

/** What a command line asks for. */
export interface Asked {
  door: OperationDoor;
  input: Input;
  /** The words after `stctl` that ask for the same again, without how it is run. */
  words: string[];
}

export interface OperationRequest extends StartRequest {
  input: Input;
  words: string[];
  /** The equal command of the `temporal` CLI. */
  same: string;
}

/** Options that say how something is run or shown, and are no part of what is asked for. */
const how: ReadonlySet<string> = new Set(['--fingerprint', '--dry-run', '--detach', '--timeout', '--yes']);

/** @throws UsageError, StError InvalidInput with every problem, a line each */
export async function asked(cli: Cli, door: OperationDoor, args: string[], flags: InputFlags, given: Given[]): Promise<Asked> {
  const { cluster: named, inputFile, fingerprint, waitForLease, patience, reason, databaseBackup } = flags;
  const required = /<(\w[\w-]*)/.exec(door.args ?? '')?.[1];
  if (required !== undefined && args.length === 0 && inputFile === undefined) throw new UsageError(`missing argument '${required}': stctl ${kebabCase(door.operation)} ${door.args}`);
  const said = present({ fingerprint, waitForLease, patience, reason, databaseBackup, ...(await door.input(args, flags, cli)) });
  const fields = { ...(inputFile === undefined ? {} : readInputFile(cli, inputFile)), ...said };
  if (named !== undefined && said['cluster'] !== undefined && said['cluster'] !== named) throw new UsageError(`the command is about cluster ${JSON.stringify(said['cluster'])}, not "${named}": name one of them only`);
  const told = named ?? fields['cluster'];
  const cluster = told === undefined ? await whichCluster(cli, undefined) : told;
  const input = { ...fields, cluster } as Input;
  const parsed = parseInput<unknown>(operationKinds[door.operation].input, input);
  if ('problems' in parsed) throw new StError('InvalidInput', parsed.problems.join('\n'));
  const options = given.filter(({ option }) => !how.has(option)).flatMap(({ option, value }) => (value === undefined ? [option] : [option, value]));
  return { door, input, words: [kebabCase(door.operation), ...args, ...options, ...(told === undefined ? ['--cluster', input.cluster] : [])] };
}

/** What was not said must not hide what the file says. */
const present = (fields: Record<string, unknown>): Record<string, unknown> => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)));

/** Longer ones are fetched by a command of ours instead of standing in the line. */
const longestInput = 1_500;

export function requestOf(cli: Cli, { door, input: plain, words }: Asked, { dryRun = false, fingerprint }: { dryRun?: boolean; fingerprint?: string } = {}): OperationRequest {
  const { operation } = door;
  const input = { ...plain, ...(fingerprint === undefined ? {} : { fingerprint }), ...(dryRun ? { dryRun } : {}) };
  const nodes = aboutOf(door, input);
  const workflowId = operationWorkflowId(operation, input.cluster, { dryRun, ...(nodes.length > 0 ? { node: nodes.join('-') } : {}) });
  const summary = `${dryRun ? 'Plan: ' : ''}${[operationKinds[operation].title, input.cluster, ...nodes].join(' ')}`;
  const request = { operation, workflowId, input, taskQueue: cli.taskQueue, summary };
  const inputFrom = commandLine(['stctl', 'input', ...words, ...(dryRun ? ['--dry-run'] : []), ...(typeof input['fingerprint'] === 'string' ? ['--fingerprint', input['fingerprint']] : [])]);
  return { ...request, words, same: startCommand(request, JSON.stringify(input).length > longestInput ? inputFrom : undefined) };
}

const mostNodes = 8;

/** Names for the workflow id, which has a length to keep to. */
function aboutOf(door: OperationDoor, input: Input): string[] {
  const named = door.about ? door.about(input) : Array.isArray(input['nodes']) ? input['nodes'].map(String) : [];
  return named.length <= mostNodes ? named : [...named.slice(0, mostNodes - 1), `and${named.length - mostNodes + 1}more`];
}
