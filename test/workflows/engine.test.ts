/** The engine against a real Temporal server: every promise of `operation()`, with activities that the test makes fail, stall or repeat. */
import type { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { Context } from '@temporalio/activity';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { StError } from '../../src/model/errors';
import type { ClusterRecord } from '../../src/model/cluster';
import type { OperationReport } from '../../src/model/operation';
import { parseClusterSpec } from '../../src/model/spec';
import { changed } from '../unit/model/demoFile';
import { bundleOf, connectGround, unique, withWorker, type Fakes, type Ground } from '../helpers/workflows';

jest.setTimeout(240_000);

let ground: Ground;
let bundle: WorkflowBundleOption;
const spec = { metadata: { name: 'test' } } as never;

beforeAll(async () => {
  ground = await connectGround();
  bundle = await bundleOf(require.resolve('./fixtures/workflows.ts'));
});
afterAll(() => ground?.close());

/** Fakes that write down what was done; `over` replaces some. */
function fakes(over: Fakes = {}): { done: string[]; acts: Fakes } {
  const done: string[] = [];
  const act = (name: string, value?: unknown) => async (input: { node?: string }) => {
    done.push(input.node ? `${name} ${input.node}` : name);
    return { changed: true, note: `${name} done`, ...(value ? { value: `${String(value)} ${input.node}` } : {}) };
  };
  const acts: Fakes = {
    'things.checkReady': async () => ({ facts: { nodes: [] }, problems: [] }),
    'things.checkNode': async ({ node }: { node: string }) => ({ facts: { node }, problems: [] }),
    'things.ensureFirst': act('first'),
    'things.ensureFirstUndone': act('undo first'),
    'things.ensureEach': act('each', 'made'),
    'things.ensureEachUndone': act('undo each'),
    'things.ensureLast': act('last'),
    ...over,
  };
  return { done, acts };
}

const start = (taskQueue: string, input: object, workflowId = unique('rehearse')): Promise<WorkflowHandle> =>
  ground.client.workflow.start('rehearse', { taskQueue, workflowId, args: [input], workflowTaskTimeout: '3s' });
const record = (cluster: string): Promise<ClusterRecord> => ground.client.workflow.getHandle(`cluster/${cluster}`).query<ClusterRecord>('status');
const reportOf = (handle: WorkflowHandle): Promise<OperationReport> => handle.query<OperationReport>('report');

/** A door that a fake waits at until the test opens it. */
const gate = (): { open: () => void; wait: Promise<void> } => {
  let open = (): void => undefined;
  const wait = new Promise<void>((resolve) => (open = resolve));
  return { open, wait };
};

async function failureOf(handle: WorkflowHandle): Promise<ApplicationFailure> {
  const error = await handle.result().then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  return (error as WorkflowFailedError).cause as ApplicationFailure;
}

async function until<T>(read: () => Promise<T>, accept: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const value = await read();
    if (accept(value)) return value;
    if (Date.now() > deadline) throw new Error(`not reached: ${JSON.stringify(value).slice(0, 500)}`);
    await new Promise<void>((resolve) => void setTimeout(resolve, 50));
  }
}

test('runs checks, then every step in order, gives the lease back and writes the report', async () => {
  const { done, acts } = fakes();
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    const report = (await (await start(queue, { cluster, spec })).result()) as OperationReport;
    expect(done[0]).toBe('first');
    expect(done.slice(1, 4).sort()).toEqual(['each n1', 'each n2', 'each n3']);
    expect(done[4]).toBe('last');
    expect(report).toMatchObject({ outcome: 'completed', epoch: 1, summary: 'Rehearsed with 3 nodes.', unfinished: [] });
    expect(report.steps.map(({ key, state }) => `${key} ${state}`)).toEqual(['things.ensureFirst done', 'things.ensureEach/n1 done', 'things.ensureEach/n2 done', 'things.ensureEach/n3 done', 'things.ensureLast done']);
    expect(await record(cluster)).toMatchObject({ phase: 'active', lease: null, epoch: 1, operations: [{ operation: 'rehearse', outcome: 'completed' }] });
  });
});

test('whoever watches Temporal alone sees what is happening, to which node, and what comes next', async () => {
  const { open, wait } = gate();
  const { acts } = fakes({ 'things.ensureEach': async ({ node }: { node: string }) => { if (node === 'n2') await wait; return { changed: true, note: `${node} made`, value: node }; } });
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    const handle = await start(queue, { cluster, spec });
    await until(() => reportOf(handle), ({ steps }) => steps.filter(({ state }) => state === 'done').length === 3);

    const { searchAttributes } = await handle.describe();
    expect(searchAttributes).toMatchObject({ StCluster: [cluster], StOperation: ['rehearse'] });

    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toMatch(new RegExp(`^\\*\\*rehearse\\*\\* of \\*\\*${cluster}\\*\\*: working, 3 of 5 steps done`));
    expect(currentDetails).toContain('**Next:** The last thing.');
    expect(currentDetails).toMatch(/\| ✔ \| Each thing \| n1 \| done \| .* \| n1 made \|\n\| ▶ \| Each thing \| n2 \| running \|/);

    const { events } = await handle.fetchHistory();
    const scheduled = events!.filter(({ activityTaskScheduledEventAttributes: attributes }) => attributes?.activityId?.startsWith('things.'));
    const told = scheduled.map(({ activityTaskScheduledEventAttributes: attributes, userMetadata }) => `${attributes!.activityId}: ${JSON.parse(Buffer.from(userMetadata!.summary!.data!).toString()) as string}`);
    expect(told).toEqual(['things.ensureFirst: The first thing', 'things.ensureEach/n1: Each thing (n1)', 'things.ensureEach/n2: Each thing (n2)', 'things.ensureEach/n3: Each thing (n3)']);
    // A worker that dies in the middle is missed after so long.
    expect(scheduled.map(({ activityTaskScheduledEventAttributes: attributes }) => Number(attributes!.heartbeatTimeout!.seconds))).toEqual([2, 2, 2, 2]);
    open();
    await handle.result();
  });
});

test('a dry run checks for real, changes nothing, creates no record and answers the plan with a fingerprint', async () => {
  const { done, acts } = fakes();
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    const plan = (await (await start(queue, { cluster, spec, dryRun: true })).result()) as OperationReport;
    expect(done).toEqual([]);
    expect(plan).toMatchObject({ outcome: 'planned', dryRun: true });
    expect(plan.steps.map(({ state }) => state)).toEqual(Array.from({ length: 5 }, () => 'planned'));
    await expect(record(cluster)).rejects.toThrow();
    const run = (await (await start(queue, { cluster, spec, fingerprint: plan.fingerprint })).result()) as OperationReport;
    expect(run.outcome).toBe('completed');
  });
});

test('refuses to run a plan that no longer holds', async () => {
  const { done, acts } = fakes();
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    const plan = (await (await start(queue, { cluster, spec, dryRun: true })).result()) as OperationReport;
    await (await start(queue, { cluster, spec })).result();
    done.length = 0;
    const failure = await failureOf(await start(queue, { cluster, fingerprint: plan.fingerprint }));
    expect(failure.type).toBe('PlanChanged');
    expect(failure.message).toContain('Nothing was changed');
    expect(done).toEqual([]);
  });
});

test('a plan of another wish is refused; how it is run is no part of the wish', async () => {
  const { done, acts } = fakes();
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    const plan = (await (await start(queue, { cluster, spec, databaseBackup: 'RMAN-1', dryRun: true })).result()) as OperationReport;
    for (const other of [{}, { databaseBackup: 'RMAN-2' }]) {
      expect(await failureOf(await start(queue, { cluster, spec, fingerprint: plan.fingerprint, ...other }))).toMatchObject({ type: 'PlanChanged', message: expect.stringContaining('what is asked for') });
    }
    expect(done).toEqual([]);
    await expect((await start(queue, { cluster, spec, fingerprint: plan.fingerprint, databaseBackup: 'RMAN-1', reason: 'approved', patience: 60_000, requestedBy: 'ann' })).result()).resolves.toMatchObject({ outcome: 'completed' });
  });
});

test('a plan of another spec is refused, also before there is a record', async () => {
  const { done, acts } = fakes();
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    const plan = (await (await start(queue, { cluster, spec, dryRun: true })).result()) as OperationReport;
    const failure = await failureOf(await start(queue, { cluster, spec: { metadata: { name: 'other' } }, fingerprint: plan.fingerprint }));
    expect(failure.type).toBe('PlanChanged');
    expect(done).toEqual([]);
    // What was refused left no spec behind: the planned one runs.
    expect((await (await start(queue, { cluster, spec })).result() as OperationReport).outcome).toBe('completed');
  });
});

test('reports every failed check at once, changes nothing, and leaves the cluster free', async () => {
  const { done, acts } = fakes({
    'things.checkReady': async () => ({ facts: { nodes: [] }, problems: [{ what: 'the disk is full', remedy: 'make room' }, { what: 'the clock is off', remedy: 'set it' }] }),
    'things.checkNode': async ({ node }: { node: string }) => {
      if (node === 'n2') throw new StError('AuthenticationFailed', 'n2: the login of ops was refused');
      return { facts: { node }, problems: [] };
    },
  });
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    const failure = await failureOf(await start(queue, { cluster, spec }));
    expect(failure.type).toBe('PreconditionFailed');
    for (const words of ['3 prerequisites', 'the disk is full. Remedy: make room', 'the clock is off', 'n2: the login of ops was refused [AuthenticationFailed]', 'nothing was changed']) expect(failure.message).toContain(words);
    expect(done).toEqual([]);
    expect(await record(cluster)).toMatchObject({ lease: null, phase: 'new', operations: [{ outcome: 'refused' }] });
  });
});

test('names the field of a wrong input and starts nothing', async () => {
  const { acts } = fakes();
  await withWorker(ground, bundle, acts, async (queue) => {
    const failure = await failureOf(await start(queue, { clutser: 'x' }));
    expect(failure).toMatchObject({ type: 'InvalidInput' });
    expect(failure.message).toContain('cluster: expected a name');
    const nothing = await ground.client.workflow.start('rehearse', { taskQueue: queue, workflowId: unique('none') });
    expect((await failureOf(nothing)).type).toBe('InvalidInput');
  });
});

test('an operation for a cluster nobody applied fails with UnknownCluster and invents no record', async () => {
  const { acts } = fakes();
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    expect((await failureOf(await start(queue, { cluster }))).type).toBe('UnknownCluster');
    expect((await failureOf(await start(queue, { cluster, dryRun: true }))).type).toBe('UnknownCluster');
    await expect(record(cluster)).rejects.toThrow();
  });
});

test('another spec than the applied one is a SpecConflict, for a dry run too', async () => {
  const { done, acts } = fakes();
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    await (await start(queue, { cluster, spec })).result();
    done.length = 0;
    const other = { metadata: { name: 'other' } };
    for (const dryRun of [true, false]) expect(await failureOf(await start(queue, { cluster, spec: other, dryRun }))).toMatchObject({ type: 'SpecConflict', message: expect.stringContaining('which differs in: ') });
    expect(done).toEqual([]);
  });
});

test('a failed step waits for its siblings, then undoes what was begun, last first and as many at once as were begun', async () => {
  let slowEnded = false;
  let undoing = 0;
  const together = gate();
  const { done, acts } = fakes({
    'things.ensureEach': async ({ node }: { node: string }) => {
      if (node === 'n2') throw new StError('Refused', 'n2 says no');
      if (node === 'n3') {
        await new Promise<void>((resolve) => void setTimeout(resolve, 400));
        slowEnded = true;
      }
      return { changed: true, note: '', value: node };
    },
    'things.ensureEachUndone': async ({ node }: { node: string }) => {
      expect(slowEnded).toBe(true);
      undoing += 1;
      if (undoing === 3) together.open();
      await together.wait;
      done.push(`undo each ${node}`);
      return { changed: true, note: 'undone' };
    },
  });
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    const handle = await start(queue, { cluster, spec });
    const failure = await failureOf(handle);
    expect(failure.type).toBe('Refused');
    expect(failure.message).toContain('Each thing (n2): n2 says no');
    expect([done[0], done.slice(1, 4).sort(), done.slice(4)]).toEqual(['first', ['undo each n1', 'undo each n2', 'undo each n3'], ['undo first']]);
    const report = await reportOf(handle);
    expect(report).toMatchObject({ outcome: 'failed', unfinished: [] });
    expect(report.steps.map(({ state }) => state)).toEqual(['undone', 'undone', 'undone', 'undone', 'planned']);
  });
});

test('what could not be undone is listed and kept by the record', async () => {
  const { acts } = fakes({
    'things.ensureLast': async () => { throw new StError('Refused', 'no'); },
    'things.ensureFirstUndone': async () => { throw new StError('Refused', 'no way back'); },
  });
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    await failureOf(await start(queue, { cluster, spec }));
    expect((await record(cluster)).unfinished).toEqual(['The first thing: undo failed, no way back', 'The last thing: failed, no']);
  });
});

test('retries what may pass and never what can not', async () => {
  let tries = 0;
  let refusals = 0;
  const { acts } = fakes({
    'things.ensureFirst': async () => {
      tries += 1;
      if (tries < 3) throw new StError('Unreachable', 'not now');
      return { changed: true, note: '' };
    },
    'things.ensureLast': async () => {
      refusals += 1;
      throw new StError('AuthenticationFailed', 'wrong password');
    },
  });
  await withWorker(ground, bundle, acts, async (queue) => {
    expect((await failureOf(await start(queue, { cluster: unique('c'), spec }))).type).toBe('AuthenticationFailed');
    expect([tries, refusals]).toEqual([3, 1]);
  });
});

test('patience is time: what does not pass within it fails for good, says so, and is undone', async () => {
  let tries = 0;
  const { done, acts } = fakes({
    'things.ensureLast': async () => {
      tries += 1;
      throw new StError('Unreachable', 'st1 does not answer');
    },
  });
  await withWorker(ground, bundle, acts, async (queue) => {
    const began = performance.now();
    const failure = await failureOf(await start(queue, { cluster: unique('c'), spec, patience: 2_000 }));
    expect(failure).toMatchObject({ type: 'Unreachable', message: expect.stringMatching(/st1 does not answer \(tried \d+ times in \d\.\d s\)/) });
    expect(failure.message).toContain(`tried ${tries} times`);
    expect(tries).toBeGreaterThanOrEqual(4);
    expect(performance.now() - began).toBeLessThan(12_000);
    expect(done.at(-1)).toBe('undo first');
  });
});

test('a plan says how long it may take at worst, and on how many nodes a step must succeed', async () => {
  const { acts } = fakes();
  await withWorker(ground, bundle, acts, async (queue) => {
    const plan = (await (await start(queue, { cluster: unique('c'), spec, dryRun: true, need: 2, patience: 60_000 })).result()) as OperationReport;
    // Three steps of 10 minutes at most, after a minute of patience each; the nodes of the second at once.
    expect(plan.worstCaseMs).toBe(3 * 11 * 60_000);
    expect(plan.steps.map(({ need }) => need)).toEqual([undefined, 2, 2, 2, undefined]);
  });
});

test('need: a fan-out of which enough succeed goes on and lists the rest', async () => {
  const { done, acts } = fakes({
    'things.ensureEach': async ({ node }: { node: string }) => {
      if (node === 'n2') throw new StError('Refused', 'n2 says no');
      return { changed: true, note: '', value: node };
    },
  });
  await withWorker(ground, bundle, acts, async (queue) => {
    const report = (await (await start(queue, { cluster: unique('c'), spec, need: 2 })).result()) as OperationReport;
    expect(report.outcome).toBe('completed');
    expect(report.unfinished).toEqual(['Each thing (n2): failed, n2 says no']);
    expect(done).toEqual(['first', 'last']);
    expect((await failureOf(await start(queue, { cluster: unique('c'), spec, need: 3 }))).type).toBe('Refused');
  });
});

test('cancel waits for the running step, undoes, and ends as cancelled with the lease given back', async () => {
  let stopped = false;
  const { done, acts } = fakes({
    'things.ensureLast': async () => {
      await Context.current().cancelled.catch(() => undefined);
      await new Promise<void>((resolve) => void setTimeout(resolve, 200));
      stopped = true;
      throw new StError('Cancelled', 'stopped');
    },
    'things.ensureFirstUndone': async () => {
      expect(stopped).toBe(true);
      done.push('undo first');
      return { changed: true, note: '' };
    },
  });
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    const handle = await start(queue, { cluster, spec });
    await until(() => reportOf(handle), (report) => report.steps.some(({ key, state }) => key === 'things.ensureLast' && state === 'running'));
    // As every door asks: the `temporal` CLI and its UI too.
    await ground.client.workflowService.requestCancelWorkflowExecution({ namespace: ground.client.options.namespace, reason: 'wrong database\nsee the ticket', workflowExecution: { workflowId: handle.workflowId } });
    await handle.result().catch(() => undefined);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    expect(done.at(-1)).toBe('undo first');
    const told = 'cancelled: wrong database';
    expect(await reportOf(handle)).toMatchObject({ outcome: 'cancelled', summary: told, failure: { code: 'Cancelled', message: told } });
    expect(await record(cluster)).toMatchObject({ lease: null, operations: [{ outcome: 'cancelled', summary: told }] });
  });
});

describe('after the point of no return', () => {
  const failing = (times: number): { done: string[]; acts: Fakes; tries: () => number; saidByHand: boolean[] } => {
    let tries = 0;
    const saidByHand: boolean[] = [];
    const made = fakes({
      'things.ensureLast': async (_input: object, _authority: object, limits: { byHand?: boolean }) => {
        tries += 1;
        saidByHand.push(limits.byHand === true);
        if (tries <= times) throw new StError('Refused', 'not like this');
        return { changed: false, note: 'it is so' };
      },
    });
    return { ...made, tries: () => tries, saidByHand };
  };
  const held = (handle: WorkflowHandle) => until(() => reportOf(handle), ({ phase }) => phase === 'held');

  test('a failing step waits for a person; wrong decisions are refused in words; retry goes on', async () => {
    const { done, acts } = failing(1);
    await withWorker(ground, bundle, acts, async (queue) => {
      const handle = await start(queue, { cluster: unique('c'), spec, forwardOnly: true });
      await held(handle);
      const decide = (decision: object): Promise<unknown> => handle.executeUpdate('decide', { args: [decision] });
      const refused = async (decision: object): Promise<string> => decide(decision).then(() => 'accepted', (error: { cause: Error }) => error.cause.message);
      expect(await refused({ step: 'The first thing', do: 'retry', by: 'ann', reason: 'x' })).toContain('these do: The last thing');
      expect(await refused({ step: 'The last thing', do: 'whatever', by: 'ann', reason: 'x' })).toMatch(/do: expected .*retry/);
      expect(await refused({ step: 'The last thing', do: 'retry', by: '', reason: 'x' })).toMatch(/^by: /);
      expect(await decide({ step: 'The last thing', do: 'retry', by: 'ann', reason: 'cable is back' })).toContain('as claimed');
      const report = (await handle.result()) as OperationReport;
      expect(report).toMatchObject({ outcome: 'completed', decisions: [{ by: 'ann', do: 'retry', reason: 'cable is back' }] });
      expect(done).not.toContain('undo first');
    });
  });

  test('what was decided of one failure is not taken for the next', async () => {
    const { tries, acts } = failing(2);
    await withWorker(ground, bundle, acts, async (queue) => {
      const handle = await start(queue, { cluster: unique('c'), spec, forwardOnly: true });
      await held(handle);
      const decide = (by: string): Promise<unknown> => handle.executeUpdate('decide', { args: [{ step: 'The last thing', do: 'retry', by, reason: 'again' }] });
      // Whoever comes second is taken while the step waits, or told that it does not.
      await Promise.allSettled([decide('ann'), decide('bob')]);
      await until(() => reportOf(handle), ({ phase }) => phase === 'held' && tries() === 2);
      await expect(reportOf(handle)).resolves.toMatchObject({ phase: 'held' });
      await decide('ann');
      expect(((await handle.result()) as OperationReport).outcome).toBe('completed');
      expect(tries()).toBe(3);
    });
  });

  test('a cancel is refused: nothing is undone and the operation goes on to its end', async () => {
    const { done, acts, saidByHand } = failing(1);
    await withWorker(ground, bundle, acts, async (queue) => {
      const handle = await start(queue, { cluster: unique('c'), spec, forwardOnly: true });
      await held(handle);
      await handle.cancel();
      await handle.executeUpdate('decide', { args: [{ step: 'things.ensureLast', do: 'done-by-hand', by: 'ann', reason: 'did it' }] });
      expect(((await handle.result()) as OperationReport).outcome).toBe('completed');
      // What runs once for each asking must know that it is only to look.
      expect(saidByHand).toEqual([false, true]);
      expect(done).not.toContain('undo first');
    });
  });

  test('of a fan-out in which two nodes fail each is decided by itself, whatever the worker has forgotten meanwhile', async () => {
    const tries: Record<string, number> = {};
    const { done, acts } = fakes({
      'things.ensureEachLast': async ({ node }: { node: string }) => {
        tries[node] = (tries[node] ?? 0) + 1;
        if (node !== 'n2' && tries[node] === 1) throw new StError('Refused', `${node} says no`);
        return { changed: true, note: '' };
      },
    });
    await withWorker(ground, bundle, acts, async (queue) => {
      const handle = await start(queue, { cluster: unique('c'), spec, forwardOnly: true, fanOutAfter: true });
      await until(() => reportOf(handle), ({ steps }) => steps.filter(({ state }) => state === 'waiting').length === 2);
      expect((await reportOf(handle)).phase).toBe('held');
      for (const node of ['n1', 'n3']) await handle.executeUpdate('decide', { args: [{ step: 'Each last thing', node, do: 'retry', by: 'ann', reason: 'again' }] });
      expect(((await handle.result()) as OperationReport).outcome).toBe('completed');
      expect(tries).toEqual({ n1: 2, n2: 1, n3: 2 });
      expect(done.at(-1)).toBe('last');
    });
  });

  test('skip and abort end the wait, and what was skipped stays listed', async () => {
    const { acts } = failing(99);
    await withWorker(ground, bundle, acts, async (queue) => {
      const skip = await start(queue, { cluster: unique('c'), spec, forwardOnly: true });
      await held(skip);
      await skip.executeUpdate('decide', { args: [{ step: 'The last thing', do: 'skip', by: 'ann', reason: 'later' }] });
      const skipped = 'The last thing: skipped, skipped by ann (as claimed): later';
      expect(await skip.result()).toMatchObject({ unfinished: [skipped], now: `Not everything asked for was done: ${skipped}.`, next: 'See "unfinished".' });
      const abort = await start(queue, { cluster: unique('c'), spec, forwardOnly: true });
      await held(abort);
      await abort.executeUpdate('decide', { args: [{ step: 'The last thing', do: 'abort', by: 'ann', reason: 'enough' }] });
      expect((await failureOf(abort)).type).toBe('Aborted');
    });
  });
});

test.each([
  ['plain error', 'x is not a function'],
  ['late check', 'a check after the first step'],
  ['same key', 'share the key "things.ensureFirst"'],
  ['unplanned step', 'step "surprise" was not planned'],
])('a defect in an operation (%s) ends it as Bug instead of wedging it', async (mistake, words) => {
  const { acts } = fakes();
  await withWorker(ground, bundle, acts, async (queue) => {
    const failure = await failureOf(await start(queue, { cluster: unique('c'), spec, mistake }));
    expect(failure.type).toBe('Bug');
    expect(failure.message).toContain(words);
  });
});

describe('the lease', () => {
  test('a second operation is told who holds it, or waits for its end; the epoch rises', async () => {
    const { open, wait } = gate();
    const { acts } = fakes({ 'things.ensureLast': async () => { await wait; return { changed: true, note: '' }; } });
    const cluster = unique('c');
    await withWorker(ground, bundle, acts, async (queue) => {
      const first = await start(queue, { cluster, spec });
      await until(() => reportOf(first), ({ phase }) => phase === 'working');
      const failure = await failureOf(await start(queue, { cluster }));
      expect(failure.type).toBe('ClusterBusy');
      expect(failure.message).toMatch(new RegExp(`^rehearse \\(${first.workflowId}\\) holds the lease of "${cluster}" since [^ ;]+\\. Nothing was changed\\..*"--wait-for-lease 10m" \\(in JSON "waitForLease": "10m"\\)`));
      const third = await start(queue, { cluster, waitForLease: 30_000 });
      await until(() => reportOf(third), ({ phase }) => phase === 'waiting for the lease');
      open();
      expect((await third.result() as OperationReport).epoch).toBe(2);
      await first.result();
    });
  });

  test('who is refused because of a holder that is just being cancelled is told so', async () => {
    const { open, wait } = gate();
    const { acts } = fakes({ 'things.ensureFirstUndone': async () => { await wait; return { changed: true, note: '' }; }, 'things.ensureLast': async () => Context.current().cancelled });
    const cluster = unique('c');
    await withWorker(ground, bundle, acts, async (queue) => {
      const first = await start(queue, { cluster, spec });
      await until(() => reportOf(first), ({ steps }) => steps.some(({ key, state }) => key === 'things.ensureLast' && state === 'running'));
      await first.cancel();
      await until(() => reportOf(first), ({ phase }) => phase === 'undoing');
      expect((await failureOf(await start(queue, { cluster }))).message).toMatch(/ holds the lease of .* since [^ ;]+; it was asked to cancel, and holds it until it has come to its end\. Nothing was changed/);
      open();
      expect((await failureOf(first)).message).toMatch(/cancel/i);
    });
  });

  test('a terminated holder leaves the cluster interrupted with what it left listed, and a new run completes', async () => {
    const { open, wait } = gate();
    const { acts } = fakes({ 'things.ensureLast': async () => { await wait; return { changed: true, note: '' }; } });
    const cluster = unique('c');
    await withWorker(ground, bundle, acts, async (queue) => {
      const first = await start(queue, { cluster, spec });
      await until(() => reportOf(first), ({ steps }) => steps.some(({ key, state }) => key === 'things.ensureLast' && state === 'running'));
      await first.terminate('test');
      const second = await start(queue, { cluster });
      const interrupted = await until(() => record(cluster), ({ lease }) => lease?.workflowId === second.workflowId);
      expect(interrupted.phase).toBe('interrupted');
      expect(interrupted.unfinished).toEqual(['The last thing: was running when the operation was terminated']);
      expect(interrupted.operations[0]).toMatchObject({ outcome: 'interrupted', summary: 'terminated without a report' });
      open();
      expect(await second.result()).toMatchObject({ outcome: 'completed', epoch: 2 });
      expect(await record(cluster)).toMatchObject({ phase: 'active', unfinished: [], lease: null });
    });
  });

  test('an undo is seen while it is at work, and named when the operation is terminated meanwhile', async () => {
    const { open, wait } = gate();
    const { acts } = fakes({
      'things.ensureLast': async () => { throw new StError('Refused', 'no'); },
      'things.ensureEachUndone': async () => { await wait; return { changed: true, note: '' }; },
    });
    const cluster = unique('c');
    await withWorker(ground, bundle, acts, async (queue) => {
      await ground.client.workflow.start('cluster', { taskQueue: queue, workflowId: `cluster/${cluster}`, args: [{ name: cluster, lookUpEvery: 1_000 }] });
      const handle = await start(queue, { cluster, spec });
      const { phase, steps } = await until(() => reportOf(handle), (report) => report.steps.filter(({ state }) => state === 'undoing').length === 3);
      expect([phase, steps.map(({ state }) => state)]).toEqual(['undoing', ['done', 'undoing', 'undoing', 'undoing', 'failed']]);
      await handle.terminate('test');
      const each = ['n1', 'n2', 'n3'].map((node) => `Each thing (${node}): was being undone when the operation was terminated`);
      expect(await until(() => record(cluster), ({ lease }) => lease === null)).toMatchObject({ phase: 'interrupted', unfinished: [...each, 'The last thing: failed, no'] });
      open();
    });
  });

  test('the record notices by itself that its holder was terminated', async () => {
    const { open, wait } = gate();
    const { acts } = fakes({ 'things.ensureLast': async () => { await wait; return { changed: true, note: '' }; } });
    const cluster = unique('c');
    await withWorker(ground, bundle, acts, async (queue) => {
      await ground.client.workflow.start('cluster', { taskQueue: queue, workflowId: `cluster/${cluster}`, args: [{ name: cluster, lookUpEvery: 1_000 }] });
      const first = await start(queue, { cluster, spec });
      await until(() => reportOf(first), ({ steps }) => steps.some(({ key, state }) => key === 'things.ensureLast' && state === 'running'));
      await new Promise<void>((resolve) => void setTimeout(resolve, 1_500)); // longer than one look: a living holder keeps its lease
      expect((await record(cluster)).lease).toMatchObject({ workflowId: first.workflowId });
      await first.terminate('test');
      expect(await until(() => record(cluster), ({ lease }) => lease === null)).toMatchObject({ phase: 'interrupted', unfinished: ['The last thing: was running when the operation was terminated'] });
      open();
    });
  });

  test('a reset holder keeps its lease and completes', async () => {
    const { open, wait } = gate();
    const { acts } = fakes({ 'things.ensureLast': async () => { await wait; return { changed: true, note: '' }; } });
    const cluster = unique('c');
    await withWorker(ground, bundle, acts, async (queue) => {
      const first = await start(queue, { cluster, spec });
      await until(() => reportOf(first), ({ steps }) => steps.some(({ key, state }) => key === 'things.ensureLast' && state === 'running'));
      const { events } = await first.fetchHistory();
      const completed = events!.filter(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes).at(-1)!.eventId!;
      await ground.client.workflowService.resetWorkflowExecution({
        namespace: 'default', workflowExecution: { workflowId: first.workflowId }, workflowTaskFinishEventId: completed, requestId: unique('reset'), reason: 'test',
      });
      open();
      const again = ground.client.workflow.getHandle(first.workflowId);
      expect(await again.result()).toMatchObject({ outcome: 'completed', epoch: 1 });
      expect(await record(cluster)).toMatchObject({ lease: null, epoch: 1, phase: 'active' });
    });
  });
});

test('a run that ends half-way says how far it came, and the record keeps what is left', async () => {
  const { acts } = fakes({ 'things.ensureFirstUndone': async () => { throw new StError('Refused', 'no way back'); }, 'things.ensureEach': async ({ node }: { node: string }) => { throw new StError('Refused', `${node} says no`); } });
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    const handle = await start(queue, { cluster, spec });
    expect((await failureOf(handle)).message).toMatch(/Done: 0 of 5 steps\. Undone: 3\. Not done: 2: The first thing: undo failed/);
    expect(await record(cluster)).toMatchObject({ phase: 'setting up', unfinished: ['The first thing: undo failed, no way back', 'The last thing: not begun'] });
  });
});

test('a record that was terminated refuses operations, and says how to bring it back', async () => {
  const { done, acts } = fakes();
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    await (await start(queue, { cluster, spec })).result();
    await ground.client.workflow.getHandle(`cluster/${cluster}`).terminate('test');
    done.length = 0;
    for (const input of [{ cluster, spec }, { cluster }]) {
      const failure = await failureOf(await start(queue, input));
      expect(failure.type).toBe('Refused');
      expect(failure.message).toContain(`temporal workflow reset --workflow-id cluster/${cluster}`);
    }
    expect(done).toEqual([]);
  });
});

test('an update by hand with a wrong spec, another name or nothing is refused, and the record stays as it was', async () => {
  const { acts } = fakes();
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    await (await start(queue, { cluster, spec })).result();
    const before = await record(cluster);
    const send = (name: string, ...args: unknown[]): Promise<unknown> => ground.client.workflow.getHandle(`cluster/${cluster}`).executeUpdate(name, { args: args as [unknown] });
    for (const [name, ...args] of [['apply', { spec: { apiVersion: 1 } }], ['apply', { spec: changed(['metadata', 'name'], cluster), epochAtLeast: -1 }], ['apply', { spec: changed(['metadata', 'name'], cluster), epochAtLeast: 1e15 }], ['apply', { spec: changed(['metadata', 'name'], 'other') }], ['apply'], ['acquire'], ['acquire', {}], ['release', {}]] as [string, ...unknown[]][]) {
      await expect(send(name, ...args)).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
    }
    expect(await record(cluster)).toEqual(before);
    // As a file has it: with ranges, defaults and texts for durations. What is kept is what operations work with.
    const file = changed(['metadata', 'name'], cluster, changed(['sites', 'prod', 'label'], 'muc'));
    await send('apply', { spec: file });
    expect((await record(cluster)).spec).toEqual(parseClusterSpec(file).spec);
  });
});

test('a lease that is given back or asked for by hand with half of what belongs to it is refused, and the record stays as it was and answers', async () => {
  const { acts } = fakes();
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    await (await start(queue, { cluster, spec })).result();
    const send = (name: string, request: object): Promise<unknown> => ground.client.workflow.getHandle(`cluster/${cluster}`).executeUpdate(name, { args: [request] });
    const holder = { workflowId: 'add-node/x', firstExecutionRunId: 'y' };
    const at = new Date().toISOString();
    const line = { operation: 'addNode', workflowId: 'add-node/x', epoch: 2, startedAt: at, endedAt: at, outcome: 'failed', summary: '' };
    for (const wrong of [{ holder }, { holder, operation: 'addNode', at, about: 'st1' }, { holder, operation: 'addNode', at, evict: holder }]) await expect(send('acquire', wrong)).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
    await send('acquire', { holder, operation: 'addNode', at });
    const before = await record(cluster);
    for (const wrong of [{ holder }, { holder, line }, { holder, line: { ...line, summary: 5 }, unfinished: [] }, { holder, line, unfinished: 'a step' }, { holder, line, unfinished: [], members: 'st1' }, { holder, line, unfinished: [], debts: {} }]) {
      await expect(send('release', wrong)).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
    }
    expect(await record(cluster)).toEqual(before);
    expect(await send('release', { holder, line, unfinished: [] })).toEqual({ released: true });
  });
});

test('the record survives continue-as-new, a cancel, and answers updates meanwhile', async () => {
  const { acts } = fakes();
  const cluster = unique('c');
  await withWorker(ground, bundle, acts, async (queue) => {
    const handle = await ground.client.workflow.start('cluster', { taskQueue: queue, workflowId: `cluster/${cluster}`, args: [{ name: cluster, historyLimit: 30 }] });
    const apply = (revision: number): Promise<unknown> => {
      const applied = { ...changed(['metadata', 'name'], cluster), monitoring: { interval: 1_000 + revision, failuresToOffline: 3 } };
      return ground.client.workflow.getHandle(`cluster/${cluster}`).executeUpdate('apply', { args: [{ spec: applied, expectedRevision: revision }] });
    };
    for (let revision = 0; revision < 25; revision += 1) expect(await apply(revision)).toEqual({ revision: revision + 1, changed: true });
    await handle.cancel().catch(() => undefined);
    expect((await record(cluster)).revision).toBe(25);
    await expect(apply(3)).rejects.toMatchObject({ cause: { type: 'SpecConflict' } });
    const { raw, runId } = await ground.client.workflow.getHandle(`cluster/${cluster}`).describe();
    expect(runId).not.toBe(raw.workflowExecutionInfo?.firstRunId);
  });
});
