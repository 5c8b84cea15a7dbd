/** How the end of a remote command is told: an answer, or the one StError that fits. */
import { StError } from '../model/errors';
import { shorten } from '../model/shorten';
import type { ExecOptions, ExecResult } from './sshExec';

export interface RunOptions extends ExecOptions {
  /** Exit codes that are no failure; [0] by default. */
  ok?: readonly number[];
  /** What the command is for, at the start of messages ("reading the licence"); by default the command's own text. */
  purpose?: string;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Exit codes of the guard (guard.ts) and what they mean; no other command of ours uses them. */
export const guardExit = { busy: 95, broken: 96, foreign: 97, stale: 98 } as const;

/** What cmd.exe and PowerShell make of a command for /bin/sh. */
const windowsSays = /is not recognized as an internal or external command|The system cannot find the path specified|is not recognized as the name of a cmdlet/;

/**
 * The answer of a command that ended well.
 * @throws StError Refused (a Windows host), ConnectionLost, NotYet (time-out), StaleEpoch, ForeignCluster, PermissionDenied (sudo), RemoteCommandFailed with the end of what it wrote.
 */
export function judge(where: string, command: string, result: ExecResult, options: RunOptions): RunResult {
  const what = options.purpose ?? shorten(command, 200);
  if (result.lost) throw new StError('ConnectionLost', `${where}: the connection was lost during: ${what}. It may or may not have happened.`);
  const refusal = sudoRefusal(result);
  if (refusal) throw new StError('PermissionDenied', `${where}: ${what}: sudo refused (${tail(refusal, 400)}). Compare the host's sudoers with docs/sudoers.example.`);
  if (result.timedOut) throw new StError('NotYet', `${where}: not ended within ${options.timeoutMs} ms: ${what}.${said(result)}`);
  const windows = result.code === 0 ? undefined : windowsSays.exec(`${result.stderr}\n${result.stdout}`)?.[0];
  if (windows) throw new StError('Refused', `${where}: this is a Windows host (its shell says "${windows}"). The orchestrator works on Linux hosts; run this one by the vendor's own procedure.`);
  if (result.code !== null && (options.ok ?? [0]).includes(result.code)) {
    if (result.truncated) throw new StError('RemoteCommandFailed', `${where}: ${what} wrote more than the ${options.maxBytes ?? 1024 * 1024} bytes that were expected at most.`);
    return { code: result.code, stdout: result.stdout, stderr: result.stderr };
  }
  const told = `${where}: ${what}`;
  switch (result.code) {
    case guardExit.stale: throw new StError('StaleEpoch', `${told} was refused by the host: ${lastLine(result)}`);
    case guardExit.foreign: throw new StError('ForeignCluster', `${told} was refused by the host: ${lastLine(result)}`);
    case guardExit.busy: throw new StError('NotYet', `${told}: ${lastLine(result)}`);
    default:
  }
  const end = result.signal ? `was ended by signal ${result.signal}` : `ended with exit code ${result.code}`;
  throw new StError('RemoteCommandFailed', `${told} ${end}.${said(result)}`);
}

/**
 * sudo's own refusal in what a command that failed wrote, whatever exit codes its caller counts as answers: sudo's 1 is none of them.
 * Not its warnings: a host name that it can't resolve, a program that is not there.
 */
function sudoRefusal({ code, stderr }: ExecResult): string | undefined {
  if (code === 0 || code === null) return undefined;
  return stderr.split('\n').find((line) => /^sudo: |is not allowed to execute/.test(line) && !/unable to resolve host|: command not found$/.test(line));
}

/** Programs name themselves first; the folder that every host has them in is no news. */
function said(result: ExecResult): string {
  const text = (result.stderr.trim() || result.stdout.trim()).replace(/^\/usr\/bin\//gm, '');
  return text === '' ? ' It wrote nothing.' : ` It wrote: ${tail(text, 1200)}`;
}

const lastLine = (result: ExecResult): string => tail(result.stderr.trim().split('\n').at(-1) ?? '', 400);
const tail = (text: string, most: number): string => (text.length > most ? `…${text.slice(-most)}` : text);
