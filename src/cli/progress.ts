/** Shows an operation while it runs: on a terminal with lines that are redrawn in place, elsewhere with one line an event, or as JSON lines. */
import type { Attempt } from '../control/operations';
import { activityOf, isUnderWay, type OperationReport, type StepRow } from '../model/operation';
import { shorten } from '../model/shorten';
import type { Cli } from './cli';
import { connectionEvent, watcher, type OperationEvent } from './events';
import { duration, oneLine, time, waitsText } from './output';

export interface Progress {
  show(report: OperationReport, attempts: Attempt[]): void;
  connection(state: 'lost' | 'back' | 'reset', message: string): void;
  /** Leaves the last lines as they are. */
  end(): void;
}

export function progress(cli: Cli, workflowId: string, now: () => Date = () => new Date()): Progress {
  const events = watcher(workflowId);
  const show = cli.flags.output === 'jsonl' ? jsonLines(cli) : cli.io.tty.err && cli.io.env['TERM'] !== 'dumb' ? terminal(cli, now) : lines(cli);
  return {
    show: (report, attempts) => show(events.next(report, attempts, now().toISOString()), report, attempts),
    connection: (state, message) => show([connectionEvent(workflowId, state, message, now().toISOString())]),
    end: () => show([]),
  };
}

type Show = (events: OperationEvent[], report?: OperationReport, attempts?: Attempt[]) => void;

const jsonLines = ({ io }: Cli): Show => (events) => {
  for (const event of events) io.out(`${JSON.stringify(event)}\n`);
};

const stampWidth = '2026-10-01T12:03:04Z'.length;

const lines = ({ io }: Cli): Show => (events) => {
  for (const event of events) io.err(`${(event.at === undefined ? '' : time(event.at)).padEnd(stampWidth)} ${eventLine(event)}\n`);
};

/** `3/14 done     Start the Server (st2)  1.2s  was running already`. */
export function eventLine({ event, state, step, steps, title, node, took, attempt, note }: OperationEvent): string {
  const where = event === 'step' ? `${step}/${steps}` : event;
  const parts = [
    where.padEnd(10), state.padEnd(9), oneLine(title) + (node ? ` (${node})` : ''),
    took === undefined ? '' : ` ${duration(took)}`, attempt === undefined ? '' : ` attempt ${attempt}`, note ? ` ${oneLine(note)}` : '',
  ];
  return parts.filter(Boolean).join(' ').trimEnd();
}

const icons: Record<string, string> = { running: '▶', retrying: '▶', done: '✔', passed: '✔', failed: '✖', waiting: '⏸', held: '⏸', skipped: '↷', undoing: '↶', undone: '↶', 'undo failed': '✖', lost: '✖', back: '✔' };

/** Lines of what has ended scroll up and stay; below them stand those that run, as many as fit. */
function terminal({ io, colors }: Cli, now: () => Date): Show {
  let drawn = 0;
  const paint = (state: string, text: string): string => (/failed|lost/.test(state) ? colors.red(text) : /done|passed|back/.test(state) ? colors.green(text) : /waiting|held|retrying|skipped|undoing|undone/.test(state) ? colors.yellow(text) : text);
  const settled = ({ event, state }: OperationEvent): boolean =>
    event === 'connection' || (event === 'step' && !isUnderWay(state)) || (event === 'check' && state === 'failed') || (event === 'phase' && !['checking', 'working'].includes(state));
  return (events, report, attempts = []) => {
    const { columns, rows } = io.size();
    const fixed = events.filter(settled).map((event) => `${paint(event.state, icons[event.state] ?? '·')} ${eventLine(event)}`);
    const live = report && report.phase !== 'ended' ? liveLines(report, attempts, now()).slice(0, Math.max(1, rows - 2)).map((line) => shorten(line, columns - 1)) : [];
    if (fixed.length === 0 && live.length === 0 && drawn === 0) return;
    io.err(`${drawn > 0 ? `\u001b[${drawn}A` : ''}\u001b[J${[...fixed, ...live].map((line) => `${line}\n`).join('')}`);
    drawn = live.length;
  };
}

/** What runs now, and what comes next. */
export function liveLines(report: OperationReport, attempts: Attempt[], now: Date): string[] {
  const running = report.steps.flatMap((row, index) => (isUnderWay(row.state) ? [runningLine(row, `${index + 1}/${report.steps.length}`, now), ...againLine(row, attempts), ...(row.waits ? [`  ${waitsText(row.waits)}`] : [])] : []));
  const checks = report.checks.filter(({ state }) => state === 'running').length;
  const upNext = report.steps.find(({ state }) => state === 'planned');
  return [
    ...(report.steps.length === 0 && report.phase === 'checking' ? [`▶ checks     running   ${report.checks.length - checks} of ${report.checks.length} answered`] : []),
    ...running,
    ...(upNext && report.phase === 'working' ? [`  next: ${oneLine(upNext.title)}${upNext.node ? ` (${upNext.node})` : ''}`] : []),
  ];
}

function runningLine({ title, node, state, startedAt }: StepRow, place: string, now: Date): string {
  const elapsed = startedAt ? duration(now.getTime() - Date.parse(startedAt)) : '';
  return `▶ ${place.padEnd(10)} ${state.padEnd(9)} ${oneLine(title)}${node ? ` (${node})` : ''}  ${elapsed}`;
}

/** On a line of its own: why the last attempt failed stands at the end of its message, and a terminal is narrow. */
function againLine(row: StepRow, attempts: Attempt[]): string[] {
  const again = attempts.find(({ key }) => key === activityOf(row));
  return again ? [`  attempt ${again.attempt}: ${oneLine(again.lastFailure)}`] : [];
}
