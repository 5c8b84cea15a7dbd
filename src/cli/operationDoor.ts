/**
 * One declaration an operation: from it come its verb (`stctl add-node`), its plan (`stctl plan add-node`) and its input (`stctl input add-node`),
 * each with the operation's own arguments and options, completion and help. What it takes is validated by `operationKinds` before anything is started.
 */
import type { Command } from 'commander';
import type { OperationName } from '../model/ids';
import type { OperationReport } from '../model/operation';
import type { Cli } from './cli';
import type { OperationRequest } from './request';

/** The JSON object that an operation takes. */
export type Input = { cluster: string } & Record<string, unknown>;

export interface OperationDoor<Flags extends object = object> {
  operation: OperationName;
  /** Arguments after the verb: `<nodes...>`. Left out: none. One that is required may also come with --input-file. */
  args?: string;
  /** One line, for the list of verbs. */
  summary: string;
  /** Command lines, each with what it does behind two blanks or more; the first is shown for plan and input too. */
  examples: string[];
  /** Its own options only: those that every operation has are added. */
  options?(command: Command): void;
  /** Asked after the plan, before it is run: `Add st4 to cluster "demo" exactly so?`. */
  question(input: Input): string;
  /**
   * The fields of its input that this command line says; undefined ones are left out. `cluster` only where an argument or a file names it.
   * @throws UsageError, StError InvalidInput
   */
  input(args: string[], flags: Flags, cli: Cli): Record<string, unknown> | Promise<Record<string, unknown>>;
  /** Names that become a part of the workflow id, joined by `-`. Left out: the field `nodes`. */
  about?(input: Input): string[];
  /** True when this input changes nothing, so that nobody is asked: it is run as a dry run is. */
  looksOnly?(input: Input): boolean;
  /** Shows what a dry run answered, where that is more than a plan; answers the exit code, or undefined for the plan as usual. */
  show?(cli: Cli, request: OperationRequest, report: OperationReport): number | undefined;
}

/** Keeps the type of the options to the declaration. */
export const operationDoor = <Flags extends object>(door: OperationDoor<Flags>): OperationDoor => door as OperationDoor;

/** The database's own backup, of operations that make one first. */
export const backupOption = (command: Command): Command => command.option('--database-backup <id>', 'the DBA\'s own backup of the database, made for this change; no dump is made');
