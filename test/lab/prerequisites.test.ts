/** Every prerequisite that does not hold is told with its place and its remedy, all at once, and nothing has been changed. */
import { join } from 'node:path';
import type { LabSnapshot } from '../../lab/snapshot';
import type { LabStatus } from '../../lab/status';
import type { Clients } from '../../src/worker/clients';
import { isWarning, type OperationReport } from '../../src/model/operation';
import type { ClusterSpec } from '../../src/model/spec';
import { onHost, sql } from '../helpers/breaking';
import { startLab, type Lab } from '../helpers/lab';
import { withOperations, type Operations } from '../helpers/operations';
import { knownKey, otherContent, prerequisiteFaults, type Fault } from '../helpers/prerequisiteFaults';
import { connectGround, type Ground } from '../helpers/workflows';

jest.setTimeout(60_000);

let ground: Ground;
let lab: Lab;
let estate: LabStatus;
let untouched: LabSnapshot;
let operations: Operations;
let clients: Clients;
let stopWorker: () => void;
let worker: Promise<void>;

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 3, productTime: '0ms' })]);
  [estate, untouched] = await Promise.all([lab.status(), lab.snapshot()]);
  // What runs on this one is asked of the product's user.
  await onHost(estate, 'st2', 'mount -o remount,hidepid=2 /proc');
  await new Promise<void>((ready, failed) => {
    worker = withOperations(ground, (made) => {
      operations = made;
      ready();
      return new Promise<void>((resolve) => { stopWorker = resolve; });
    }, { wrap: (made) => (clients = made) });
    worker.catch(failed);
  });
}, 60_000);
afterAll(async () => {
  stopWorker?.();
  await worker;
  await lab?.down();
  await ground?.close();
}, 60_000);

/** A kept connection would hide that a login is refused now; a refused login would not be tried again once it is mended. */
async function forgetLogins(): Promise<void> {
  await Promise.all([clients.ssh.close(), clients.admin.close()]);
  for (const client of [clients.ssh, clients.postgres, clients.admin]) client.forget();
}

const faults = prerequisiteFaults(() => ({ lab, status: estate }));

interface Refused {
  failure: { type: string; message: string };
  report: OperationReport;
}

/** Runs a set-up that must be refused before its first step. */
async function refuse(spec: ClusterSpec): Promise<Refused> {
  await forgetLogins();
  const handle = await operations.start('setUpCluster', { cluster: spec.metadata.name, spec });
  const failure = await handle.result().then(() => undefined, (error: { cause?: Refused['failure'] }) => error.cause);
  const report = (await handle.query('report')) as OperationReport;
  expect(report).toMatchObject({ outcome: 'refused', steps: [], unfinished: [], now: 'Nothing was changed.' });
  return { failure: failure!, report };
}

const toldBy = ({ report }: Refused): string[] => {
  const problems = report.checks.flatMap((check) => check.problems).filter((problem) => !isWarning(problem));
  const texts = problems.map(({ what, remedy }) => (remedy === '' ? what : `${what}. Remedy: ${remedy}`));
  // Two checks of one host may share a refused login, or the second hears of the first's.
  const plain = texts.map((text) => text.replaceAll(/SHA256:[A-Za-z0-9+/]+/g, '<hash>').replace(/(takes|clock is) [\d.]+ (m?s)/, '$1 <n> $2').replace(/ Not tried again with this credential;.*? cured\./, ''));
  return [...new Set(plain)].sort();
};

async function expectNothingChanged(cluster: string): Promise<void> {
  expect(await operations.record(cluster)).toMatchObject({ phase: 'new', lease: null, members: [], unfinished: [], complete: false, activeSite: null });
  expect(await lab.snapshot()).toEqual(untouched);
  expect(await onHost(estate, 'st1', 'ls -A /srv/st/shared')).toBe('');
}

/** Breaks all of these, runs, and mends what was broken, whatever happened. */
async function refusedWith(broken: readonly Fault[]): Promise<Refused> {
  const mend: Fault['mend'][] = [];
  try {
    for (const fault of broken) {
      mend.unshift(fault.mend);
      await fault.break();
    }
    return await refuse(lab.spec());
  } finally {
    for (const act of mend) await act();
  }
}

test.each(Object.entries<Fault>(faults))('refuses %s, says where and what to do, and changes nothing', async (_, fault) => {
  const refused = await refusedWith([fault]);
  expect(toldBy(refused)).toEqual(fault.told().sort());
  expect(refused.failure.type).toBe('PreconditionFailed');
  expect(refused.failure.message).toContain('nothing was changed');
  await expectNothingChanged(lab.name);
});

test.each([
  ['six that have nothing to do with each other', ['a licence for fewer nodes', 'a database that is made otherwise than it should be', 'shared files that are another folder on one host', 'ports that are shut in one direction', 'a product that nobody of ours installed', 'a balancer that lacks a Server']],
  ['all logins that fail', ['a wrong password of the database', 'a host that nobody knows', 'a balancer without its socket', 'a licence that has expired']],
] satisfies [string, (keyof typeof faults)[]][])('tells at once %s', async (_, names) => {
  const broken = names.map((name): Fault => faults[name as keyof typeof faults]);
  const refused = await refusedWith(broken);
  expect(toldBy(refused)).toEqual(broken.flatMap(({ told }) => told()).sort());
  await expectNothingChanged(lab.name);
});

test('refuses a machine that is listed under two names', async () => {
  const alias = estate.hosts.find(({ name }) => name === 'st1')!.address.replace(/\.\d+$/, '.99');
  const hosts = otherContent(() => join(lab.dir, 'known_hosts'), (content) => `${content}${alias} ${knownKey({ lab, status: estate }, 'st1')}\n`);
  const spec = lab.spec();
  spec.metadata.name = 'twin';
  const { servers } = spec.sites['prod']!;
  servers[1] = { ...servers[0]!, name: 'st2', address: alias };
  await onHost(estate, 'st1', `ip address add ${alias}/24 dev eth0`);
  void hosts.break();
  try {
    expect(toldBy(await refuse(spec))).toEqual(['st2 and st1 are the same machine (same host keys). Remedy: each Server needs a machine, and each machine host keys, of its own']);
    await expectNothingChanged('twin');
  } finally {
    void hosts.mend();
    await onHost(estate, 'st1', `ip address del ${alias}/24 dev eth0`);
  }
});

test('an installer that fails half-way ends the set-up with what it said; nobody is added or served', async () => {
  const setup = '/opt/install/SecureTransport_5.5/setup.sh';
  await forgetLogins();
  await onHost(estate, 'st1', `printf '#!/bin/sh\nmkdir -p /opt/axway/SecureTransport/bin; echo "Installation failed: the disk said no" >&2; exit 1\n' >/run/setup.sh; chmod 755 /run/setup.sh; mount --bind /run/setup.sh ${setup}`);
  try {
    const failure = await operations.fail('setUpCluster', { cluster: lab.name, spec: lab.spec() });
    expect(failure).toMatchObject({ type: 'Refused', message: expect.stringMatching(/^Install the first Server with a new schema \(st1\): st1: the installer failed 3 times\. .*Installation failed: the disk said no/s) });
  } finally {
    await onHost(estate, 'st1', `umount ${setup}; rm /run/setup.sh`);
  }
  expect(await operations.record(lab.name)).toMatchObject({ phase: 'setting up', lease: null, complete: false, members: [], unfinished: expect.arrayContaining([expect.stringContaining('Install the first Server with a new schema (st1): failed')]) });
  const { balancer, databases } = await lab.snapshot();
  expect({ balancer, product: databases[lab.name] }).toEqual({ balancer: untouched.balancer, product: untouched.databases[lab.name] });
});

test('once its installer works the set-up completes; a wrong password of the administrator is tried once in the whole cluster, and never again', async () => {
  const spec = lab.spec();
  await forgetLogins();
  const done = await operations.run('setUpCluster', { cluster: lab.name, spec });
  expect(done).toMatchObject({ outcome: 'completed' });
  // Its processes are hidden from the login, and were seen to run before they were stopped.
  expect(done.steps.find(({ key }) => key === 'stop-all/st2')?.note).toMatch(/^stopped; processes that ended: [1-9]/);
  // A warning stands in the report, and the set-up goes on.
  expect(done.checks.flatMap(({ state, problems }) => problems.map(({ what, level }) => `${state} ${level}: ${what.replace(/^.*?: /, '')}`))).toEqual([
    'passed warning: shared_buffers is 64 MB, the vendor asks for a quarter of the memory, which is 64 GB or more',
    'passed warning: effective_cache_size is 3072 MB, the vendor asks for three quarters of the memory, which is 64 GB or more',
  ]);
  const complete = await lab.snapshot();
  const failedLogins = async (): Promise<number> => Number(await sql(estate, estate.database.databases[0]!.name, "SELECT failedlogins FROM administrator WHERE loginname = 'admin'"));
  // The session that is open belongs to the right password, and must not answer for the wrong one.
  const wrong = otherContent(() => join(lab.dir, 'secrets/admin-password'), () => 'wrong\n');
  void wrong.break();
  try {
    for (let run = 1; run <= 2; run += 1) {
      const failure = await operations.fail('setUpCluster', { cluster: lab.name });
      expect(failure.type).toBe('PreconditionFailed');
      expect(failure.message).toMatch(/AuthenticationFailed/);
      expect(await failedLogins()).toBe(1);
    }
  } finally {
    void wrong.mend();
  }
  expect(await operations.record(lab.name)).toMatchObject({ phase: 'active', lease: null, complete: true, unfinished: [] });
  expect(await operations.run('setUpCluster', { cluster: lab.name })).toMatchObject({ outcome: 'nothing to do' });
  expect(await lab.snapshot()).toEqual(complete);
});

test.each([
  ['another version', 'st3', 'lib/version.properties', "sed 's/^Version.*/Version = 5.6/' /root/kept >", ['st3: version 5.6 is installed, expected 5.5. Remedy: every Server of a cluster has the same version: update it, or correct product.version']],
  ['another secret file', 'st2', 'bin/taeh', 'printf other >', [['st2', 'st1'], ['st3', 'st2']].map(([one, other]) => `the secret file bin/taeh of ${one} differs from that of ${other}. Remedy: one of them was installed for another cluster: take it out, or install it anew`)],
])('refuses a Server of the cluster that has %s, and changes nothing', async (_, node, file, change, told) => {
  const path = `/opt/axway/SecureTransport/${file}`;
  const whole = await lab.snapshot();
  await forgetLogins();
  await onHost(estate, node, `cp -p ${path} /root/kept; ${change} ${path}`);
  try {
    const refused = await refuse(lab.spec());
    expect(toldBy(refused)).toEqual(told);
    expect(refused.failure.type).toBe('PreconditionFailed');
  } finally {
    await onHost(estate, node, `cp -p /root/kept ${path}; rm /root/kept`);
  }
  expect(await lab.snapshot()).toEqual(whole);
});
