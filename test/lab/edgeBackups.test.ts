/** The embedded database of an Edge: exported before a change at a terminal of its own, lost, brought back as docs/backups.md says; and what becomes of an operation when no export can be made. */
import { renameSync, writeFileSync } from 'node:fs';
import { until } from '../../lab/shell';
import type { LabSnapshot } from '../../lab/snapshot';
import type { LabStatus } from '../../lab/status';
import { backupActivities } from '../../src/activities/backups';
import { createClients } from '../../src/clients';
import { resolveSecret, secret, type Secret } from '../../src/clients/secrets';
import type { RunOptions } from '../../src/clients/ssh';
import { passwordTalk } from '../../src/clients/sshTerminal';
import { serverTarget } from '../../src/model/slices';
import type { OperationReport } from '../../src/model/operation';
import type { ClusterSpec } from '../../src/model/spec';
import { onHost } from '../helpers/breaking';
import { allHistories, shownIn } from '../helpers/faults/secrets';
import { startLab, type Lab } from '../helpers/lab';
import { servingWorker, type ServingWorker } from '../helpers/servingWorker';
import { connectGround, type Ground } from '../helpers/workflows';

jest.setTimeout(180_000);

let ground: Ground;
let lab: Lab;
let spec: ClusterSpec;
let estate: LabStatus;
let operations: ServingWorker;
let password: Secret;
const clients = createClients();
const home = '/opt/axway/SecureTransport';

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 1, edges: 2 })]);
  spec = lab.spec();
  estate = await lab.status();
  operations = await servingWorker(ground);
  password = await resolveSecret((spec.backups.edges as { password: string }).password);
  await operations.run('setUpCluster', { cluster: spec.metadata.name, spec });
});
afterAll(async () => {
  await operations?.end();
  await clients.close();
  await lab?.down();
  await ground?.close();
});

const target = (node: string) => serverTarget(spec, 'prod', node);
/** A command of the product as its user, its last words where it fails; `typed`: at a terminal. */
const product = (node: string, command: string, typed?: Secret, run: Partial<RunOptions> = {}): Promise<{ code: number; stdout: string }> =>
  clients.ssh.run(target(node).ssh, ['sudo', '-n', '-u', 'axway', ...command.replaceAll('$F', home).split(' ')], { timeoutMs: 30_000, purpose: command, ok: [0, 1, 2], ...(typed ? { terminal: passwordTalk(typed, 2) } : {}), ...run }).then(({ code, stdout, stderr }) => ({ code, stdout: stdout + stderr }));
const inside = (node: string, text: string): Promise<string> => onHost(estate, node, `setpriv --reuid=axway --regid=axway --clear-groups "$(cat ${home}/lib/database.path)/psql" -X -q -t -A -v ON_ERROR_STOP=1 -h ${home}/var/db -U st -d st <<'SQL'\n${text}\nSQL\n`);
/** Configuration that stands in the embedded database, without what a login counts. */
const configuration = async (node: string): Promise<Record<string, unknown>> => {
  const { databases } = await lab.snapshot();
  const of: LabSnapshot['databases'][string] = databases[node]!;
  return Object.fromEntries(['administrator', 'account', 'certificate', 'configurationoption', 'configurationoptionlocal', 'dmz_zone', 'nodethreshold'].map((table) => [table, of[table]]));
};
/** Something that a set-up has to change, so that it makes a backup: the node threshold. */
async function unsettle(): Promise<void> {
  const tool = clients.admin.server(target('st1').admin);
  await tool.setNodeThreshold({ ...(await tool.nodeThreshold()), numberOfNodes: 7 });
}
const settled = async (): Promise<boolean> => (await clients.admin.server(target('st1').admin).nodeThreshold()).numberOfNodes !== 7;
const setUp = (): Promise<OperationReport> => operations.run('setUpCluster', { cluster: spec.metadata.name });
const refused = () => operations.fail('setUpCluster', { cluster: spec.metadata.name });
const exportsOf = (node: string): Promise<string> => onHost(estate, node, `find /opt/axway/st-orchestrator-backups/ -type f 2>/dev/null | sort || :`);

test('the Edges of a plan are exported first, told with size and hash; the password is kept nowhere', async () => {
  await unsettle();
  const plan = await operations.run('setUpCluster', { cluster: spec.metadata.name, dryRun: true });
  expect(plan.steps.map(({ key }) => key)).toEqual(['backup-files/st1', 'backup-database', 'backup-edges/ed1', 'backup-edges/ed2', 'backup-map/lb1', 'database.ensureEpoch', 'servers.ensureNodeThreshold']);
  const handle = await operations.start('setUpCluster', { cluster: spec.metadata.name, fingerprint: plan.fingerprint });
  const report = await handle.result() as OperationReport;
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [] });
  for (const edge of ['ed1', 'ed2']) {
    const file = `/opt/axway/st-orchestrator-backups/${spec.metadata.name}/epoch-${report.epoch}/${edge}-system.export`;
    const [hash, mode] = (await onHost(estate, edge, `sha256sum ${file} | cut -d' ' -f1; stat -c '%a %U' ${file}`)).trim().split('\n');
    expect({ note: report.steps.find(({ key }) => key === `backup-edges/${edge}`)!.note, mode }).toEqual({ note: expect.stringMatching(new RegExp(`^${edge}:${file}, [\\d.]+ K?i?B, sha256 ${hash}$`)), mode: '600 axway' });
    const told = await onHost(estate, edge, `cat ${home}/var/logs/*.log; find /home/ops/.st-orchestrator -type f -exec cat {} +; cat ${file}`);
    expect(told).not.toContain(password.reveal());
  }
  const { ids, text } = await allHistories(ground.client);
  expect(ids).toContain(handle.workflowId);
  expect(text).toContain('edge-export-password');
  expect(shownIn(text + JSON.stringify(report), [{ name: 'the password', value: Buffer.from(password.reveal()) }])).toEqual([]);
});

test('what an Edge has lost comes back as docs/backups.md says: trust, zone, options and administrators, and partners get through it', async () => {
  await unsettle();
  const before = await configuration('ed1');
  const report = await setUp();
  await inside('ed1', `delete from certificate; update dmz_zone set body = '{"name":"Private","edges":[]}'; delete from administrator where loginname <> 'admin'; update configurationoption set value = '["7"]' where name like '%Timeout'; insert into account values ('stranger', '/', 'x', 'y')`);
  expect(await configuration('ed1')).not.toEqual(before);

  const file = `/opt/axway/st-orchestrator-backups/${spec.metadata.name}/epoch-${report.epoch}/ed1-system.export`;
  for (const command of ['stop_all', 'start_db', 'start_admin', 'stop_monitord']) expect(await product('ed1', `$F/bin/${command}`)).toMatchObject({ code: 0 });
  expect(await product('ed1', `$F/bin/system_import -exf=${file}`, password)).toMatchObject({ code: 0, stdout: expect.stringContaining('The system configuration was imported') });
  expect(await product('ed1', '$F/bin/stop_all')).toMatchObject({ code: 0 });
  // The set-up starts it, waits for the Transaction Manager behind it, and logs in through it.
  const again = await setUp();
  expect(again).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(again.steps.map(({ key }) => key)).toEqual(expect.arrayContaining(['edge-online/ed1', 'login/ed1']));
  // Nothing of it had to be made anew.
  expect(again.steps.filter(({ key }) => ['trust/ed1', 'zone/ed1'].includes(key)).map(({ changed }) => changed)).toEqual([false, false]);
  expect(await configuration('ed1')).toEqual(before);
});

test('the product refuses an import with a wrong password, of something else, of another version, beside other services and without a terminal, and changes nothing', async () => {
  const file = (await exportsOf('ed2')).trim().split('\n').at(-1)!;
  const import2 = (more = '', typed: Secret | undefined = password, of = file) => product('ed2', `$F/bin/system_import -exf=${of}${more}`, typed);
  const before = await configuration('ed2');
  expect(await import2()).toMatchObject({ code: 1, stdout: expect.stringMatching(/runs\. Only the database and the Administration Tool may run during an import/) });
  for (const command of ['stop_all', 'start_db']) await product('ed2', `$F/bin/${command}`);
  await product('ed2', '$F/bin/stop_monitord');
  expect(await import2()).toMatchObject({ code: 1, stdout: expect.stringContaining('admin does not run') });
  for (const command of ['start_admin', 'stop_monitord']) await product('ed2', `$F/bin/${command}`);
  await clients.ssh.run(target('ed2').ssh, ['sudo', '-n', '-u', 'axway', `${home}/bin/system_import`, `-exf=${file}`], { timeoutMs: 10_000, ok: [1] }).then(({ stderr }) => expect(stderr).toContain('asked for at a terminal, and there is none'));
  expect(await import2('', secret('another-password'))).toMatchObject({ code: 1, stdout: expect.stringContaining('The password is wrong') });
  expect(await import2('', password, `${home}/conf/server.properties`)).toMatchObject({ code: 1, stdout: expect.stringContaining('This is no exported system configuration') });
  expect(await import2(' -ivm=perhaps')).toMatchObject({ code: 2 });
  expect(await configuration('ed2')).toEqual(before);

  // Local options stay where they are told to; the others come back.
  await inside('ed2', `insert into configurationoptionlocal select '${(await onHost(estate, 'ed2', `sed -n 's,.*<LocalConfigurationsId>\\(.*\\)</.*,\\1,p' ${home}/conf/configuration.xml`)).trim()}', 'EventQueue.taskProcessor.threshold', '["55"]' on conflict do nothing; update configurationoption set value = '["9"]' where name = 'TM.GracefulShutdownTimeout'`);
  expect(await import2(' -ilo')).toMatchObject({ code: 0 });
  expect(await inside('ed2', `select value from configurationoptionlocal where name = 'EventQueue.taskProcessor.threshold'; select value from configurationoption where name = 'TM.GracefulShutdownTimeout'`)).toBe('["55"]\n["86400"]\n');
  expect(await import2()).toMatchObject({ code: 0 });
  expect(await configuration('ed2')).toEqual(before);

  const short = '/opt/axway/short.export';
  expect(await product('ed2', `$F/bin/system_export -exf=${short}`, secret('7signs!'))).toMatchObject({ code: 1, stdout: expect.stringContaining('at least 8 characters') });
  expect(await product('ed2', `$F/bin/system_export -exf=${file}`, password)).toMatchObject({ code: 1, stdout: expect.stringContaining('could not be written') });
  expect((await onHost(estate, 'ed2', `ls ${short} 2>&1 || :`))).toContain('No such file');
  await product('ed2', '$F/bin/start_all');
  expect(await setUp()).toMatchObject({ unfinished: [] });
});

describe('when an Edge can\'t be exported', () => {
  const command = `${home}/bin/system_export`;
  const instead = (text: string) => onHost(estate, 'ed2', `[ -e ${command}.kept ] || mv ${command} ${command}.kept; printf '%s\\n' '#!/bin/sh' '${text}' >${command}; chmod 755 ${command}`);
  beforeEach(unsettle);
  afterEach(async () => {
    await onHost(estate, 'ed2', `[ ! -e ${command}.kept ] || mv ${command}.kept ${command}`);
  });

  test('because its Administration Tool was stopped, the operation is refused', async () => {
    for (const one of ['stop_monitord', 'stop_admin']) await product('ed2', `$F/bin/${one}`);
    try {
      expect(await operations.fail('removeNode', { cluster: spec.metadata.name, nodes: ['ed1'], force: true, reason: 'a test' })).toMatchObject({ type: 'PreconditionFailed', message: expect.stringMatching(/ed2: its Administration Tool does not answer, and something of the product runs.*start it there/) });
      // A set-up starts it anyway, and says what it has no backup of.
      const report = await setUp();
      expect(report.checks.flatMap(({ problems }) => problems.map(({ what }) => what))).toContain('ed2 does not answer: its embedded database is not backed up');
    } finally {
      await product('ed2', '$F/bin/start_admin');
      await until('its Administration Tool answers', () => clients.admin.server(target('ed2').admin).version().then(() => true, () => false), 20_000);
    }
  });

  test.each([
    ['asks for something else', 'printf "Overwrite the old one? [y/n] "; read -r answer; exit 0', 'Refused', /it asked for something that is no password: "Overwrite the old one\? \[y\/n\]"; nothing was answered/],
    ['asks for another password', 'printf "Password of the administrator: "; read -r answer; exit 0', 'Refused', /it asked for the password of something else/],
    ['finds no terminal', 'echo "there is no terminal" >&2; exit 1', 'RemoteCommandFailed', /there is no terminal/],
  ])('because its command %s, the operation stops with nothing changed', async (_, text, type, message) => {
    await instead(text);
    const before = await exportsOf('ed2');
    expect(await operations.fail('setUpCluster', { cluster: spec.metadata.name, patience: 1_000 })).toMatchObject({ type, message: expect.stringMatching(message) });
    expect([await settled(), await exportsOf('ed2')]).toEqual([false, before]);
  });

  test('because the disk is full, the operation stops with nothing changed, and what was begun is removed', async () => {
    const folder = `/opt/axway/st-orchestrator-backups/${spec.metadata.name}`;
    await onHost(estate, 'ed2', `mount -t tmpfs -o size=4k,mode=700,uid=$(id -u axway) full ${folder}`);
    try {
      expect(await operations.fail('setUpCluster', { cluster: spec.metadata.name, patience: 1_000 })).toMatchObject({ type: 'RemoteCommandFailed', message: expect.stringMatching(/no space left on device/i) });
      expect([await settled(), await exportsOf('ed2')]).toEqual([false, '']);
    } finally {
      await onHost(estate, 'ed2', `umount ${folder}`);
    }
    expect(await setUp()).toMatchObject({ outcome: 'completed' });
  });

  test('because there is no secret, or none that can be typed, the plan says so', async () => {
    const secrets = `${lab.dir}/secrets/edge-export-password`;
    renameSync(secrets, `${secrets}.kept`);
    try {
      expect(await refused()).toMatchObject({ type: 'PreconditionFailed', message: expect.stringMatching(/edge-export-password could not be read: it does not exist/) });
      writeFileSync(secrets, 'short\n', { mode: 0o600 });
      expect(await refused()).toMatchObject({ type: 'PreconditionFailed', message: expect.stringMatching(/is not 8 to 128 letters, digits and signs of ASCII/) });
    } finally {
      renameSync(`${secrets}.kept`, secrets);
    }
    expect(await settled()).toBe(false);
  });

  test('because its command hangs, it is ended on the host at its time', async () => {
    await instead('printf "Password: "; read -r answer; exec tail -f /dev/null');
    const runs = async (): Promise<boolean> => (await onHost(estate, 'ed2', 'pgrep -f "^tail -f /dev/null" || :')).trim() !== '';
    const wrapped = { ...clients, ssh: { ...clients.ssh, run: (access: never, line: never, options: RunOptions) => clients.ssh.run(access, line, { ...options, timeoutMs: Math.min(options.timeoutMs, 3_000) }) } };
    const { epoch } = await operations.record(spec.metadata.name);
    const ended = expect(backupActivities({ clients: wrapped as typeof clients }).ensureEdge({ edge: target('ed2'), backups: spec.backups }, { cluster: spec.metadata.name, epoch, operation: 'this test' })).rejects.toMatchObject({ code: 'NotYet' });
    await until('it hangs', runs, 10_000);
    await ended;
    await until('it is gone', async () => !(await runs()), 10_000);
  });
});
