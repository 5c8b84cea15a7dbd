import { until } from '../../../lab/shell';
import { makePartner, put } from './partner';
import { standing } from './target';
import type { Suite } from './suite';

/** §11.1: the event queue. */
export function events(suite: Suite): void {
  const { call, get } = suite;

  test.each(['arrivalTime', 'lastHeartbeatAfter', 'lastHeartbeatBefore'])('§11.1 %s of events is milliseconds, a date is 400', async (name) => {
    expect((await call('GET', `/events?${name}=${Date.now()}`)).status).toBe(200);
    expect((await call('GET', `/events?${name}=2026-10-07`)).status).toBe(400);
  });

  test('§11.1 deleting events answers 200 and "not found" for an id that is not there', async () => {
    const answer = await call('POST', '/events/operations?operation=delete', { body: { ids: ['none-of-that-id'] } });
    expect([answer.status, answer.json]).toEqual([200, { 'none-of-that-id': 'not found' }]);
  });

  test('§11.1 any other operation on events answers 200 {} and does nothing', async () => {
    const answer = await call('POST', '/events/operations?operation=retry', { body: { ids: ['none-of-that-id'] } });
    expect([answer.status, answer.json]).toEqual([200, {}]);
  });

  test('§11.1 an unknown event is 404', async () => {
    expect((await call('GET', '/events/none-of-that-id')).status).toBe(404);
  });

  // A standing Server's queue is what it is: events are made only where the queue is ours.
  if (standing) return;
  test('§11.1 status= of events is exact and lower case; ready is queued, active is being processed; deleted ones say "deleted"', async () => {
    const { second, sql } = suite.lab();
    const make = (id: string, status: string) => sql(`insert into event (id, account, kind, attributes, status, node, filename, path)
      select '${id}', 'nobody', 'PUSH', '{}', '${status}', localconfigurationsid, 'file', '/file' from clusternode where address = '${second.address}'`);
    const ids = async (query: string) => (await get(`/events${query}`)).result.map(({ id }: { id: string }) => id).filter((id: string) => id.startsWith('c-')).sort();
    // The TM that the events are given to stands still: nobody takes or ends them meanwhile.
    await second.shell('kill -STOP "$(cat "$home/var/run/tm.pid")"');
    try {
      await make('c-ready', 'ready');
      await make('c-active', 'active');
      expect([await ids(''), await ids('?status=ready'), await ids('?status=active'), await ids('?status=ACTIVE')]).toEqual([['c-active', 'c-ready'], ['c-ready'], ['c-active'], []]);
      expect(await get('/events/c-active')).toMatchObject({ id: 'c-active', status: 'active', arrivalTime: expect.any(Number) });
      const now = Date.now();
      expect([await ids(`?lastHeartbeatAfter=${now - 60_000}`), await ids(`?lastHeartbeatBefore=${now - 60_000}`)]).toEqual([['c-active', 'c-ready'], []]);
      const answer = await call('POST', '/events/operations?operation=delete', { body: { ids: ['c-ready', 'c-active', 'c-none'] } });
      expect(answer.json).toEqual({ 'c-ready': 'deleted', 'c-active': 'deleted', 'c-none': 'not found' });
      expect(await ids('')).toEqual([]);
    } finally {
      await second.shell('kill -CONT "$(cat "$home/var/run/tm.pid")"');
    }
  });

  test('§11.1 an event can stay active after its transfer failed; §16 an orphaned .m_inproc blocks its file', async () => {
    const partner = await makePartner(suite);
    const folder = `${suite.target().homes}/${partner.name}/upload`;
    const names = Array.from({ length: 6 }, (_, at) => `file${at}`);
    const client = await partner.connect();
    await put(client, 'hello', '');
    await suite.target().shell(`mkdir -p '${folder}'; cd '${folder}' && for name in ${names.join(' ')}; do : > "$name.m_inproc"; done`);
    for (const name of names) await put(client, `upload/${name}`, 'content');
    partner.leave();
    const failed = async () => (await get(`/logs/transfers?account=${partner.name}`)).result.filter(({ status }: { status: string }) => status === 'Failed').length;
    await until('every transfer to fail', async () => (await failed()) === names.length);
    const left = (await get('/events?status=active')).result.filter(({ accountName }: { accountName: string }) => accountName === partner.name);
    expect(left.length).toBeGreaterThan(0);
    const { json } = await call('POST', '/events/operations?operation=delete', { body: { ids: left.map(({ id }: { id: string }) => id) } });
    expect(new Set(Object.values(json as object))).toEqual(new Set(['deleted']));
  });
}
