import { until } from '../../../lab/shell';
import { makePartner, put, type Partner } from './partner';
import type { Suite } from './suite';
import { withShell } from './target';

/** §11.1: the server log, the audit log, the transfer log. */
export function logs(suite: Suite): void {
  const { call, get } = suite;
  const times = async (path: string): Promise<number[]> => (await get(path)).result.map(({ time, startTime }: Record<string, string>) => Date.parse(time ?? startTime ?? ''));
  const rising = (list: number[]): boolean => list.every((one, at) => at === 0 || one >= list[at - 1]!);

  test('§11.1 /logs/server is oldest first', async () => {
    const found = await times('/logs/server?limit=50');
    expect(found.length).toBeGreaterThan(1);
    expect(rising(found)).toBe(true);
  });

  test('§11.1 /logs/audit is newest first', async () => {
    for (let write = 0; write < 2; write += 1) await call('POST', '/events/operations?operation=delete', { body: { ids: [] } });
    const found = await times('/logs/audit?limit=50');
    expect(found.length).toBeGreaterThan(1);
    expect(rising([...found].reverse())).toBe(true);
  });

  test.each(['/logs/server', '/logs/audit', '/logs/transfers'])('§11.1 dates are RFC 2822, anything else is 400: %s', async (path) => {
    expect((await call('GET', `${path}?limit=1&fromDate=${encodeURIComponent('Wed, 07 Oct 2099 10:00:00 +0300')}`)).json.result).toEqual([]);
    expect((await call('GET', `${path}?limit=1&endDate=${encodeURIComponent('Wed, 07 Oct 2099 10:00:00 +0300')}`)).status).toBe(200);
    expect((await call('GET', `${path}?limit=1&fromDate=2026-10-07`)).status).toBe(400);
  });

  test('§11.1 component and level of the server log are in capitals and repeated, never a list with commas', async () => {
    const levels = async (query: string): Promise<string[]> => [...new Set<string>((await get(`/logs/server?limit=100&${query}`)).result.map(({ level }: { level: string }) => level))];
    expect(await levels('component=TM&level=INFO')).toEqual(['INFO']);
    expect((await levels('component=ADMIN&component=TM&level=INFO&level=ERROR')).length).toBeGreaterThan(0);
    expect([await levels('component=ADMIN,TM'), await levels('component=TM&level=INFO,ERROR'), await levels('component=tm')]).toEqual([[], [], []]);
  });

  describe('of one account', () => {
    let partner: Partner;
    beforeEach(async () => {
      partner = await makePartner(suite);
      const client = await partner.connect();
      for (const name of ['a', 'b']) await put(client, name, 'content');
      partner.leave();
      await until('both transfers in the log', async () => (await get(`/logs/transfers?account=${partner.name}`)).result.length >= 2);
    });

    test('§11.1 /logs/transfers filters by account=, in any case and with *, and ignores accountName=', async () => {
      const total = async (query: string): Promise<number> => (await get(`/logs/transfers?limit=1&${query}`)).resultSet.totalCount;
      expect(await total(`account=${partner.name.toUpperCase()}`)).toBe(2);
      expect(await total(`account=*${partner.name.slice(1)}`)).toBe(2);
      expect(await total('account=nobody-of-that-name')).toBe(0);
      expect(await total('accountName=nobody-of-that-name')).toBeGreaterThanOrEqual(2);
    });

    test('§11.1 /logs/transfers is in order only with sortByStartTime', async () => {
      const path = `/logs/transfers?account=${partner.name}&sortByStartTime=`;
      expect(rising(await times(`${path}ascending`))).toBe(true);
      expect(rising((await times(`${path}descending`)).reverse())).toBe(true);
    });

    test('§11.1 a deleted account leaves its log entries', async () => {
      await call('DELETE', `/accounts/${partner.name}`);
      expect((await call('GET', `/accounts/${partner.name}`)).status).toBe(404);
      expect((await get(`/logs/transfers?account=${partner.name}`)).result.length).toBeGreaterThanOrEqual(2);
    });

    if (!withShell) return;
    test('§11.1 a deleted account leaves its home folder', async () => {
      await call('DELETE', `/accounts/${partner.name}`);
      expect((await suite.target().shell(`ls ${suite.target().homes}/${partner.name}`)).stdout.split('\n')).toEqual(expect.arrayContaining(['a', 'b']));
    });
  });
}
