/** The way back of a Server that was added: real shells on a host that is a folder, and as much of an Administration Tool as that needs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { additionActivities } from '../../../src/activities/additions';
import type { Clients } from '../../../src/clients';
import type { AdminServer } from '../../../src/clients/adminApi';
import { StError } from '../../../src/model/errors';
import { machine, type Machine } from './machine';

jest.setTimeout(60_000);

let host: Machine;
beforeEach(() => {
  host = machine();
  for (const command of ['stop_all', 'stop_monitord', 'stop_sshd', 'stop_tm', 'start_sshd', 'start_monitord']) host.write(`axway/SecureTransport/bin/${command}`, `#!/bin/sh\necho "$(basename "$0") $*" >>'${host.folder}/run'\n`, 0o755);
  host.write('axway/SecureTransport/conf/configuration.xml', '<LocalConfigurationsId>n3</LocalConfigurationsId>');
  host.write('run', '');
});
afterEach(() => host.remove());

const ran = (): string[] => readFileSync(join(host.folder, 'run'), 'utf8').split('\n').filter((line) => line !== '').map((line) => line.trim());
const unreachable = new StError('Unreachable', 'no answer.');

interface Estate {
  sessions?: number;
  tm?: boolean;
  /** Events that never end. */
  events?: number;
  toolSilent?: boolean;
  hostSilent?: boolean;
}

/** Withdraws the host; what came of it, and the table of nodes afterwards. */
async function withdraw({ sessions = 0, tm = false, events = 0, toolSilent = false, hostSilent = false }: Estate): Promise<{ note?: string; code?: string; message?: string; table: string[] }> {
  const through = { ...host.server, node: 'st1', address: '10.0.0.1', admin: { ...host.server.admin, address: '10.0.0.1' } };
  const node = { ...host.server, node: 'st3', address: '10.0.0.3', admin: { ...host.server.admin, address: '10.0.0.3' } };
  let table = ['10.0.0.1', '10.0.0.3'];
  const runs = (service: string): boolean => tm && ran().findLast((line) => line.includes(service))?.startsWith('stop') !== true;
  let services = tm;
  const own = {
    sessions: async () => Array.from({ length: sessions }, () => ({ accountName: 'alice' })),
    transactionManager: async () => ({ running: runs('tm') }),
    daemons: async () => ({ ssh: runs('sshd') }),
    clusterService: async () => ({ running: services }),
    operateClusterService: async (operation: string) => { services = operation === 'start'; },
    events: async () => Array.from({ length: events }, (_, index) => ({ id: String(index), status: 'active', accountName: 'alice', fileName: '/upload/x', node: 'n3', lastHeartbeat: 1 })),
  };
  const silent = new Proxy({}, { get: () => async () => { throw unreachable; } });
  const peer = { clusterNodes: async () => table.map((serverAddress) => ({ serverAddress })), removeClusterNode: async (address: string) => { table = table.filter((one) => one !== address); } };
  const { ssh } = host.clients;
  const clients = {
    ...host.clients,
    admin: { server: ({ address }: { address: string }) => (address === '10.0.0.1' ? peer : toolSilent ? silent : own) as unknown as AdminServer },
    // Both have the same host here: of st3 every purpose begins with its name.
    ssh: { ...ssh, run: async (...args: Parameters<typeof ssh.run>) => { if (hostSilent && args[2]?.purpose?.startsWith('st3')) throw unreachable; return ssh.run(...args); } },
  } as unknown as Clients;
  const done = await additionActivities({ clients }).ensureWithdrawn({ server: through, node, gate: false, protocols: ['ssh'], gracefulSeconds: 1 }, host.authority)
    .then(({ note }) => ({ note }), (error: unknown) => ({ code: (error as StError).code, message: (error as Error).message }));
  return { ...done, table };
}

test('one whose Transaction Manager works is drained before it leaves the table', async () => {
  const { note, table } = await withdraw({ tm: true });
  expect([note, table]).toEqual([expect.stringContaining('Transaction Manager ended as its Administration Tool says, nothing stranded; removed 10.0.0.3'), ['10.0.0.1']]);
  expect(ran().slice(0, 3)).toEqual(['stop_monitord', 'stop_sshd -g -timeout 1', 'stop_tm -g -timeout 30']);
});

test('one that does not work is stopped as it is', async () => {
  expect((await withdraw({})).table).toEqual(['10.0.0.1']);
  expect(ran().filter((line) => line.includes('-g'))).toEqual([]);
});

test.each<[string, Estate, RegExp]>([
  ['serves sessions', { sessions: 2, tm: true }, /^st3 serves already \(2 sessions\)/],
  ['works on what does not end', { tm: true, events: 1 }, /^st3 serves already: it stays in the cluster.* still works on alice\/upload\/x/s],
])('one that %s stays: Refused', async (_, estate, message) => {
  expect(await withdraw(estate)).toEqual({ code: 'Refused', message: expect.stringMatching(message), table: ['10.0.0.1', '10.0.0.3'] });
  expect(ran().filter((line) => line.startsWith('stop_tm'))).toEqual([]);
});

test('one that has died leaves the table, and nobody says that it is stopped', async () => {
  expect(await withdraw({ hostSilent: true, toolSilent: true })).toEqual({ code: 'NotYet', message: expect.stringContaining('whether anything runs on st3 is not known'), table: ['10.0.0.1'] });
});

test('one whose host alone is silent is left for a better moment', async () => {
  expect(await withdraw({ hostSilent: true })).toEqual({ code: 'Unreachable', message: 'no answer.', table: ['10.0.0.1', '10.0.0.3'] });
});

test('one whose Administration Tool alone is silent leaves when nothing of it runs', async () => {
  expect((await withdraw({ toolSilent: true })).table).toEqual(['10.0.0.1']);
});
