/** How a failure reads and which exit code it has. Every one says what happened, what the state is, what happens by itself, what a person can do, and where. */
import type { Colors } from 'picocolors/types';
import { explain } from '../model/explain';
import { isWarning, type OperationReport, type Problem, type StepRow } from '../model/operation';
import { firstLines } from '../model/unfinished';
import { commandLine } from '../control/temporalCommand';
import { undoCommand } from './again';
import { oneLine } from './output';

export const exit = { ok: 0, failed: 1, usage: 2, refused: 3, auth: 4, stillRunning: 5, cancelled: 6, needsDecision: 7, degraded: 8, interrupted: 130 } as const;

export const exitCodes = [
  { code: exit.ok, meaning: 'done, or there was nothing to do' },
  { code: exit.failed, meaning: 'failed' },
  { code: exit.usage, meaning: 'wrong usage or input; nothing was started' },
  { code: exit.refused, meaning: 'a precondition or guard refused; nothing was changed' },
  { code: exit.auth, meaning: 'a login or a permission was refused' },
  { code: exit.stillRunning, meaning: 'timed out; the operation is still running' },
  { code: exit.cancelled, meaning: 'cancelled' },
  { code: exit.needsDecision, meaning: 'the operation waits for a person\'s decision' },
  { code: exit.degraded, meaning: 'degraded, or nobody knows how it is (status)' },
  { code: exit.interrupted, meaning: 'Ctrl-C; an operation that was followed goes on' },
];
export const exitCodeHelp = ['Exit codes:', ...exitCodes.map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`)].join('\n');

/** A mistake in the command line, found here. */
export class UsageError extends Error {}

const byCode: Record<string, number> = {
  InvalidInput: exit.usage,
  UnknownCluster: exit.refused, SpecConflict: exit.refused, PreconditionFailed: exit.refused, PlanChanged: exit.refused, ClusterBusy: exit.refused, Refused: exit.refused,
  AuthenticationFailed: exit.auth, PermissionDenied: exit.auth, HostKeyMismatch: exit.auth, TlsRejected: exit.auth,
  Cancelled: exit.cancelled,
  Degraded: exit.degraded, BelowThreshold: exit.degraded,
};

/** For a failure before or outside an operation. */
export const exitOfCode = (code: string): number => byCode[code] ?? exit.failed;

/** True when nothing goes on before a person has decided. One of several steps that wait may have been answered and run again meanwhile. */
export const isHeld = ({ phase, steps }: OperationReport): boolean => phase !== 'ended' && steps.some(({ state }) => state === 'waiting') && !steps.some(({ state }) => state === 'running');

/** For an operation as it stands. "Refused" by a far side in the middle of its work is a failure like any other. */
export function exitOfReport(report: OperationReport): number {
  const { outcome, failure } = report;
  if (isHeld(report)) return exit.needsDecision;
  switch (outcome) {
    case 'completed':
    case 'nothing to do':
    case 'planned':
      return exit.ok;
    case 'running':
      return exit.stillRunning;
    case 'cancelled':
      return exit.cancelled;
    case 'refused':
      if (isLoginRefused(report)) return exit.auth;
      return failure && [exit.usage, exit.auth].includes(exitOfCode(failure.code) as 2 | 4) ? exitOfCode(failure.code) : exit.refused;
    case 'failed':
      return failure && exitOfCode(failure.code) === exit.auth ? exit.auth : exit.failed;
  }
}

/** Checks tell every problem at once; when all of them are refused logins or rights, that is what the refusal is. */
function isLoginRefused({ failure, checks }: OperationReport): boolean {
  const problems = checks.flatMap((check) => check.problems).filter((problem) => !isWarning(problem));
  const codeOf = ({ code, what }: Problem): string => code ?? /\[(\w+)\]$/.exec(what)?.[1] ?? '';
  return failure?.code === 'PreconditionFailed' && problems.length > 0 && problems.every((problem) => exitOfCode(codeOf(problem)) === exit.auth);
}

export interface FailureText {
  /** One or two words: `refused`, `failed`. */
  word: string;
  code: string;
  what: string[];
  state: string;
  byItself: string;
  youCan: string[];
  where: string[];
}

export function failureText({ word, code, what, state, byItself, youCan, where }: FailureText, colors: Colors): string {
  const list = (title: string, lines: string[]): string[] => (lines.length === 0 ? [] : lines.length === 1 ? [`${title.padEnd(15)} ${lines[0]!}`] : [title, ...lines.map((line) => `  - ${line}`)]);
  return [
    `stctl: ${colors.red(word)} (${code})`,
    ...list('What happened:', what.filter(Boolean)),
    ...list('State now:', state.split('\n')),
    ...list('By itself:', [byItself]),
    ...list('You can:', youCan),
    ...list('Where:', where),
    '',
  ].join('\n');
}

/** The failure that ended an operation, or the question that it asks. @param again the command that asks for the same once more */
export function failureOfReport(report: OperationReport, where: string[], again?: string): FailureText {
  const { workflowId, cluster, summary, now, next, outcome, failure } = report;
  if (isHeld(report)) {
    return { word: 'waits for a decision', code: 'held', what: waitingLines(report), state: now || 'Past the point of no return.', byItself: 'Nothing: it waits for a person, as long as it takes. Nothing else can run on this cluster meanwhile.', youCan: decisions(report), where };
  }
  const code = failure?.code ?? 'Bug';
  const problems = report.checks.flatMap(({ title, node, problems: found }) => found.filter((problem) => !isWarning(problem)).map(({ what, remedy }) => oneLine(`${title}${node ? ` (${node})` : ''}: ${what}${remedy ? `. Remedy: ${remedy}` : ''}`)));
  const known = explain(code);
  return {
    word: outcome,
    code,
    what: code === 'PreconditionFailed' && problems.length > 0 ? problems : lines(failure?.message ?? summary),
    state: [now, ...firstLines(report.unfinished, 5).map((line) => `unfinished: ${line}`)].join('\n'),
    byItself: next || (known?.byItself ?? 'Nothing.'),
    youCan: [...undoAdvice(report), ...(known?.youCan ?? [])].map((line) => fill(line, { cluster, workflowId, operation: report.operation, ...(again === undefined ? {} : { again }), other: otherIn(failure?.message ?? '') })),
    where,
  };
}

/** What a run that failed or was cancelled has not put back itself. */
function undoAdvice(report: OperationReport): string[] {
  const command = report.unfinished.length > 0 ? undoCommand(report) : undefined;
  return command === undefined ? [] : [`Take back what is left of it: ${command}`];
}

const waitingLines = ({ steps }: OperationReport): string[] =>
  steps.filter(({ state }) => state === 'waiting').map(({ title, node, note }) => oneLine(`"${title}"${node ? ` (${node})` : ''} can't go on: ${note ?? 'it failed'}`));

/** The commands that answer an operation that holds. */
export function decisions({ workflowId, steps }: OperationReport): string[] {
  const waiting = steps.filter(({ state }) => state === 'waiting');
  const command = (row: StepRow, act: string): string => commandLine(['stctl', 'decide', workflowId, '--step', row.key, '--do', act, '--reason', '…']);
  return waiting.flatMap((row) => [`try it again: ${command(row, 'retry')}`, `go on without it (skip), say that you did it yourself (done-by-hand), or abort: the same with --do skip, done-by-hand or abort`]);
}

/** What the explanations say of operations does not hold for the way from here to the Temporal server. */
const onTheWay: Record<string, string[]> = {
  Unreachable: [
    'See whether the Temporal server answers: temporal operator cluster health',
    'See whether a worker polls: temporal task-queue describe --task-queue st-orchestrator',
    'Start what is missing, then run the same command again.',
  ],
  AuthenticationFailed: ['Check the API key, the certificates and the namespace of the profile: temporal workflow list uses the same.'],
  PermissionDenied: ['Ask whoever runs the Temporal server for the right on this namespace: temporal workflow list uses the same login.'],
};

/**
 * A failure that met us outside of an operation.
 * @param sent true when a request that changes something may have reached the server
 * @param advice what a person can do about just this failure; the explanation of its code when left out
 */
export function failureOfError(code: string, message: string, sent: boolean, advice?: string[]): FailureText {
  const known = explain(code);
  const ours = onTheWay[code];
  const failure = { word: exitOfCode(code) === exit.refused ? 'refused' : 'failed', code, what: lines(message), where: [] };
  if (advice) return { ...failure, state: 'Nothing was changed by this command.', byItself: 'Nothing.', youCan: advice };
  if (!ours) return { ...failure, state: known?.state ?? 'Not known.', byItself: known?.byItself ?? 'Nothing.', youCan: (known?.youCan ?? []).map((line) => fill(line, { other: otherIn(message) })) };
  const state = sent && code === 'Unreachable' ? 'Whether the server took the request is not known; to ask again does no harm.' : 'Nothing was changed by this command.';
  return { ...failure, state, byItself: 'Operations that were started go on without stctl, as soon as a server and a worker are there.', youCan: ours };
}

/** Puts the names at hand in the places that the explanations leave open. */
const fill = (line: string, { cluster, workflowId, operation, other, again }: { cluster?: string; workflowId?: string; operation?: string; other?: string; again?: string }): string =>
  line.replaceAll('stctl <operation> …', again ?? 'stctl <operation> …').replaceAll('<its workflow id>', other ?? '<its workflow id>').replaceAll('<cluster>', cluster || '<cluster>').replaceAll('<workflow-id>', workflowId ?? '<workflow-id>').replaceAll('<operation>', operation ? operation.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) : '<operation>');

/** The operation in the way, as a refusal names it: "setUpCluster (set-up-cluster/demo) holds the lease". */
const otherIn = (message: string): string | undefined => /\(([a-z][a-z-]*\/[^\s()]+)\)/.exec(message)?.[1];

const lines = (text: string): string[] => text.split('\n').map((line) => oneLine(line.replace(/^\s*-\s+/, ''))).filter(Boolean);
