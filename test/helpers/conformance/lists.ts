import { unique, type Suite } from './suite';

/** §11, §11.1: lists, paging, the forms of answers and of errors. */
export function lists(suite: Suite): void {
  const { call, get } = suite;

  test.each(['/zones', '/configurations/options', '/events', '/logs/server?limit=5', '/servers'])('§11 a list answers {resultSet, result}: %s', async (path) => {
    const { resultSet, result } = await get(path);
    expect(resultSet).toMatchObject({ returnCount: result.length, totalCount: expect.any(Number) });
    expect(resultSet.totalCount).toBeGreaterThanOrEqual(result.length);
  });

  test.each(['/sessions', '/clusterServices'])('§11 some lists are plain arrays: %s', async (path) => {
    expect(await get(path)).toBeInstanceOf(Array);
  });

  test('§11 a page has 100 entries at most, however many are asked for', async () => {
    // Every write of an administrator is an entry.
    const missing = 101 - (await get('/logs/audit?limit=1')).resultSet.totalCount;
    await Promise.all(Array.from({ length: Math.max(0, missing) }, () => call('POST', '/events/operations?operation=delete', { body: { ids: [] } })));
    const { resultSet, result } = await get('/logs/audit?limit=150');
    expect(resultSet.totalCount).toBeGreaterThan(100);
    expect([resultSet.returnCount, result.length]).toEqual([100, 100]);
  });

  test('§11 offset and limit walk through a list without doubles', async () => {
    const whole = (await get('/configurations/options?limit=7')).result.map(({ name }: { name: string }) => name);
    const parts = [];
    for (let offset = 0; offset < 7; offset += 3) parts.push(...(await get(`/configurations/options?offset=${offset}&limit=${Math.min(3, 7 - offset)}`)).result);
    expect(parts.map(({ name }: { name: string }) => name)).toEqual(whole);
  });

  test('§11.1 limit=0 means all', async () => {
    const { resultSet, result } = await get('/configurations/options?limit=0');
    expect(result.length).toBe(resultSet.totalCount);
  });

  test('§11.1 a negative limit is 400', async () => {
    expect((await call('GET', '/configurations/options?limit=-1')).status).toBe(400);
    expect((await call('GET', '/sessions?limit=-1')).status).toBe(400);
  });

  test('§11.1 a filter that a resource does not know is ignored, not refused', async () => {
    expect(await get('/zones?colour=red')).toEqual(await get('/zones'));
  });

  test('§11.1 links encode a name with a space twice: nothing is there, and the address that one builds oneself works', async () => {
    const name = `${unique('zone')} with space`;
    suite.undo(`/zones/${encodeURIComponent(name)}`);
    const { status, headers } = await call('POST', '/zones', { body: { name } });
    expect([status, String(headers['location'])]).toEqual([201, expect.stringContaining('%2B')]);
    const link = String(headers['location']).replace(/^.*\/api\/v2\.0/, '');
    expect((await call('GET', link)).status).toBe(404);
    expect((await get(`/zones/${encodeURIComponent(name)}`)).name).toBe(name);
  });

  test('§11 a POST that creates is 201 with Location; PUT, PATCH and DELETE are 204 without a body; GET and HEAD 200', async () => {
    const name = unique('zone');
    suite.undo(`/zones/${name}`);
    const made = await call('POST', '/zones', { body: { name } });
    expect([made.status, made.headers['location']]).toEqual([201, expect.stringMatching(new RegExp(`/zones/${name}$`))]);
    for (const [method, body, status] of [['PUT', { name }, 204], ['PATCH', [], 204], ['GET', undefined, 200], ['HEAD', undefined, 200], ['DELETE', undefined, 204]] as const) {
      const answer = await call(method, `/zones/${name}`, body === undefined ? {} : { body });
      expect([method, answer.status]).toEqual([method, status]);
      if (method !== 'GET') expect(answer.text).toBe('');
    }
  });

  test('§11 PATCH is JSON Patch: anything else is 400', async () => {
    expect((await call('PATCH', '/zones/Private', { body: { description: 'x' } })).status).toBe(400);
  });

  test('§11.1 bodies of errors are JSON, plain text, HTML or empty', async () => {
    const type = async (method: string, path: string, headers: Record<string, string> = {}) => {
      const answer = await call(method, path, { headers });
      return [answer.status, answer.text === '' ? 'empty' : String(answer.headers['content-type']).split(';')[0]];
    };
    expect(await type('GET', '/zones/none-of-that-name')).toEqual([404, 'application/json']);
    expect(await type('HEAD', '/zones/none-of-that-name')).toEqual([404, 'empty']);
    expect(await type('GET', '/transactionManager', { accept: 'text/xml' })).toEqual([406, 'text/plain']);
    expect(await type('GET', '//nothing/here')).toEqual([404, 'text/html']);
  });
}
