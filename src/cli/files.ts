/** Files that a command line names: cluster files, seeds, inputs. Everything that can be known to be wrong with them is said here. */
import { dirname, resolve } from 'node:path';
import { largestFileBytes, loadAdoptionFile, loadBytes, loadClusterFile, type LoadedClusterFile, type TextLoader } from '../control/clusterFile';
import { readBounded } from '../control/textFile';
import type { ClusterSeed } from '../model/clusterSeed';
import { StError } from '../model/errors';
import { describe } from '../model/problems';
import type { ClusterSpec } from '../model/spec';
import type { Cli } from './cli';

/** A file's spec. @throws StError InvalidInput with every problem, a line each */
export const readClusterFile = (cli: Cli, file: string): ClusterSpec => sound(tryClusterFile(cli, file)).spec;

/** `-` is the standard input, whose relative paths start at the current folder. */
export const tryClusterFile = (cli: Cli, file: string): LoadedClusterFile => tryFile(cli, file, 'a cluster file', loadClusterFile);

/** What a file gives to adoptCluster: a spec or a seed. @throws StError InvalidInput with every problem, a line each */
export const readAdoptionFile = (cli: Cli, file: string): { spec: ClusterSpec } | { seed: ClusterSeed } => sound(tryFile(cli, file, 'a cluster file or a seed', loadAdoptionFile));

/** The JSON object of an operation's input, as the `temporal` CLI takes it; its fields are not looked at here. @throws StError InvalidInput */
export const readInputFile = (cli: Cli, file: string): Record<string, unknown> => sound(tryFile(cli, file, 'a JSON object', loadInput)).input;

const loadInput: TextLoader<{ input: Record<string, unknown> }> = (text, name) => {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    // The parser's own words repeat a part of the file.
    return { problems: [`${name}: not valid JSON`] };
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return { problems: [`${name}: expected one JSON object, found ${describe(input)}`] };
  return { input: input as Record<string, unknown> };
};

function sound<T extends object>(loaded: T | { problems: string[] }): T {
  if ('problems' in loaded) throw new StError('InvalidInput', loaded.problems.join('\n'));
  return loaded;
}

function tryFile<T>({ io }: Cli, file: string, expected: string, load: TextLoader<T>): T | { problems: string[] } {
  const fromInput = file === '-';
  const name = fromInput ? 'stdin' : file;
  let bytes: Buffer;
  try {
    bytes = fromInput ? io.readIn() : readBounded(file, largestFileBytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { problems: [`${name}: ${code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? `is a folder; expected ${expected}` : `can't be read (${code ?? String(error)})`}`] };
  }
  return loadBytes(bytes, name, { baseDir: fromInput ? process.cwd() : dirname(resolve(file)) }, load);
}
