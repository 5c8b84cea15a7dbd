import { until } from '../../../lab/shell';
import { makePartner, sessionsOf, type Partner } from './partner';
import type { Suite } from './suite';
import { standing } from './target';

/** §11.1: the sessions of clients. */
export function sessions(suite: Suite): void {
  const { call } = suite;
  let partner: Partner;
  const open = async (count: number): Promise<string[]> =>
    until(`${count} sessions`, async () => {
      const found = await sessionsOf(suite, partner.name);
      return found.length === count && found.map(({ id }) => id);
    });
  beforeEach(async () => { partner = await makePartner(suite); });
  afterEach(() => partner.leave());

  test('§11.1 a session is listed with an id SSH:<hash> and an empty command, and is gone when its client is', async () => {
    const client = await partner.connect();
    expect(await open(1)).toEqual([expect.stringMatching(/^SSH:[0-9a-f]+$/i)]);
    expect((await sessionsOf(suite, partner.name)).map(({ command }) => command ?? '')).toEqual(['']);
    client.end();
    expect(await open(0)).toEqual([]);
  });

  test('§11.1 type= is ignored', async () => {
    await partner.connect();
    await open(1);
    await until('the session in spite of the filter', async () => (await suite.get('/sessions?type=FTP')).length > 0);
  });

  test('§11.1 DELETE disconnects at once with 204, that session only; a gone one is 404', async () => {
    const ended = new Promise((resolve) => void partner.connect().then((client) => client.once('close', () => resolve(true))));
    const [id = ''] = await open(1);
    await partner.connect();
    await open(2);
    expect((await call('DELETE', `/sessions/${encodeURIComponent(id)}`)).status).toBe(204);
    await ended;
    expect(await open(1)).not.toContain(id);
    expect((await call('DELETE', `/sessions/${encodeURIComponent(id)}`)).status).toBe(404);
    expect((await call('GET', `/sessions/${encodeURIComponent(id)}`)).status).toBe(404);
  });

  test('§11.1 a malformed id is 400 to DELETE and 404 to GET', async () => {
    expect((await call('DELETE', '/sessions/no-session')).status).toBe(400);
    expect((await call('GET', '/sessions/no-session')).status).toBe(404);
  });

  test('§11.1 the administrator\'s own sessions are not listed', async () => {
    await call('POST', '/myself');
    expect(await sessionsOf(suite, suite.target().user)).toEqual([]);
  });

  // A quiet Server may tell everything for a long time; the stand-in lies on purpose.
  if (standing) return;
  test('§11.1 one read may miss sessions that are open; two reads in a row are not wrong in the same way', async () => {
    for (let count = 0; count < 3; count += 1) await partner.connect();
    await open(3);
    const reads: string[] = [];
    for (let read = 0; read < 40; read += 1) {
      const ids = ((await suite.get('/sessions')) as { id: string; accountName: string }[]).filter(({ accountName }) => accountName === partner.name).map(({ id }) => id);
      reads.push(ids.length === 3 ? 'whole' : ids.sort().join());
    }
    expect(reads.filter((read) => read !== 'whole').length).toBeGreaterThan(0);
    expect(reads.filter((read, at) => read !== 'whole' && read === reads[at - 1])).toEqual([]);
  });
}
