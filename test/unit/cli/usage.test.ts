/** What stctl says before it reaches any server: help, mistakes in the command line, exit codes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operations, kebabCase } from '../../../src/model/ids';
import { verbs } from '../../../src/cli/verbs';
import { stctl } from './terminal';

// A server that is not there is waited for.
jest.setTimeout(15_000);

const examples = join(__dirname, '../../../examples/cluster.yaml');
const seed = join(__dirname, '../../../examples/seed.yaml');
/** Nobody listens there. */
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1', HOME: '/nonexistent' };
const names = verbs.filter(({ hidden }) => !hidden).map(({ usage }) => usage.split(' ')[0]!);

test.each(names)('%s --help opens with examples', async (name) => {
  const { code, stdout, stderr } = await stctl([name, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.startsWith('Examples:\n')).toBe(true);
  expect(stdout.indexOf('Examples:')).toBeLessThan(stdout.indexOf('Usage: stctl'));
  expect(stdout).toContain(`stctl ${name}`);
});

test('the help of stctl opens with examples, lists every verb and every exit code', async () => {
  const { stdout } = await stctl(['--help']);
  expect(stdout.startsWith('Examples:\n')).toBe(true);
  for (const name of names) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  for (const code of [0, 1, 2, 3, 4, 5, 6, 7, 8, 130]) expect(stdout).toMatch(new RegExp(`^ {2}${code} `, 'm'));
});

test('every operation is a verb under the kebab-case of its workflow type', () => {
  for (const operation of operations) expect(names).toContain(kebabCase(operation));
});

test.each([
  [['statu'], 'Did you mean status?'],
  [['status', '--outptu', 'json'], 'Did you mean --output?'],
  [['status', 'demo', '-o', 'jsno'], 'Allowed choices are table, wide, json, jsonl, yaml, name'],
  [['plan', 'set-up-clustre'], 'Did you mean set-up-cluster?'],
  [['update-cluster', '5.5'], 'update-cluster takes no argument (the cluster is --cluster), found "5.5". For example: stctl update-cluster --to 5.5-20261126\n'],
  [['plan', 'update-cluster', 'demo', '5.5'], 'update-cluster takes no argument (the cluster is --cluster), found "demo" "5.5". For example: stctl plan update-cluster --to'],
  [['status', 'demo', 'prod'], 'status takes [cluster], found also "prod". For example: stctl status demo\n'],
  [['explain', 'ClusterBuzy'], 'did you mean "ClusterBusy"?'],
  [['history'], 'Name it, or set ST_CLUSTER'],
  [['validate'], 'stctl validate -f cluster.yaml'],
  [['cancel', 'set-up-cluster/demo'], '--reason'],
  [['decide', 'set-up-cluster/demo', '--step', 'x', '--do', 'nothing', '--reason', 'y'], 'retry, skip, done-by-hand, abort'],
  [['set-up-cluster', 'demo'], '--yes'],
  [['set-up-cluster', 'Demo', '--yes'], 'cluster: expected a name'],
  [['set-up-cluster', 'demo', '--yes', '--wait-for-lease', 'soon'], 'waitForLease: expected a duration'],
  [['set-up-cluster', 'demo', '--yes', '--timeout', 'soon'], '--timeout: expected a duration'],
  [['set-up-cluster', 'other', '-f', examples, '--yes'], 'is about cluster "mft-prod", not "other"'],
  [['adopt-cluster', '-f', examples, '--apply'], '--yes'],
  [['adopt-cluster', '-f', seed, '--apply', '--yes'], 'apply: a seed is not applied'],
  [['apply', '-f', examples, '--expected-revision', '-1'], 'expected a whole number'],
  [['apply', '-f', examples, '--epoch-at-least', 'seven'], 'the checks of an operation name it'],
  [['codec-server'], 'ST_ENCRYPTION_KEY is not set'],
  // A variable that was not set must not become the whole cluster.
  [['maintenance', 'start', 'demo', '--nodes', '', '--for', '2h', '--reason', 'x'], 'which nodes?'],
  [['maintenance', 'start', 'demo', '--nodes', ' , ', '--for', '2h', '--reason', 'x'], 'which nodes?'],
  [['maintenance', 'start', 'demo', '--nodes', 'st2', '--all', '--for', '2h', '--reason', 'x'], 'which nodes?'],
  [['maintenance', 'start', 'demo', '--nodes', 'st2', '--for', '8d', '--reason', 'x'], '--for: expected a duration from 1m to 7d'],
  [['maintenance', 'start', 'demo', '--nodes', 'st2', '--until', '2026-13-01T22:00:00Z', '--reason', 'x'], '--until: expected a time with its zone'],
  [['maintenance', 'start', 'demo', '--nodes', 'st2', '--for', '2h', '--reason', ''], '--reason: expected at least 1 character'],
  [['maintenance', 'end', 'demo'], 'stctl maintenance list'],
  [['maintenance', 'end', 'demo', 'm-1'], 'expected the id of a window, such as m-0123456789ab'],
  [['pause', 'demo', '--until', '2099-02-30T22:00:00Z', '--reason', 'x'], '--until: expected a time with its zone'],
  [['monitor-cluster', 'demo', '--for', '2x'], '--for: expected a duration'],
  [['monitor-cluster', 'demo', '--failures-to-offline', '0'], '--failures-to-offline: expected at least 1'],
  [['report-server', '--listen', '127.0.0.1:0', '--secret', 'env:HOME', '--tls-cert', '/nowhere.pem', '--tls-key', '/nowhere.pem'], "/nowhere.pem: can't be read (ENOENT)"],
])('%j is refused with 2 before anything starts, and says what was meant', async (words, hint) => {
  const { code, stdout, stderr } = await stctl(words, { env });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(hint);
});

test('a wrong cluster file is told place by place, to validate, input and set-up alike', async () => {
  const file = join(tmpdir(), `st-wrong-${process.pid}.yaml`);
  writeFileSync(file, 'apiVersion: st-orchestrator/v1\nkind: Clutser\nmetdata: { name: demo }\n');
  const validated = await stctl(['validate', file]);
  expect(validated.code).toBe(2);
  expect(validated.stderr).toMatch(new RegExp(`^${file}:2:7 kind: `, 'm'));
  expect(validated.stderr).toContain(`${file}:3:1 metdata: unknown key; did you mean "metadata"?`);
  for (const words of [['input', 'setUpCluster', '-f', file], ['set-up-cluster', '-f', file, '--yes']]) {
    const { code, stderr } = await stctl(words, { env });
    expect(code).toBe(2);
    expect(stderr).toContain(`${file}:2:7 kind: `);
  }
  expect(JSON.parse((await stctl(['validate', file, '-o', 'json'])).stdout)).toMatchObject({ kind: 'Validation', valid: false, problems: expect.arrayContaining([expect.stringContaining('metdata')]) });
});

test('-f - reads the cluster file from the standard input, its paths starting at the current folder', async () => {
  const readIn = () => readFileSync(examples);
  for (const verb of ['validate', 'apply']) expect((await stctl([verb, '-f', '-'], { env, readIn })).stderr).not.toContain('no such file');
  expect(await stctl(['validate', '-f', '-'], { readIn })).toMatchObject({ code: 0, stdout: expect.stringContaining('stdin: valid; cluster mft-prod') });
  const { spec } = JSON.parse((await stctl(['input', 'setUpCluster', '-f', '-'], { readIn })).stdout);
  expect(spec.licences.core).toBe(join(process.cwd(), 'licences/filedrive.license'));
  expect(await stctl(['validate', '-'], { readIn: () => Buffer.from('kind: Clutser\n') })).toMatchObject({ code: 2, stderr: expect.stringMatching(/^stdin:1:7 kind: /m) });
});

test('a server that is not there: 1, with what, state, what happens and what to do, and no word about the cluster\'s steps', async () => {
  const { code, stdout, stderr } = await stctl(['status', 'demo'], { env });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  for (const part of ['What happened:', 'State now:', 'By itself:', 'You can:']) expect(stderr).toContain(part);
  expect(stderr).toContain('127.0.0.1:1');
  expect(stderr).toContain('Nothing was changed by this command.');
});

test('Ctrl-C before anything started says so: 130', async () => {
  const stop = new AbortController();
  stop.abort();
  expect(await stctl(['status', 'demo'], { env, interrupted: stop.signal })).toMatchObject({ code: 130, stderr: 'Interrupted; nothing was started.\n' });
});

test.each([
  [{ NO_COLOR: '1' }, [], true, false],
  [{ TERM: 'dumb' }, [], true, false],
  [{}, [], false, false],
  [{}, [], true, true],
  [{ NO_COLOR: '1' }, ['--color', 'always'], false, true],
  [{}, ['--color', 'never'], true, false],
])('colour follows %j %j, terminal %s: %s', async (more, words, tty, coloured) => {
  const { stderr } = await stctl(['input', 'setUpCluster', '-f', 'no-such.yaml', ...words], { env: { ...env, ...more }, tty: { in: tty, out: tty, err: tty } });
  expect(stderr.includes('\u001b[31m')).toBe(coloured);
});
