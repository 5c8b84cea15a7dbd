import type { Call } from './caller';
import { destructive } from './target';
import { unique, type Suite } from './suite';

/** §11, §11.1: who may call, and with what. */
export function logins(suite: Suite): void {
  const { call, bare } = suite;
  const session = async (): Promise<{ cookie: string; csrfToken: string }> => {
    const answer = await call('POST', '/myself');
    return { cookie: [answer.headers['set-cookie'] ?? []].flat().map((one) => one.split(';')[0]!).join('; '), csrfToken: String(answer.headers['csrftoken']) };
  };
  const reads = async (cookie: string): Promise<number> => (await bare('GET', '/myself', { headers: { cookie } })).status;
  const write = (headers: Record<string, string>, more: Call = {}) => bare('POST', '/events/operations?operation=delete', { ...more, headers, body: { ids: [] } });

  test('§11 Basic credentials open every call without a session', async () => {
    const answer = await call('GET', '/version');
    expect([answer.status, answer.headers['csrftoken']]).toEqual([200, undefined]);
  });

  test('§11 POST /myself answers "Logged in", a session cookie and the csrfToken as a response header', async () => {
    const answer = await call('POST', '/myself');
    expect([answer.status, answer.json]).toEqual([200, { message: 'Logged in' }]);
    expect(answer.headers['set-cookie']).toBeDefined();
    expect(String(answer.headers['csrftoken'])).toMatch(/^.{8,}$/);
  });

  test('§11.1 a read of a cookie session needs no csrfToken, a write without it is refused', async () => {
    const { cookie } = await session();
    expect(await reads(cookie)).toBe(200);
    expect((await write({ cookie })).status).toBe(403);
    expect((await write({ cookie, csrfToken: 'another' })).status).toBe(403);
  });

  test('§11.1 the csrfToken is issued once and serves every write of its session', async () => {
    const { cookie, csrfToken } = await session();
    for (let turn = 0; turn < 3; turn += 1) {
      expect((await write({ cookie, csrfToken })).status).toBe(200);
      expect(await reads(cookie)).toBe(200);
    }
  });

  test('§11.1 a write with Basic credentials needs no csrfToken', async () => {
    expect((await call('POST', '/events/operations?operation=delete', { body: { ids: [] } })).status).toBe(200);
  });

  test('§11.1 DELETE /myself ends the session only when it carries that session\'s cookie', async () => {
    const { cookie, csrfToken } = await session();
    await call('DELETE', '/myself');
    expect(await reads(cookie)).toBe(200);
    expect((await bare('DELETE', '/myself', { headers: { cookie, csrfToken } })).status).toBe(204);
    expect(await reads(cookie)).toBe(401);
  });

  test('§11.1 GET /myself names the administrator in loginName', async () => {
    expect((await suite.get('/myself')).loginName).toBe(suite.target().user);
  });

  test('§11.1 a session that is not there is a plain-text 401', async () => {
    const answer = await bare('GET', '/version', { headers: { cookie: 'JSESSIONID=none' } });
    expect([answer.status, answer.json]).toEqual([401, undefined]);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });

  // Some live Servers accept these; the documented contract does not, and the tests hold the contract.
  test('§11 a call without Referer is refused, and a session accepts its own Referer only', async () => {
    expect((await call('GET', '/version', { referer: false })).status).toBe(403);
    const { cookie, csrfToken } = await session();
    expect((await write({ cookie, csrfToken }, { referer: 'https://elsewhere.test/' })).status).toBe(403);
    expect((await write({ cookie, csrfToken })).status).toBe(200);
  });

  apiKeys(suite);
}

function apiKeys(suite: Suite): void {
  const { call, bare } = suite;
  const keysOf = () => `/administrators/${suite.target().user}/api-keys`;
  const make = async (body: object = {}) => {
    const answer = await call('POST', keysOf(), { body: { validityDays: 1, ...body } });
    if (answer.status === 201) suite.undo(`${keysOf()}/${answer.json.id}`);
    return answer;
  };
  const headers = (key: string): Call => ({ headers: { 'SECURETRANSPORT-API-KEY': key } });

  test('§11.1 an API key reads and writes without session or csrfToken, and revoked it is a plain-text 401', async () => {
    const { id, apiKey } = (await make()).json;
    expect((await bare('GET', '/myself', headers(apiKey))).json.loginName).toBe(suite.target().user);
    expect((await bare('POST', '/events/operations?operation=delete', { ...headers(apiKey), body: { ids: [] } })).status).toBe(200);
    expect((await call('DELETE', `${keysOf()}/${id}`)).status).toBe(204);
    const revoked = await bare('GET', '/myself', headers(apiKey));
    expect([revoked.status, revoked.json]).toEqual([401, undefined]);
  });

  test('§11.1 a method that an API key does not cover is a plain-text 403', async () => {
    const { apiKey } = (await make({ permissions: ['GET'] })).json;
    const answer = await bare('POST', '/events/operations?operation=delete', { ...headers(apiKey), body: { ids: [] } });
    expect([answer.status, answer.json]).toEqual([403, undefined]);
    expect((await bare('GET', '/myself', headers(apiKey))).status).toBe(200);
  });

  test('§11.1 an administrator has at most two API keys', async () => {
    const before = (await suite.get(keysOf())).result.length;
    const statuses = [];
    for (let keys = before; keys <= 2; keys += 1) statuses.push((await make()).status);
    expect(statuses).toEqual([...Array<number>(2 - before).fill(201), 409]);
  });
}

/** Registered last: afterwards nobody logs in. */
export function lockouts(suite: Suite): void {
  const { bare, call } = suite;
  if (!destructive) return;

  test('§16 wrong passwords lock the administrator: the right one is refused too, in the same words', async () => {
    const as = (password: string) => bare('GET', '/version', { headers: { authorization: `Basic ${Buffer.from(`${suite.target().user}:${password}`).toString('base64')}` } });
    const wrong = await as(unique('wrong'));
    expect([wrong.status, wrong.json]).toEqual([401, undefined]);
    expect((await call('GET', '/version')).status).toBe(200);
    for (let turn = 0; turn < 3; turn += 1) expect((await as(unique('wrong'))).status).toBe(401);
    const right = await call('GET', '/version');
    expect([right.status, right.text]).toEqual([401, wrong.text]);
  });
}
