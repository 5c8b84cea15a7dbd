/** scripts/install-packages as a guest on the machine: no service starts, and the machine's own settings are back afterwards, whatever happens. */
import { sandbox, type Sandbox } from './sandbox';

const machines = '#!/bin/sh\n# the machine\'s own\nexit 0\n';
let box: Sandbox;

beforeEach(() => {
  box = sandbox();
  box.program('sudo', '[ "$1" != -- ] || shift\nexec "$@"');
  box.program('apt-cache', 'exit 0');
  // PostgreSQL counts as missing until apt-get has installed it; every other program is there.
  box.write(`command() { if [ "$1" = -v ] && [ "$2" = initdb ]; then return 1; fi; if [ "$1" = -v ]; then return 0; fi; builtin command "$@"; }\ncompgen() { [ -e '${box.path('installed')}' ]; }\n`, 'env.sh');
});
afterEach(() => box.remove());

/** An apt-get that notes its call and what stands in place meanwhile. */
function aptGet(install: string): void {
  box.program(
    'apt-get',
    `for word; do case $word in install|update) what=$word ;; esac; done
echo "$what" >>'${box.path('calls')}'
[ "$what" = install ] || exit 0
cat '${box.path('policy-rc.d')}' >'${box.path('policy-seen')}'
cat '${box.path('createcluster.d')}'/*.conf >'${box.path('conf-seen')}'
${install}`,
  );
}
const succeeds = () => `touch '${box.path('installed')}'`;
const run = (options?: Parameters<Sandbox['run']>[2]) =>
  box.run('install-packages', { BASH_ENV: box.path('env.sh'), ST_POLICY_RC_D: box.path('policy-rc.d'), ST_CREATECLUSTER_D: box.path('createcluster.d') }, options);
const expectNothingOfOursLeft = () => expect([box.exists('policy-rc.d.kept-by-st-orchestrator'), box.exists('createcluster.d')]).toEqual([false, false]);

test('while packages are installed services are forbidden and PostgreSQL makes no cluster; afterwards both rules are gone', async () => {
  aptGet(succeeds());
  const { status, stderr } = await run();
  expect(stderr).toContain('installing postgresql (no service is started)');
  expect(status).toBe(0);
  expect(box.read('policy-seen')).toContain('exit 101');
  expect(box.read('conf-seen')).toBe('create_main_cluster = false\n');
  expect(box.exists('policy-rc.d')).toBe(false);
  expectNothingOfOursLeft();
  expect(box.read('calls')).toBe('install\n');
});

test("the machine's own policy is back afterwards", async () => {
  box.write(machines, 'policy-rc.d');
  aptGet(succeeds());
  expect((await run()).status).toBe(0);
  expect(box.read('policy-seen')).toContain('exit 101');
  expect(box.read('policy-rc.d')).toBe(machines);
  expectNothingOfOursLeft();
});

test('an installation that fails is tried once more after an update, then told, and the policy is back', async () => {
  box.write(machines, 'policy-rc.d');
  aptGet('exit 100');
  const { status, stderr } = await run();
  expect(status).toBe(1);
  expect(stderr).toContain('could not install postgresql');
  expect(box.read('calls')).toBe('install\nupdate\ninstall\n');
  expect(box.read('policy-rc.d')).toBe(machines);
  expectNothingOfOursLeft();
});

test('a machine that has never fetched its package lists gets them first', async () => {
  box.program('apt-cache', 'exit 100');
  aptGet(succeeds());
  expect((await run()).status).toBe(0);
  expect(box.read('calls')).toBe('update\ninstall\n');
});

test('interrupted in the middle, the policy is back', async () => {
  box.write(machines, 'policy-rc.d');
  aptGet('echo installing >&2; exec sleep 2');
  let sent = false;
  const { status } = await run({
    onStderr: (text, pid) => {
      if (sent || !text.endsWith('installing\n')) return;
      sent = true;
      process.kill(pid, 'SIGTERM');
    },
  });
  expect(sent).toBe(true);
  expect(status).toBe(130);
  expect(box.read('policy-rc.d')).toBe(machines);
  expectNothingOfOursLeft();
});

test("a policy left by a run that was killed is not taken for the machine's own", async () => {
  box.write('#!/bin/sh\n# st-orchestrator: left\nexit 101\n', 'policy-rc.d');
  box.write(machines, 'policy-rc.d.kept-by-st-orchestrator');
  aptGet(succeeds());
  expect((await run()).status).toBe(0);
  expect(box.read('policy-rc.d')).toBe(machines);
  expectNothingOfOursLeft();
});

test('with everything there nothing is called', async () => {
  aptGet(succeeds());
  box.write('', 'installed');
  const { status, stderr } = await run();
  expect({ status, stderr }).toEqual({ status: 0, stderr: 'install-packages: packages: all there\n' });
  expect(box.exists('calls')).toBe(false);
});

test.each([
  ['sudo', /needs root: run as root, install sudo, or run 'apt-get install postgresql sudo'/],
  ['apt-get', /these are missing: postgresql\. They are installed by this script on Debian and Ubuntu only/],
])('without %s a machine that lacks packages is told what to do', async (absent, message) => {
  aptGet(succeeds());
  box.program('id', 'echo 1000');
  box.write(`command() { case "$1 $2" in '-v initdb'|'-v ${absent}') return 1 ;; '-v '*) return 0 ;; *) builtin command "$@" ;; esac; }\ncompgen() { return 1; }\n`, 'env.sh');
  const { status, stderr } = await run();
  expect(status).toBe(1);
  expect(stderr).toMatch(message);
  expect(box.exists('calls')).toBe(false);
});
