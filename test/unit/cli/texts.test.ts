/** Tables, reports, plans, states and failures as people read them. */
import { createColors } from 'picocolors';
import { again, completingCommand } from '../../../src/cli/again';
import { clusterText, isDegraded } from '../../../src/cli/clusterText';
import { exitOfReport, failureOfError, failureOfReport, failureText } from '../../../src/cli/failure';
import { duration, oneLine, table } from '../../../src/cli/output';
import { planText, reportText } from '../../../src/cli/reportText';
import { closedReport, withReason } from '../../../src/control/closedReport';
import { StError } from '../../../src/model/errors';
import { pausedHealth } from '../../../src/model/pausedHealth';
import { differences, differencesText } from '../../../src/model/specDifferences';
import { health, lease, record, report, spec } from './samples';

const plain = createColors(false);

test('a table aligns its columns and leaves out those with nothing in them', () => {
  expect(table(['NODE', 'NOTE', 'N'], [['st1', '', 1], ['st10', undefined, 20]])).toBe('NODE  N\nst1   1\nst10  20');
});

test('text from far sides can\'t move the cursor or break a line', () => {
  expect(oneLine('a\u001b[2J\nb\tc\u009b1m')).toBe('a[2J b c1m');
});

test.each([[340, '0.3s'], [9_940, '9.9s'], [59_000, '59s'], [72_000, '1m12s'], [3_600_000, '1h00m'], [90_000_000, '1d1h']])('%d ms reads %s', (ms, text) => expect(duration(ms)).toBe(text));

test('a report says outcome, sums, who asked and what is left', () => {
  const text = reportText(report({ outcome: 'failed', unfinished: ['Start the Server (st2): failed'] }), plain);
  expect(text.split('\n')).toEqual([
    'setUpCluster demo: failed after 1m12s    set-up-cluster/demo, epoch 3, revision 2',
    'Asked for by ops@desk (as claimed): first set-up',
    '3 Servers are Online.',
    '1 check passed. 2 steps: 1 done, 1 already as wanted.',
    '', 'Unfinished:', '  - Start the Server (st2): failed',
  ]);
  expect(reportText(report(), plain, { full: true })).toContain('#  STEP                NODE  STATE  TOOK  NOTE\n1  Install the Server  st1   done   30s   installed');
});

test('a report of one that runs tells how long it has been as it is, and apart from it when it was begun', () => {
  const held = report({ phase: 'held', phaseSince: '2026-10-01T12:00:28.000Z', outcome: 'running' });
  const head = (over = {}): string => reportText({ ...held, ...over }, plain, { now: new Date('2026-10-01T12:00:30.000Z') }).split('    ')[0]!;
  expect(head()).toBe('setUpCluster demo: held for 2.0s, begun 30s ago');
  expect(head({ phaseSince: undefined })).toBe('setUpCluster demo: held, begun 30s ago');
});

test('a plan names its checks, its steps with their undo, its fingerprint and how to run exactly that', () => {
  const plan = report({ dryRun: true, outcome: 'planned', steps: [{ key: 'a/st1', title: 'Install the Server', node: 'st1', state: 'planned', undo: 'hosts.ensureStopped' }] });
  const text = planText(plan, plain, 'stctl set-up-cluster demo --fingerprint 0123456789ab');
  expect(text).toContain('fingerprint 0123456789ab');
  expect(text).toContain('✔ The host is ready: st1');
  expect(text).toMatch(/^1 {2}Install the Server {2}st1 {3}hosts\.ensureStopped$/m);
  expect(text).toContain('Run exactly this: stctl set-up-cluster demo --fingerprint 0123456789ab');
});

test('warnings stand in the plan and in the report, and are no failure', () => {
  const problems = [{ what: 'shared_buffers is 64 MB', remedy: 'raise it', level: 'warning' as const }];
  const warned = report({ checks: [{ key: 'check/database', title: 'The database', state: 'passed', problems }] });
  for (const text of [reportText(warned, plain), planText(warned, plain, 'run')]) {
    expect(text).toContain('Worth a look, though nothing was refused for it:\n  - The database: shared_buffers is 64 MB\n    remedy: raise it');
  }
  expect(reportText(warned, plain, { full: true })).not.toContain('What does not hold');
  expect(failureText(failureOfReport({ ...warned, outcome: 'refused', failure: { code: 'PreconditionFailed', message: 'no licence' } }, []), plain)).not.toContain('shared_buffers');
});

test('a status shows Servers of the spec and members outside of it, what runs, and states as words', () => {
  const members = [...record().members, { site: 'prod', node: 'st9', address: '10.86.0.19', role: 'server' as const }];
  const running = report({ phase: 'working', outcome: 'running', steps: [{ ...report().steps[0]!, state: 'running' }] });
  const text = clusterText({ ...record({ members, lease }), sampledAt: '2026-10-01T12:01:00.000Z', running, health: null }, plain);
  expect(text).toMatch(/^st9 +prod +Server +10\.86\.0\.19 +yes, but not in the spec$/m);
  expect(text).toContain('Running: setUpCluster working, step 1/1 "Install the Server" (st1), 1m00s   stctl watch set-up-cluster/demo');
  expect(clusterText({ ...record({ phase: 'interrupted', unfinished: ['Start the Server (st2): running'] }), sampledAt: '2026-10-01T12:01:00.000Z', running: null, health: null }, plain)).toContain('INTERRUPTED');
});

describe('a status of an operation whose step fails again and again', () => {
  const retrying = (state: 'running' | 'undoing', attempts: object[], silent = false): string[] => {
    const running = silent ? null : report({ phase: 'working', outcome: 'running', steps: [{ ...report().steps[0]!, state }] });
    return clusterText({ ...record({ lease }), sampledAt: '2026-10-01T12:10:02.000Z', running, attempts: attempts as never, health: null }, plain).split('\n').filter((line) => line.startsWith('  retrying') || line.startsWith('  and '));
  };
  const one = { key: 'a/st1', attempt: 117, lastFailure: `st1: writing ${'/opt/axway/x, '.repeat(40)}: No space left on device`, startsAt: '2026-10-01T12:10:04.120Z', triedMs: 580_000, patienceMs: 600_000 };
  test('says how often, until when and why, and the reason is not cut off', () => {
    const [line, ...more] = retrying('running', [one]);
    expect(more).toEqual([]);
    expect(line).toMatch(/^ {2}retrying "Install the Server" \(st1\): attempt 117 begins 12:10:04Z, given up after 10m00s of tries \(9m40s so far\): st1: writing .* … .*: No space left on device$/);
  });
  test('says so of an undo, of an attempt that is at work, and where no worker tells the titles', () => {
    expect(retrying('undoing', [{ ...one, key: 'undo/a/st1', lastFailure: 'no', startsAt: '2026-10-01T12:10:01.000Z' }])).toEqual(['  retrying "undo: Install the Server" (st1): attempt 117, given up after 10m00s of tries (9m40s so far): no']);
    expect(retrying('running', [{ key: 'a/st1', attempt: 2, lastFailure: 'no' }], true)).toEqual(['  retrying a/st1: attempt 2: no']);
  });
  test('names a few of many', () => {
    expect(retrying('running', Array.from({ length: 8 }, () => one))).toHaveLength(6);
    expect(retrying('running', Array.from({ length: 8 }, () => one)).at(-1)).toBe('  and 3 others retrying');
  });
});

test('a status tells a pause once, and how to end it', () => {
  const pause = 'Watching demo is paused until 2026-10-01T14:00:00.000Z by ops (as claimed): new network.';
  const paused = health({ health: 'unknown', problems: [pause], watch: { ...health().watch!, paused: { until: '2026-10-01T14:00:00.000Z', by: 'ops', reason: 'new network' } } });
  const text = clusterText({ ...record(), sampledAt: '2026-10-01T12:04:00.000Z', running: null, health: pausedHealth(paused, { why: pause }) }, plain);
  expect(text).toContain('\nPAUSED   1 of 3 Servers were Online, at least 2 asked for   seen 12:01:58Z (2m02s ago)\n');
  expect(text).toMatch(/^st1 +Server +Unknown, was Online +12:01:58Z/m);
  expect(text).toMatch(/^st2 +Server +Unknown, was Offline/m);
  expect([text.split('new network').length, text.includes(pause), text.includes('stctl resume demo')]).toEqual([2, true, true]);
});

test('degraded is an interrupted cluster or one with unfinished work that nobody is at', () => {
  const well = { health: health({ health: 'ok', problems: [] }) };
  expect(isDegraded({ ...record(), ...well })).toBe(false);
  expect(isDegraded({ ...record({ phase: 'interrupted' }), ...well })).toBe(true);
  expect(isDegraded({ ...record(), closed: 'terminated' })).toBe(true);
  expect(isDegraded({ ...record(), health: null, healthUnknown: 'No worker answers.' })).toBe(true);
  expect(isDegraded({ ...record({ unfinished: ['x'] }), ...well })).toBe(true);
  expect(isDegraded({ ...record({ unfinished: ['x'], lease }), ...well })).toBe(false);
});

test('what nobody watches is not taken for well, unless there is nothing to watch yet', () => {
  expect(isDegraded({ ...record(), health: null })).toBe(true);
  expect(isDegraded({ ...record({ lease, phase: 'setting up' }), health: null })).toBe(true);
  expect(isDegraded({ ...record({ phase: 'new', members: [] }), health: null })).toBe(false);
});

test('of what is unfinished the steps that were never begun are counted, and what failed is seen', () => {
  const unfinished = ['Install the Server (st2): failed, no space', ...Array.from({ length: 46 }, (_, n) => `Step ${n}: not begun`)];
  const shown = (lines: string[]): string[] => clusterText({ ...record({ unfinished: lines }), sampledAt: '2026-10-01T12:01:00.000Z', running: null, health: null }, plain).split('\n').filter((line) => line.startsWith('  - '));
  expect(shown(unfinished)).toEqual(['  - Install the Server (st2): failed, no space', '  - and 46 steps not begun']);
  expect(shown(unfinished.slice(0, 2))).toEqual(['  - Install the Server (st2): failed, no space', '  - Step 0: not begun']);
  expect(shown([...unfinished, 'and 3 more'])).toEqual(['  - Install the Server (st2): failed, no space', '  - and 3 more', '  - and 46 steps not begun']);
  expect(clusterText({ ...record({ unfinished }), sampledAt: '2026-10-01T12:01:00.000Z', running: null, health: null }, plain)).toContain('47 steps unfinished');
});

test.each([
  [{ outcome: 'completed' }, 0], [{ outcome: 'nothing to do' }, 0], [{ outcome: 'planned' }, 0], [{ outcome: 'cancelled' }, 6],
  [{ outcome: 'running', phase: 'held', steps: [{ key: 'a', title: 'A', state: 'waiting' }] }, 7], [{ outcome: 'running', phase: 'working', steps: [{ key: 'a', title: 'A', state: 'waiting' }] }, 7],
  [{ outcome: 'running', phase: 'working', steps: [{ key: 'a', title: 'A', state: 'waiting' }, { key: 'b', title: 'B', state: 'running' }] }, 5], [{ outcome: 'running', phase: 'working' }, 5],
  [{ outcome: 'refused', failure: { code: 'PreconditionFailed', message: '' } }, 3], [{ outcome: 'refused', failure: { code: 'InvalidInput', message: '' } }, 2],
  [{ outcome: 'refused', failure: { code: 'AuthenticationFailed', message: '' } }, 4], [{ outcome: 'refused', failure: { code: 'Unreachable', message: '' } }, 3],
  [{ outcome: 'failed', failure: { code: 'Refused', message: '' } }, 1], [{ outcome: 'failed', failure: { code: 'PermissionDenied', message: '' } }, 4], [{ outcome: 'failed' }, 1],
] as const)('%j ends with %d', (over, code) => expect(exitOfReport(report(over as never))).toBe(code));

test('a failure has its five parts, with the names filled in', () => {
  const failed = report({ outcome: 'failed', failure: { code: 'Interrupted', message: 'Terminated: plug pulled' }, unfinished: ['Start the Server (st2): running'], now: '1 step was begun and did not end.', next: 'Nothing happens by itself.' });
  const text = failureText(failureOfReport(failed, ['workflow set-up-cluster/demo']), plain);
  for (const part of ['What happened:', 'State now:', 'By itself:', 'You can:', 'Where:']) expect(text).toContain(part);
  expect(text).toContain('stctl status demo');
  expect(text).not.toMatch(/<cluster>|<operation>/);
});

test('what to run again is the whole command, from the words of the one that started it or from its input', () => {
  const cancelled = report({ operation: 'setUpCluster', outcome: 'cancelled', failure: { code: 'Cancelled', message: 'cancelled' } });
  expect(failureOfReport(cancelled, [], 'stctl set-up-cluster demo --reason due').youCan.at(-1)).toBe('Run the same operation again (stctl set-up-cluster demo --reason due): it does only what is missing.');
});
test.each([
  ['addNode', '<nodes...>', { cluster: 'demo', nodes: ['st4', 'st5'], requestedBy: 'ops@desk', fingerprint: '0123456789ab' }, 'stctl add-node st4 st5 --cluster demo'],
  ['replaceNode', '<node> <by>', { cluster: 'demo', by: 'st4', node: 'st2', force: true, sweep: false }, 'stctl replace-node st2 st4 --cluster demo --force'],
  ['setUpCluster', '[cluster]', { cluster: 'demo', waitForLease: '10m', reason: 'it\'s due', spec: {} }, `stctl set-up-cluster demo --wait-for-lease 10m --reason 'it'\\''s due' -f cluster.yaml`],
  ['rebalanceWorkload', undefined, { cluster: 'demo', assign: { st1: ['PGP'] } }, 'stctl rebalance-workload --cluster demo --input-file input.json'],
])('%s %s %j is asked for again by %s', (operation, args, input, command) => expect(again(operation, args, input)).toBe(command));

test('a restart that has restarted some is completed by a command that leaves these alone', () => {
  const ended = (state: 'done' | 'planned') => report({ operation: 'rollingRestart', startedAt: '2026-12-01T03:00:10.630Z', steps: [{ ...report().steps[0]!, state }] });
  expect(completingCommand('stctl rolling-restart st1', ended('done'))).toBe('stctl rolling-restart st1 --started-before 2026-12-01T03:00:10.630Z');
  expect(completingCommand('stctl rolling-restart st1', ended('planned'))).toBe('stctl rolling-restart st1');
  expect(completingCommand('stctl rolling-restart --started-before 2026-12-01T02:00:00Z', ended('done'))).toBe('stctl rolling-restart --started-before 2026-12-01T02:00:00Z');
});

test('a rebalancing that has put back only a part of itself names first what takes the rest back', () => {
  const ended = (unfinished: string[]) => failureOfReport(report({ operation: 'rebalanceWorkload', workflowId: 'rebalance-workload/demo', outcome: 'cancelled', failure: { code: 'Cancelled', message: '' }, unfinished, result: { undo: { policy: 'cacheBasedPolicy' } } }), []).youCan[0];
  expect(ended(['options (st3): undo failed'])).toBe('Take back what is left of it: stctl rebalance-workload --cluster demo --undo rebalance-workload/demo');
  expect(ended([])).not.toContain('--undo');
});

const problem = (code: string) => ({ what: `st2: refused [${code}]`, remedy: '' });
const refusedBy = (...problems: object[]) => report({ outcome: 'refused', failure: { code: 'PreconditionFailed', message: '' }, checks: [...report().checks, { key: 'x', title: 'X', state: 'failed', problems: problems as never }] });
test('failed checks that are all refused logins or rights end with 4, and with 3 as soon as something else does not hold', () => {
  expect(exitOfReport(refusedBy(problem('AuthenticationFailed'), problem('PermissionDenied'), { what: 'st3: another key', remedy: '', code: 'HostKeyMismatch' }))).toBe(4);
  expect(exitOfReport(refusedBy(problem('AuthenticationFailed'), problem('Unreachable')))).toBe(3);
  expect(exitOfReport(refusedBy(problem('AuthenticationFailed'), { what: 'st1: the clock is 5 s ahead', remedy: 'start chrony' }))).toBe(3);
});

test('a cluster that is busy: the advice names the operation in the way', () => {
  const message = 'setUpCluster (set-up-cluster/demo) holds the lease of "demo" since 2026-10-01T12:00:00.000Z. Nothing was changed.';
  const busy = report({ workflowId: 'set-up-cluster/demo/plan', outcome: 'refused', failure: { code: 'ClusterBusy', message } });
  for (const { youCan } of [failureOfReport(busy, []), failureOfError('ClusterBusy', message, true)]) expect(youCan).toContain('Watch the other one: stctl watch set-up-cluster/demo.');
});

test('the places where two specs differ are named', () => {
  const other = structuredClone(spec);
  other.sites['prod']!.servers[1]!.address = '10.86.0.99';
  other.sites['prod']!.servers.pop();
  delete other.notifications;
  expect(differences(spec, other)).toEqual(['sites.prod.servers[1].address', 'sites.prod.servers[2] removed', 'notifications removed']);
  expect(differences(undefined, other)).toEqual([]);
});

test('what stands and what was given is told of each, paths of the worker\'s host last', () => {
  const other = structuredClone(spec);
  other.licences.core = '/elsewhere/filedrive.license';
  other.licences.features = `/${'long/'.repeat(40)}st.license`;
  other.policies.minimumNodes += 1;
  delete other.notifications;
  const { core, features } = spec.licences;
  expect(differencesText(spec, other)).toBe(`notifications removed, policies.minimumNodes (${spec.policies.minimumNodes}, given ${spec.policies.minimumNodes + 1}), licences.core (${core}, given /elsewhere/filedrive.license), licences.features (${features}, given …${other.licences.features.slice(-80)})`);
  const far = structuredClone(other);
  far.sites['prod']!.servers.forEach((server) => Object.assign(server, { address: `${server.address}9`, labels: undefined, ssh: { ...server.ssh, port: 2222, user: 'else' } }));
  expect(differencesText(spec, far)).toMatch(/ and \d+ more$/);
});

describe('the report of a closed run', () => {
  const run = { workflowId: 'set-up-cluster/demo', type: 'setUpCluster', status: 'TERMINATED', startTime: '2026-10-01T12:00:00.000Z', closeTime: '2026-10-01T12:05:00.000Z' };
  test('is the result, or what the operation itself said at its end', () => {
    expect(closedReport(run, report(), undefined, true)).toEqual(report());
    const failed = report({ outcome: 'failed', failure: { code: 'NotYet', message: 'x' } });
    expect(closedReport(run, new StError('NotYet', 'x'), failed, false)).toEqual(failed);
  });
  test('says why it was cancelled', () => {
    const cancelled = withReason(report({ outcome: 'cancelled', summary: 'cancelled', failure: { code: 'Cancelled', message: 'cancelled' } }), 'wrong database');
    expect(failureText(failureOfReport(cancelled, []), plain)).toMatch(/^What happened: +cancelled: wrong database$/m);
    expect(reportText(cancelled, plain)).toContain('\ncancelled: wrong database\n');
    expect(withReason(report(), undefined)).toEqual(report());
  });
  test('lists what was under way when it was ended by force', () => {
    const asked = report({ phase: 'working', outcome: 'running', steps: [report().steps[0]!, { ...report().steps[1]!, state: 'running' }] });
    expect(closedReport(run, new StError('Interrupted', 'Terminated: plug'), asked, false)).toMatchObject({ phase: 'ended', outcome: 'failed', unfinished: ['Start the Server (st1): was running when the operation was terminated'], failure: { code: 'Interrupted' }, now: '1 step was begun and did not end.' });
  });
  test('says what is not known when no worker answers', () => {
    expect(closedReport(run, new StError('NotYet', 'x'), undefined, true)).toMatchObject({ cluster: 'demo', outcome: 'failed', now: expect.stringContaining('not known') });
    expect(closedReport(run, new StError('ClusterBusy', 'x'), undefined, true)).toMatchObject({ outcome: 'refused', now: 'Nothing was changed.' });
  });
});
