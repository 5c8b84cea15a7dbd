/** Maintenance windows on a real Temporal server: started and ended by update, over by themselves, and the product's own mail as it was before. */
import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { until } from '../../lab/shell';
import { maintenanceActivities } from '../../src/activities/maintenance';
import type { Clients } from '../../src/clients';
import { StError } from '../../src/model/errors';
import type { ClusterRecord } from '../../src/model/cluster';
import type { MaintenanceAnswer, MaintenanceRequest } from '../../src/model/maintenance';
import { membersOf } from '../../src/model/members';
import { newRecord } from '../../src/model/clusterRecord';
import { parseClusterSpec } from '../../src/model/spec';
import { changed } from '../unit/model/demoFile';
import { bundleOf, connectGround, unique, withWorker, type Fakes, type Ground } from '../helpers/workflows';

jest.setTimeout(240_000);

let ground: Ground;
let bundle: WorkflowBundleOption;
beforeAll(async () => {
  ground = await connectGround();
  bundle = await bundleOf(require.resolve('./fixtures/workflows.ts'));
});
afterAll(() => ground?.close());

/** A product whose threshold mail is on; `silent` Servers don't answer. */
function product(silent: string[] = []): { threshold: { numberOfNodes: number; sendNotification: boolean; subject: string; notification: string }; writes: boolean[]; silent: string[]; acts: Fakes } {
  const threshold = { numberOfNodes: 2, sendNotification: true, subject: 'theirs', notification: 'theirs' };
  const writes: boolean[] = [];
  const clients = {
    ssh: { run: async () => ({ stdout: '', stderr: '', code: 0 }) },
    admin: {
      server: ({ address }: { address: string }) => ({
        nodeThreshold: async () => {
          if (silent.includes(address)) throw new StError('Unreachable', `${address}: refused`);
          return { ...threshold };
        },
        setNodeThreshold: async (next: typeof threshold) => {
          writes.push(next.sendNotification);
          Object.assign(threshold, next);
        },
      }),
    },
  } as unknown as Clients;
  return { threshold, writes, silent, acts: maintenanceFakes(clients) };
}
const maintenanceFakes = (clients: Clients): Fakes => ({ 'maintenance.keep': maintenanceActivities({ clients, temporal: ground.client }).keep });

async function withCluster(acts: Fakes, test: (made: { name: string; change: (request: MaintenanceRequest) => Promise<MaintenanceAnswer>; record: () => Promise<ClusterRecord> }) => Promise<void>): Promise<void> {
  const name = unique('c').slice(0, 20);
  const spec = parseClusterSpec(changed(['metadata', 'name'], name)).spec!;
  const record: ClusterRecord = { ...newRecord(name), phase: 'active', complete: true, spec, revision: 1, members: membersOf(spec, 'prod'), activeSite: 'prod', epoch: 3 };
  await withWorker(ground, bundle, acts, async (taskQueue) => {
    const handle = await ground.client.workflow.start('cluster', { taskQueue, workflowId: `cluster/${name}`, args: [{ name, record }], workflowTaskTimeout: '3s' });
    await test({ name, change: (request) => handle.executeUpdate('maintenance', { args: [request] }), record: () => handle.query<ClusterRecord>('status') });
  });
}
const start = (more: object = {}): MaintenanceRequest => ({ start: { nodes: ['st2'], for: '1h', reason: 'disks', by: 'test', ...more } });
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

test('a window keeps the product\'s own mail still, and with the last one it is on again; what it says is not touched', async () => {
  const { threshold, writes, acts } = product();
  await withCluster(acts, async ({ name, change, record }) => {
    const first = await change(start());
    const second = await change(start({ nodes: [], until: inMs(10_000), for: undefined }));
    expect(second.open).toHaveLength(2);
    await until('silence', () => !threshold.sendNotification);
    expect((await record()).productMailWasOn).toBe(true);
    await until('the end of the second window, by itself', async () => (await record()).maintenance.length === 1, 30_000);
    expect(threshold.sendNotification).toBe(false);
    await change({ end: first.window.id });
    await until('mail again', () => threshold.sendNotification);
    await ground.client.workflow.getHandle(`maintenance/${name}`).result();
    expect(await record()).toMatchObject({ maintenance: [] });
    expect((await record()).productMailWasOn).toBeUndefined();
  });
  expect([writes, threshold]).toEqual([[false, true], { numberOfNodes: 2, sendNotification: true, subject: 'theirs', notification: 'theirs' }]);
});

test('a Server that does not answer is passed over; when none does it is tried until one does', async () => {
  const { threshold, silent, acts } = product(['10.86.0.11']);
  await withCluster(acts, async ({ name, change }) => {
    await change(start({ nodes: ['st3'], until: inMs(10_000), for: undefined }));
    await until('silence', () => !threshold.sendNotification);
    silent.push('10.86.0.12', '10.86.0.13');
    await until('a try in vain', async () => (await ground.client.workflow.getHandle(`maintenance/${name}`).describe()).raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) > 1), 40_000);
    silent.length = 0;
    await until('mail again', () => threshold.sendNotification, 40_000);
  });
});

test('what is wrong is refused in words, and nothing is left of it', async () => {
  await withCluster(product().acts, async ({ change, record }) => {
    for (const [request, message] of [[{ start: { nodes: ['st2'], reason: 'x', by: 'y' } }, /always ends/], [start({ nodes: ['st9'] }), /has no node st9/], [{ end: 'm-000000000000' }, /has no open window/]] as const) {
      const error = await change(request as MaintenanceRequest).then(() => undefined, (thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
      expect((error as WorkflowUpdateFailedError).cause).toMatchObject({ type: 'InvalidInput', message: expect.stringMatching(message) });
    }
    expect((await record()).maintenance).toEqual([]);
  });
});
