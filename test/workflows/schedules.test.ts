/** Schedules on a real Temporal server: by stctl's control, and by the plain command of the examples. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { applySchedules, listSchedules, removeSchedules } from '../../src/control/schedules';
import { membersOf } from '../../src/model/members';
import { newRecord } from '../../src/model/clusterRecord';
import { parseClusterSpec } from '../../src/model/spec';
import { changed } from '../unit/model/demoFile';
import { bundleOf, connectGround, unique, withWorker, type Ground } from '../helpers/workflows';

jest.setTimeout(240_000);

let ground: Ground;
let bundle: WorkflowBundleOption;
beforeAll(async () => {
  ground = await connectGround();
  bundle = await bundleOf(require.resolve('./fixtures/workflows.ts'));
});
afterAll(() => ground?.close());

test('applying makes them, applying again changes nothing, another interval changes one, a paused one stays paused, removing takes them away', async () => {
  const name = unique('c').slice(0, 20);
  const spec = parseClusterSpec(changed(['metadata', 'name'], name)).spec!;
  await withWorker(ground, bundle, {}, async (taskQueue) => {
    await expect(applySchedules(ground.client, name, { taskQueue })).rejects.toMatchObject({ code: 'UnknownCluster' });
    expect(await listSchedules(ground.client, name)).toEqual([]);
    const record = { ...newRecord(name), spec, revision: 1, members: membersOf(spec, 'prod'), activeSite: 'prod' };
    await ground.client.workflow.start('cluster', { taskQueue, workflowId: `cluster/${name}`, args: [{ name, record }], workflowTaskTimeout: '3s' });
    try {
      const made = await applySchedules(ground.client, name, { taskQueue });
      expect(made).toMatchObject([{ id: `health/${name}`, workflowType: 'checkHealth', every: 300_000, paused: false, changed: 'created' }, { id: `ends/${name}`, workflowType: 'checkEnds', every: 86_400_000, changed: 'created' }]);
      const described = await ground.client.schedule.getHandle(`health/${name}`).describe();
      expect(described).toMatchObject({ policies: { overlap: 'SKIP', catchupWindow: 60_000 }, action: { workflowId: `check-health/${name}`, taskQueue, args: [{ cluster: name }] } });
      await ground.client.schedule.getHandle(`ends/${name}`).pause('by somebody');
      expect((await applySchedules(ground.client, name, { taskQueue })).map(({ changed: what, paused }) => [what, paused])).toEqual([['unchanged', false], ['unchanged', true]]);
      expect((await applySchedules(ground.client, name, { taskQueue, every: { health: 60_000 } })).map(({ changed: what, every }) => [what, every])).toEqual([['changed', 60_000], ['unchanged', 86_400_000]]);
    } finally {
      expect(await removeSchedules(ground.client, name)).toEqual([`health/${name}`, `ends/${name}`]);
    }
    expect(await removeSchedules(ground.client, name)).toEqual([]);
  });
});

test('the lines of examples/schedules.sh are taken by the temporal CLI', async () => {
  const temporal = process.env['TEMPORAL_CLI_PATH'] ?? execFileSync(join(__dirname, '../../scripts/temporal-cli'), { encoding: 'utf8', env: { ...process.env, TEMPORAL_ADDRESS: '' } }).trim();
  const name = unique('c').slice(0, 20);
  const script = readFileSync(join(__dirname, '../../examples/schedules.sh'), 'utf8').replaceAll('mft-prod', name).replaceAll(/^temporal /gm, `"${temporal}" `);
  try {
    execFileSync('/bin/sh', ['-euc', script], { env: { ...process.env, TEMPORAL_ADDRESS: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' }, stdio: 'pipe', timeout: 30_000 });
    expect((await listSchedules(ground.client, name)).map(({ id, workflowType, every }) => [id, workflowType, every])).toEqual([[`health/${name}`, 'checkHealth', 300_000], [`ends/${name}`, 'checkEnds', 86_400_000]]);
    expect(await ground.client.schedule.getHandle(`health/${name}`).describe()).toMatchObject({ policies: { overlap: 'SKIP', catchupWindow: 60_000 }, action: { args: [{ cluster: name }] } });
  } finally {
    await removeSchedules(ground.client, name);
  }
});
