/** No secret leaves its place: a set-up with real secrets, and some that fail, and then everything is searched that was written, printed or passed on. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { stringify, parse } from 'yaml';
import { commandLine } from '../../src/clients/quote';
import { taskQueue } from '../../src/model/ids';
import { createClients } from '../../src/worker/clients';
import { allHistories, shownIn, watchCommandLines, type Canary } from '../helpers/faults/secrets';
import { performer, tapeOf } from '../helpers/faults/tape';
import { startWorkerProcess, type WorkerProcess } from '../helpers/faults/workerProcess';
import { startLab, type Lab } from '../helpers/lab';
import { startTemporalServer, type TemporalServer } from '../helpers/temporalServer';

jest.setTimeout(180_000);

const program = resolve(__dirname, '../../bin/stctl');
const wrong = { database: 'wr0ngdatabasepassw0rd', admin: 'wr0ngadminpassw0rd' };

let lab: Lab;
let server: TemporalServer;
let connection: Connection;
let worker: WorkerProcess;
let canaries: Canary[];
/** Everything that stctl printed. */
let printed = '';
let commandLines: Set<string>;

beforeAll(async () => {
  [lab, server] = await Promise.all([startLab({ servers: 3, edges: 1, productTime: '50ms' }), startTemporalServer()]);
  connection = await Connection.connect({ address: server.address });
  worker = startWorkerProcess({ address: server.address, taskQueue, env: { ST_LOG_LEVEL: 'trace' } });
  const watched = watchCommandLines();
  const { name } = lab;
  await stctl('plan', 'set-up-cluster', '-f', join(lab.dir, 'cluster.yaml'));
  expect(await stctl('set-up-cluster', '-f', join(lab.dir, 'cluster.yaml'), '--yes', '-v')).toBe(0);
  expect(await stctl('rebalance-workload', '-c', name, '--policy', 'roundRobinPolicy', '--window', '5s', '--yes', '-v')).toBe(0);
  for (const [cluster, change] of Object.entries(failing)) expect(await stctl('set-up-cluster', '-f', clusterFile(cluster, change), '--yes', '-v')).not.toBe(0);
  for (const output of ['table', 'json', 'yaml']) {
    await stctl('status', name, '-o', output);
    await stctl('history', name, '-o', output);
    for (const cluster of [name, ...Object.keys(failing)]) await stctl('report', `set-up-cluster/${cluster}`, '-o', output);
  }
  commandLines = await watched.stop();
  canaries = secrets();
});
afterAll(async () => {
  await worker?.kill();
  await connection?.close();
  await Promise.all([lab?.down(), server?.stop()]);
});

/** Set-ups that are refused because of a secret that is wrong. */
const failing: Record<string, (file: any) => void> = {
  'wrong-database': (file) => void (file.sites.prod.database.password = `file:${written('wrong-database', wrong.database)}`),
  'wrong-admin': (file) => void (file.defaults.admin.password = `file:${written('wrong-admin', wrong.admin)}`),
};

function written(name: string, content: string): string {
  const path = join(lab.dir, 'secrets', name);
  writeFileSync(path, `${content}\n`, { mode: 0o600 });
  return path;
}

function clusterFile(name: string, change: (file: any) => void): string {
  const file = parse(readFileSync(join(lab.dir, 'cluster.yaml'), 'utf8'));
  file.metadata.name = name;
  change(file);
  const path = join(lab.dir, `${name}.yaml`);
  writeFileSync(path, stringify(file));
  return path;
}

function stctl(...argv: string[]): Promise<number> {
  const env = { ...process.env, TEMPORAL_ADDRESS: server.address, TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' };
  return new Promise((done) => {
    execFile(process.execPath, [program, ...argv], { env, timeout: 100_000 }, (error, stdout, stderr) => {
      printed += `${argv.join(' ')}\n${stdout}${stderr}`;
      done(error === null ? 0 : Number(error.code ?? -1));
    });
  });
}

function secrets(): Canary[] {
  const text = (file: string): Buffer => Buffer.from(readFileSync(join(lab.dir, file), 'utf8').trim());
  return [
    { name: 'database password', value: text('secrets/database-password') },
    { name: 'admin password', value: text('secrets/admin-password') },
    { name: 'password of exports', value: text('secrets/edge-export-password') },
    { name: 'private key', value: text('keys/id_ed25519') },
    { name: 'taeh', value: readFileSync(join(lab.dir, 'hosts/st1/axway/SecureTransport/bin/taeh')) },
    { name: 'wrong database password', value: Buffer.from(wrong.database) },
    { name: 'wrong admin password', value: Buffer.from(wrong.admin) },
  ];
}

test('what is searched for is found where it is', () => {
  const content = readFileSync(join(lab.dir, 'hosts/st1/axway/SecureTransport/conf/database.properties'), 'latin1');
  expect(shownIn(content, canaries)).toEqual(['database password']);
  for (const canary of canaries) {
    for (const text of [canary.value.toString('latin1'), `"${canary.value.toString('base64')}"`, canary.value.toString('hex')]) expect(shownIn(`before ${text} after`, canaries)).toEqual([canary.name]);
  }
});

test('no history of any workflow holds a secret, nor does any failure or report', async () => {
  const { ids, text } = await allHistories(new Client({ connection }));
  expect(ids).toEqual(expect.arrayContaining(['wrong-database', 'wrong-admin', lab.name].map((cluster) => `set-up-cluster/${cluster}`)));
  expect(ids).toContain(`cluster/${lab.name}`);
  // The places of secrets are there, and the words of failures.
  expect(text).toContain(`file:${join(lab.dir, 'secrets/database-password')}`);
  expect(text).toContain('AuthenticationFailed');
  expect(shownIn(text, canaries)).toEqual([]);
});

test('the log of the worker holds no secret, at its most talkative', () => {
  expect(worker.log()).toContain('installation.ensureInstalled done');
  expect(worker.log()).toContain('AuthenticationFailed');
  expect(shownIn(worker.log(), canaries)).toEqual([]);
});

test('stctl prints no secret', () => {
  for (const words of ['is set up', 'wrong-database', 'AuthenticationFailed', 'temporal workflow start']) expect(printed).toContain(words);
  expect(shownIn(printed, canaries)).toEqual([]);
});

test('no command line on any host shows a secret', async () => {
  const lines = [...commandLines].join('\n');
  for (const words of ['setup.sh -s', 'start_all', 'system_export', '.st-orchestrator']) expect(lines).toContain(words);
  expect(shownIn(lines, canaries)).toEqual([]);

  // Looking now and then may miss what is short; so once more everything that is sent to hosts, word by word.
  await lab.run('reset');
  const sent: string[] = [];
  const performing = performer(() => {
    const clients = createClients();
    const { exec, run } = clients.ssh;
    clients.ssh.exec = (access, command, options) => (sent.push(commandLine(command)), exec(access, command, options));
    clients.ssh.run = (access, command, options) => (sent.push(commandLine(command)), run(access, command, options));
    return clients;
  });
  const tape = (operation: string) => tapeOf(new Client({ connection }).workflow.getHandle(`${operation}/${lab.name}`));
  for (const recorded of await tape('set-up-cluster')) await performing.perform(recorded);
  for (const recorded of await tape('rebalance-workload')) if (recorded.activity.startsWith('backups.')) await performing.perform(recorded);
  await performing.close();
  expect(sent.length).toBeGreaterThan(50);
  expect(shownIn(sent.join('\n'), secrets())).toEqual([]);
});
