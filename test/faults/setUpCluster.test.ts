/** setUpCluster on the lab while processes, machines and cables fail: it goes on by itself and comes to the same end, or a second run does. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../lab/shell';
import type { Outcome } from '../../src/model/operation';
import { everyPoint, points, drawing } from '../helpers/faults/points';
import { stopSshd } from '../helpers/faults/sshd';
import { performer, tapeOf } from '../helpers/faults/tape';
import { openTheatre, wentOnAfter, type Play, type Theatre } from '../helpers/faults/theatre';
import type { Lab } from '../helpers/lab';
import { startTemporalServer } from '../helpers/temporalServer';

jest.setTimeout(everyPoint ? 3_600_000 : 120_000);

const setUp: Play = {
  operation: 'setUpCluster',
  input(lab, cluster) {
    const spec = lab.spec();
    return { cluster, spec: { ...spec, metadata: { ...spec.metadata, name: cluster } } };
  },
  lab: { productTime: '100ms' },
};

let theatre: Theatre;
beforeAll(async () => {
  theatre = await openTheatre(setUp);
});
afterAll(() => theatre?.close());

const moment = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

test.each([0, 1, 2])('killed with -9 in the middle of a step, the worker has a successor that goes on within 10 s and comes to the same end (%i)', async (which) => {
  const draw = drawing(which);
  const steps = everyPoint ? theatre.undisturbed.steps.filter((_, index) => index % 3 === which) : [points(theatre.undisturbed.steps, 3)[which]!];
  for (const step of steps) {
    const late = Math.round(draw() * 300);
    const end = await theatre.scene(async (scene) => {
      const performance = await scene.start();
      await performance.begun(step);
      await moment(late);
      const successor = await scene.replaceWorker();
      expect(await performance.report()).toMatchObject({ outcome: 'completed', unfinished: [], epoch: 1 });
      const after = await wentOnAfter(performance, successor);
      process.stderr.write(`${step} +${late}: ${after} ms\n`);
      expect(after).toBeLessThan(10_000);
      expect(await scene.record()).toMatchObject({ phase: 'active', lease: null });
    });
    expect(end).toEqual(theatre.undisturbed.end);
  }
});

interface Fault {
  what: string;
  /** The step in whose middle it happens. */
  at: string;
  /** How long after the step was begun, in milliseconds. */
  after?: number;
  happens(lab: Lab): Promise<void>;
}

const faults: Fault[] = [
  {
    what: 'a host is cut off for 20 s while it is being installed', at: 'install-others/st2', after: 200,
    async happens(lab) {
      await lab.run('cut', 'st2');
      await moment(20_000);
      await lab.run('heal', 'st2');
    },
  },
  {
    what: 'a host freezes for 8 s while its Administration Tool is started', at: 'start-admin/st2',
    async happens(lab) {
      await lab.run('freeze', 'st2');
      await moment(8_000);
      await lab.run('thaw', 'st2');
    },
  },
  {
    what: 'the power of a host fails in the middle of its installation', at: 'install-others/st2', after: 500,
    async happens(lab) {
      await lab.run('kill', 'st2');
      await lab.run('start', 'st2');
    },
  },
  {
    what: 'the power of the first host fails while it makes the schema', at: 'install-first/st1', after: 700,
    async happens(lab) {
      await lab.run('kill', 'st1');
      await lab.run('start', 'st1');
    },
  },
  {
    what: 'the power of the first host fails at the very end of its installation, its schema made', at: 'install-first/st1',
    async happens(lab) {
      const installed = join(lab.dir, 'hosts/st1/axway/SecureTransport');
      await until('st1 to be installed but for its Administration Tool', () => existsSync(join(installed, 'lib/version.properties')), 20_000, 2);
      // By its own process 1: the command of the lab takes longer to start than the installation to end.
      process.kill((JSON.parse(readFileSync(join(lab.dir, 'hosts/st1/host.json'), 'utf8')) as { init: { pid: number } }).init.pid, 'SIGKILL');
      await lab.run('kill', 'st1');
      expect(readFileSync(join(installed, 'install.log'), 'utf8')).toMatch(/The schema was created in [^\n]*\n$/);
      await lab.run('start', 'st1');
    },
  },
  {
    what: 'the database restarts while nodes are being added', at: 'add/st2',
    async happens(lab) {
      await lab.run('kill', 'db1');
      await lab.run('start', 'db1');
    },
  },
  {
    what: 'the sshd of a host is gone for 5 s', at: 'stop-services/st3',
    async happens(lab) {
      const bringBack = await stopSshd(lab, 'st3');
      await moment(5_000);
      await bringBack();
    },
  },
];

test.each(faults)('$what: it goes on by itself and comes to the same end', async ({ at, after = 0, happens }) => {
  const end = await theatre.scene(async ({ lab, start, record }) => {
    const performance = await start();
    await performance.begun(at);
    await moment(after);
    await happens(lab);
    expect(await performance.report()).toMatchObject({ outcome: 'completed', unfinished: [], epoch: 1 });
    expect(await record()).toMatchObject({ phase: 'active', lease: null });
  });
  expect(end).toEqual(theatre.undisturbed.end);
});

test.each([['for a moment', 0], ['for longer than a heartbeat may be missing', 4_000]])('the Temporal server is killed and comes back on its file (%s): it goes on by itself and comes to the same end', async (_, ms) => {
  const server = await startTemporalServer();
  try {
    const end = await theatre.scene(async ({ start, record }) => {
      const performance = await start();
      await performance.begun('install-others/st3');
      await server.kill();
      await moment(ms);
      await server.start();
      expect(await performance.report()).toMatchObject({ outcome: 'completed', unfinished: [], epoch: 1 });
      expect(await record()).toMatchObject({ phase: 'active', lease: null });
    }, { address: server.address });
    expect(end).toEqual(theatre.undisturbed.end);
  } finally {
    await server.stop();
  }
});

test('cancelled in the middle it ends as cancelled, leaves the record free, and a second run completes', async () => {
  const end = await theatre.scene(async ({ start, record }) => {
    const performance = await start();
    await performance.begun('install-others/st3');
    await performance.handle.cancel();
    await expect(performance.report()).rejects.toThrow(/cancel/i);
    expect((await performance.handle.describe()).status.name).toBe('CANCELLED');
    const { unfinished, operations, lease } = await record();
    expect({ lease, last: operations[0] }).toMatchObject({ lease: null, last: { operation: 'setUpCluster', outcome: 'cancelled' } });
    expect(unfinished).toContain('Add the node to the cluster (st1): not begun');
    expect(await (await start()).report()).toMatchObject({ outcome: 'completed', unfinished: [], epoch: 2 });
    expect(await record()).toMatchObject({ phase: 'active', complete: true, unfinished: [] });
  });
  expect(end).toEqual(theatre.undisturbed.end);
});

test('terminated while it holds the lease it leaves the cluster interrupted with what it left; a second run completes, and refused is whatever the first still does', async () => {
  const old = performer();
  try {
    const end = await theatre.scene(async ({ start, record }) => {
      const first = await start();
      await first.begun('install-others/st3');
      await first.handle.terminate('by a test');
      const begun = await tapeOf(first.handle);

      const second = await start();
      await second.begun('database.ensureEpoch');
      const { phase, unfinished, operations, lease } = await record();
      expect(lease).toMatchObject({ epoch: 2 });
      expect({ phase, last: operations[0] }).toMatchObject({ phase: 'interrupted', last: { outcome: 'interrupted', summary: expect.stringContaining('terminated') } });
      expect(unfinished).toEqual(expect.arrayContaining(['Install the other Servers on that schema (st3): was running when the operation was terminated']));
      expect(await second.report()).toMatchObject({ outcome: 'completed', unfinished: [], epoch: 2 });
      expect(await record()).toMatchObject({ phase: 'active', complete: true, unfinished: [] });

      const { authority } = begun.find(({ activity }) => activity.includes('.ensure'))!;
      expect(authority.epoch).toBe(1);
      const changing = [...begun, ...(await tapeOf(second.handle))].filter(({ activity }) => activity.includes('.ensure'));
      const answers = new Map<string, unknown>();
      for (const recorded of changing) answers.set(recorded.key, await old.performAs(authority, recorded));
      const acted = [...answers].filter(([, answer]) => answer !== 'StaleEpoch');
      // Where nothing is to be changed nothing is refused.
      expect(acted.map(([key, answer]) => [key, (answer as Outcome).changed])).toEqual(['license-first/st1', 'license-others/st2', 'license-others/st3', 'shipped-passwords/st1'].map((key) => [key, false]));
      expect([...answers.keys()]).toEqual(expect.arrayContaining(['install-first/st1', 'database.ensureEpoch', 'online/st3', 'serving/st1 at lb1', 'active-site/lb1']));
    });
    expect(end).toEqual(theatre.undisturbed.end);
  } finally {
    await old.close();
  }
});
