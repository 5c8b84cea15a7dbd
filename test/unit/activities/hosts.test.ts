/** What one look at a host is read as: told by answers, since no machine of a lab has a clock, a system or a disk of its own. */
import type { Clients } from '../../../src/activities/clients';
import { hostActivities } from '../../../src/activities/hosts';
import { compareClocks, type ClockReading } from '../../../src/model/clocks';
import type { HostTarget } from '../../../src/model/targets';

const host: HostTarget = {
  cluster: 'demo', site: 'prod', node: 'st2', productUser: 'axway', fileDriveHome: '/opt/axway/SecureTransport',
  ssh: { address: '10.0.0.12', port: 22, user: 'ops', key: 'file:/keys/id', knownHosts: '/keys/known_hosts' },
};

/** As a folder with much room is told. */
const room = 'yes 10000000 900000 /somewhere';
const healthy = (): Record<string, string> => ({
  os: 'Linux', began: String(Date.now()), ended: String(Date.now()), identity: 'host keys a1', sudo: '', processes: 'seen', installation: 'none', prepared: 'no', package: 'yes', parent: '/opt/axway', home: room, tmp: room, shared: room, home_mount: 'ext4 rw,relatime,rw', tmp_mount: 'tmpfs rw,nosuid,nodev,rw', listening: '0016 1FAA', cluster: '', epoch: '',
});

/** The problems told of a host that answers this. */
async function problemsOf(differing: Record<string, string>, reach: string[] = []): Promise<string[]> {
  const lines = Object.entries({ ...healthy(), ...differing }).map(([key, value]) => `${key}\t${value}`);
  const stdout = [...lines, ...reach.map((one) => `reach\t${one}`)].join('\n');
  const clients = { ssh: { run: () => Promise.resolve({ code: 0, stdout, stderr: '' }) } } as unknown as Clients;
  const { problems } = await hostActivities({ clients }).checkHost({ host, package: '/opt/install/SecureTransport_5.5', sharedPath: '/srv/st/shared', version: '5.5', ports: [8444, 8005], peers: [], clockLimitMs: 1_000 });
  return problems.map(({ what, remedy }) => `${what}. Remedy: ${remedy}`);
}

test('a healthy host has no problem', async () => {
  expect(await problemsOf({}, ['10.0.0.11 8088 refused', '10.0.0.5 5432 open'])).toEqual([]);
});

const synchronise = 'Remedy: synchronise the clocks of all hosts, this one and the orchestrator\'s included';
test.each([
  ['ahead', 5_100, `st2: the clock is 5.1 s ahead (limit 1 s). ${synchronise}`],
  ['behind', -61_000, `st2: the clock is 61.0 s behind (limit 1 s). ${synchronise}`],
])('a clock that is %s is told, with how much and the limit', async (_, off, told) => {
  expect(await problemsOf({ began: String(Date.now() + off), ended: String(Date.now() + off) })).toEqual([told]);
});

test.each([900, -900])('a clock that is %i ms off is within the limit', async (off) => {
  expect(await problemsOf({ began: String(Date.now() + off), ended: String(Date.now() + off) })).toEqual([]);
});

test('a host that does not tell its time in milliseconds is told so', async () => {
  expect(await problemsOf({ began: '1700000000%3N', ended: '1700000000%3N' })).toEqual(['st2: its clock can\'t be read (date +%s%3N answers "1700000000%3N"). Remedy: install GNU date (package coreutils)']);
});

test.each<[string, Record<string, string>, string]>([
  ['another system', { os: 'SunOS' }, 'st2: the operating system is SunOS, expected Linux. Remedy: run this cluster by the vendor\'s own procedure'],
  ['no installer', { package: 'no' }, 'st2: no installer package: /opt/install/SecureTransport_5.5/setup.sh is missing or not executable. Remedy: put the vendor\'s package there'],
  ['a full disk', { home: 'yes 1024 900000 /opt/axway' }, 'st2: 1024 KB are free in /opt/axway, expected 524288. Remedy: make room'],
  ['a disk without inodes', { shared: 'yes 10000000 12 /srv/st/shared' }, 'st2: 12 inodes are free in /srv/st/shared, expected 10000. Remedy: make room: remove files, however small'],
  ['a dead mount', { shared: 'hangs' }, 'st2: /srv/st/shared does not answer: whoever touches it hangs. Remedy: it is a dead mount: see to the machine that it comes from, or mount it again'],
  ['an installer on a dead mount', { package: 'hangs' }, 'st2: /opt/install/SecureTransport_5.5 does not answer: whoever touches it hangs. Remedy: it is a dead mount: see to the machine that it comes from, or mount it again'],
  ['no shared files', { shared: 'no' }, 'st2: the shared file system is not mounted: /srv/st/shared is no folder. Remedy: mount it at this path'],
  ['a read-only disk', { home_mount: 'xfs ro,relatime,rw' }, 'st2: /opt/axway is mounted read-only. Remedy: mount it read-write'],
  ['a disk that runs nothing', { home_mount: 'xfs rw,noexec,rw' }, 'st2: /opt/axway is mounted noexec: nothing of the product could run there. Remedy: mount it without noexec'],
  ['a /tmp that runs nothing', { tmp_mount: 'tmpfs rw,nosuid,noexec,rw' }, 'st2: /tmp is mounted noexec: the installer runs programs from there. Remedy: mount -o remount,exec /tmp for as long as the installation takes'],
  ['a port that is taken', { listening: '0016 20FC' }, 'st2: port 8444, which the product needs, is taken by another program. Remedy: "ss -ltnp" as root names it: end it there, or give the product another port'],
  ['a product at another path', { elsewhere: '/opt/axway/ST55' }, 'st2: a product stands in /opt/axway/ST55, and FILEDRIVEHOME is /opt/axway/SecureTransport: it is the same path on every Server. Remedy: correct product.fileDriveHome, or take that installation away'],
  ['a host of another cluster', { cluster: 'other', epoch: '3' }, 'st2: this host belongs to cluster "other". Remedy: remove it from "other" first, or take it out of this cluster file'],
  ['an update that is missing', { cluster: 'demo', epoch: '3', installation: 'complete', version: '5.4' }, 'st2: version 5.4 is installed, expected 5.5. Remedy: every Server of a cluster has the same version: update it, or correct product.version'],
  ['an installation that can\'t be looked into', { cluster: 'demo', epoch: '3', installation: 'unknown /opt/axway/SecureTransport/install.log can\'t be read as axway: Permission denied' }, 'st2: what stands in /opt/axway/SecureTransport can\'t be known: /opt/axway/SecureTransport/install.log can\'t be read as axway: Permission denied. Remedy: give it back to axway, readable, and allow the commands of docs/sudoers.example'],
  ['an answer that says nothing of it', { installation: '' }, 'st2: what stands in /opt/axway/SecureTransport can\'t be known: unexpected answer: . Remedy: give it back to axway, readable, and allow the commands of docs/sudoers.example'],
  ['a damaged epoch', { cluster: 'demo', epoch: 'demo' }, 'st2: ~/.st-orchestrator/epoch is damaged. Remedy: write the line "demo <epoch>" into it, with the epoch that "stctl status demo" tells'],
  ['commands that sudo refuses', { sudo: '/usr/bin/tee /opt/axway/*, /usr/bin/rm -f /srv/st/shared/*' }, 'st2: sudo refuses ops to run as axway: /usr/bin/tee /opt/axway/*, /usr/bin/rm -f /srv/st/shared/*. Remedy: allow the commands of docs/sudoers.example'],
  ['a sudo that refuses everything, which is why nothing is known', { sudo: 'everything (sudo: a password is required)', installation: 'unknown /opt/axway/SecureTransport can\'t be looked into as axway: sudo: a password is required' }, 'st2: sudo refuses ops to run as axway: everything (sudo: a password is required). Remedy: allow the commands of docs/sudoers.example'],
])('%s is told', async (_, answer, told) => {
  expect(await problemsOf(answer)).toEqual([told]);
});

test('of every port that can\'t be reached it is told why', async () => {
  expect(await problemsOf({}, ['10.0.0.11 8088 blocked', 'db.example 5432 unknown-name'])).toEqual([
    'st2: 10.0.0.11 port 8088 can\'t be reached from here (no answer). Remedy: open the port in this direction',
    'st2: the name db.example is not known here. Remedy: add it to DNS or /etc/hosts',
  ]);
});

test('a Server that is installed keeps its ports, and its installer needs no /tmp any more', async () => {
  expect(await problemsOf({ cluster: 'demo', epoch: '3', installation: 'complete', version: '5.5', listening: '20FC 1F45', tmp_mount: 'tmpfs rw,noexec,rw' })).toEqual([]);
});

test('two clocks that are each near enough to ours may be too far from each other', () => {
  const at = (node: string, leastMs: number): ClockReading => ({ node, leastMs, mostMs: leastMs + 50, told: '' });
  expect(compareClocks([at('st2', 700), at('st1', -600), at('st3', 0)], 1_000)).toEqual([{ what: 'the clocks of st1 and st2 are 1.3 s apart (limit 1 s)', remedy: expect.stringContaining('synchronise') as string }]);
  expect(compareClocks([at('st1', -600), at('st2', 5_000), at('st3', 300)], 1_000)).toEqual([]);
  expect(compareClocks([at('st1', -600), { node: 'st2', leastMs: null as never, mostMs: null as never, told: 'x' }], 1_000)).toEqual([]);
});
