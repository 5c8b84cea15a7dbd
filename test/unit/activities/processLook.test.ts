/** A host that hides its processes is never taken for one on which nothing runs: real shells, and a ps that shows what a test says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gateActivities } from '../../../src/activities/gates';
import { hostActivities } from '../../../src/activities/hosts';
import { restartActivities } from '../../../src/activities/restarts';
import { serverActivities } from '../../../src/activities/servers';
import { askStops, awaitStops } from '../../../src/activities/stopMarkers';
import { StError } from '../../../src/model/errors';
import { isShut } from '../../../src/model/removalPlan';
import { machine, type Machine } from './machine';

let here: Machine;
let admind: string;
beforeEach(() => {
  here = machine();
  admind = `java -Dhome=${here.server.fileDriveHome} admind`;
  here.write('axway/SecureTransport/bin/start_all', '#!/bin/sh\n', 0o755);
  for (const name of ['stop_all', 'stop_admin', 'stop_tm']) here.write(`axway/SecureTransport/bin/${name}`, `#!/bin/sh\necho ${name} >>'${here.folder}/ran'\n`, 0o755);
  here.write('axway/SecureTransport/lib/version.properties', 'version = 5.5\n');
  here.write('ran', '');
});
afterEach(() => here.remove());

/** Process 1 belongs to another user than the login: who sees it sees all. */
const init = '4242 1 900 /sbin/init';
const running = () => `65534 77 70 ${admind}`;
const checkGate = () => gateActivities(here).checkGate({ host: here.server });
const stopAll = () => serverActivities(here).ensureAllStopped({ server: here.server }, here.authority);
const stopHost = () => gateActivities(here).ensureStopped({ host: here.server }, here.authority);
const ran = (): string => readFileSync(join(here.folder, 'ran'), 'utf8');
const cannot = expect.objectContaining({ code: 'CannotSeeProcesses', message: expect.stringMatching(/^st1: cannot see processes: .*Remedy: allow the login "sudo -u nobody \/usr\/bin\/ps"/) });

describe.each([['hides those of others', ['0 88 0 ps']], ['has no ps', null]])('a host that %s', (_, shown) => {
  test('refuses every operation before anything is changed, and says what is to be done', async () => {
    here.processes(shown, null);
    const { facts, problems, measured } = await checkGate();
    expect(facts.runs).toBeNull();
    expect(measured).toEqual({ node: 'st1', processes: null });
    expect(isShut({ ...facts, gate: 'closed' })).toBe(false);
    const said = { code: 'CannotSeeProcesses', what: 'st1: cannot see processes: whether anything of the product runs there can\'t be told, so a stop could not be proven', remedy: expect.stringContaining('docs/sudoers.example') };
    expect(problems).toEqual([said]);
    expect(await restartActivities(seeingNoAdmin()).checkNode({ node: here.server, role: 'server' })).toMatchObject({ facts: { runs: null, fresh: false }, problems: [said] });
    const host = await hostActivities(here).checkHost({ host: here.server, package: here.folder, sharedPath: here.folder, version: '5.5', ports: [], peers: [], clockLimitMs: 60_000 });
    expect(host.problems).toContainEqual(said);
  });
  test('is asked to stop, and is not called stopped', async () => {
    here.processes(shown, null);
    await expect(stopHost()).rejects.toEqual(cannot);
    expect(ran()).toBe('stop_all\n');
    await expect(stopAll()).rejects.toEqual(cannot);
    expect(ran()).toBe('stop_all\nstop_tm\nstop_admin\n');
    await expect(gateActivities(here).ensureGated({ host: here.server }, here.authority)).rejects.toEqual(cannot);
    expect(await serverActivities(here).ensureAdminStopped({ server: here.server }, here.authority)).toEqual({ changed: true, note: expect.stringContaining('can\'t be told') });
  });
  test('is not updated', async () => {
    here.processes(shown, null);
    await expect(restartActivities(here).ensureUpdated({ host: here.server, role: 'server', version: '6', command: ['true'], timeoutMs: 1_000 }, here.authority)).rejects.toEqual(cannot);
  });
  test('is seen by asking the product\'s user', async () => {
    here.processes(shown, [admind, 'bash']);
    expect((await checkGate()).measured).toEqual({ node: 'st1', processes: [admind] });
    here.processes(shown, ['bash']);
    expect(await checkGate()).toMatchObject({ facts: { runs: false }, problems: [] });
    expect(await stopHost()).toEqual({ changed: false, note: 'nothing of the product ran' });
  });
});

test.each([['stop_all', stopHost, 2], ['stop_tm\nstop_admin', stopAll, 4]])('what is started behind the back of %p is stopped by another order', async (order, stop, lines) => {
  // As a host's init that was about to start the product.
  here.write('bin/ps', `#!/bin/sh\necho '${init}'\n[ "$(grep -c . '${here.folder}/ran')" -ge ${lines} ] || echo '${running()}'\n`, 0o755);
  expect(await stop()).toEqual({ changed: true, note: expect.stringMatching(/^stopped; /) });
  expect(ran()).toBe(`${order}\n${order}\n`);
}, 20_000);

test('where all are seen, those of the product are told from others, and how long they run', async () => {
  here.processes([init, running(), `65534 78 50 bash`, `4242 79 50 less ${here.server.fileDriveHome}/x`], null);
  expect(await checkGate()).toMatchObject({ facts: { runs: true }, problems: [], measured: { processes: [admind] } });
  const { facts } = await restartActivities(seeingNoAdmin()).checkNode({ node: here.server, role: 'server', startedBefore: new Date(Date.now() - 100_000).toISOString() });
  expect(facts).toMatchObject({ version: '5.5', runs: true, fresh: true });
});

test('everything stopped means that nothing is left: what goes on is waited for', async () => {
  here.processes([init, running()], null);
  const stopped = stopAll();
  let ended = false;
  void stopped.then(() => { ended = true; }, () => undefined);
  while (!ran().endsWith('stop_admin\n')) await new Promise(setImmediate);
  expect(ended).toBe(false);
  here.processes([init], null);
  await expect(stopped).resolves.toMatchObject({ changed: expect.any(Boolean) });
});

test('a graceful stop on a host that hides its processes is under way until somebody says that it has landed', async () => {
  here.processes([], null);
  await askStops(here.clients, here.server, here.authority, ['tm'], 1);
  let asked = 0;
  await awaitStops(here.clients, here.server, here.authority, () => Promise.resolve(++asked < 2 ? null : []));
  expect(asked).toBe(3);
});

/** Its Administration Tool does not answer. */
const noAnswer = () => Promise.reject(new StError('Unreachable', 'no answer'));
const seeingNoAdmin = () => ({ clients: { ...here.clients, admin: { server: () => ({ daemons: noAnswer, transactionManager: noAnswer, clusterNodes: noAnswer }) } } as never });
