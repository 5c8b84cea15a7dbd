/** What is noted of a Transaction Manager that is to be restarted: real shells on a host that is a folder, and as much of an Administration Tool as that needs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askStops, markLanded } from '../../../src/activities/stopMarkers';
import { stopActivities } from '../../../src/activities/stops';
import { workloadActivities } from '../../../src/activities/workload';
import type { Clients } from '../../../src/clients';
import { restarting, workedBy } from '../../../src/model/workload';
import { workloadOptions } from '../../../src/model/workloadAttributes';
import { adminTool, machine, type Machine } from './machine';

jest.setTimeout(60_000);

let host: Machine;
let clients: Clients;
let tm: boolean;
let options: Record<string, string[]>;
beforeEach(() => {
  host = machine();
  for (const command of ['stop_monitord', 'stop_sshd', 'stop_tm', 'start_sshd', 'start_monitord', 'start_all']) host.write(`axway/SecureTransport/bin/${command}`, `#!/bin/sh\necho "$(basename "$0")" >>'${host.folder}/run'\n`, 0o755);
  host.write('axway/SecureTransport/conf/configuration.xml', '<LocalConfigurationsId>n1</LocalConfigurationsId>');
  host.write('run', '');
  tm = true;
  options = { [workloadOptions.policy]: ['cacheBasedPolicy'], [workloadOptions.additional]: [''], [workloadOptions.attributes]: ['PUSH=false'] };
  const admin = adminTool({
    options: async () => Object.entries(options).map(([name, values]) => ({ name, values })),
    transactionManager: async () => ({ running: tm }),
    daemons: async () => ({ ssh: ran().findLast((line) => line.includes('sshd')) !== 'stop_sshd' }),
    clusterManagement: async () => ({ clusterNodes: [] }),
  });
  clients = { ...host.clients, admin };
});
afterEach(() => host.remove());

const ran = (): string[] => readFileSync(join(host.folder, 'run'), 'utf8').split('\n').filter((line) => line !== '');
const now = (): string => workedBy({ policy: options[workloadOptions.policy]!, additional: options[workloadOptions.additional]!, attributes: options[workloadOptions.attributes]!, streaming: null });
const noted = (worksBy: string | null) => workloadActivities({ clients }).ensureNoted({ server: host.server, worksBy }, host.authority);
const worksBy = async (): Promise<string | null> => (await workloadActivities({ clients }).checkWorkload({ server: host.server })).facts.worksBy;
const how = { protocols: ['ssh' as const], gracefulSeconds: 1, acceptActive: false };

test('until its stop is asked for it works by what it did before', async () => {
  await noted('{"old":1}');
  await noted(restarting);
  expect(await noted(restarting)).toEqual({ changed: false, note: 'noted already' });
  expect(await worksBy()).toBe('{"old":1}');
  await askStops(clients, host.server, host.authority, ['sshd'], 30);
  expect(await worksBy()).toBe('{"old":1}');
  await askStops(clients, host.server, host.authority, ['tm'], 30);
  expect(await worksBy()).toBe(restarting);
  await markLanded(clients, host.server, host.authority, ['tm']);
  expect(await worksBy()).toBe(restarting);
  // The stop of the last time is none of this one.
  await noted('{"old":2}');
  await noted(restarting);
  expect(await worksBy()).toBe('{"old":2}');
});

test('of one that does not run, or whose note says no more, nobody knows', async () => {
  await noted(now());
  await noted(restarting);
  tm = false;
  expect(await worksBy()).toBe(restarting);
  tm = true;
  host.write('home/.st-orchestrator/workload', `${restarting}\n`);
  expect(await worksBy()).toBe(restarting);
  await noted(null);
  expect(await worksBy()).toBeNull();
});

test('one whose stop was refused is not stopped again when the options are back', async () => {
  const before = now();
  await noted(before);
  options[workloadOptions.attributes] = ['PUSH=true'];
  await noted(restarting);
  await expect(stopActivities({ clients }).ensureDrained({ server: host.server, ...how }, host.authority)).rejects.toMatchObject({ code: 'Refused', message: expect.stringContaining('its Transaction Manager is not stopped') });
  options[workloadOptions.attributes] = ['PUSH=false'];
  const sofar = ran();
  expect(await workloadActivities({ clients }).ensureWorksByOptions({ server: host.server, ...how }, host.authority)).toEqual({ changed: true, note: 'its Transaction Manager works by its options' });
  expect(ran().slice(sofar.length)).toEqual([]);
  expect(sofar).not.toContain('stop_tm');
  expect(await worksBy()).toBeNull();
});
