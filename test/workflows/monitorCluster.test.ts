/** The monitor against a real Temporal server, with looks that the test makes up: what is told, how it takes over, pauses and is changed. */
import { Context } from '@temporalio/activity';
import type { WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { until } from '../../lab/shell';
import { newRecord } from '../../src/model/clusterRecord';
import type { ClusterEvent } from '../../src/model/events';
import type { ClusterHealth, NodeHealth, NodeState } from '../../src/model/health';
import { causeOf } from '../../src/model/healthCauses';
import { neverSeen } from '../../src/model/healthVotes';
import { membersOf } from '../../src/model/members';
import { parseClusterSpec, type ClusterSpec } from '../../src/model/spec';
import { newMonitor, sliceMs } from '../../src/workflows/monitor/state';
import { signatureOf, type Vote, type Watched, type WatchInput } from '../../src/model/watch';
import { demoFile } from '../unit/model/demoFile';
import { connectGround, unique, withWorker, type Ground } from '../helpers/workflows';

jest.setTimeout(290_000);

let ground: Ground;
const bundle = { codePath: process.env['ST_WORKFLOW_BUNDLE']! };
const spec = parseClusterSpec(demoFile()).spec as ClusterSpec;
const record = { ...newRecord('demo'), spec, revision: 1, complete: true, members: membersOf(spec, 'prod') };

beforeAll(async () => { ground = await connectGround(); });
afterAll(() => ground?.close());

const at = (): string => new Date().toISOString();
function watched(...states: NodeState[]): Watched {
  const nodes = states.map((state, index): NodeHealth => ({
    node: `st${index + 1}`, site: 'prod', role: 'server', address: `10.86.0.${11 + index}`, state, since: at(), services: { running: 5, of: 5, stopped: [] }, ...(state === 'Offline' ? { why: 'its port refuses', cause: 'refused' } : {}),
  }));
  const around = { balancers: [], reached: true };
  const cause = causeOf(nodes, around);
  const vote: Vote = {
    at: at(), site: 'prod', nodes, votes: nodes.map(({ node, state }) => ({ ...neverSeen(node, at()), state })), around, ...(cause ? { cause } : {}), policies: { minimumNodes: 2, forMs: 300_000, interval: 7_000, failuresToOffline: 4 },
    record: { readAt: at(), phase: 'active', revision: 1, epoch: 1, unfinished: [], maintenance: [],
      // What an operation says has lines, and no end.
      lastOperation: { operation: 'rollingRestart', outcome: 'refused', endedAt: at(), summary: `refused:\n- ${'st2 is not Online '.repeat(100)}` },
    },
  };
  return { vote, signature: signatureOf(vote) };
}

interface Stage {
  /** What is there to be seen from now on. */
  show(...states: NodeState[]): void;
  /** Fails the looks that run, and those that come, until something is shown. */
  lose(): void;
  inputs: WatchInput[];
  told: ClusterEvent[];
  status(): Promise<ClusterHealth>;
  monitor: WorkflowHandle;
}

/** A monitor of a cluster that the test plays; `lookAgain` is what those see who look again. */
async function staged(input: object, test: (stage: Stage) => Promise<void>): Promise<void> {
  let scene: Watched | undefined = watched('Online', 'Online', 'Online');
  const inputs: WatchInput[] = [];
  const told: ClusterEvent[] = [];
  const tell = async ({ event }: { event: ClusterEvent }) => { told.push(event); return { note: 'told' }; };
  const fakes = {
    'watching.watch': async (asked: WatchInput): Promise<Watched> => {
      inputs.push(asked);
      const ends = Date.now() + asked.sliceMs;
      for (;;) {
        if (!scene) throw new Error('this watcher is lost');
        if (!asked.last?.fresh || scene.signature !== asked.last.signature || Date.now() > ends) return scene;
        await Context.current().sleep(20);
      }
    },
    'watching.look': async (): Promise<Watched> => { if (!scene) throw new Error('lost'); return scene; },
    'leases.read': async () => record,
    'notifications.mail': tell, 'notifications.webhook': tell, 'notifications.command': tell,
  };
  await withWorker(ground, bundle, fakes as never, async (taskQueue) => {
    const monitor = await ground.client.workflow.start('monitorCluster', { taskQueue, workflowId: unique('monitor'), args: [{ cluster: 'demo', sliceMs: 60_000, calm: 500, for: 60_000, ...input }], workflowTaskTimeout: '3s' });
    const stage: Stage = {
      show: (...states) => { scene = watched(...states); }, lose: () => { scene = undefined; }, inputs, told, monitor,
      status: () => monitor.query<ClusterHealth>('status'),
    };
    try {
      await until('a first vote', async () => (await stage.status()).online === 3, 90_000);
      await test(stage);
    } finally {
      await monitor.terminate().catch(() => undefined);
    }
  });
}
const kinds = (told: readonly ClusterEvent[]): string[] => told.map(({ kind, node }) => [kind, node].filter(Boolean).join(' ')).sort();

test('a fall below the threshold and the way back are told in one incident, once, and shown as a search attribute', async () => {
  await staged({}, async ({ show, status, told, monitor }) => {
    show('Online', 'Offline', 'Offline');
    await until('the events', () => told.length >= 3, 90_000);
    expect(await status()).toMatchObject({ health: 'below threshold', online: 1, watch: { belowSince: expect.any(String), incidents: [{ node: 'st2', count: 1 }, { node: 'st3', count: 1 }] } });
    show('Online', 'Online', 'Online');
    await until('the way back', () => told.length >= 6, 90_000);
    expect(kinds(told)).toEqual(['node-failed st2', 'node-failed st3', 'node-recovered st2', 'node-recovered st3', 'threshold-lost', 'threshold-restored']);
    expect(new Set(told.map(({ incident }) => incident)).size).toBe(1);
    expect(new Set(told.map(({ id }) => id)).size).toBe(6);
    await until('all is well', async () => (await status()).watch!.incidents.length === 0, 90_000);
    await until('the search attribute', async () => JSON.stringify((await monitor.describe()).searchAttributes).includes('"ok"'), 90_000);
  });
});

test('too few for long enough is told after those who look again agree, and not when they are back', async () => {
  await staged({ for: 3_000 }, async ({ show, told }) => {
    show('Online', 'Offline', 'Offline');
    await until('below-threshold', () => told.some(({ kind }) => kind === 'below-threshold'), 90_000);
    const [lost, below] = ['threshold-lost', 'below-threshold'].map((kind) => Date.parse(told.find((event) => event.kind === kind)!.at));
    expect(below! - lost!).toBeGreaterThanOrEqual(3_000);
  });
});

test('a quiet monitor leaves at most 30 events an hour for each vantage point', async () => {
  const slicesAnHour = 3_600_000 / sliceMs(newMonitor({ cluster: 'demo' }, undefined, 'queue'));
  await staged({ sliceMs: 600 }, async ({ inputs, monitor }) => {
    const from = inputs.length;
    const before = (await monitor.fetchHistory()).events!.length;
    await until('five slices', () => inputs.length >= from + 5, 90_000);
    const events = (await monitor.fetchHistory()).events!.length - before;
    expect((events / (inputs.length - from)) * slicesAnHour).toBeLessThanOrEqual(30);
  });
});

test('where nobody looks nothing is claimed and nothing is restored; who takes over is told what was believed', async () => {
  await staged({}, async ({ show, lose, status, told, inputs }) => {
    show('Online', 'Offline', 'Offline');
    await until('the events', () => told.length >= 3, 90_000);
    lose();
    // The look that runs fails with the scene.
    await until('blindness', async () => (await status()).health === 'unknown', 90_000);
    expect(await status()).toMatchObject({ online: 0, problems: [expect.stringMatching(/^Too few look at demo now: .*this watcher is lost/)], watch: { vantage: [{ fresh: false }] } });
    expect(told).toHaveLength(3);
    show('Online', 'Offline', 'Offline');
    await until('sight', async () => (await status()).health === 'below threshold', 90_000);
    expect(inputs.at(-1)!.last!.votes.map(({ state }) => state)).toEqual(['Online', 'Offline', 'Offline']);
    expect(told).toHaveLength(3);
  });
});

test('it is paused only with an end, resumes by itself, and takes new settings and reports while it runs', async () => {
  await staged({}, async ({ status, inputs, monitor }) => {
    const refused = async (name: string, value: object): Promise<string> => monitor.executeUpdate(name, { args: [value] }).then(() => 'taken', (error: WorkflowUpdateFailedError) => String(error.cause?.message));
    expect(await refused('pause', { by: 'ops', reason: 'x' })).toMatch(/until: .*a pause always ends|until: missing/);
    expect(await refused('pause', { by: 'ops', reason: 'x', until: '2020-01-01T00:00:00Z' })).toMatch(/until: expected a time to come/);
    expect(await refused('configure', { intervall: 5 })).toMatch(/did you mean "interval"/);
    expect(await refused('configure', { quorum: 2 })).toContain('quorum: expected at most 1, the number of vantage points, found 2. Nothing was changed.');
    expect(await refused('pause', { by: 'ops', reason: 'x', until: new Date(Date.now() + 8 * 86_400_000).toISOString() })).toMatch(/until: expected a time within 7 days/);
    expect((await status()).watch).toMatchObject({ interval: 7_000, failuresToOffline: 4 });
    await monitor.executeUpdate('pause', { args: [{ by: 'ops', reason: 'patching', until: new Date(Date.now() + 4_000).toISOString() }] });
    await until('the pause', async () => (await status()).health === 'unknown', 90_000);
    expect(await status()).toMatchObject({ problems: [expect.stringMatching(/paused until .* by ops \(as claimed\): patching/)], watch: { paused: { by: 'ops' } } });
    await monitor.executeUpdate('configure', { args: [{ interval: '500ms', failuresToOffline: 2 }] });
    expect((await status()).watch).toMatchObject({ paused: { by: 'ops' }, interval: 500 });
    await until('its end', async () => (await status()).health === 'ok', 90_000);
    // Another timer would be the wait begun anew.
    const waits = (await monitor.fetchHistory()).events!.filter(({ timerStartedEventAttributes: timer }) => Number(timer?.startToFireTimeout?.seconds ?? 0) >= 2);
    expect(waits).toHaveLength(1);
    await until('the new settings', () => inputs.at(-1)!.interval === 500, 90_000);
    await monitor.executeUpdate('report', { args: [{ from: 'nagios', node: 'st2', what: 'load 40' }] });
    expect(await status()).toMatchObject({ health: 'ok', watch: { interval: 500, failuresToOffline: 2, reports: [{ from: 'nagios', node: 'st2', what: 'load 40' }] } });
  });
});

test('a pause keeps what was seen last, with its time, and claims nothing of now', async () => {
  await staged({}, async ({ show, status, monitor }) => {
    show('Online', 'Online', 'Offline');
    await until('the loss', async () => (await status()).online === 2, 90_000);
    const pause = (): Promise<string> => monitor.executeUpdate<string, [object]>('pause', { args: [{ by: 'ops', reason: 'patching', until: new Date(Date.now() + 600_000).toISOString() }] });
    expect(await pause()).toMatch(/ is not watched until .*; nobody is told of anything until then\.$/);
    const unknown = { health: 'unknown', online: 2, members: 3, problems: [expect.stringMatching(/^Watching demo is paused until .* by ops/)], nodes: [{ node: 'st3', state: 'Unknown', was: 'Offline' }, { node: 'st1', state: 'Unknown', was: 'Online' }, { node: 'st2', state: 'Unknown', was: 'Online' }] };
    await until('the pause', async () => (await status()).health === 'unknown', 90_000);
    expect(await status()).toMatchObject(unknown);
    // Longer: the same, of the same time.
    const { sampledAt } = await status();
    await pause();
    expect(await status()).toMatchObject({ ...unknown, sampledAt });
    await monitor.executeUpdate('resume', { args: [{ by: 'ops' }] });
    await until('sight', async () => (await status()).health === 'degraded', 90_000);
    expect(JSON.stringify(await status())).not.toContain('"was"');
  });
});

test('a pause is as long in a new history as was left of it in the old one', async () => {
  await staged({ historyLimit: 40 }, async ({ monitor }) => {
    const latest = ground.client.workflow.getHandle(monitor.workflowId);
    const first = (await latest.describe()).runId;
    await latest.executeUpdate('pause', { args: [{ by: 'ops', reason: 'patching', until: new Date(Date.now() + 120_000).toISOString() }] });
    const another = async (): Promise<boolean> => (await latest.describe()).runId !== first;
    for (let report = 0; report < 20 && !(await another()); report += 1) await latest.executeUpdate('report', { args: [{ from: 'nagios', what: `load ${report}` }] });
    await until('another run', another, 90_000);
    expect((await latest.query<ClusterHealth>('status')).watch).toMatchObject({ paused: { by: 'ops' } });
    const waitOf = async (runId?: string): Promise<number> => {
      const { events } = await ground.client.workflow.getHandle(monitor.workflowId, runId).fetchHistory();
      const waits = events!.flatMap(({ timerStartedEventAttributes: timer }) => timer?.startToFireTimeout ?? []).map(({ seconds, nanos }) => Number(seconds) * 1_000 + (nanos ?? 0) / 1_000_000);
      return Math.max(0, ...waits);
    };
    await until('its wait', async () => (await waitOf()) > 0, 90_000);
    expect(await waitOf()).toBeLessThan(await waitOf(first));
    await latest.executeUpdate('resume', { args: [{ by: 'ops' }] });
    await until('its end', async () => (await latest.query<ClusterHealth>('status')).health === 'ok', 90_000);
    await latest.terminate();
  });
});

test('whoever asks while one history goes on in the next is heard', async () => {
  await staged({ historyLimit: 30 }, async ({ show, monitor }) => {
    const latest = ground.client.workflow.getHandle(monitor.workflowId);
    const firstRun = (await latest.describe()).runId;
    const another = async (): Promise<boolean> => (await latest.describe()).runId !== firstRun;
    // What is seen changes all the while: looks end when histories do.
    let changes = 0;
    const changing = setInterval(() => {
      changes += 1;
      show('Online', ...(changes % 2 === 0 ? ['Online', 'Online'] as const : ['Offline', 'Offline'] as const));
    }, 100);
    const ask = async (who: number): Promise<string[]> => {
      const answers: string[] = [];
      for (let report = 0; report < 6 || !(await another()); report += 1) answers.push(await latest.executeUpdate<string, [object]>('report', { args: [{ from: `monitor${who}`, what: `load ${report}` }] }));
      return answers;
    };
    const answers = (await Promise.all([0, 1, 2, 3].map(ask)).finally(() => clearInterval(changing))).flat();
    expect(answers.length).toBeGreaterThanOrEqual(24);
    expect(new Set(answers)).toEqual(new Set(['noted as evidence; demo is judged by what is seen.']));
    await latest.terminate();
  });
});

test('a history that is full waits while the time of the policy is counted', async () => {
  await staged({ historyLimit: 40, sliceMs: 500, for: 8_000 }, async ({ show, told, monitor }) => {
    show('Online', 'Offline', 'Offline');
    await until('below-threshold', () => told.some(({ kind }) => kind === 'below-threshold'), 90_000);
    expect((await monitor.fetchHistory()).events!.length).toBeGreaterThan(40);
  });
});

test('a history that is full goes on in a new one, with what was known', async () => {
  await staged({ historyLimit: 40, sliceMs: 500 }, async ({ show, status, monitor, told }) => {
    show('Online', 'Online', 'Offline');
    const first = (await monitor.describe()).runId;
    await until('another run', async () => (await ground.client.workflow.getHandle(monitor.workflowId).describe()).runId !== first, 90_000);
    const latest = ground.client.workflow.getHandle(monitor.workflowId);
    const health = await latest.query<ClusterHealth>('status');
    expect(health).toMatchObject({ health: 'degraded', online: 2, watch: { incidents: [{ node: 'st3' }] } });
    expect(told).toEqual([]);
    expect(await status()).toBeDefined();
    await latest.terminate();
  });
});

test('bad input and an unknown cluster are refused in words, and cancelling tells that nobody looks any more', async () => {
  await staged({}, async ({ monitor, told }) => {
    await monitor.cancel();
    await expect(monitor.result()).rejects.toThrow();
    await until('the event', () => told.length > 0, 90_000);
    expect(kinds(told)).toEqual(['watching-ended']);
  });
});
