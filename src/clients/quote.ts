/**
 * The one place where text becomes a shell command. Nothing in this repository builds a command line by template:
 * programs with arguments go through `sh`, and shell logic is a constant text that gets its values as positional parameters (`script`).
 */
import { StError } from '../model/errors';

declare const quoted: unique symbol;
/** A text that a shell may read. Only this file makes one, so a line put together elsewhere does not compile. */
export type CommandLine = string & { readonly [quoted]: true };

/** Characters that no POSIX shell treats specially, so that logs stay readable. */
const plain = /^[A-Za-z0-9_@%+:,./-]+$/;

/**
 * One POSIX shell command line that runs `argv` with exactly these arguments.
 * @throws StError InvalidInput when there is no program, or an argument holds a NUL byte (no process can receive one).
 */
export function sh(argv: readonly string[]): CommandLine {
  if (argv.length === 0 || argv[0] === '') throw new StError('InvalidInput', 'A command needs a program to run; the list of arguments is empty.');
  return argv.map(quoteWord).join(' ') as CommandLine;
}

/**
 * A command line that runs the constant shell text `body` under /bin/sh with `args` as "$1", "$2", …
 * Values must come in as `args`: `body` is code and is never put together from input.
 */
export function script(body: string, args: readonly string[] = []): CommandLine {
  return sh(['/bin/sh', '-c', body, 'sh', ...args]);
}

/** A command line for either form in which callers hand over a command: an argv, or a line that `sh` or `script` made. */
export function commandLine(command: CommandLine | readonly string[]): CommandLine {
  return typeof command === 'string' ? command : sh(command);
}

/** The argv that runs `argv` as another user by the allow-list of sudo; never asks for a password, and what goes wrong is told in English. */
export function asUser(user: string, argv: readonly string[]): string[] {
  return ['env', 'LC_ALL=C', 'sudo', '-n', '-u', user, ...argv];
}

function quoteWord(word: string): string {
  if (word.includes('\0')) throw new StError('InvalidInput', 'An argument of a command holds a NUL byte.');
  return plain.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
