/** Graceful stops are remembered on the host: real shells, a product whose commands only write down that they were run. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askStops, awaitStops, landedAt, markLanded } from '../../../src/activities/stopMarkers';
import { machine, type Machine } from './machine';

jest.setTimeout(30_000);

let host: Machine;
beforeEach(() => {
  host = machine();
  for (const service of ['sshd', 'tm']) host.write(`axway/SecureTransport/bin/stop_${service}`, `#!/bin/sh\necho "$0 $*" >>'${host.folder}/run'\n`, 0o755);
  host.write('run', '');
});
afterEach(() => host.remove());

const ran = (): string[] => readFileSync(join(host.folder, 'run'), 'utf8').split('\n').filter((line) => line !== '').map((line) => line.replace(/^.*\//, ''));
const marker = (service: string): string => join(host.folder, 'home/.st-orchestrator/stops', service);
const ask = (services: string[], seconds: number) => askStops(host.clients, host.server, host.authority, services, seconds);

test('one is asked for with a time limit, of the services that are there, and a retry asks for nothing', async () => {
  expect(await ask(['sshd', 'httpd', 'tm'], 40)).toEqual([{ service: 'sshd', remembered: false, left: 40 }, { service: 'tm', remembered: false, left: 40 }]);
  expect(ran()).toEqual(['stop_sshd -g -timeout 40', 'stop_tm -g -timeout 40']);
  const again = await ask(['sshd'], 40);
  expect(again).toEqual([{ service: 'sshd', remembered: true, left: expect.any(Number) }]);
  expect(again[0]!.left).toBeLessThanOrEqual(40);
  expect(ran()).toHaveLength(2);
});

test('one of which nobody knows whether the command got through is asked for with what was left of its time', async () => {
  await ask(['sshd'], 40);
  const [, boot, asked] = readFileSync(marker('sshd'), 'utf8').split(' ');
  writeFileSync(marker('sshd'), `asking ${boot} ${asked} ${Number(asked) + 20} 0 1 x\n`);
  const [again] = await ask(['sshd'], 40);
  expect(again).toMatchObject({ remembered: false });
  expect(again!.left).toBeLessThanOrEqual(20);
});

test('one whose time is over, that has landed, or that is of another boot is asked for anew', async () => {
  for (const change of [(line: string) => line.replace(/^asked (\S+) (\d+) \d+/, 'asked $1 $2 0'), (line: string) => line.replace(/^asked/, 'landed'), (line: string) => line.replace(/^asked \S+/, 'asked other-boot')]) {
    await ask(['sshd'], 40);
    writeFileSync(marker('sshd'), change(readFileSync(marker('sshd'), 'utf8')));
    expect(await ask(['sshd'], 7)).toEqual([{ service: 'sshd', remembered: false, left: 7 }]);
    writeFileSync(marker('sshd'), change(readFileSync(marker('sshd'), 'utf8')));
  }
});

test('whoever starts a service waits while it runs, until it was seen to be down twice', async () => {
  await ask(['sshd'], 40);
  const answers = [['sshd'], ['sshd'], null, [], []];
  // Something of the product runs, so that the services are asked for.
  host.write('bin/ps', `#!/bin/sh\necho '${host.server.fileDriveHome}/lib'\n`, 0o755);
  expect(await awaitStops(host.clients, host.server, host.authority, async () => answers.shift()!)).toBe('waited for the graceful stop of sshd');
  expect(answers).toEqual([]);
  expect(await awaitStops(host.clients, host.server, host.authority, async () => ['sshd'])).toBeUndefined();
});

test('or until its time is over', async () => {
  await ask(['sshd'], 1);
  host.write('bin/ps', `#!/bin/sh\necho '${host.server.fileDriveHome}/lib'\n`, 0o755);
  const began = Date.now();
  await awaitStops(host.clients, host.server, host.authority, async () => ['sshd']);
  expect(Date.now() - began).toBeGreaterThan(3_000);
});

test('when a stop has landed is known', async () => {
  expect(await landedAt(host.clients, host.server, 'tm')).toBeUndefined();
  await ask(['tm'], 40);
  expect(await landedAt(host.clients, host.server, 'tm')).toBeUndefined();
  await markLanded(host.clients, host.server, host.authority, ['tm']);
  expect(Math.abs((await landedAt(host.clients, host.server, 'tm'))! - Date.now() / 1_000)).toBeLessThan(5);
});

test('a stop whose time is over landed by then at the latest, though its service runs again: what that works on now was not left behind by it', async () => {
  await ask(['sshd', 'tm'], 40);
  const over = (line: string): string => line.replace(/^asked (\S+) (\d+) (\d+)/, (_, boot: string, asked: string) => `asked ${boot} ${Number(asked) - 600} ${Number(asked) - 560}`);
  for (const service of ['sshd', 'tm']) writeFileSync(marker(service), over(readFileSync(marker(service), 'utf8')));
  host.write('bin/ps', `#!/bin/sh\necho '${host.server.fileDriveHome}/lib'\n`, 0o755);
  await awaitStops(host.clients, host.server, host.authority, async () => ['tm']);
  const ago = async (service: string): Promise<number> => Date.now() / 1_000 - (await landedAt(host.clients, host.server, service))!;
  expect(Math.abs((await ago('tm')) - 560)).toBeLessThan(10);
  // One that was seen to be down may have come down this very moment.
  expect(await ago('sshd')).toBeLessThan(10);
});
