import { Agent, request } from 'node:https';
import { basic, exchange, type Answer } from './caller';
import { makePartner, partnerPassword, sessionsOf } from './partner';
import { standing } from './target';
import { unique, type Suite } from './suite';

/** §11.1: partners over HTTPS, and synthetic logins that do harm. How partners speak HTTPS is the stand-in's own: on a lab only. */
export function httpLogins(suite: Suite): void {
  if (standing) return;
  const { call, get } = suite;
  const port = async (): Promise<number> => (await get('/servers?protocol=http')).result[0].port;
  const enter = async (user: string, password: string): Promise<Answer> => exchange({ ...suite.target(), port: await port() }, 'GET', '//', basic({ user, password }));
  /** A connection that has logged in and stays. */
  const stay = async (user: string): Promise<Agent> => {
    const { address, ca } = suite.target();
    const [agent, at] = [new Agent({ keepAlive: true, ca }), await port()];
    return new Promise((resolve, reject) => {
      request({ host: address, port: at, agent, headers: basic({ user, password: partnerPassword }).headers }, (response) => response.resume().once('end', () => resolve(agent))).once('error', reject).end();
    });
  };
  const denied = async (): Promise<string[]> => (await get('/deniedUsers?limit=0')).result.map(({ loginName }: { loginName: string }) => loginName);

  test('§11.1 a login name that nobody has is put on the Denied Users list over HTTP, and is refused in the words of a wrong password', async () => {
    const [known, nobody] = [await makePartner(suite), unique('nobody')];
    suite.undo(`/deniedUsers/${nobody}`);
    const wrong = await enter(known.name, 'wrong');
    const unknown = await enter(nobody, partnerPassword);
    expect([unknown.status, unknown.text]).toEqual([401, wrong.text]);
    const list = await denied();
    expect([list.includes(nobody), list.includes(known.name)]).toEqual([true, false]);
    await makePartner(suite, nobody);
    const still = await enter(nobody, partnerPassword);
    expect([still.status, still.text]).toEqual([401, wrong.text]);
    expect((await call('DELETE', `/deniedUsers/${nobody}`)).status).toBe(204);
    expect((await enter(nobody, partnerPassword)).status).toBe(200);
  });

  test('§11.1 a name that was put on the Denied Users list is refused over HTTP, others are not', async () => {
    const [one, other] = [await makePartner(suite), await makePartner(suite)];
    suite.undo(`/deniedUsers/${one.name}`);
    expect((await call('POST', '/deniedUsers', { body: { loginName: one.name } })).status).toBe(201);
    expect([(await enter(one.name, partnerPassword)).status, (await enter(other.name, partnerPassword)).status]).toEqual([401, 200]);
  });

  test('§11.1 a session over HTTP has an id HTTP:<hash> and an empty command', async () => {
    const partner = await makePartner(suite);
    const agent = await stay(partner.name);
    try {
      const found = await sessionsOf(suite, partner.name);
      expect(found).toEqual([expect.objectContaining({ id: expect.stringMatching(/^HTTP:[0-9a-f]+$/), command: '' })]);
    } finally {
      agent.destroy();
    }
  });
}
