/** Adopting a cluster that serves and that no record knows: looking changes nothing, the file that comes of it is right, and a set-up then has nothing to do. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabSnapshot } from '../../lab/snapshot';
import type { LabStatus } from '../../lab/status';
import type { Adoption } from '../../src/model/adoption';
import type { ClusterSeed } from '../../src/model/clusterSeed';
import { clusterWorkflowId } from '../../src/model/ids';
import type { OperationReport } from '../../src/model/operation';
import { parseClusterSpec } from '../../src/model/spec';
import { loadClusterFile } from '../../src/control/clusterFile';
import { applySpec } from '../../src/control/clusters';
import { createClients } from '../../src/worker/clients';
import { onHost, reloadBalancer, sql } from '../helpers/breaking';
import { startLab, type Lab } from '../helpers/lab';
import { withOperations, type Operations } from '../helpers/operations';
import { connectGround, type Ground } from '../helpers/workflows';
import { stctl } from '../unit/cli/terminal';

jest.setTimeout(180_000);

let ground: Ground;
let lab: Lab;
let estate: LabStatus;
let operations: Operations;
let stopWorker: () => void;
let worker: Promise<void>;

const home = '/opt/axway/SecureTransport';
const name = 'old-estate';

/** A cluster that serves, set up under another name and forgotten: no claim of ours is left on any host. */
beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 3, productTime: '0ms' })]);
  estate = await lab.status();
  await new Promise<void>((ready, failed) => {
    worker = withOperations(ground, (made) => {
      operations = made;
      ready();
      return new Promise<void>((resolve) => { stopWorker = resolve; });
    });
    worker.catch(failed);
  });
  expect(await operations.run('setUpCluster', { cluster: lab.name, spec: lab.spec() })).toMatchObject({ outcome: 'completed' });
  for (const host of ['st1', 'st2', 'st3', 'lb1']) await onHost(estate, host, 'rm -rf /home/ops/.st-orchestrator');
  await sql(estate, `${lab.name}_orchestrator`, 'drop table st_orchestrator_epoch');
}, 180_000);
afterAll(async () => {
  stopWorker?.();
  await worker;
  await lab?.down();
  await ground?.close();
}, 60_000);

/** What an operator writes down: one Server, and how its like are reached. */
function seed(): ClusterSeed {
  const at = (path: string): string => join(lab.dir, path);
  return {
    apiVersion: 'st-orchestrator/v1', kind: 'ClusterSeed', metadata: { name }, server: estate.hosts.find((host) => host.name === 'st1')!.address,
    defaults: {
      ssh: { user: 'ops', key: `file:${at('keys/id_ed25519')}`, knownHosts: at('known_hosts') },
      admin: { user: 'admin', password: `file:${at('secrets/admin-password')}`, ca: at('ca.pem') },
    },
    reach: { [estate.hosts.find((host) => host.name === 'st2')!.address]: { ssh: { jump: { address: estate.hosts.find((host) => host.name === 'jump1')!.address, user: 'ops' } } } },
    product: { fileDriveHome: home, user: 'axway', installer: { package: '/opt/install/SecureTransport_5.5' } },
    licences: { core: at(`licences/${lab.name}/filedrive.license`), features: at(`licences/${lab.name}/st.license`) },
    database: { password: `file:${at('secrets/database-password')}`, ca: at('ca.pem') },
    sharedFiles: { path: '/srv/st/shared' },
    loadBalancer: { stateFile: '/var/lib/haproxy/server-state', instances: [{ name: 'lb1', address: estate.balancer.address }] },
  };
}

/** What no two Servers should differ in, and these do. */
async function plantDifferences(): Promise<void> {
  for (const host of ['st1', 'st2', 'st3']) await onHost(estate, host, `mkdir -p ${home}/brules/local/wptdocuments; echo rules > ${home}/brules/local/wptdocuments/OtherRules.xml; chown -R axway ${home}/brules`);
  await onHost(estate, 'st2', `echo tuned > ${home}/brules/local/wptdocuments/OwnRules.xml; chown axway ${home}/brules/local/wptdocuments/OwnRules.xml; ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime`);
  await onHost(estate, 'st3', `echo other > ${home}/brules/local/wptdocuments/OtherRules.xml; mv ${home}/conf/filedrive.license ${home}/conf/kept; (cat ${home}/conf/kept; echo '# renewed') > ${home}/conf/filedrive.license; chown axway ${home}/conf/filedrive.license; rm ${home}/conf/kept`);
  const clients = createClients();
  try {
    const { admin } = lab.spec().sites['prod']!.servers[2]!;
    const tool = clients.admin.server({ ...admin, address: estate.hosts.find((host) => host.name === 'st3')!.address });
    await tool.setOptions({ 'EventQueue.taskProcessor.attributes': ['PGP=true, PUSH=false, PULL=false, FM_TRIGGERED=false, MAINTENANCE=false'] });
  } finally {
    await clients.close();
  }
}

const look = async (input: object): Promise<{ report: OperationReport; found: Adoption }> => {
  const report = await operations.run('adoptCluster', { cluster: name, ...input });
  return { report, found: report.result as Adoption };
};

test('a cluster that exists is found from one Server, taken over as its file says, and then a set-up has nothing to do', async () => {
  await plantDifferences();
  const before = await lab.snapshot();
  const spec = parseClusterSpec({ ...lab.spec(), metadata: { name } }).spec!;

  // Nobody sets up, by mistake, on what stands there.
  await expect(operations.fail('setUpCluster', { cluster: name, spec })).resolves.toMatchObject({ type: 'PreconditionFailed', message: expect.stringContaining('that no operation of this cluster installed. Remedy: adopt the cluster') });

  const { report, found } = await look({ seed: seed() });
  expect(report).toMatchObject({ outcome: 'planned', dryRun: true, steps: [], summary: expect.stringContaining(`${name} was found: 3 Servers, version 5.5; 5 differences`) });
  expect(found.obstacles).toEqual([]);
  const value = (node: string): unknown => expect.objectContaining({ nodes: expect.arrayContaining([node]) });
  const differences = Object.fromEntries(found.differences.map(({ about, values }) => [about, values]));
  expect(Object.keys(differences)).toEqual(['time zone', 'core licence (hash)', 'file brules/local/wptdocuments/OwnRules.xml', 'option EventQueue.taskProcessor.attributes', 'file brules/local/wptdocuments/OtherRules.xml']);
  expect(differences['time zone']).toEqual([{ value: expect.stringMatching(/[+-]0000$/), nodes: ['st1', 'st3'] }, { value: 'JST +0900', nodes: ['st2'] }]);
  expect(differences['file brules/local/wptdocuments/OwnRules.xml']).toEqual([{ value: 'missing', nodes: ['st1', 'st3'] }, { value: expect.stringMatching(/^[0-9a-f]{12}$/), nodes: ['st2'] }]);
  expect(differences['option EventQueue.taskProcessor.attributes']).toEqual([expect.objectContaining({ nodes: ['st1', 'st2'] }), { value: expect.stringContaining('PGP=true'), nodes: ['st3'] }]);
  expect(differences['file brules/local/wptdocuments/OtherRules.xml']).toEqual([value('st1'), value('st3')]);
  expect(found.notes).toEqual([expect.objectContaining({ what: 'the core licence of st3 is not the one on the worker\'s host' })]);

  // The file that was found says what the lab's own says, the name and what only people say apart.
  const wanted = structuredClone(lab.spec());
  wanted.metadata.name = name;
  delete wanted.sites['prod']!.label;
  const file = parseClusterSpec(found.file);
  expect(file).toEqual({ spec: wanted });

  // The same by the command line, whose output is a file that it takes.
  writeFileSync(join(lab.dir, 'seed.json'), JSON.stringify(seed()));
  const env = { TEMPORAL_ADDRESS: process.env['TEMPORAL_ADDRESS'], ST_TASK_QUEUE: operations.taskQueue };
  const said = await stctl(['adopt-cluster', '-f', join(lab.dir, 'seed.json')], { env });
  expect({ code: said.code, file: loadClusterFile(said.stdout, 'cluster.yaml', { baseDir: lab.dir }) }).toEqual({ code: 0, file });
  expect(said.stderr).toContain('5 differences between the Servers:');

  // Looking again, at the file this time, says what would be done; nothing has been changed by all of it.
  const plan = (await look({ spec: found.file })).report;
  expect(plan).toMatchObject({ outcome: 'planned', dryRun: true });
  const keys = ['database.ensureEpoch', 'take/st1', 'take/st2', 'take/st3', 'take-balancer/lb1'];
  expect(plan.steps.map(({ key }) => key)).toEqual(keys);
  expect(await lab.snapshot()).toEqual(before);
  await expect(operations.record(name)).resolves.toMatchObject({ spec: null, members: [], complete: false });

  // A file that says otherwise than the estate is not taken.
  const wrong = structuredClone(found.file) as { product: { version: string }; sites: { prod: { servers: object[] } } };
  wrong.product.version = '5.4';
  wrong.sites.prod.servers.pop();
  const refused = await operations.fail('adoptCluster', { cluster: name, spec: wrong, apply: true });
  expect(refused).toMatchObject({ type: 'PreconditionFailed', message: expect.stringContaining('which the file does not list') });
  expect(refused.message).toContain('the file says product.version 5.4, the cluster 5.5');
  expect(await lab.snapshot()).toEqual(before);

  const applied = (await look({ spec: found.file, apply: true })).report;
  expect(applied).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(applied.steps.map(({ key, state }) => [key, state])).toEqual(keys.map((key) => [key, 'done']));
  expect(await operations.record(name)).toMatchObject({ phase: 'active', complete: true, activeSite: 'prod', lease: null, members: [{ node: 'st1' }, { node: 'st2' }, { node: 'st3' }] });
  const after = await lab.snapshot();
  // What was written says whose the hosts are, beside the product; everything else is as it was.
  for (const host of Object.values(after.hosts)) host.markers = [];
  delete after.databases[`${lab.name}_orchestrator`]!['st_orchestrator_epoch'];
  expect(after).toEqual(before);

  // The licence that st3 has alone is put right, as its note said, and then nothing is left to be done.
  await onHost(estate, 'st3', `cp -p ${home}/conf/filedrive.license ${home}/conf/renewed; sed -i '/renewed/d' ${home}/conf/filedrive.license; rm ${home}/conf/renewed`);
  const ready = await lab.snapshot();
  expect(await operations.run('setUpCluster', { cluster: name })).toMatchObject({ outcome: 'nothing to do', steps: [] });
  expect(await operations.run('adoptCluster', { cluster: name, apply: true })).toMatchObject({ outcome: 'nothing to do', steps: [] });
  expect(await lab.snapshot()).toEqual(ready);

  await recordLost(applied.epoch!);
});

/** The Temporal server was lost, and with it the record: the hosts know of operations that the new one has never heard of. */
async function recordLost(seen: number): Promise<void> {
  const { namespace } = ground.client.options;
  const workflowExecution = { workflowId: clusterWorkflowId(name) };
  await ground.client.workflow.getHandle(workflowExecution.workflowId).terminate('lost');
  await ground.client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
  await gone(workflowExecution.workflowId);

  const { found } = await look({ seed: seed() });
  expect(found.obstacles).toEqual([{ what: expect.stringContaining(`is at epoch 0, but later ones have been seen: st1 ${seen}, st2 ${seen}, st3 ${seen}, lb1 ${seen}, the database ${seen}.`), remedy: expect.stringContaining(`--epoch-at-least ${seen}`) }]);
  await expect(operations.fail('adoptCluster', { cluster: name, spec: found.file, apply: true })).resolves.toMatchObject({ type: 'PreconditionFailed', message: expect.stringContaining(`--epoch-at-least ${seen}`) });
  await applySpec(ground.client, parseClusterSpec(found.file).spec!, { taskQueue: operations.taskQueue, epochAtLeast: seen });
  expect(await operations.run('adoptCluster', { cluster: name, apply: true })).toMatchObject({ outcome: 'completed' });
  expect(await operations.record(name)).toMatchObject({ complete: true, epoch: seen + 1 });
  expect(await operations.run('setUpCluster', { cluster: name })).toMatchObject({ outcome: 'nothing to do' });
}

/** Deleting is done in the background. */
async function gone(workflowId: string): Promise<void> {
  for (;;) {
    const there = await ground.client.workflow.getHandle(workflowId).describe().then(() => true, () => false);
    if (!there) return;
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
}

/** A dump goes back by the program that made it, as its owner. */
function pgRestore(file: string): Promise<void> {
  const { address } = estate.database;
  const env = { PATH: process.env['PATH'], PGPASSWORD: readFileSync(join(lab.dir, 'secrets/database-password'), 'utf8').trim(), PGSSLMODE: 'verify-full', PGSSLROOTCERT: join(lab.dir, 'ca.pem') };
  return new Promise((done, fail) => {
    execFile('pg_restore', ['--exit-on-error', '--no-owner', `--host=${address}`, `--username=${lab.name}`, `--dbname=${lab.name}`, file], { env, timeout: 60_000 }, (error, _, stderr) => (error ? fail(new Error(stderr)) : done()));
  });
}

/** The estate without our own note of the last operation, and without what the Servers write down at each start: who leads, and with which options they run. */
async function product(): Promise<LabSnapshot> {
  const found = await lab.snapshot();
  delete found.databases[`${lab.name}_orchestrator`];
  for (const table of ['clusterservice', 'nodeservice']) delete found.databases[lab.name]![table];
  return found;
}

test('what a set-up changes on a cluster that exists is backed up first, and comes back from there whole', async () => {
  const whole = await product();
  const { admin } = lab.spec().sites['prod']!.servers[0]!;
  const clients = createClients();
  try {
    const tool = clients.admin.server({ ...admin, address: estate.hosts.find((host) => host.name === 'st1')!.address });
    await tool.setNodeThreshold({ ...(await tool.nodeThreshold()), numberOfNodes: 1 });
  } finally {
    await clients.close();
  }
  const report = await operations.run('setUpCluster', { cluster: name });
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(report.steps.map(({ key }) => key)).toEqual(['backup-files/st1', 'backup-files/st2', 'backup-files/st3', 'backup-database', 'backup-map/lb1', 'database.ensureEpoch', 'servers.ensureNodeThreshold']);
  expect(await product()).toEqual(whole);

  // The report names each file with the hash that it has, and nobody but the product's user reads it.
  const backups = `/opt/axway/st-orchestrator-backups/${name}/epoch-${report.epoch}`;
  const places = [...['st1', 'st2', 'st3'].map((node) => [node, `${backups}/${node}-files.tar.gz`]), ['st1', `${backups}/database.dump`], ['lb1', `/home/ops/.st-orchestrator/clusters/${name}/backups/epoch-${report.epoch}/site.map`]] as const;
  const notes = report.steps.slice(0, 5).map(({ note }) => note ?? '');
  for (const [index, [host, file]] of places.entries()) {
    const [hash, mode] = (await onHost(estate, host!, `sha256sum ${file} | cut -d' ' -f1; stat -c %a ${file}`)).trim().split('\n');
    expect({ note: notes[index], mode }).toEqual({ note: expect.stringMatching(new RegExp(`^${host}:${file}, [\\d.]+ [KMi]*B, sha256 ${hash}$`)), mode: '600' });
  }

  // Everything that was backed up is lost; what docs/backups.md says brings it back.
  const asProduct = 'sudo -u axway';
  for (const host of ['st1', 'st2', 'st3']) await onHost(estate, host, `${asProduct} ${home}/bin/stop_all >/dev/null; rm -rf ${home}/conf ${home}/brules ${home}/bin/taeh`);
  await sql(estate, 'postgres', `drop database ${lab.name} with (force)`);
  await onHost(estate, 'lb1', 'echo lost > /etc/haproxy/maps/site.map');

  for (const host of ['st1', 'st2', 'st3']) await onHost(estate, host, `${asProduct} tar -x -z -C ${home} -f ${backups}/${host}-files.tar.gz`);
  await sql(estate, 'postgres', `create database ${lab.name} owner ${lab.name} tablespace st_data`);
  await pgRestore(join(lab.dir, 'hosts/st1/axway/st-orchestrator-backups', name, `epoch-${report.epoch}`, 'database.dump'));
  await reloadBalancer(estate, `cp ${places.at(-1)![1]} /etc/haproxy/maps/site.map; chown ops /etc/haproxy/maps/site.map`);
  for (const host of ['st1', 'st2', 'st3']) await onHost(estate, host, `${asProduct} ${home}/bin/start_all >/dev/null`);

  // Back is what was when the backup was made: the change is to be made once more, and then everything is as it was before all this.
  const again = await operations.run('setUpCluster', { cluster: name, databaseBackup: 'DBA-7' });
  expect(again).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect(again.steps.at(-1)).toMatchObject({ key: expect.stringMatching(/ensureNodeThreshold|serving|active-site/) });
  expect(again.steps.map(({ key }) => key)).toContain('servers.ensureNodeThreshold');
  expect(again.steps.find(({ key }) => key === 'backup-database')).toMatchObject({ note: 'the backup "DBA-7" is attested, as claimed; no dump was made' });
  expect(await product()).toEqual(whole);
});
