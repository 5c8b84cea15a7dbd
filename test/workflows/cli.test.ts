/** stctl against a real Temporal server, with a small setUpCluster whose activities the test makes fail, wait or do nothing. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Context } from '@temporalio/activity';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { stringify } from 'yaml';
import type { Io } from '../../src/cli/cli';
import { run } from '../../src/cli/program';
import { waitsFor } from '../../src/activities/context';
import { StError } from '../../src/model/errors';
import { startTemporalServer } from '../helpers/temporalServer';
import { bundleOf, connectGround, unique, withWorker, type Fakes, type Ground } from '../helpers/workflows';
import { stctl, terminal, type Ran } from '../unit/cli/terminal';
import { changed } from '../unit/model/demoFile';

jest.setTimeout(240_000);

let ground: Ground;
let bundle: WorkflowBundleOption;
let folder: string;

beforeAll(async () => {
  ground = await connectGround();
  bundle = await bundleOf(require.resolve('./fixtures/stctl.ts'));
  folder = mkdtempSync(join(tmpdir(), 'st-cli-'));
});
afterAll(async () => {
  await ground?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A cluster of its own for one test, its file, and a way to call stctl for it. */
interface Estate {
  cluster: string;
  file: string;
  id: string;
  done: string[];
  call(...words: string[]): Promise<Ran>;
  io(over?: Partial<Io>): Partial<Io>;
  write(file: object): void;
}

async function estate(over: Fakes, test: (estate: Estate) => Promise<void>, at: Ground = ground): Promise<void> {
  const cluster = unique('c');
  const file = join(folder, `${cluster}.yaml`);
  const write = (value: object): void => writeFileSync(file, stringify(value));
  write(changed(['metadata', 'name'], cluster));
  const done: string[] = [];
  const act = (name: string) => async ({ node }: { node: string }) => {
    done.push(`${name} ${node}`);
    return { changed: true, note: `${name} done` };
  };
  const fakes: Fakes = {
    'things.checkMissing': async ({ servers }: { servers: string[] }) => ({ facts: servers.filter((name) => !done.includes(`start ${name}`)), problems: [] }),
    'things.checkNode': async ({ node }: { node: string }) => ({ facts: node, problems: [] }),
    'things.ensureInstalled': act('install'),
    'things.ensureStarted': act('start'),
    ...over,
  };
  await withWorker(at, bundle, fakes, (taskQueue) => {
    const io = (more: Partial<Io> = {}): Partial<Io> => ({ env: { TEMPORAL_ADDRESS: process.env['TEMPORAL_ADDRESS'], ST_TASK_QUEUE: taskQueue, HOME: '/nonexistent' }, ...more });
    return test({ cluster, file, id: `set-up-cluster/${cluster}`, done, write, io, call: (...words) => stctl(words, io()) });
  });
}

/** An activity that waits until the test opens it; it hears of a cancel. */
function gate(): { wait: () => Promise<{ changed: boolean; note: string }>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, wait: async () => {
    await Promise.race([opened, Context.current().cancelled]);
    return { changed: true, note: 'waited' };
  } };
}

async function until(what: () => boolean, why: () => string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!what()) {
    if (Date.now() > deadline) throw new Error(`not within 30 s: ${why()}`);
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}

const json = (text: string): any => JSON.parse(text);
const fiveParts = ['What happened:', 'State now:', 'By itself:', 'You can:', 'Where:'];

test('from the plan to the history: what was planned is what runs, and a second run has nothing to do', () =>
  estate({}, async ({ cluster, file, id, done, call }) => {
    const plan = await call('plan', 'set-up-cluster', '-f', file);
    expect(plan).toMatchObject({ code: 0, stderr: expect.stringContaining('check      passed    The host is ready (st2)') });
    expect(plan.stdout).toContain('4 checks passed');
    expect(plan.stdout).toMatch(/^ *6 +Start the Server +st3 +all +none$/m);
    expect(done).toEqual([]);
    const command = /Run exactly this: (stctl .*)/.exec(plan.stdout)![1]!;

    const ran = await call(...command.split(' ').slice(1));
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain(`setUpCluster ${cluster}: completed after`);
    expect(ran.stdout).toContain('4 checks passed. 6 steps: 6 done.');
    expect(ran.stderr).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ 6\/6 +done +Start the Server \(st3\) .*start done$/m);
    expect(done).toHaveLength(6);

    const again = await call('set-up-cluster', cluster, '--yes');
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') });

    const status = await call('status', cluster);
    // Nobody watches it.
    expect(status.code).toBe(8);
    expect(status.stdout).toMatch(new RegExp(`^Cluster ${cluster} {3}ACTIVE SITE prod \\(fra\\) {3}active {3}revision 1, epoch 2`));
    expect(status.stdout).toMatch(/^st3 +prod +Server +10\.86\.0\.13 +yes$/m);
    expect(json((await call('history', cluster, '-o', 'json')).stdout).items.map((line: any) => line.outcome)).toEqual(['nothing to do', 'completed']);
    const report = await call('report', id, '-o', 'json');
    expect(json(report.stdout)).toMatchObject({ kind: 'OperationReport', outcome: 'nothing to do', requestedBy: expect.stringMatching(/.+@.+/) });
    // The list of runs may lag a moment behind.
    let earlier: Ran;
    do earlier = await call('report', id);
    while (!earlier.stderr.includes('Earlier runs of this id'));
    expect(earlier.stderr).toMatch(new RegExp(`Earlier runs of this id: \\S+ completed\\. The last of them: stctl report ${id} --run 2`));
    expect(await call('report', id, '--run', '2')).toMatchObject({ code: 0, stdout: expect.stringContaining('6 steps: 6 done.') });
    expect(await call('report', id, '--run', '3')).toMatchObject({ code: 2, stderr: expect.stringContaining('the server keeps 2 of') });
    expect((await call('watch', cluster)).stdout).toContain('No operation is running');
    expect(json((await call('status', '-o', 'json')).stdout).items.map((item: any) => item.name)).toContain(cluster);
  }));

test('a wrong input sent by any client fails with InvalidInput and the field, and nothing was started', () =>
  estate({}, async ({ cluster, done, io }) => {
    const { client } = ground;
    const spec = changed(['metadata', 'name'], cluster);
    const own = (): any => structuredClone(spec);
    const inputs: [unknown, string][] = [
      [undefined, 'expected one JSON object, found nothing'],
      ['--help', 'expected one JSON object'],
      [[{ cluster }], 'expected one JSON object, found a list'],
      [{ cluster: `${cluster}; id` }, 'cluster: expected a name'],
      [{ cluster, spec: changed(['sites', 'prod', 'servers'], [{ name: 'st[01:21]', address: '10.0.0.[1:21]' }], own()) }, 'spec.sites.prod.servers: expected at most 20 Servers in a site, found 21'],
      [{ cluster, spec: changed(['sites', 'prod', 'database', 'password'], 'hunter2', own()) }, 'spec.sites.prod.database.password: expected a reference to a secret'],
      [{ cluster, spec: changed(['defaults', 'admin', 'ca'], './ca.pem', own()) }, 'spec.defaults.admin.ca: expected an absolute path'],
      [{ cluster, spec: changed(['sites', 'prod', 'servers', 0, 'adress'], '$(id)', own()) }, 'spec.sites.prod.servers[0].adress: unknown key; did you mean "address"?'],
      [{ cluster, spec: changed(['product', 'user'], 'a'.repeat(10_240), own()) }, 'spec.product.user: the text is 10240 characters long'],
      [JSON.parse(`{"cluster": "${cluster}", "__proto__": {"spec": {}}}`), 'the key __proto__ is not allowed'],
      [{ cluster, spec: { sites: JSON.parse('['.repeat(200) + ']'.repeat(200)) } }, 'nested deeper than 16 levels'],
      // As much as fits a payload, and the slowest to look at: no worker may be held up by it.
      [{ cluster, spec: { sites: { prod: { servers: Array.from({ length: 900 }, (_, i) => ({ name: 'st[1:100]', address: 'h[1:100]', [`adres${i}`.repeat(12)]: 1 })) } } } }, 'more than 500 nodes'],
    ];
    const ends = await Promise.all(inputs.map(async ([input], i) => {
      const handle = await client.workflow.start('setUpCluster', { taskQueue: io().env!['ST_TASK_QUEUE']!, workflowId: `bad-input/${cluster}/${i}`, args: [input], workflowTaskTimeout: '3s' });
      const error = await handle.result().then(() => undefined, (failed: { cause?: { type?: string; message: string } }) => failed.cause);
      const { events } = await handle.fetchHistory();
      return { type: error?.type, message: error?.message ?? '', events: events!.map(({ eventType }) => String(eventType)).length };
    }));
    for (const [i, { type, message, events }] of ends.entries()) {
      expect([i, type, message]).toEqual([i, 'InvalidInput', expect.stringContaining(inputs[i]![1])]);
      expect(message.length).toBeLessThan(2_001);
      expect(message).not.toContain('hunter2');
      // Started, one task of the workflow, failed: no activity, no second try of the task.
      expect([i, events]).toEqual([i, 5]);
    }
    expect(done).toEqual([]);
    await expect(client.workflow.getHandle(`cluster/${cluster}`).describe()).rejects.toThrow(/not found/);
  }));

test('a plan that no longer holds is refused with 3 and changes nothing', () =>
  estate({}, async ({ cluster, file, done, write, call }) => {
    await call('apply', '-f', file);
    const fingerprint = (await call('plan', 'set-up-cluster', cluster, '-o', 'name')).stdout.trim();
    write(changed(['metadata', 'name'], cluster, changed(['sites', 'prod', 'label'], 'muc')));
    await call('apply', '-f', file);
    const { code, stderr } = await call('set-up-cluster', cluster, '--fingerprint', fingerprint);
    expect({ code, done }).toEqual({ code: 3, done: [] });
    expect(stderr).toContain('stctl: refused (PlanChanged)');
    for (const part of fiveParts) expect(stderr).toContain(part);
  }));

test('apply creates, changes and leaves a spec alone, and never overwrites another\'s change', () =>
  estate({}, async ({ cluster, file, write, call }) => {
    expect((await call('status', cluster)).code).toBe(3);
    expect((await call('apply', '-f', file)).stdout).toBe(`Cluster ${cluster}: new, revision 1\n`);
    expect((await call('apply', '-f', file)).stdout).toBe(`Cluster ${cluster}: unchanged, revision 1\n`);
    write(changed(['metadata', 'name'], cluster, changed(['sites', 'prod', 'database', 'port'], 5433)));
    const stale = await call('apply', '-f', file, '--expected-revision', '0');
    expect(stale).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('is at revision 1, yours was made from 0') });
    expect((await call('apply', '-f', file, '--expected-revision', '1')).stdout).toBe(`Cluster ${cluster}: revision 1 → 2\n  sites.prod.database.port\n`);
    expect((await call('status', cluster, '-o', 'json')).stdout).toContain('"port": 5433');
  }));

test('failed checks are all told, with their remedies; code 3', () =>
  estate({ 'things.checkNode': async ({ node }: { node: string }) => ({ facts: node, problems: [{ what: `${node}: the clock is 5 s ahead`, remedy: 'start chrony' }] }) }, async ({ file, done, call }) => {
    const { code, stderr, stdout } = await call('set-up-cluster', '-f', file, '--yes', '-o', 'json');
    expect({ code, done }).toEqual({ code: 3, done: [] });
    for (const node of ['st1', 'st2', 'st3']) expect(stderr).toContain(`  - The host is ready (${node}): ${node}: the clock is 5 s ahead. Remedy: start chrony`);
    for (const part of fiveParts) expect(stderr).toContain(part);
    expect(json(stdout)).toMatchObject({ outcome: 'refused', failure: { code: 'PreconditionFailed' } });
  }));

test('a step that fails ends with 1, says what is unfinished and how to go on', () =>
  estate({ 'things.ensureStarted': async () => { throw new StError('Refused', 'the product refuses to start'); } }, async ({ file, call }) => {
    const { code, stderr } = await call('set-up-cluster', '-f', file, '--yes');
    expect(code).toBe(1);
    expect(stderr).toContain('stctl: failed (Refused)');
    expect(stderr).toContain('unfinished: Start the Server (st1)');
    for (const part of fiveParts) expect(stderr).toContain(part);
  }));

test('jsonl gives one object an event and the report as the last line', () =>
  estate({}, async ({ file, call }) => {
    const { code, stdout, stderr } = await call('set-up-cluster', '-f', file, '--yes', '-o', 'jsonl');
    const lines = stdout.trim().split('\n').map(json);
    expect(code).toBe(0);
    expect(stderr).not.toContain('Install');
    expect(lines.at(-1)).toMatchObject({ kind: 'OperationReport', outcome: 'completed' });
    expect(lines.slice(0, -1).every((line: any) => line.kind === 'OperationEvent' && !Number.isNaN(Date.parse(line.at)))).toBe(true);
    expect(lines.filter((line: any) => line.event === 'step' && line.state === 'done')).toHaveLength(6);
  }));

test('a second start attaches to the one that runs, Ctrl-C lets go of it, a time-out leaves it running', async () => {
  const door = gate();
  await estate({ 'things.ensureStarted': door.wait }, async ({ cluster, file, id, call, io }) => {
    const first = terminal(io());
    const running = run(['set-up-cluster', '-f', file, '--yes'], first);
    await until(() => first.stderr.includes('running   Start the Server'), () => first.stderr);
    const second = call('set-up-cluster', cluster, '--yes');
    expect(await call('watch', cluster, '--timeout', '300ms')).toMatchObject({ code: 5, stderr: expect.stringContaining('is still running') });
    expect((await call('status', cluster)).stdout).toMatch(/Running: setUpCluster working, step 4\/6 "Start the Server" \(st1\)/);
    expect((await call('apply', '-f', file)).code).toBe(0);
    expect((await call('set-up-cluster', cluster, '--yes', '--detach'))).toMatchObject({ code: 0, stdout: `${id}\n`, stderr: expect.stringContaining('running already') });
    first.interrupt();
    expect(await running).toBe(130);
    expect(first.stderr).toMatch(/Detached: .* goes on without you\.\nCome back: {2}stctl watch /);
    door.open();
    const attached = await second;
    expect(attached).toMatchObject({ code: 0, stderr: expect.stringContaining('is running already') });
    expect(attached.stdout).toContain('completed');
  });
});

test('what a running step waits for is seen by whoever watches or asks, grows no history, and is gone with the wait', async () => {
  const door = gate();
  const waiting = async (): Promise<unknown> => {
    waitsFor({ for: '2 sessions', names: 'alice, bob', leftMs: 100_000 });
    return door.wait();
  };
  await estate({ 'things.ensureStarted': waiting }, async ({ file, id, call, io }) => {
    const shown = terminal(io());
    const running = run(['set-up-cluster', '-f', file, '--yes'], shown);
    await until(() => shown.stderr.match(/running   Start the Server \(st\d\) +waits for 2 sessions, at most 1m[34]\ds more \(alice, bob\)/g)?.length === 3, () => shown.stderr);
    const length = async (): Promise<number> => Number((await ground.client.workflow.getHandle(id).describe()).historyLength);
    const before = await length();
    const leftMs = async (): Promise<number> => {
      const { stdout, stderr } = await call('report', id, '-o', 'json');
      if (stdout === '') throw new Error(stderr);
      return json(stdout).steps.find((step: any) => step.key === 'things.ensureStarted/st2').waits.leftMs;
    };
    const first = await leftMs();
    let later = first;
    const deadline = Date.now() + 30_000;
    while (later === first && Date.now() < deadline) later = await leftMs();
    expect(later).toBeLessThan(first);
    expect((await call('report', id, '-o', 'wide')).stdout).toMatch(/Start the Server +st2 +running +waits for 2 sessions, at most/);
    expect(await length()).toBe(before);
    door.open();
    expect(await running).toBe(0);
    expect((await call('report', id, '-o', 'json')).stdout).not.toContain('"waits"');
  });
});

test('a step that fails again and again is told by the status: how often, until when and why', async () => {
  let broken = true;
  await estate({ 'things.ensureStarted': async ({ node }: { node: string }) => {
    if (broken && node === 'st1') throw new StError('RemoteCommandFailed', 'st1: No space left on device');
    return { changed: true, note: 'started' };
  } }, async ({ cluster, file, call, io }) => {
    const shown = terminal(io());
    const running = run(['set-up-cluster', '-f', file, '--yes'], shown);
    await until(() => shown.stderr.includes('retrying  Start the Server (st1)'), () => shown.stderr);
    const said = await call('status', cluster);
    expect(said.stdout).toMatch(/\n {2}retrying "Start the Server" \(st1\): attempt \d+.*, given up after 10m00s of tries \(\d+\.\ds so far\): st1: No space left on device\n/);
    expect(json((await call('status', cluster, '-o', 'json')).stdout).attempts).toEqual([{ key: 'things.ensureStarted/st1', attempt: expect.any(Number), lastFailure: 'st1: No space left on device', startsAt: expect.any(String), triedMs: expect.any(Number), patienceMs: 600_000 }]);
    broken = false;
    expect(await running).toBe(0);
    expect((await call('status', cluster)).stdout).not.toContain('retrying');
  });
});

test('a cancel is followed to its end: 6', async () => {
  const door = gate();
  await estate({ 'things.ensureStarted': door.wait }, async ({ file, id, call, io }) => {
    const shown = terminal(io());
    const running = run(['set-up-cluster', '-f', file, '--yes'], shown);
    await until(() => shown.stderr.includes('running   Start the Server'), () => shown.stderr);
    expect(await call('cancel', id, '--reason', 'wrong database')).toMatchObject({ code: 0, stdout: expect.stringContaining('asked to stop while working') });
    expect(await running).toBe(6);
    expect(shown.stderr).toContain('stctl: cancelled (Cancelled)');
    expect(shown.stderr).toMatch(/^What happened: +cancelled: wrong database$/m);
    expect(shown.stderr).toContain(`Run the same operation again (stctl set-up-cluster --file ${file}): it does only what is missing.`);
    expect((await call('report', id)).stdout).toContain('cancelled: wrong database');
    expect(await call('cancel', id, '--reason', 'again')).toMatchObject({ code: 3, stderr: expect.stringMatching(new RegExp(`is not running \\(cancelled\\)[^]*See how it ended: stctl report ${id}`)) });
    const record = await call('cancel', id.replace('set-up-', ''), '--reason', 'again');
    expect(record).toMatchObject({ code: 3, stderr: expect.stringMatching(/is the record of a cluster[^]*stctl status c/) });
    expect(record.stderr).not.toContain('in the product\'s own terms');
    expect(await call('report', id.replace('set-up-', ''))).toMatchObject({ code: 2, stderr: expect.stringContaining('(cluster) is no operation') });
  });
});

test('an operation that holds ends the following with 7 and names the command that answers it', async () => {
  let broken = true;
  await estate({ 'things.checkMissing': async () => ({ facts: ['st2'], problems: [] }), 'things.ensureStarted': async ({ node }: { node: string }) => {
    if (broken && node === 'st2') throw new StError('Refused', 'st2: the product refuses to start');
    return { changed: true, note: 'started' };
  } }, async ({ cluster, file, id, call }) => {
    const held = await call('set-up-cluster', '-f', file, '--yes', '--reason', 'forward only');
    expect(held.code).toBe(7);
    expect(held.stderr).toContain('stctl: waits for a decision');
    for (const part of fiveParts) expect(held.stderr).toContain(part);
    expect((await call('status', cluster)).code).toBe(7);
    const report = json((await call('report', id, '-o', 'json')).stdout);
    expect(Date.parse(report.phaseSince)).toBeGreaterThan(Date.parse(report.startedAt));
    expect(report.checks.map(({ endedAt }: any) => report.startedAt <= endedAt && endedAt <= report.phaseSince)).toEqual(report.checks.map(() => true));
    expect(await call('cancel', id, '--reason', 'changed my mind')).toMatchObject({ code: 3, stdout: '', stderr: expect.stringMatching(/past its point of no return[^]*stctl decide \S+ --step things\.ensureStarted\/st2 --do abort/) });
    const words = /try it again: stctl (decide .*) --reason/.exec(held.stderr)![1]!.split(' ');
    expect(await call('decide', id, '--step', 'Install the Server', '--do', 'skip', '--reason', 'x')).toMatchObject({ code: 3, stderr: expect.stringContaining('does not wait') });
    broken = false;
    expect(await call(...words, '--reason', 'the cable is back')).toMatchObject({ code: 0, stdout: expect.stringContaining('recorded: retry') });
    expect((await call('watch', id)).code).toBe(0);
    expect((await call('report', id)).stdout).toContain('the cable is back');
  });
});

test('on a terminal the plan is shown, and what is approved is exactly that plan', () =>
  estate({}, async ({ file, done, io }) => {
    const tty = { in: true, out: true, err: true };
    const no = await stctl(['set-up-cluster', '-f', file], io({ tty, ask: async () => 'n' }));
    expect({ code: no.code, done }).toEqual({ code: 6, done: [] });
    expect(no.stderr).toContain('6 steps would be done');
    const asked: string[] = [];
    const yes = await stctl(['set-up-cluster', '-f', file, '-v'], io({ tty, ask: async (question) => {
      asked.push(question);
      return 'y';
    } }));
    expect(yes.code).toBe(0);
    expect(asked).toHaveLength(1);
    expect(yes.stderr).toMatch(/--fingerprint [0-9a-f]{12} \| temporal workflow start .* --fail-existing .*--input-file \/dev\/stdin/);
    expect(yes.stderr).toContain('\u001b[J');
  }));

test('a record that was closed by hand is told as that: 8, with what it means and how it comes back', () =>
  estate({}, async ({ cluster, file, call }) => {
    await call('apply', '-f', file);
    await ground.client.workflow.getHandle(`cluster/${cluster}`).terminate('tidying up');
    const { code, stdout, stderr } = await call('status', cluster);
    expect({ code, stdout }).toEqual({ code: 8, stdout: expect.stringMatching(/RECORD CLOSED \(terminated\)[^]*Operations and apply are refused; the estate itself goes on/) });
    expect(stderr).toContain(`temporal workflow reset --workflow-id cluster/${cluster}`);
    expect(json((await call('status', cluster, '-o', 'json')).stdout)).toMatchObject({ kind: 'ClusterStatus', closed: 'terminated' });
    const deadline = Date.now() + 20_000;
    let all: Ran;
    do all = await call('status');
    while (!all.stdout.includes(cluster) && Date.now() < deadline);
    expect(all).toMatchObject({ code: 8, stdout: expect.stringMatching(new RegExp(`^${cluster} +record closed \\(terminated\\)`, 'm')) });
    expect(await call('apply', '-f', file)).toMatchObject({ code: 3, stderr: expect.stringContaining('temporal workflow reset') });
  }));

test('an operation that was terminated is told as interrupted: 1', async () => {
  const door = gate();
  await estate({ 'things.ensureStarted': door.wait }, async ({ cluster, file, id, call, io }) => {
    const shown = terminal(io());
    const running = run(['set-up-cluster', '-f', file, '--yes'], shown);
    await until(() => shown.stderr.includes('running   Start the Server'), () => shown.stderr);
    await ground.client.workflow.getHandle(id).terminate('pulled the plug');
    expect(await running).toBe(1);
    expect(shown.stderr).toContain('stctl: failed (Interrupted)');
    expect(shown.stderr).toContain('pulled the plug');
    expect(shown.stderr).toContain('unfinished: Start the Server (st1): was running when the operation was terminated');
    expect((await call('status', cluster)).stdout).toMatch(/\nRunning: setUpCluster since \S+ \(it was terminated; the record hears of it within half a minute\)/);
    door.open();
  });
});

test('where no worker polls nothing is started, and what waits there is told within its deadline', async () => {
  const cluster = unique('c');
  const taskQueue = unique('nobody');
  const io = { env: { TEMPORAL_ADDRESS: process.env['TEMPORAL_ADDRESS'], ST_TASK_QUEUE: taskQueue, HOME: '/nonexistent' } };
  const id = `set-up-cluster/${cluster}`;
  const refused = await stctl(['set-up-cluster', cluster, '--yes'], io);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(new RegExp(`No worker polls the task queue "${taskQueue}"[^]*Nothing was started[^]*ST_TASK_QUEUE[^]*temporal task-queue describe --task-queue ${taskQueue}`)) });
  await expect(ground.client.workflow.getHandle(id).describe()).rejects.toThrow(/not found/);
  await ground.client.workflow.start('setUpCluster', { workflowId: id, taskQueue, args: [{ cluster }] });
  try {
    const attached = await stctl(['set-up-cluster', cluster, '--yes', '--timeout', '8s'], io);
    expect(attached).toMatchObject({ code: 5, stderr: expect.stringContaining('No worker answers') });
    const report = await stctl(['report', id], io);
    expect(report).toMatchObject({ code: 1, stderr: expect.stringContaining('No worker answers') });
    expect(report.stderr).toContain('temporal task-queue describe');
  } finally {
    await ground.client.workflow.getHandle(id).terminate().catch(() => undefined);
  }
});

test('a namespace that is not there is told as that, by its name: 2', async () => {
  const io = { env: { TEMPORAL_ADDRESS: process.env['TEMPORAL_ADDRESS'], TEMPORAL_NAMESPACE: 'prodution', HOME: '/nonexistent' } };
  for (const words of [['status', 'demo'], ['status'], ['set-up-cluster', 'demo', '--yes'], ['watch', 'set-up-cluster/demo'], ['cancel', 'set-up-cluster/demo', '--reason', 'x']]) {
    expect({ words, ...(await stctl(words, io)) }).toMatchObject({ words, code: 2, stderr: expect.stringMatching(/has no namespace "prodution"[^]*TEMPORAL_NAMESPACE/) });
  }
});

test('another spec is refused with the places that differ, and what to run again is the whole command', () =>
  estate({}, async ({ cluster, file, write, call }) => {
    await call('apply', '-f', file);
    write(changed(['metadata', 'name'], cluster, changed(['sites', 'prod', 'label'], 'muc')));
    expect(await call('set-up-cluster', '-f', file, '--yes')).toMatchObject({ code: 3, stderr: expect.stringContaining('differs in: sites.prod.label') });
  }));

test('an operation for a cluster that nobody applied is refused: 3', () =>
  estate({}, async ({ cluster, call }) => {
    expect(await call('set-up-cluster', cluster, '--yes')).toMatchObject({ code: 3, stderr: expect.stringContaining('refused (UnknownCluster)') });
    expect(await call('watch', `set-up-cluster/${cluster}-x`)).toMatchObject({ code: 2, stderr: expect.stringMatching(/knows no operation[^]*stctl history/) });
  }));

test('the equal command of -v is one that the temporal CLI takes, and it refuses a second start', async () => {
  const door = gate();
  await estate({ 'things.ensureStarted': door.wait }, async ({ cluster, file, id, call }) => {
    await call('apply', '-f', file);
    const { stderr } = await call('set-up-cluster', cluster, '--yes', '--detach', '-v', '--reason', 'it\'s due');
    const command = stderr.split('\n').find((line) => line.startsWith('temporal workflow start'))!;
    const [program] = (await promisify(execFile)(join(__dirname, '../../scripts/temporal-cli'), { env: { ...process.env, TEMPORAL_ADDRESS: '' } })).stdout.trim().split('\n');
    const described = await ground.client.workflow.getHandle(id).describe();
    expect(await described.staticSummary()).toContain(cluster);
    const refused = promisify(execFile)('bash', ['-c', command.replace(/^temporal/, `'${program}'`)], { env: { ...process.env } });
    await expect(refused).rejects.toMatchObject({ stderr: expect.stringContaining('already') });
    const temporal = async (...words: string[]) => (await promisify(execFile)(program!, ['workflow', ...words, '--workflow-id', id], { env: { ...process.env } })).stdout;
    const deadline = Date.now() + 20_000;
    let shown: string;
    do shown = await temporal('show', '--detailed');
    while (!shown.includes('things.ensureStarted/st1') && Date.now() < deadline);
    expect(shown).toMatch(/activityId\W+things\.ensureStarted\/st1/i);
    const asked = await temporal('query', '--type', 'status', '-o', 'json');
    expect(json(asked).queryResult[0].steps).toContainEqual(expect.objectContaining({ title: 'Start the Server', node: 'st1', state: 'running' }));
    door.open();
  });
});

test('a Temporal server that is killed while it is followed: stctl finds the operation again and tells its end', async () => {
  const server = await startTemporalServer({ synchronous: 'full' });
  const own = await connectGround(server.address);
  const door = gate();
  try {
    await estate({ 'things.ensureStarted': door.wait }, async ({ file, io }) => {
      const base = io();
      const shown = terminal({ env: { ...base.env, TEMPORAL_ADDRESS: server.address } });
      const running = run(['set-up-cluster', '-f', file, '--yes'], shown);
      await until(() => shown.stderr.includes('running   Start the Server'), () => shown.stderr);
      await server.kill();
      await until(() => shown.stderr.includes('lost'), () => shown.stderr);
      await server.start();
      await until(() => shown.stderr.includes('The Temporal server answers again'), () => shown.stderr);
      door.open();
      expect(await running).toBe(0);
      expect(shown.stdout).toContain('completed');
    }, own);
  } finally {
    await own.close().catch(() => undefined);
    await server.stop();
  }
});
