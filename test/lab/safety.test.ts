/** What a set-up must never do to what serves already: the clients of another cluster, and a Server that it can't look into. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporal } from '@temporalio/proto';
import type { LabSnapshot } from '../../lab/snapshot';
import type { LabStatus } from '../../lab/status';
import { installationActivities } from '../../src/activities/installation';
import { haproxyOverSsh } from '../../src/clients/haproxy';
import { applySpec } from '../../src/control/clusters';
import { isWarning, type OperationReport } from '../../src/model/operation';
import { balancerTargets, databaseTarget, serverTarget } from '../../src/model/slices';
import type { ClusterSpec } from '../../src/model/spec';
import { createClients } from '../../src/worker/clients';
import { onHost } from '../helpers/breaking';
import { startLab, type Lab } from '../helpers/lab';
import { servingWorker, type ServingWorker } from '../helpers/servingWorker';
import { connectGround, unique, type Ground } from '../helpers/workflows';

jest.setTimeout(120_000);

const run = promisify(execFile);

let ground: Ground;
let lab: Lab;
let estate: LabStatus;
let serving: LabSnapshot;
let operations: ServingWorker;

/** A lab with a cluster that serves, beside hosts and a part of the balancer for a second one. */
beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 2, spare: 1, productTime: '0ms' })]);
  estate = await lab.status();
  operations = await servingWorker(ground, { maxCachedWorkflows: 10 });
  expect(await operations.run('setUpCluster', { cluster: lab.name, spec: lab.spec() })).toMatchObject({ outcome: 'completed' });
  serving = await now();
}, 120_000);
afterAll(async () => {
  await operations?.end();
  await lab?.down();
  await ground?.close();
}, 60_000);

/** What there is, whichever operation was the last to act. */
const now = async (): Promise<LabSnapshot> => JSON.parse(JSON.stringify(await lab.snapshot()).replaceAll(/setUpCluster-[0-9a-f]{8}/g, 'setUpCluster-…')) as LabSnapshot;

/** The problems with which a set-up is refused before its first step; none when it was not refused. */
async function problemsOf(input: { cluster: string; spec?: ClusterSpec; dryRun?: boolean }): Promise<string[]> {
  const handle = await operations.start('setUpCluster', input);
  await handle.result().catch(() => undefined);
  const report = (await handle.query('report')) as OperationReport;
  return report.checks.flatMap(({ problems }) => problems.filter((problem) => !isWarning(problem)).map(({ what, remedy }) => `${what}. Remedy: ${remedy}`));
}

/** The second cluster of the lab, told to use what the first has on the balancer. */
function intruder(change: (balancer: { mapKey: string; siteBackend: string; healthBackend: string }) => void): { cluster: string; spec: ClusterSpec } {
  const spec = lab.spec('cluster2.yaml');
  change(spec.sites['prod']!.loadBalancer as never);
  return { cluster: spec.metadata.name, spec };
}

const ownersOn = (host: string): Promise<string> => onHost(estate, host, 'cd /home/ops/.st-orchestrator/owners && ls | grep -v lock');

describe('a balancer that two clusters share', () => {
  const told = (thing: string) => expect.stringMatching(new RegExp(`^lb1: the ${thing} belongs to cluster "${lab.name}"\\. Remedy: name this cluster's own in its file; or, when "${lab.name}" is gone for good, remove ~/\\.st-orchestrator/owners/\\w{32} there$`));

  test('the key of another cluster is refused, also when the file names its sites too', async () => {
    for (const siteBackend of [`${lab.name}2_prod`, `${lab.name}_prod`]) {
      const { cluster, spec } = intruder((balancer) => Object.assign(balancer, { mapKey: lab.name, siteBackend }));
      spec.metadata.name = `${cluster}-${siteBackend.replaceAll('_', '-')}`;
      expect(await problemsOf({ cluster: spec.metadata.name, spec })).toEqual([told(`key ${lab.name} of the map /etc/haproxy/maps/site.map`)]);
    }
    expect(await now()).toEqual(serving);
  });

  test('the health backend of another cluster is refused', async () => {
    const { cluster, spec } = intruder((balancer) => Object.assign(balancer, { healthBackend: `${lab.name}_hc` }));
    spec.metadata.name = `${cluster}-hc`;
    expect(await problemsOf({ cluster: spec.metadata.name, spec })).toContainEqual(told(`backend ${lab.name}_hc`));
    expect(await now()).toEqual(serving);
  });

  test('the key of a cluster that nobody of ours set up is known by where it sends to', async () => {
    const owners = (await ownersOn('lb1')).trim().split('\n');
    expect(owners).toHaveLength(2);
    await onHost(estate, 'lb1', 'mv /home/ops/.st-orchestrator/owners /home/ops/kept');
    try {
      const { cluster, spec } = intruder((balancer) => Object.assign(balancer, { mapKey: lab.name }));
      spec.metadata.name = `${cluster}-unknown`;
      expect(await problemsOf({ cluster: spec.metadata.name, spec })).toEqual([`lb1: the key ${lab.name} of the map /etc/haproxy/maps/site.map sends to ${lab.name}_prod, which is no site of this cluster. Remedy: is it another cluster's key? Name this cluster's own in its file; or, when nobody needs what it sends to, set it to "${lab.name} none" and reload`]);
    } finally {
      await onHost(estate, 'lb1', 'mv /home/ops/kept /home/ops/.st-orchestrator/owners');
    }
    expect(await now()).toEqual(serving);
  });

  test('its own cluster may go on', async () => {
    expect(await problemsOf({ cluster: lab.name })).toEqual([]);
  });

  test('a node that somebody put into maintenance by hand is left so, and named', async () => {
    const clients = createClients();
    try {
      const [balancer] = balancerTargets(lab.spec(), 'prod');
      const set = (state: 'maint' | 'ready') => haproxyOverSsh(clients.ssh, balancer!.ssh, balancer!.socket).setServerState(balancer!.healthBackend, 'st2', state, { timeoutMs: 10_000 });
      await set('maint');
      const report = await operations.run('setUpCluster', { cluster: lab.name });
      expect(report).toMatchObject({ outcome: 'nothing to do' });
      expect(report.checks.flatMap(({ problems }) => problems.filter(isWarning).map(({ what }) => what))).toContainEqual(expect.stringMatching(/^lb1: st2 is in maintenance or draining there, .*; it is left so$/));
      expect((await now()).balancer?.servers[`${lab.name}_hc/st2`]).toBe('maint');
      await set('ready');
    } finally {
      await clients.close();
    }
    expect(await now()).toEqual(serving);
  });
});

test('a second cluster is set up beside it by the plain temporal CLI with a JSON file, on the same database server and balancer', async () => {
  const second = lab.spec('cluster2.yaml');
  const cluster = second.metadata.name;
  const file = join(lab.dir, 'second.json');
  writeFileSync(file, JSON.stringify({ cluster, spec: second }));
  const [program = ''] = (await run(join(__dirname, '../../scripts/temporal-cli'), [], { env: { ...process.env, TEMPORAL_ADDRESS: '' } })).stdout.trim().split('\n');
  const id = unique('setUpCluster');
  await run(program, ['workflow', 'start', '--type', 'setUpCluster', '--task-queue', operations.taskQueue, '--workflow-id', id, '--fail-existing', '--input-file', file]);
  expect(await ground.client.workflow.getHandle(id).result()).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(await operations.record(cluster)).toMatchObject({ phase: 'active', complete: true, epoch: 1 });

  const both = await now();
  expect(both.balancer?.map).toEqual(expect.arrayContaining([`${lab.name} ${lab.name}_prod`, `${cluster} ${cluster}_prod`]));
  const { hosts: { st1, st2 } } = serving;
  expect(both.hosts).toMatchObject({ st1, st2 });
  expect(both.databases[lab.name]).toEqual(serving.databases[lab.name]);
  serving = both;
});

describe('what an installation leaves', () => {
  const folder = '/opt/axway/st-orchestrator-install';
  const left = [`${folder}/Install_SecureTransport_V5.5.properties`, `${folder}/taeh`];
  const leave = () => onHost(estate, 'st2', left.map((file) => `echo 'dbPassword = left behind' >${file}; chown axway ${file}; chmod 600 ${file}`).join('\n'));

  test('nothing with a password, also when its host died between the installer\'s end and the emptying', async () => {
    expect(await onHost(estate, 'st2', `cat ${left.join(' ')}`)).toBe('');
    await leave();
    const plan = await operations.run('setUpCluster', { cluster: lab.name, dryRun: true });
    expect(plan.steps.map(({ key }) => key)).toEqual(['database.ensureEpoch', 'empty-prepared/st2']);
    expect(await operations.run('setUpCluster', { cluster: lab.name })).toMatchObject({ outcome: 'completed' });
    expect(await now()).toEqual(serving);
    expect(await operations.run('setUpCluster', { cluster: lab.name })).toMatchObject({ outcome: 'nothing to do' });
  });
});

describe('a Server that serves and can\'t be looked into', () => {
  const home = '/opt/axway/SecureTransport';
  const again = () => problemsOf({ cluster: lab.name });
  const remedy = 'Remedy: give it back to axway, readable, and allow the commands of docs/sudoers.example';

  test.each([
    ['its install.log is another user\'s', `chown root ${home}/install.log; chmod 600 ${home}/install.log`, `chown axway ${home}/install.log; chmod 640 ${home}/install.log`, `${home}/install.log can't be read as axway: .*: Permission denied`],
    ['its folder is another user\'s', `chown root ${home}; chmod 700 ${home}`, `chown axway ${home}; chmod 750 ${home}`, `${home} can't be looked into as axway: .*: Permission denied`],
    ['sudo refuses to read its install.log', 'sed -i.kept "s,/usr/bin/cat /opt/axway,/usr/bin/cat /opt/other," /etc/sudoers.d/st-orchestrator; mv /etc/sudoers.d/st-orchestrator.kept /etc/kept', 'mv /etc/kept /etc/sudoers.d/st-orchestrator', `${home}/install.log can't be read as axway: sudo: .*`],
  ])('is left alone when %s', async (_, damage, mend, why) => {
    await onHost(estate, 'st2', damage);
    try {
      expect(await again()).toContainEqual(expect.stringMatching(new RegExp(`^st2: what stands in ${home} can't be known: ${why}\\. ${remedy}$`)));
    } finally {
      await onHost(estate, 'st2', mend);
    }
    expect(await now()).toEqual(serving);
    expect(await again()).toEqual([]);
  });

  test('is left alone when its install.log is gone: it is a member and its Administration Tool answers', async () => {
    for (const host of ['st1', 'st2']) {
      await onHost(estate, host, `mv ${home}/install.log ${home}/kept.log`);
      try {
        expect(await again()).toContainEqual(expect.stringMatching(new RegExp(`^${host}: FILEDRIVEHOME/install.log does not end in "Installation completed\\.", but the cluster has this Server in its table of nodes: it may serve somebody\\. Remedy: if it serves, restore that file`)));
      } finally {
        await onHost(estate, host, `mv ${home}/kept.log ${home}/install.log`);
      }
    }
    expect(await now()).toEqual(serving);
  });

  test('is left alone by the installation itself, whatever was planned', async () => {
    const spec = lab.spec();
    const { installer, version } = spec.product;
    const input = { server: serverTarget(spec, 'prod', 'st2'), taehFrom: serverTarget(spec, 'prod', 'st1'), installer, version, database: databaseTarget(spec, 'prod') };
    const clients = createClients();
    try {
      const { epoch } = await operations.record(lab.name);
      const attempt = () => installationActivities({ clients }).ensureInstalled(input, { cluster: lab.name, epoch, operation: 'set-up-cluster/late' });
      await onHost(estate, 'st2', `mv ${home}/install.log ${home}/kept.log`);
      await expect(attempt()).rejects.toMatchObject({ code: 'Refused', message: expect.stringMatching(/but the product runs there \(.*standin\/.*port 8444 answers\), so nothing was changed/) });
      await onHost(estate, 'st2', `install -o root -m 600 /dev/null ${home}/install.log`);
      await expect(attempt()).rejects.toMatchObject({ code: 'Refused', message: expect.stringMatching(/install\.log can't be read as axway/) });
    } finally {
      await onHost(estate, 'st2', `mv -f ${home}/kept.log ${home}/install.log`);
      await clients.close();
    }
    expect(await now()).toEqual(serving);
  });
});

describe('a record that was lost', () => {
  const id = () => `cluster/${lab.name}`;

  /** As after Temporal's database was restored from before the record knew anything; what the hosts have seen is not gone. */
  async function lose(): Promise<void> {
    const { runId } = await ground.client.workflow.getHandle(id()).describe();
    const firstTask = 4;
    await ground.client.workflowService.resetWorkflowExecution({
      namespace: 'default', workflowExecution: { workflowId: id(), runId }, workflowTaskFinishEventId: firstTask as never, requestId: unique('lose'), reason: 'lost',
      resetReapplyExcludeTypes: [temporal.api.enums.v1.ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE],
    });
    expect(await operations.record(lab.name)).toMatchObject({ epoch: 0, spec: null, members: [] });
  }

  test('is told before anything is changed, with the way out, and that way leads back to the cluster as it was', async () => {
    const seen = 40;
    await onHost(estate, 'st2', `echo '${lab.name} ${seen}' >/home/ops/.st-orchestrator/epoch`);
    await lose();
    const spec = lab.spec();
    const told = (record: number, later: string) =>
      expect.stringMatching(new RegExp(`^the record of cluster "${lab.name}" is at epoch ${record}, but later ones have been seen: ${later}\\. The record was lost, .*--epoch-at-least ${seen}"`));
    expect(await problemsOf({ cluster: lab.name, spec, dryRun: true })).toEqual([told(0, `st1 \\d+, st2 ${seen}, lb1 \\d+, the database \\d+`)]);
    expect(await problemsOf({ cluster: lab.name, spec })).toEqual([told(1, `.*st2 ${seen}.*`)]);
    expect(await now()).toEqual(serving);

    const applied = await applySpec(ground.client, spec, { taskQueue: operations.taskQueue, epochAtLeast: seen });
    expect(applied).toMatchObject({ revision: 1, changed: true, epoch: seen });
    expect(await operations.run('setUpCluster', { cluster: lab.name })).toMatchObject({ outcome: 'nothing to do', epoch: seen + 1 });
    expect(await operations.record(lab.name)).toMatchObject({ phase: 'active', complete: true, activeSite: 'prod', members: [{ node: 'st1' }, { node: 'st2' }] });
    expect(await now()).toEqual(serving);
  });
});
