/** scripts/test with faked tools: the order, that whatever fails makes the run fail, and the closing line. */
import { sandbox, type Ran, type Sandbox } from './sandbox';

let box: Sandbox;
beforeEach(() => {
  box = sandbox();
  box.copy('test', 'common.sh', 'sum-up.mjs');
  for (const name of ['prepare', 'build']) box.program(name, note(`${name} $*`), 'scripts');
  box.program('temporal-cli', `echo /opt/temporal`, 'scripts');
  box.program('npm', note('npm $*'));
  jest(1);
});
afterEach(() => box.remove());

const note = (what: string) => `echo "${what}" >>'${box.path('calls')}'`;
const calls = () => box.read('calls').trim().split('\n').map((call) => call.trim());
/** A jest in which so many tests pass and fail; it notes its projects or its first argument, and which temporal program it was given. */
function jest(passed: number, failed = 0, before = ''): void {
  const tests = [...Array<string>(passed).fill('passed'), ...Array<string>(failed).fill('failed')].map((status) => ({ status, fullName: `a ${status} test` }));
  const result = { numPassedTests: passed, numPendingTests: 0, numTodoTests: 0, testResults: [{ name: '/x/a.test.ts', status: failed ? 'failed' : 'passed', assertionResults: tests }] };
  box.write(JSON.stringify(result), 'result.json');
  box.program('jest', `${before}\nif [ "$1" = --selectProjects ]; then case $3 in -*) what=$2 ;; *) what=$2+$3 ;; esac; else what="$*"; fi\n${note('jest $what${TEMPORAL_CLI_PATH:+ with $TEMPORAL_CLI_PATH}')}\nwhile [ $# -gt 0 ]; do [ "$1" != --outputFile ] || cp '${box.path('result.json')}' "$2"; shift; done\nexit ${failed ? 1 : 0}`, 'node_modules/.bin');
}
const run = (...arguments_: string[]) => box.run('test', {}, { arguments: arguments_ });
const closing = ({ stdout }: Ran) => stdout.trimEnd().split('\n').at(-1);

test('it prepares, checks types and lint, runs every project in order, and closes with the sum', async () => {
  const ran = await run();
  expect(calls()).toEqual(['prepare --no-build --no-temporal', 'build', 'npm run --silent lint', 'jest unit', 'jest workflows with /opt/temporal', 'jest lab+faults with /opt/temporal']);
  expect(closing(ran)).toBe('5 passed, 0 failed');
  expect(ran.status).toBe(0);
});

test('lint and unit tests do not wait for the Temporal server', async () => {
  // Found only when the unit tests have run: waiting for it first would never end.
  box.program('temporal-cli', `until grep -qs 'jest unit' '${box.path('calls')}'; do sleep 0.05; done\necho /opt/temporal`, 'scripts');
  expect(closing(await run())).toBe('5 passed, 0 failed');
});

test.each([
  ['lint', () => box.program('npm', 'exit 1')],
  ['types', () => box.program('build', 'exit 2', 'scripts')],
])('failed %s fails the run, and the tests run all the same', async (_what, fail) => {
  fail();
  const ran = await run();
  expect(closing(ran)).toBe('4 passed, 1 failed');
  expect(ran.status).toBe(1);
});

test('failed tests fail the run, and the later projects run all the same', async () => {
  jest(2, 1);
  const ran = await run();
  expect(closing(ran)).toBe('8 passed, 3 failed');
  expect(ran.status).toBe(1);
});

test('without a Temporal server the run fails after the tests that need none', async () => {
  box.program('temporal-cli', 'exit 1', 'scripts');
  const ran = await run();
  expect(calls().filter((call) => call.startsWith('jest'))).toEqual(['jest unit']);
  expect(closing(ran)).toBe('3 passed, 1 failed');
  expect(ran.status).toBe(1);
});

test('a preparation that fails ends the run', async () => {
  box.program('prepare', 'exit 1', 'scripts');
  expect((await run()).status).toBe(1);
  expect(box.exists('calls')).toBe(false);
});

test('a jest that hangs is ended', async () => {
  jest(1, 0, 'exec sleep 30');
  const ran = await box.run('test', { ST_TEST_LIMIT: '0.2s' }, { arguments: ['test/unit/x'] });
  expect(ran.stdout).toContain('jest ended without a result');
  expect(ran.status).toBe(1);
});

test('arguments go to jest, and named unit tests do not wait for the server', async () => {
  box.program('temporal-cli', 'exec sleep 30', 'scripts');
  const ran = await run('test/unit/model', '--verbose');
  expect(calls()).toEqual(['prepare --no-build --no-temporal', 'build --if-needed', expect.stringContaining('test/unit/model --verbose --forceExit --json')]);
  expect(closing(ran)).toBe('2 passed, 0 failed');
  expect(ran.status).toBe(0);
});

test('told to stop, it ends what it started', async () => {
  box.program('temporal-cli', `echo $$ >'${box.path('pid')}'\nsleep 30`, 'scripts');
  box.program('jest', `until [ -s '${box.path('pid')}' ]; do sleep 0.05; done\necho jest-runs >&2\nexec sleep 30`, 'node_modules/.bin');
  let sent = false;
  const ran = await box.run('test', {}, {
    onStderr: (text, pid) => {
      if (sent || !text.includes('jest-runs')) return;
      sent = true;
      process.kill(pid, 'SIGTERM');
    },
  });
  expect(ran.status).toBe(130);
  expect(() => process.kill(Number(box.read('pid')), 0)).toThrow('ESRCH');
});
