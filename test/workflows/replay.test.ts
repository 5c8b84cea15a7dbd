/** Workflow code as it is now goes the way of every saved history: a run that was begun by an older worker is completed by this one. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import '../helpers/workflows';

jest.setTimeout(240_000);

const folder = join(__dirname, '../histories');
const names = readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => name.replace('.json', ''));

interface SavedEvent {
  eventType: string;
  activityTaskScheduledEventAttributes?: { activityId: string };
}
interface Saved {
  events: SavedEvent[];
}

const saved = (name: string): Saved => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Saved;
const replay = (history: Saved): Promise<void> => Worker.runReplayHistory({ workflowBundle: { codePath: process.env['ST_WORKFLOW_BUNDLE']! } }, history);

test('there are histories of a set-up that was completed, failed, refused, cancelled and terminated, of the record, and of all that watches and tells', () => {
  const endings = ['completed', 'failed', 'refused', 'cancelled', 'terminated', 'planned', 'busy', 'waited', 'plan-changed'].map((ending) => `setUpCluster.${ending}`);
  expect(names).toEqual(expect.arrayContaining([...endings, 'cluster', 'cluster.full', 'cluster.interrupted', 'monitorCluster.full', 'monitorCluster.cancelled', 'checkHealth', 'checkHealth.failed', 'checkEnds', 'keepMaintenance', 'notify', 'notify.failed']));
});

test('there are histories of every operation on a cluster that works, and of those that were cancelled, held or terminated', () => {
  const completed = ['addNode', 'removeNode', 'replaceNode', 'rollingRestart', 'rebalanceWorkload', 'adoptCluster'].map((type) => `${type}.completed`);
  expect(names).toEqual(expect.arrayContaining([...completed, 'updateCluster.held', 'updateCluster.node-by-node', 'addNode.cancelled', 'removeNode.cancelled', 'rollingRestart.cancelled', 'rollingRestart.terminated', 'rollingRestart.completed-after']));
});

test.each(names)('%s is replayed', async (name) => {
  await expect(replay(saved(name))).resolves.toBeUndefined();
});

test('a step that is another one than in the history is noticed', async () => {
  const history = saved('setUpCluster.completed');
  const step = history.events.find(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityId === 'stop-services/st2');
  step!.activityTaskScheduledEventAttributes!.activityId = 'stop-services/st3';
  await expect(replay(history)).rejects.toThrow(/stop-services\/st2/);
});

/** Everything that stands in a history, its payloads decoded. */
const plain = (name: string): string => readFileSync(join(folder, `${name}.json`), 'utf8').replaceAll(/"data":"([^"]*)"/g, (_, data: string) => Buffer.from(data, 'base64').toString('utf8'));

test.each(names)('%s tells of no folder but those of the lab and of its hosts', (name) => {
  const folders = [...plain(name).matchAll(/(?<![\w./:*>-])\/[A-Za-z][\w.-]*\/[\w.-]+/g)].map(([path]) => path);
  const known = /^\/(run\/st-lab|opt\/(axway|install|st-lab)|srv\/st|etc\/haproxy|run\/haproxy|var\/lib|usr\/(bin|lib)|bin\/sh)(\/|$)/;
  expect([...new Set(folders)].filter((path) => !known.test(path))).toEqual([]);
});
