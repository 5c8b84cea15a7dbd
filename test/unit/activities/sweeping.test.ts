/** Marks that a stop left beside files: real shells on a host that is a folder, and as much of an Administration Tool as that needs. */
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stopActivities } from '../../../src/activities/stops';
import { askStops, awaitStops, markLanded } from '../../../src/activities/stopMarkers';
import type { Clients } from '../../../src/clients';
import type { AdminServer } from '../../../src/clients/adminApi';
import { machine, type Machine } from './machine';

jest.setTimeout(60_000);

let host: Machine;
let clients: Clients;
let active: object[];
beforeEach(() => {
  host = machine();
  host.write('axway/SecureTransport/bin/stop_tm', '#!/bin/sh\n', 0o755);
  host.write('axway/SecureTransport/conf/configuration.xml', '<LocalConfigurationsId>n1</LocalConfigurationsId>');
  active = [];
  clients = { ...host.clients, admin: { server: () => ({ events: async () => active }) as unknown as AdminServer } } as unknown as Clients;
});
afterEach(() => host.remove());

const seconds = (): number => Math.floor(Date.now() / 1_000);
const mark = (name: string, ago: number): void => utimesSync(host.write(`shared/${name}.m_inproc`, ''), seconds() - ago, seconds() - ago);
const marks = (): string[] => readdirSync(join(host.folder, 'shared'));
const sweep = () => stopActivities({ clients }).ensureSwept({ server: host.server, sharedPath: join(host.folder, 'shared'), release: true }, host.authority);

test('all marks that a report says were removed are removed, however many they are', async () => {
  for (let n = 0; n < 1_100; n += 1) mark(`f${n}`, 100);
  await markLanded(clients, host.server, host.authority, ['tm']);
  expect((await sweep()).note).toMatch(/^released for resubmission: .* and 1085 more$/);
  expect(marks()).toEqual([]);
});

test('what a Transaction Manager works on that runs again since a stop which nobody saw land keeps its mark: released, it would be processed twice', async () => {
  await askStops(clients, host.server, host.authority, ['tm'], 40);
  const file = join(host.folder, 'home/.st-orchestrator/stops/tm');
  const [, boot, asked] = readFileSync(file, 'utf8').split(' ');
  writeFileSync(file, `asked ${boot} ${Number(asked) - 200} ${Number(asked) - 160} ${seconds() - 200} 1 rolling-restart/demo\n`);
  host.processes([`0 1 70 init`, `65534 20 70 ${host.server.fileDriveHome}/lib/tm`], null);
  mark('cut', 180);
  mark('at-work', 5);
  active = [{ id: '1', status: 'active', accountName: 'alice', fileName: '/at-work', node: 'n1', lastHeartbeat: Date.now() }];
  await awaitStops(clients, host.server, host.authority, async () => ['tm']);
  await sweep();
  expect(marks()).toEqual(['at-work.m_inproc']);
});
