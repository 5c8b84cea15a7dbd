/** The progress of an operation: what is told, once each; and how it looks on a terminal, in a pipe and as JSON lines. */
import { createCli, setFlags } from '../../../src/cli/cli';
import { watcher } from '../../../src/cli/events';
import { progress } from '../../../src/cli/progress';
import type { Io } from '../../../src/cli/cli';
import type { OperationReport, StepRow } from '../../../src/model/operation';
import { report } from './samples';
import { terminal } from './terminal';

const at = '2026-10-01T12:01:00.000Z';
const row = (n: number, over: Partial<StepRow> = {}): StepRow => ({ key: `start/st${n}`, title: 'Start the Server', node: `st${n}`, state: 'planned', ...over });
const working = (steps: StepRow[], over: Partial<OperationReport> = {}): OperationReport => report({ phase: 'working', outcome: 'running', summary: `${steps.length} steps to do.`, steps, ...over });
const started = { state: 'running', startedAt: '2026-10-01T12:00:58.000Z' } as const;
const done = { state: 'done', startedAt: '2026-10-01T12:00:58.000Z', took: 1_500, changed: true, note: 'started' } as const;

function show(over: Partial<Io> = {}, output = 'table') {
  const io = terminal(over);
  const cli = createCli(io);
  setFlags(cli, { output: output as never, color: 'never' });
  return { io, shown: progress(cli, 'set-up-cluster/demo', () => new Date(at)) };
}

test('each thing is told once, however often it is seen', () => {
  const events = watcher('x');
  const first = working([row(1, started), row(2)]);
  expect(events.next(first, [], at).map(({ event, state }) => `${event} ${state}`)).toEqual(['check passed', 'phase working', 'step running']);
  expect(events.next(first, [], at)).toEqual([]);
  expect(events.next(working([row(1, done), row(2, started)]), [], at).map(({ state, node, took }) => ({ state, node, took }))).toEqual([{ state: 'done', node: 'st1', took: 1_500 }, { state: 'running', node: 'st2', took: undefined }]);
});

test('each thing is told with the time at which it happened, not at which somebody came to look', () => {
  const stamps = (over: Partial<OperationReport>, looks = 1) => {
    const events = watcher('x');
    const seen = working([row(1, started)], over);
    if (looks > 1) events.next(working([], { checks: [], phase: 'checking' }), [], at);
    return events.next(seen, [], at).map((event) => `${event.event} ${event.at}`);
  };
  const [check] = report().checks;
  expect(stamps({ phaseSince: '2026-10-01T12:00:57.000Z' })).toEqual([`check ${check!.endedAt}`, 'phase 2026-10-01T12:00:57.000Z', `step ${started.startedAt}`]);
  const { endedAt: _, ...older } = check!;
  // Of a worker that does not tell: what was there before anybody looked has no time, and what came between two looks the time of the second.
  expect(stamps({ checks: [older], phaseSince: undefined as never })).toEqual(['check undefined', 'phase undefined', `step ${started.startedAt}`]);
  expect(stamps({ checks: [older], phaseSince: undefined as never }, 2)).toEqual([`check ${at}`, `phase ${at}`, `step ${started.startedAt}`]);
});

test('in a pipe, what has no time of its own has no stamp', () => {
  const { io, shown } = show();
  shown.show(working([], { phaseSince: undefined as never }), []);
  expect(io.stderr).toBe(`2026-10-01T12:00:09Z check      passed    The host is ready (st1)\n${' '.repeat(20)} phase      working   0 steps to do.\n`);
});

test('a step that is tried again and again is told at every doubling', () => {
  const events = watcher('x');
  const tries = Array.from({ length: 40 }, (_, i) => events.next(working([row(1, started)]), [{ key: 'start/st1', attempt: i + 1, lastFailure: 'refused' }], at)).flat();
  expect(tries.filter(({ event }) => event === 'attempt').map(({ attempt }) => attempt)).toEqual([2, 4, 8, 16, 32]);
});

test('what a step waits for is told when it changes, and not more often than every 5 s', () => {
  const events = watcher('x');
  const seen = (what: string, seconds: number): string[] => events.next(working([row(1, { ...started, waits: { for: what, leftMs: 100_000 - seconds * 1_000, names: 'alice' } })]), [], new Date(Date.parse(at) + seconds * 1_000).toISOString())
    .filter(({ event, note }) => event === 'step' && note !== undefined).map(({ state, note }) => `${state} ${note}`);
  expect(seen('2 sessions', 0)).toEqual(['running waits for 2 sessions, at most 1m40s more (alice)']);
  expect(seen('1 session', 4)).toEqual([]);
  expect(seen('1 session', 5)).toEqual(['running waits for 1 session, at most 1m35s more (alice)']);
  expect(seen('1 session', 30)).toEqual([]);
});

test('a step that is decided to be tried again is told again', () => {
  const events = watcher('x');
  events.next(working([row(1, started)]), [], at);
  expect(events.next(working([row(1, { state: 'waiting', startedAt: started.startedAt })]), [], at)).toHaveLength(1);
  expect(events.next(working([row(1, { state: 'running', startedAt: at })]), [], at)).toHaveLength(1);
});

test('in a pipe it is one timestamped line an event, without colour or cursor movement, on stderr', () => {
  const { io, shown } = show();
  shown.show(working([row(1, done), row(2, started)]), [{ key: 'start/st2', attempt: 2, lastFailure: 'st2: connection refused' }]);
  shown.connection('lost', 'The Temporal server does not answer.');
  expect(io.stdout).toBe('');
  expect(io.stderr.split('\n').slice(2)).toEqual([
    '2026-10-01T12:00:59Z 1/2        done      Start the Server (st1)  1.5s  started'.replace('  1.5s', '  1.5s'),
    '2026-10-01T12:00:58Z 2/2        running   Start the Server (st2)',
    '2026-10-01T12:01:00Z attempt    retrying  Start the Server (st2)  attempt 2  st2: connection refused',
    '2026-10-01T12:01:00Z connection lost      The Temporal server does not answer.',
    '',
  ]);
  expect(io.stderr).not.toContain('\u001b');
});

test('as JSON lines it goes to stdout and nothing to stderr', () => {
  const { io, shown } = show({ tty: { in: true, out: true, err: true } }, 'jsonl');
  shown.show(working([row(1, started)]), []);
  shown.end();
  expect(io.stderr).toBe('');
  expect(io.stdout.trim().split('\n').map((line) => JSON.parse(line).kind)).toEqual(['OperationEvent', 'OperationEvent', 'OperationEvent']);
});

describe('on a terminal', () => {
  const tty = { in: true, out: true, err: true };
  test('what runs is redrawn in place, what is done stays above', () => {
    const { io, shown } = show({ tty });
    shown.show(working([row(1, started), row(2)]), []);
    expect(io.stderr).toBe('\u001b[J▶ 1/2        running   Start the Server (st1)  2.0s\n  next: Start the Server (st2)\n');
    io.stderr = '';
    shown.show(working([row(1, done), row(2, started)]), []);
    expect(io.stderr).toBe('\u001b[2A\u001b[J✔ 1/2        done      Start the Server (st1)  1.5s  started\n▶ 2/2        running   Start the Server (st2)  2.0s\n');
    io.stderr = '';
    shown.end();
    expect(io.stderr).toBe('\u001b[1A\u001b[J');
  });
  test('below what runs stands what it waits for', () => {
    const { io, shown } = show({ tty });
    shown.show(working([row(1, { ...started, waits: { for: '3 events in process and 2 sessions', leftMs: 100_000, names: 'alice' } })]), []);
    expect(io.stderr).toBe('\u001b[J▶ 1/1        running   Start the Server (st1)  2.0s\n  waits for 3 events in process and 2 sessions, at most 1m40s more (alice)\n');
  });
  test('no line wraps and no more are drawn than the terminal has', () => {
    const { io, shown } = show({ tty, size: () => ({ columns: 40, rows: 6 }) });
    shown.show(working(Array.from({ length: 20 }, (_, i) => row(i + 1, started))), [{ key: 'start/st1', attempt: 7, lastFailure: 'a very long reason why this can\'t be done' }]);
    const lines = io.stderr.replace('\u001b[J', '').trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(40);
  });
  test('a dumb one gets plain lines', () => {
    const { io, shown } = show({ tty, env: { TERM: 'dumb' } });
    shown.show(working([row(1, started)]), []);
    expect(io.stderr).not.toContain('\u001b');
  });
});
