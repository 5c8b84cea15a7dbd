/** The operator's program that updates a node runs once for each time that somebody asks for it, whenever the worker dies: real shells, and attempts cut after each call. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { execFileSync } from 'node:child_process';
import { openSync, readFileSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { restartActivities } from '../../../src/activities/restarts';
import type { Outcome } from '../../../src/model/operation';
import { machine, type Machine } from './machine';

jest.setTimeout(60_000);

let here: Machine;
let program: string;
beforeEach(() => {
  here = machine();
  here.write('axway/SecureTransport/lib/version.properties', 'version = 5.5\n');
  program = here.write('update.sh', `#!/bin/sh\necho run >>'${here.folder}/runs'\n. '${here.folder}/told'\n`, 0o755);
  here.write('runs', '');
  tell('echo "no room"; exit 3');
});
afterEach(() => here.remove());

/** What the program does when it runs. */
const tell = (text: string): void => writeFileSync(join(here.folder, 'told'), `${text}\n`);
const done = (): string => `echo 'version = 6' >'${here.folder}/axway/SecureTransport/lib/version.properties'`;
/** The program waits in `wait` until the test opens: at a named pipe that the test has open for both ways, so that nobody else's open ever waits. */
function gate(): { wait: string; open(): void } {
  const pipe = join(here.folder, 'go');
  execFileSync('mkfifo', [pipe]);
  const end = openSync(pipe, 'r+');
  return { wait: `read -r _ <'${pipe}'`, open: () => void writeSync(end, 'go\n') };
}
const runs = (): number => readFileSync(join(here.folder, 'runs'), 'utf8').split('\n').length - 1;
const kept = (): string => readdirSync(join(here.folder, 'home/.st-orchestrator/updates')).map((name) => readFileSync(join(here.folder, 'home/.st-orchestrator/updates', name), 'utf8')).join('');
const failed = { code: 'Refused', message: expect.stringMatching(/^st1: .*update\.sh ended with exit code 3; how far it came is unknown, and the node is not started\. It wrote: no room/) };

/** One attempt of what somebody asked for; cut: nothing is heard after so many calls, as of a worker that died. */
function attempt(asked: number, { cutAfter = Infinity, epoch = 1, byHand = false } = {}): Promise<Outcome> {
  let calls = 0;
  const ssh = { run: async (...args: Parameters<typeof here.clients.ssh.run>) => {
    if (calls >= cutAfter) throw new Error('the worker has died');
    const answer = await here.clients.ssh.run(...args);
    if (++calls >= cutAfter) throw new Error('the worker has died');
    return answer;
  } };
  const activities = restartActivities({ clients: { ...here.clients, ssh } as never });
  return new MockActivityEnvironment({ scheduledTimestampMs: asked }, { logger: new DefaultLogger('ERROR') }).run(() =>
    activities.ensureUpdated({ host: here.server, role: 'server', version: '6', command: [program], timeoutMs: 20_000 }, { cluster: 'demo', epoch, operation: 'update-cluster/demo' }, { byHand })) as Promise<Outcome>;
}

/** How many calls an attempt makes that nothing cuts. */
async function callsOf(asked: number): Promise<number> {
  for (let calls = 1; ; calls += 1) {
    const died = await attempt(asked, { cutAfter: calls }).then(() => false, (error: Error) => error.message === 'the worker has died');
    if (!died) return calls;
  }
}

test('one that fails is not run again by an attempt after a worker\'s death, wherever that was, and each tells the same', async () => {
  expect(await callsOf(1)).toBeGreaterThan(5);
  expect(runs()).toBe(1);
  await expect(attempt(1)).rejects.toMatchObject(failed);
  expect(runs()).toBe(1);
  expect(kept()).toBe('no room\n');
});

test('a person who decides to run it again has it run once more, and a new operation too', async () => {
  await expect(attempt(1)).rejects.toMatchObject(failed);
  await callsOf(2);
  await expect(attempt(2)).rejects.toMatchObject(failed);
  expect(runs()).toBe(2);
  await expect(attempt(3, { epoch: 2 })).rejects.toMatchObject(failed);
  expect(runs()).toBe(3);
  tell(done());
  expect(await attempt(4, { epoch: 2 })).toMatchObject({ changed: true, note: expect.stringMatching(/^5\.5 → 6; output in/) });
  expect(await attempt(5, { epoch: 3 })).toEqual({ changed: false, note: '6 is installed already' });
  expect(runs()).toBe(4);
});

test('what a person says to have done by hand is looked at, and the program is not run again', async () => {
  await expect(attempt(1)).rejects.toMatchObject(failed);
  await expect(attempt(2, { byHand: true })).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('st1: 5.5 is installed, expected 6.') });
  here.write('axway/SecureTransport/lib/version.properties', 'version = 6\n');
  expect(await attempt(3, { byHand: true })).toEqual({ changed: false, note: '6 is installed' });
  expect(runs()).toBe(1);
});

test('one that ends well is run once, also where the version it installs is another than was asked for', async () => {
  tell('true');
  await callsOf(1);
  expect(await attempt(1)).toMatchObject({ changed: true, note: expect.stringContaining('5.5 → 5.5') });
  expect(await attempt(2)).toMatchObject({ changed: true });
  expect(runs()).toBe(1);
});

test('one that a person was not told of, since it was still running, is read and not run again by "retry"', async () => {
  const go = gate();
  tell(`${go.wait}; exit 3`);
  await expect(attempt(1, { cutAfter: 3 })).rejects.toThrow('the worker has died');
  go.open();
  await expect(attempt(2)).rejects.toMatchObject({ code: 'Refused' });
  await expect(attempt(2)).rejects.toMatchObject({ code: 'Refused' });
  expect(runs()).toBe(1);
});

test('the program of an operation that was cut off is waited for, and what it installed counts', async () => {
  const go = gate();
  tell(`${go.wait}; ${done()}`);
  await expect(attempt(1, { cutAfter: 3 })).rejects.toThrow('the worker has died');
  const next = attempt(2, { epoch: 2 });
  go.open();
  expect(await next).toEqual({ changed: false, note: '6 is installed already' });
  expect(runs()).toBe(1);
});
