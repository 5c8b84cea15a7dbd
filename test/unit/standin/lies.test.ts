import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lieNames, makeLies, type Lie } from '../../../lab/standin/lies';
import { addNode, call, operational } from './client';
import { listens, ports, startEstate, until, type Estate, type Server } from './estate';

jest.setTimeout(30_000);

describe('lies', () => {
  const told = (who: string, environment: NodeJS.ProcessEnv) => {
    const lies = makeLies(who, environment);
    return Array.from({ length: 200 }, () => lies.tell(0.5, 'sessions'));
  };
  test('of one seed and one Server are the same every time, and others for another Server', () => {
    expect(told('10.0.0.1', { SEED: '7' })).toEqual(told('10.0.0.1', { SEED: '7' }));
    expect(told('10.0.0.1', { SEED: '7' })).not.toEqual(told('10.0.0.2', { SEED: '7' }));
    expect(told('10.0.0.1', { SEED: '7' })).not.toEqual(told('10.0.0.1', { SEED: '8' }));
  });
  test('are told about as often as asked for', () => {
    const count = told('10.0.0.1', { SEED: '7' }).filter(Boolean).length;
    expect(count).toBeGreaterThan(70);
    expect(count).toBeLessThan(130);
  });
  test('are off with LIES=0', () => expect(told('10.0.0.1', { SEED: '7', LIES: '0' })).not.toContain(true));
  test('are told one by one with a list of names', () => {
    const tells = (lie: Lie, LIES?: string) => makeLies('10.0.0.1', { SEED: '7', LIES }).tell(1, lie);
    expect([tells('sessions'), tells('sessions', 'daemonStart'), tells('sessions', 'daemonStart,sessions')]).toEqual([true, false, true]);
    expect([tells('sshPort'), tells('sshPort', '0'), tells('sshPort', 'sessions')]).toEqual([true, false, false]);
  });
});

describe('a Server that lies', () => {
  let estate: Estate;
  let server: Server;
  beforeAll(async () => { estate = await startEstate({ LIES: lieNames.filter((name) => name !== 'sshPort').join(), SEED: '3', PRODUCT_TIME_MS: '300' }); });
  afterAll(() => estate?.stop());

  test('says "port is in use" and becomes unreachable while daemons restart, and comes to the state asked for when asked again', async () => {
    await estate.postgres.createDatabase('lies');
    server = await estate.installServer('lies');
    server.license(1);
    await operational(server);
    await addNode(server, server);
    await server.run('start_all');
    const operate = async (operation: string) => {
      try {
        return (await call(server, 'POST', `/daemons/operations?operation=${operation}&daemon=ssh`)).json.daemonOperationResults[0] as { isSuccessful: boolean; message: string };
      } catch (error) {
        return { isSuccessful: false, message: (error as Error).message };
      }
    };
    const heard = new Set<string>();
    for (let round = 0; round < 20 && heard.size < 2; round += 1) {
      for (const [operation, state] of [['stop', 'Not running'], ['start', 'Running']] as const) {
        await until(`the SSH daemon ${state}`, async () => {
          const { isSuccessful, message } = await operate(operation);
          if (message.includes('port is in use')) heard.add('port is in use');
          const status = await call(server, 'GET', '/daemons').catch(() => { heard.add('unreachable'); return undefined; });
          return (isSuccessful || operation === 'stop') && status?.json.sshStatus === state;
        });
      }
    }
    expect([...heard].sort()).toEqual(['port is in use', 'unreachable']);
  });

  test('resets the SSH port of the cluster to 22 when a node is added; the daemon follows at its next start', async () => {
    const port = async () => (await call(server, 'GET', '/servers?protocol=ssh')).json.result[0].port as number;
    const retell = async (lies: string) => {
      writeFileSync(join(server.dir, 'lib/standin.env'), server.read('lib/standin.env').replace(/^LIES=.*$/m, `LIES=${lies}`));
      await server.run('stop_all');
      await server.run('start_all');
      await operational(server);
    };
    await retell('sshPort');
    expect(await port()).toBe(ports.ssh);
    await addNode(server, server);
    await retell('0');
    await until('the other port', async () => (await port()) === 22);
    expect(await listens(server.address, ports.ssh)).toBe(false);
  });
});
