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
    const { sql } = suite.lab();
    // Of a Server that is not there: nobody takes them, nobody ends them.
    await sql("insert into event (id, account, status, node, filename) values ('c-ready', 'nobody', 'ready', 'nowhere', 'a'), ('c-active', 'nobody', 'active', 'nowhere', 'b')");
    const ids = async (query: string) => (await get(`/events${query}`)).result.map(({ id }: { id: string }) => id).filter((id: string) => id.startsWith('c-')).sort();
    expect([await ids(''), await ids('?status=ready'), await ids('?status=active'), await ids('?status=ACTIVE')]).toEqual([['c-active', 'c-ready'], ['c-ready'], ['c-active'], []]);
    expect(await get('/events/c-active')).toMatchObject({ id: 'c-active', status: 'active', arrivalTime: expect.any(Number) });
    const answer = await call('POST', '/events/operations?operation=delete', { body: { ids: ['c-ready', 'c-active', 'c-none'] } });
    expect(answer.json).toEqual({ 'c-ready': 'deleted', 'c-active': 'deleted', 'c-none': 'not found' });
    expect(await ids('')).toEqual([]);
  });
}
