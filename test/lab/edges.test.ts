/** Edges on real parts: set up with the cluster, proven by logins, and what is true of a partner's way through them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'ssh2';
import { Agent, request } from 'undici';
import { until } from '../../lab/shell';
import { hashPassword } from '../../lab/standin/schema';
import type { LabStatus } from '../../lab/status';
import { edgeActivities } from '../../src/activities/edges';
import { readSockets } from '../../src/activities/sockets';
import { createClients } from '../../src/clients';
import { resolveSecret } from '../../src/clients/secrets';
import { edgePorts } from '../../src/model/ports';
import { serverTarget } from '../../src/model/slices';
import type { ClusterSpec } from '../../src/model/spec';
import type { AdminAccess } from '../../src/model/targets';
import type { EndsReport } from '../../src/workflows/checkEnds';
import { onHost, sql } from '../helpers/breaking';
import { startLab, type Lab } from '../helpers/lab';
import { servingWorker, type ServingWorker } from '../helpers/servingWorker';
import { connectGround, type Ground } from '../helpers/workflows';

jest.setTimeout(180_000);

let ground: Ground;
let lab: Lab;
let spec: ClusterSpec;
let estate: LabStatus;
let operations: ServingWorker;
const clients = createClients();
const open: Client[] = [];

beforeAll(async () => {
  [ground, lab] = await Promise.all([connectGround(), startLab({ servers: 2, edges: 2 })]);
  spec = lab.spec();
  estate = await lab.status();
  operations = await servingWorker(ground);
});
afterEach(() => { for (const client of open.splice(0)) client.destroy(); });
afterAll(async () => {
  await operations?.end();
  await clients.close();
  await lab?.down();
  await ground?.close();
});

const product = '/opt/axway/SecureTransport/bin';
const productCommand = (node: string, command: string) => clients.ssh.run(serverTarget(spec, 'prod', node).ssh, ['sudo', '-n', '-u', 'axway', `${product}/${command}`], { timeoutMs: 30_000, purpose: command });
const addressOf = (node: string): string => serverTarget(spec, 'prod', node).address;
const isOnline = async (node: string): Promise<boolean> => (await clients.admin.server(serverTarget(spec, 'prod', node).admin).transactionManager()).running;

/** Logs in as the probe account does, and keeps the session open. */
async function logIn(host: string, port: number): Promise<Client> {
  const password = (await resolveSecret(spec.probe!.password)).reveal();
  return new Promise((resolve, reject) => {
    const client = new Client();
    open.push(client);
    client.on('error', reject);
    client.once('ready', () => resolve(client));
    client.connect({ host, port, username: spec.probe!.account, password, authHandler: ['password'], readyTimeout: 10_000 });
  });
}

function put(client: Client, path: string, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    client.sftp((error, sftp) => {
      if (error) return reject(error);
      sftp.writeFile(path, content, (failure) => (failure ? reject(failure) : resolve()));
    });
  });
}

test('a set-up opens the Edges only when a login through each has worked, and has nothing to do the second time', async () => {
  const cluster = spec.metadata.name;
  const { run } = operations;
  const plan = await run('setUpCluster', { cluster, spec, dryRun: true });
  const titles = [...new Set(plan.steps.map(({ title }) => title))];
  expect(titles.slice(titles.indexOf('Install the licences of the new Servers') + 1)).toEqual([
    'Install the first Edge',
    'Install the other Edges with its secret file',
    'Install the licences of the Edge',
    'Start the Administration Tool of the Edge',
    'Exchange the CA certificates of the cluster and the Edge',
    'Name the Edge in the network zone of the Servers',
    'List the Edges for their synchronisation, the first as the primary',
    'Stop everything, for the restart',
    'Start the first Server and wait until it is Online',
    'Start the Servers and wait until they are Online',
    'Let the product notify below the node threshold',
    'Start the Edge',
    'Wait until its Transaction Manager is connected to every Edge',
    'Make the account that the way is tried with',
    'Log in through the Edge as a partner does',
    'Let the balancer send to the Edge',
    'Let the balancer send to the site',
    'Try once whether an administrator still has the password it was shipped with',
  ]);
  const report = await run('setUpCluster', { cluster, spec, fingerprint: plan.fingerprint });
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [], summary: `${cluster} is set up: 2 of 2 Servers are Online, behind 2 Edges.` });
  expect(report.byHand).toEqual(expect.arrayContaining([
    expect.stringContaining('"Synchronize All" in the Administration Tool of ed1, the primary'),
    ...['st1', 'ed1', 'ed2'].map((node) => `the shipped password still works for "setup", "account", "application" at ${node}: change it there now, and remove "setup"`),
  ]));
  const list = await Promise.all(['ed1', 'ed2'].map((edge) => onHost(estate, edge, `cat ${product}/../lib/admin/config/servers; ls ${product}/../var/tmp`)));
  const listed = ['ed1', 'ed2'].map((edge) => `${addressOf(edge)}\thttps://${addressOf(edge)}:8444\n`).join('');
  expect(list.map((text) => [text.startsWith(listed), text.includes('sentinel_primary')])).toEqual([[true, true], [true, false]]);
  expect(report.steps.filter(({ title }) => title.startsWith('Log in')).map(({ node, note }) => [node, note])).toEqual(['ed1', 'ed2'].map((edge) =>
    [edge, expect.stringMatching(new RegExp(`^st-orchestrator-probe logged in through ${edge} port 8022 in .* s; host key SHA256:`))]));

  const before = await lab.snapshot();
  expect(before.hosts['ed1']?.files['SecureTransport/bin/taeh']).toBe(before.hosts['ed2']?.files['SecureTransport/bin/taeh']);
  expect(before.balancer?.servers).toMatchObject({ [`${cluster}_hc/ed1`]: 'ready', [`${cluster}_hc/ed2`]: 'ready' });
  expect(await run('setUpCluster', { cluster })).toMatchObject({ outcome: 'nothing to do', steps: [] });
  expect(await lab.snapshot()).toEqual(before);
});

test('what Synchronize All would carry over is told where it differs, and nothing is done about it', async () => {
  const edge = clients.admin.server(serverTarget(spec, 'prod', 'ed2').admin);
  const file = `${product}/../lib/admin/config/servers`;
  await edge.setOptions({ 'Sshd.GracefulShutdownTimeout': ['60'] });
  await onHost(estate, 'ed2', `cp -p ${file} ${file}.kept; echo other >>${file}`);
  try {
    const report = await operations.run('setUpCluster', { cluster: spec.metadata.name });
    expect(report.outcome).toBe('nothing to do');
    expect(report.checks.flatMap(({ problems }) => problems.map(({ what }) => what))).toContainEqual(expect.stringMatching(
      /^ed2 differs from ed1, the primary Edge: option Sshd\.GracefulShutdownTimeout \(60, there 86400\); file lib\/admin\/config\/servers \(\w{12}, there \w{12}\); file lib\/admin\/config\/servers\.kept \(\w{12}, there missing\)$/));
  } finally {
    await edge.setOptions({ 'Sshd.GracefulShutdownTimeout': ['86400'] });
    await onHost(estate, 'ed2', `mv ${file}.kept ${file}`);
  }
  const { checks } = await operations.run('setUpCluster', { cluster: spec.metadata.name, dryRun: true });
  expect(checks.flatMap(({ problems }) => problems.filter(({ what }) => what.includes('differs from')))).toEqual([]);
});

test('a look at what ends tells who still has the password that was shipped, until it is changed; that costs one try and never a second', async () => {
  const [database] = estate.database.databases;
  const look = async (): Promise<string[]> => (await operations.run('checkEnds', { cluster: spec.metadata.name }) as unknown as EndsReport).warnings;
  const told = (node: string, accounts: string): string => `the shipped password still works for ${accounts} at ${node}: change it there now, and remove "setup"`;
  expect(await look()).toEqual(['st1', 'ed1', 'ed2'].map((node) => told(node, '"setup", "account", "application"')));
  const { salt, hash } = hashPassword('a better one');
  await sql(estate, database!.name, `UPDATE administrator SET salt = '${salt}', passwordhash = '${hash}' WHERE loginname IN ('setup', 'account')`);
  for (let again = 1; again <= 3; again += 1) expect((await look())[0]).toBe(told('st1', '"application"'));
  expect((await sql(estate, database!.name, 'SELECT loginname, failedlogins, locked FROM administrator ORDER BY 1')).trim().split('\n')).toEqual(['account|1|f', 'admin|0|f', 'application|0|f', 'setup|1|f']);
});

test('a partner\'s file goes through balancer and Edge into the shared files, and nothing of it stays on the Edge', async () => {
  const { balancer } = await lab.status();
  const content = Buffer.from('through the front door');
  await put(await logIn(balancer.address, 2022), '/through-edge', content);
  const there = await clients.ssh.run(serverTarget(spec, 'prod', 'st2').ssh, ['sudo', '-n', '-u', 'axway', '/usr/bin/cat', `/srv/st/shared/home/${spec.probe!.account}/through-edge`], { timeoutMs: 10_000, purpose: 'reading' });
  expect(createHash('sha256').update(there.stdout).digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
  for (const edge of ['ed1', 'ed2']) {
    const found = await clients.ssh.run(serverTarget(spec, 'prod', edge).ssh, ['ls', '/srv'], { timeoutMs: 10_000, purpose: 'looking', ok: [0, 2] });
    expect(found.stdout.trim()).toBe('');
  }
});

test('nothing on an Edge connects inwards: every connection with a Server was made by the Server', async () => {
  await logIn(addressOf('ed1'), 8022);
  const servers = ['st1', 'st2'].map(addressOf);
  const dialled = edgePorts(spec.product.protocols);
  for (const edge of ['ed1', 'ed2']) {
    const { established } = readSockets(await onHost(estate, edge, 'cat /proc/net/tcp /proc/net/tcp6'));
    const between = established.filter(({ address }) => servers.includes(address));
    expect(new Set(between.map(({ address }) => address))).toEqual(new Set(servers));
    expect(between.filter(({ local }) => !dialled.includes(local))).toEqual([]);
  }
});

test('Transaction Managers take turns, and a session that one of them has keeps it until the end', async () => {
  const sessions = await Promise.all([1, 2, 3, 4].map(() => logIn(addressOf('ed1'), 8022)));
  const ended = sessions.map((session) => new Promise<boolean>((resolve) => void session.once('close', () => resolve(true))));
  await productCommand('st1', 'stop_tm');
  const gone = await Promise.all(ended.map((end) => Promise.race([end, until('its end', () => false, 2_000).catch(() => false)])));
  expect(gone.filter(Boolean)).toHaveLength(2);
  // Those of the other Server go on.
  const left = sessions.filter((_, index) => !gone[index]);
  await Promise.all(left.map((session, index) => put(session, `/goes-on-${index}`, Buffer.from('x'))));
});

test('an Edge with no Transaction Manager behind it passes the health check and refuses every login', async () => {
  await productCommand('st2', 'stop_tm');
  await until('every Edge alone', async () => {
    const log = readFileSync(join(lab.dir, 'hosts/ed2/axway/SecureTransport/var/logs/sshd.log'), 'utf8');
    return log.trim().split('\n').filter((line) => line.includes('no longer connected')).length >= 2;
  });
  const { ensureLogin } = edgeActivities({ clients });
  const login = ensureLogin({ edge: serverTarget(spec, 'prod', 'ed2'), probe: spec.probe! }, { cluster: spec.metadata.name, epoch: 2, operation: 'this test' });
  await expect(login).rejects.toMatchObject({ code: 'AuthenticationFailed', message: expect.stringMatching(/^ed2: .*the login was refused.* no Transaction Manager stands behind this Edge/) });
  const { balancer } = await lab.snapshot();
  expect(balancer?.servers).toMatchObject({ [`${spec.metadata.name}_hc/ed2`]: 'ready' });
});

test('a set-up brings the way back, and says which Edge trusts the cluster no longer', async () => {
  const cluster = spec.metadata.name;
  const edge = clients.admin.server(serverTarget(spec, 'prod', 'ed2').admin);
  const trusted = (await edge.certificates()).filter(({ usage }) => usage === 'trusted');
  expect(trusted.map(({ name }) => name)).toEqual([`cluster ${cluster}`]);
  await productCommand('ed2', 'stop_sshd');
  // Somebody forgets the CA on the Edge.
  await forget(serverTarget(spec, 'prod', 'ed2').admin, `cluster ${cluster}`);
  const report = await operations.run('setUpCluster', { cluster });
  expect(report).toMatchObject({ outcome: 'completed', unfinished: [] });
  expect([...new Set(report.steps.map(({ key }) => key))]).toEqual(expect.arrayContaining(['stop-edges/ed2', 'trust/ed2', 'online/st1', 'online/st2', 'edge-online/ed2', 'connected/st1', 'login/ed1', 'login/ed2']));
  expect(report.steps.map(({ key }) => key)).not.toContain('trust/ed1');
  expect(await Promise.all(['st1', 'st2'].map(isOnline))).toEqual([true, true]);
});

async function forget({ address, port, user, password, ca }: AdminAccess, name: string): Promise<void> {
  const secret = (await resolveSecret(password)).reveal();
  const dispatcher = new Agent({ connect: { ca: readFileSync(ca) } });
  const answer = await request(`https://${address}:${port}/api/v2.0/certificates/${encodeURIComponent(name)}`, {
    method: 'DELETE', dispatcher, headers: { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`, referer: 'https://tests' },
  });
  expect(answer.statusCode).toBe(204);
  await dispatcher.close();
}

test('a Server whose power failed is brought back, and no Edge is stopped for it', async () => {
  await lab.run('kill', 'st1');
  await lab.run('start', 'st1');
  const plan = await operations.run('setUpCluster', { cluster: lab.name, dryRun: true });
  expect(plan.steps.map(({ key }) => key)).toContain('online/st1');
  expect(plan.steps.filter(({ key }) => /^(stop-|servers\.ensureNodeThreshold|backups)/.test(key))).toEqual([]);
  expect(await operations.run('setUpCluster', { cluster: lab.name })).toMatchObject({ outcome: 'completed', unfinished: [] });
});
