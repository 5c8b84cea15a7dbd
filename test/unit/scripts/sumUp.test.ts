/** scripts/sum-up.mjs: the closing line of `npm test`, and that nothing that failed is lost on the way to it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const script = join(__dirname, '../../../scripts/sum-up.mjs');
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'st-sum-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, ...states: string[]) => ({
  name: `/x/${name}.test.ts`,
  status: states.includes('failed') ? 'failed' : 'passed',
  assertionResults: states.map((status, index) => ({ status, fullName: `${name} ${index}` })),
});
function jestResult(...files: ReturnType<typeof file>[]): string {
  const count = (status: string) => files.flatMap((one) => one.assertionResults).filter((test) => test.status === status).length;
  return JSON.stringify({ numPassedTests: count('passed'), numPendingTests: count('pending'), numTodoTests: 0, testResults: files });
}
function sumUp(files: Record<string, string>): { status: number | null; lines: string[] } {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { status, stdout } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n') };
}

test('the last line is the sum over all runs and checks', () => {
  const { status, lines } = sumUp({ 'types.passed': '', 'lint.passed': '', 'unit.json': jestResult(file('a', 'passed', 'passed')), 'lab.json': jestResult(file('b', 'passed')) });
  expect(lines.at(-1)).toBe('5 passed, 0 failed');
  expect(status).toBe(0);
});

test('a failed test is named and fails the run', () => {
  const { status, lines } = sumUp({ 'unit.json': jestResult(file('a', 'passed', 'failed')), 'unit.jest-failed': '' });
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
  expect(lines.join('\n')).toContain('a.test.ts: a 1');
  expect(status).toBe(1);
});

test('failed lint fails the run though every test passed', () => {
  const { status, lines } = sumUp({ 'lint.failed': '', 'unit.json': jestResult(file('a', 'passed')) });
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
  expect(status).toBe(1);
});

test('a file of tests that could not be loaded counts as a failure', () => {
  const { status, lines } = sumUp({ 'unit.json': jestResult(file('a', 'passed'), { ...file('b'), status: 'failed' }), 'unit.jest-failed': '' });
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
  expect(lines.join('\n')).toContain('b.test.ts: did not run');
  expect(status).toBe(1);
});

test('a jest that ended without a result counts as a failure', () => {
  const { status, lines } = sumUp({ 'unit.json': jestResult(file('a', 'passed')), 'lab.jest-failed': '' });
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
  expect(status).toBe(1);
});

test('a jest that failed though no test did (its set-up) counts as a failure', () => {
  const { status, lines } = sumUp({ 'unit.json': jestResult(file('a', 'passed')), 'unit.jest-failed': '' });
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
  expect(status).toBe(1);
});

test('skipped tests are told', () => {
  expect(sumUp({ 'unit.json': jestResult(file('a', 'passed', 'pending')) }).lines.at(-1)).toBe('1 passed, 0 failed, 1 skipped');
});

test('a run in which nothing was tested fails', () => {
  const { status, lines } = sumUp({ 'unit.json': jestResult() });
  expect(lines.at(-1)).toBe('0 passed, 0 failed');
  expect(status).toBe(1);
});
