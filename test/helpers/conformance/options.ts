import { callAt, basic } from './caller';
import { standing } from './target';
import type { Suite } from './suite';

const base = '/configurations/options';
/** Options that a test may change for a moment without harm. */
const shared = 'Notification.emailAddress';
const readOnlyOnThePage = 'Cluster.enable.SSL';

/** §11, §11.1: options. */
export function options(suite: Suite): void {
  const { call, get } = suite;
  const values = async (name: string): Promise<string[]> => (await get(`${base}/${name}`)).values;
  const put = (...list: [name: string, values: string[]][]) => call('PUT', base, { body: list.map(([name, of]) => ({ name, values: of })) });
  const restored = async (name: string, work: () => Promise<void>): Promise<void> => {
    const before = await values(name);
    try {
      await work();
    } finally {
      await put([name, before.length === 0 ? [''] : before]);
    }
  };

  test('§11 an option is a name and a list of values', async () => {
    expect(await get(`${base}/${shared}`)).toMatchObject({ name: shared, values: expect.any(Array) });
  });

  test('§11 PUT of a list sets options, PATCH of one changes it, each 204', () => restored(shared, async () => {
    expect((await put([shared, ['one@example.com']])).status).toBe(204);
    expect(await values(shared)).toEqual(['one@example.com']);
    expect((await call('PATCH', `${base}/${shared}`, { body: [{ op: 'replace', path: '/values', value: ['two@example.com'] }] })).status).toBe(204);
    expect(await values(shared)).toEqual(['two@example.com']);
  }));

  test('§11 an unknown name in a PUT is 404 and nothing of the list changes', () => restored(shared, async () => {
    const before = await values(shared);
    expect((await put([shared, ['three@example.com']], ['No.Such.Option', ['x']])).status).toBe(404);
    expect(await values(shared)).toEqual(before);
  }));

  test('§11.1 an unknown name is 404 to GET and to PATCH', async () => {
    expect((await call('GET', `${base}/No.Such.Option`)).status).toBe(404);
    expect((await call('PATCH', `${base}/No.Such.Option`, { body: [] })).status).toBe(404);
  });

  test('§11.1 [""] clears an option, [] is 400 "Invalid argument length."', () => restored(shared, async () => {
    expect((await put([shared, ['']])).status).toBe(204);
    expect((await values(shared)).join('')).toBe('');
    const refused = await put([shared, []]);
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('Invalid argument length.')]);
  }));

  test('§11.1 an option that is readOnly is changed through the API all the same', () => restored(readOnlyOnThePage, async () => {
    expect((await get(`${base}/${readOnlyOnThePage}`)).readOnly).toBe(true);
    const other = (await values(readOnlyOnThePage))[0] === 'true' ? 'false' : 'true';
    expect((await put([readOnlyOnThePage, [other]])).status).toBe(204);
    expect(await values(readOnlyOnThePage)).toEqual([other]);
  }));

  test.each(['Cluster.DeploymentSite', 'Cluster.EnableDRConfiguration', 'Cluster.enable.SSL', 'EventQueue.DispatchPolicy.name', 'EventQueue.submissionConfigurator.additionalAttributes',
    'EventQueue.taskProcessor.attributes', 'EventQueue.taskProcessor.threshold', 'Ftpd.GracefulShutdownTimeout', 'node.ip'])('§9 there is an option %s', async (name) => {
    expect((await get(`${base}/${name}`)).values).toBeInstanceOf(Array);
  });

  if (standing) return;
  test('§9 EventQueue.taskProcessor.attributes is local: its value belongs to one Server; the dispatch policy is the cluster\'s', async () => {
    const { second } = suite.lab();
    const there = async (name: string) => (await callAt(second, 'GET', `${base}/${name}`, basic(second))).json.values;
    await restored('EventQueue.taskProcessor.attributes', () => restored('EventQueue.DispatchPolicy.name', async () => {
      await put(['EventQueue.taskProcessor.attributes', ['PGP=true']], ['EventQueue.DispatchPolicy.name', ['attributeMatchPolicy']]);
      expect(await values('EventQueue.taskProcessor.attributes')).toEqual(['PGP=true']);
      expect(await there('EventQueue.taskProcessor.attributes')).toEqual(['PGP=false, PUSH=false, PULL=false, FM_TRIGGERED=false, MAINTENANCE=false']);
      expect(await there('EventQueue.DispatchPolicy.name')).toEqual(['attributeMatchPolicy']);
    }));
  });
}
