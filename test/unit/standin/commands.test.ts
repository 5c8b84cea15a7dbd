import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type Socket } from 'node:net';
import { addNode, call, operational } from './client';
import { isAlive, listens, ports, startEstate, until, type Estate, type Server } from './estate';

jest.setTimeout(30_000);

let estate: Estate;
let server: Server;
const services = ['admin', 'tm', 'sshd', 'monitord'];
const ssh = () => listens(server.address, ports.ssh);
const state = (service: string) => server.read(`var/run/${service}.state`).trim();

beforeAll(async () => {
  estate = await startEstate();
  await estate.postgres.createDatabase('commands');
  server = await estate.installServer('commands');
  server.license(1);
  await operational(server);
  await addNode(server, server);
});
afterAll(() => estate?.stop());
beforeEach(async () => {
  await server.run('start_all');
  await operational(server);
  await until('the TM', () => state('tm') === 'Running 0');
  await until('the SSH daemon', ssh);
  await until('an idle SSH daemon', () => state('sshd') === 'Running 0');
});

test('a start answers before the service is up, and does not keep the pipes of the caller', async () => {
  await server.run('stop_sshd');
  const ran = await server.run('start_sshd');
  expect(ran).toEqual({ code: 0, stdout: 'sshd was started.\n', stderr: '' });
  expect(await ssh()).toBe(false);
  await until('the SSH daemon', ssh);
  expect((await server.run('start_sshd')).stdout).toBe('sshd is already running.\n');
});

test('a stop ends when the process is gone, and a second one finds nothing to do', async () => {
  const pid = server.pid('sshd');
  expect(await server.run('stop_sshd')).toMatchObject({ code: 0, stdout: 'sshd was stopped.\n' });
  expect([isAlive(pid), await ssh()]).toEqual([false, false]);
  expect(await server.run('stop_sshd')).toMatchObject({ code: 0, stdout: 'sshd is not running.\n' });
});

test('stop_all stops everything, the Monitor server first; start_all starts what is enabled', async () => {
  const pids = services.map((service) => server.pid(service));
  expect((await server.run('stop_all')).stdout).toMatch(/^monitord was stopped/);
  expect(pids.filter(isAlive)).toEqual([]);
  await server.run('start_all');
  expect(services.map((service) => isAlive(server.pid(service)))).toEqual([true, true, true, true]);
  expect(() => server.pid('httpd')).toThrow('ENOENT');
});

test('the start of any service starts the Monitor server too', async () => {
  await server.run('stop_monitord');
  expect(await server.run('status_monitord')).toMatchObject({ code: 1, stdout: 'monitord is not running.\n' });
  await server.run('start_sshd');
  expect(await server.run('status_monitord')).toMatchObject({ code: 0, stdout: 'monitord is running.\n' });
});

describe('a service has one process', () => {
  const processes = (): string[] => readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith(`${server.dir}\0tm\0`);
    } catch {
      return false;
    }
  });

  test('when eight start it at once, and the Monitor server too', async () => {
    for (let round = 0; round < 20; round += 1) {
      const before = server.pid('tm');
      // Half of the rounds find one that has died and is wanted, half one that was stopped.
      if (round % 2 === 0) process.kill(before, 'SIGKILL');
      else await server.run('stop_tm');
      const started = await Promise.all(Array.from({ length: 8 }, () => server.run('start_tm')));
      expect(started.filter(({ code }) => code !== 0)).toEqual([]);
      expect(processes()).toEqual([String(server.pid('tm'))]);
      await until('the TM', () => state('tm') === 'Running 0');
    }
  }, 120_000);

  test('when starts were killed half-way', async () => {
    for (let afterMs = 0; afterMs < 40; afterMs += 2) {
      await server.run('stop_tm');
      const start = spawn(join(server.dir, 'bin/start_tm'), { stdio: 'ignore' });
      await new Promise((resolve) => { setTimeout(resolve, afterMs); });
      start.kill('SIGKILL');
      await server.run('start_tm');
      expect(processes()).toEqual([String(server.pid('tm'))]);
      await until('the TM', () => state('tm') === 'Running 0');
    }
  }, 120_000);
});

test.each(['admin', 'tm', 'sshd'])('the Monitor server restarts %s when it died', async (service) => {
  const pid = server.pid(service);
  process.kill(pid, 'SIGKILL');
  await until('another process', () => server.pid(service) !== pid && isAlive(server.pid(service)));
  await until('its state', () => state(service) === 'Running 0');
});

test('the Monitor server leaves alone what an administrator stopped', async () => {
  await server.run('stop_sshd');
  const pid = server.pid('sshd');
  const tm = server.pid('tm');
  process.kill(tm, 'SIGKILL');
  // The TM's return proves that the Monitor server has looked.
  await until('another TM', () => server.pid('tm') !== tm && isAlive(server.pid('tm')));
  expect([server.pid('sshd'), isAlive(pid)]).toEqual([pid, false]);
});

test('the Monitor server gives up after retryCount tries, and a new start counts anew', async () => {
  await server.run('stop_tm');
  const taken = server.read('conf/st.license');
  writeFileSync(join(server.dir, 'conf/st.license'), 'nothing');
  writeFileSync(join(server.dir, 'conf/monitor.schedule.properties'), 'Monitor.TM.retryCount=1\nMonitor.TM.retryDelay=0\n');
  const before = server.read('var/logs/tm.log').split('The features licence is invalid').length;
  await server.run('start_tm');
  await until('the last try', () => server.read('var/logs/monitord.log').includes('tm is not started again before an administrator starts it.'));
  await until('the end of that try', () => server.read('var/logs/tm.log').split('The features licence is invalid').length === before + 2);
  writeFileSync(join(server.dir, 'conf/st.license'), taken);
  expect((await server.run('start_tm')).stdout).toBe('tm was started.\n');
  await until('the TM', () => state('tm') === 'Running 0');
});

test('pids of before a power cut mean nothing: a foreign process with such a number is not taken for the service', async () => {
  await server.run('stop_all');
  writeFileSync(join(server.dir, 'var/run/sshd.pid'), `${process.pid}\n`);
  expect((await server.run('stop_sshd')).stdout).toBe('sshd is not running.\n');
  expect(isAlive(process.pid)).toBe(true);
});

test('what was wanted before the last boot is not started by the Monitor server', async () => {
  await server.run('stop_all');
  writeFileSync(join(server.dir, 'var/run/sshd.wanted'), '');
  writeFileSync(join(server.dir, 'var/run/boot'), 'an older one\n');
  await server.run('start_tm');
  const tm = server.pid('tm');
  process.kill(tm, 'SIGKILL');
  await until('a look of the Monitor server', () => server.pid('tm') !== tm);
  expect(() => server.read('var/run/sshd.wanted')).toThrow('ENOENT');
});

test('a wrong argument of a stop is refused and stops nothing', async () => {
  expect((await server.run('stop_sshd', '-g', '-timeout')).code).toBe(2);
  expect((await server.run('stop_sshd', '-now')).code).toBe(2);
  expect(await ssh()).toBe(true);
});

describe('a graceful stop', () => {
  const client = async (): Promise<Socket> => {
    // A daemon of another protocol keeps a connection as its session: simple to hold open.
    const socket = connect({ host: server.address, port: 8021 });
    await new Promise((resolve, reject) => { socket.once('data', resolve); socket.once('error', reject); });
    return socket;
  };
  const ftp = () => listens(server.address, 8021);
  let sockets: Socket[] = [];

  beforeAll(async () => {
    await server.run('stop_all');
    for (const verb of ['start', 'stop']) writeFileSync(join(server.dir, `bin/${verb}_ftpd`), server.read(`bin/${verb}_ftpd.disable`), { mode: 0o755 });
  });
  beforeEach(async () => {
    await server.run('start_ftpd');
    await until('the FTP daemon', ftp);
    await until('an idle FTP daemon', () => state('ftpd') === 'Running 0');
    sockets = [await client()];
    await until('its session', () => state('ftpd') === 'Running 1');
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await server.run('stop_ftpd');
  });

  test('answers at once, takes no new clients, and ends when the last session has', async () => {
    const pid = server.pid('ftpd');
    expect(await server.run('stop_ftpd', '-g', '-timeout', '60')).toMatchObject({ code: 0, stdout: 'The graceful shutdown of ftpd was started.\n' });
    await until('a closed door', async () => !(await ftp()));
    expect(isAlive(pid)).toBe(true);
    sockets[0]?.destroy();
    await until('its end', () => !isAlive(pid));
  });

  test('ends at its time limit, sessions or not', async () => {
    const pid = server.pid('ftpd');
    await server.run('stop_ftpd', '-g', '-timeout', '1');
    await until('its end', () => !isAlive(pid), 4000);
  });

  test('lands even after a start that came later and looked good', async () => {
    const pid = server.pid('ftpd');
    await server.run('stop_ftpd', '-g', '-timeout', '2');
    await until('a closed door', async () => !(await ftp()));
    await server.run('start_ftpd');
    await until('an open door', ftp);
    await until('the end of what was started', () => !isAlive(pid));
    expect(await ftp()).toBe(false);
  });

  test('of the TM ends when nothing is being processed', async () => {
    const pid = server.pid('tm');
    await server.run('stop_tm', '-g', '-timeout', '30');
    await until('its end', () => !isAlive(pid));
    expect((await call(server, 'GET', '/transactionManager')).json).toEqual({ status: 'Not running.' });
  });
});
