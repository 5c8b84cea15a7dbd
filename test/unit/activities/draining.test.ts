/** A drain that is tried again after its first try was cut off: real shells on a host that is a folder, and as much of an Administration Tool as that needs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stopActivities } from '../../../src/activities/stops';
import { askStops } from '../../../src/activities/stopMarkers';
import type { Clients } from '../../../src/clients';
import { StError } from '../../../src/model/errors';
import { adminTool, machine, type Machine } from './machine';

jest.setTimeout(60_000);

let host: Machine;
let clients: Clients;
/** Looks at the Transaction Manager, and for how many of them it runs. */
let looks: number;
let lasts: number;
beforeEach(() => {
  host = machine();
  for (const command of ['stop_monitord', 'stop_tm', 'start_sshd', 'start_monitord']) host.write(`axway/SecureTransport/bin/${command}`, `#!/bin/sh\necho "$(basename "$0") $*" >>'${host.folder}/run'\n`, 0o755);
  host.write('axway/SecureTransport/conf/configuration.xml', '<LocalConfigurationsId>n1</LocalConfigurationsId>');
  host.write('run', '');
  looks = 0;
  lasts = Infinity;
  let sshd = false;
  const admin = adminTool({
    transactionManager: async () => ({ running: (looks += 1) <= lasts }),
    daemons: async () => (sshd ||= ran().some((line) => line.startsWith('start_sshd')), { ssh: sshd }),
  });
  clients = { ...host.clients, admin };
});
afterEach(() => host.remove());

const ran = (): string[] => readFileSync(join(host.folder, 'run'), 'utf8').split('\n').filter((line) => line !== '');
const drain = () => stopActivities({ clients }).ensureDrained({ server: host.server, protocols: ['ssh'], gracefulSeconds: 1, acceptActive: false }, host.authority);

test('a Transaction Manager whose stop was asked for already is not said to go on: it lands, and what it cuts is listed', async () => {
  await askStops(clients, host.server, host.authority, ['tm'], 30);
  lasts = 2;
  expect(await drain()).toMatchObject({ changed: true, byHand: [expect.stringMatching(/^st1: its Transaction Manager ended while it worked on alice\/upload\/x: they stand as "In Progress"/)] });
  expect(ran()).toEqual(['stop_tm -g -timeout 30', 'stop_monitord ']);
});

test('one whose stop nobody has asked for is not stopped while it works on something, and what was stopped for it runs again', async () => {
  const refused = await drain().catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(StError);
  expect((refused as StError).message).toMatch(/its Transaction Manager is not stopped: after 1 s it still works on alice\/upload\/x/);
  expect(ran()).toEqual(['stop_monitord ', 'start_sshd ', 'start_monitord ']);
});

test('one that goes on when the time of that stop is over is not stopped either: somebody has started it since', async () => {
  await askStops(clients, host.server, host.authority, ['tm'], 1);
  expect(await drain().catch(({ message }: Error) => message)).toMatch(/its Transaction Manager is not stopped/);
  expect(ran()).toEqual(['stop_tm -g -timeout 1', 'stop_monitord ', 'start_sshd ', 'start_monitord ']);
});
