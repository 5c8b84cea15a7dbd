import { until } from '../../../lab/shell';
import { makePartner, sftpOf, type Partner } from './partner';
import { destructive } from './target';
import { running, type Suite } from './suite';

/** §11, §11.1: protocol daemons and their listeners. */
export function daemons(suite: Suite): void {
  const { call, get } = suite;

  test('§11 GET /daemons has a field per protocol, with "Running" or "Not running" and no full stop', async () => {
    const found = await get('/daemons');
    expect(Object.keys(found).sort()).toEqual(['as2Status', 'ftpStatus', 'httpStatus', 'pesitStatus', 'sshStatus']);
    for (const word of Object.values(found)) expect(['Running', 'Not running']).toContain(word);
    expect(found.sshStatus).toBe('Running');
  });

  test('§11.1 GET /daemons/{name} answers for ssh only, any other name is 400', async () => {
    expect(await get('/daemons/ssh')).toMatchObject({ sshStatus: 'Running' });
    for (const name of ['ftp', 'http', 'as2', 'pesit']) {
      const answer = await call('GET', `/daemons/${name}`);
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('Invalid value for parameter name, expected (ssh)')]);
    }
  });

  test('§11 GET /servers tells the listeners of a protocol; protocol is returned though it was not asked for', async () => {
    const { result } = await get('/servers?protocol=ssh&fields=serverName,isActive');
    expect(result).toContainEqual({ serverName: 'Ssh Default', protocol: 'ssh', isActive: true });
  });

  test('§11 an operation on an unknown daemon or listener is refused', async () => {
    expect((await call('POST', '/daemons/operations?operation=start&daemon=gopher')).status).toBe(400);
    expect((await call('POST', '/servers/operations?operation=start&serverName=Gopher')).status).toBe(404);
  });
}

const operate = (suite: Suite, operation: string, more = '', daemon = 'ssh') => suite.call('POST', `/daemons/operations?operation=${operation}&daemon=${daemon}${more}`);

/** Starts the SSH daemon and its listener as one must: asked again until they run (§11). */
async function started(suite: Suite): Promise<void> {
  await until('the SSH daemon and its listener', async () => {
    if ((await suite.get('/daemons')).sshStatus !== 'Running') await operate(suite, 'start');
    else if ((await suite.get('/servers?protocol=ssh')).result[0].isActive === true) return true;
    else await suite.call('POST', '/servers/operations?operation=start&serverName=Ssh%20Default');
    return false;
  }, 20_000, 100);
}

/** Stops and starts the SSH daemon. */
export function daemonOperations(suite: Suite): void {
  if (!destructive) return;
  const { call, get } = suite;
  let partner: Partner;
  beforeEach(async () => {
    await started(suite);
    partner = await makePartner(suite);
  });
  afterEach(async () => {
    partner.leave();
    await started(suite);
  });

  test('§11 an operation on daemons answers 200 with a result per daemon, and stopping one clears isActive of its listeners', async () => {
    const answer = await operate(suite, 'stop', '&graceful=false');
    expect([answer.status, answer.json]).toEqual([200, { daemonOperationResults: [{ daemon: 'ssh', isSuccessful: true, message: expect.any(String) }] }]);
    await running(suite, 'Not running');
    expect((await get('/servers?protocol=ssh')).result[0].isActive).toBe(false);
  });

  test('§11 a listener is stopped and started while its daemon runs', async () => {
    const active = async () => (await get('/servers?protocol=ssh')).result[0].isActive;
    await call('POST', '/servers/operations?operation=stop&serverName=Ssh%20Default');
    await until('the listener is closed', async () => (await active()) === false);
    expect((await get('/daemons')).sshStatus).toBe('Running');
    await started(suite);
    expect(await active()).toBe(true);
  });

  test('§11 the start of a disabled daemon is 200 with isSuccessful false', async () => {
    const answer = await operate(suite, 'start', '', 'as2');
    expect([answer.status, answer.json.daemonOperationResults[0]]).toEqual([200, { daemon: 'as2', isSuccessful: false, message: expect.stringContaining('As2 Default is not enabled') }]);
  });

  test('§8.5 during a graceful stop new logins and file operations are refused, the open session stays, and the daemon ends with it', async () => {
    const client = await partner.connect();
    const sftp = await sftpOf(client);
    await operate(suite, 'stop', '&graceful=true&timeout=60');
    await until('a refused login', () => partner.connect().then(() => false, () => true));
    await expect(new Promise((resolve, reject) => sftp.mkdir('new', (error) => (error ? reject(error) : resolve(true))))).rejects.toThrow();
    expect((await get('/daemons')).sshStatus).toBe('Running');
    client.end();
    await running(suite, 'Not running');
  });

  test('§11.1 a graceful stop that was asked for lands at its own time, even after a start that came later and looked good', async () => {
    await partner.connect();
    const asked = Date.now();
    await operate(suite, 'stop', '&graceful=true&timeout=2');
    await until('a refused login', () => partner.connect().then(() => false, () => true));
    await until('a login after the start', async () => {
      await operate(suite, 'start');
      return partner.connect().then(() => true, () => false);
    }, 1500, 100);
    expect(Date.now() - asked).toBeLessThan(2000);
    await running(suite, 'Not running');
    expect(Date.now() - asked).toBeGreaterThan(1500);
  });

  test('§11.1 one wrong SSH password counts twice against the limit of three: the second try locks the account', async () => {
    expect(await partner.tryWrong()).toMatch(/authentication/i);
    partner.leave();
    expect(await partner.tryWrong()).toMatch(/authentication/i);
    await expect(partner.connect()).rejects.toThrow(/authentication/i);
  });
}
