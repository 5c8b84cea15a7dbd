/** A cluster of two Servers on a lab, set up by hand in the order of the guide (§3), without the orchestrator: the tests are about the Servers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../../lab/shell';
import type { LabStatus } from '../../../lab/status';
import { onHost, sql } from '../breaking';
import { startLab, type Lab } from '../lab';
import { basic, callAt, type Answer } from './caller';
import { runShell } from './shell';
import type { LabTarget, Target } from './target';

/** What can be seen only while a cluster is set up. */
export interface Witnessed {
  /** `GET /configurations/clusterManagement` and its `nodeThreshold`, before there was a licence. */
  standalone: Answer;
  thresholdAlone: Answer;
  /** Calls to a later Server that was not added yet, and to one that was added and not restarted. */
  notAdded: Answer;
  notRestarted: Answer;
  /** The exit code of `start_tm` without licences, and what the TM said as it ended. */
  unlicensed: { code: number; log: string };
  /** The last line of the installer's log. */
  installLog: string;
}

const home = '/opt/axway/SecureTransport';
const prepared = '/opt/axway/prepared';
const nodes = '/configurations/clusterManagement/nodes';
const asProduct = ['setpriv', '--reuid=axway', '--regid=axway', '--init-groups'];

export async function prepareLab(): Promise<LabTarget> {
  // The tests add nodes by bare calls: nobody would put the SSH port back that the product resets then, to one where the host's own sshd listens.
  const lab = await startLab({ servers: 2, productTime: '60ms', lies: 'daemonStart,listenerStart,unreachable,sessions,activeEvents' });
  try {
    return await setUp(lab, await lab.status());
  } catch (error) {
    await lab.down();
    throw error;
  }
}

async function setUp(lab: Lab, estate: LabStatus): Promise<LabTarget> {
  const [first, second] = ['st1', 'st2'].map((host) => serverOf(lab, estate, host)) as [Target, Target];
  const get = (server: Target, path: string): Promise<Answer> => callAt(server, 'GET', path, basic(server));
  await install(lab, estate, 'st1', { externalDBUseExistingSchema: 'false', adminPassword: first.password });
  const standalone = await until('the first Administration Tool', async () => {
    const answer = await get(first, '/configurations/clusterManagement');
    return answer.status === 200 && answer;
  });
  const thresholdAlone = await get(first, '/configurations/clusterManagement/nodeThreshold');
  const { code } = await first.shell('"$home/bin/start_tm"');
  const log = await until('the end of the TM without licences', async () => {
    const { stdout } = await first.shell('tail -n 3 "$home/var/logs/tm.log"');
    return stdout.includes('licence is missing') && stdout;
  });
  await license(lab, estate, 'st1');

  await installSecond(lab, estate);
  const notAdded = await until('an answer of the second Administration Tool', () => get(second, '/version'));
  for (const server of [first, second]) await callAt(first, 'POST', nodes, { ...basic(first), body: { serverAddress: server.address } });
  const notRestarted = await get(second, '/version');
  await second.shell('"$home/bin/stop_all"');
  await Promise.all([first, second].map(({ shell }) => shell('"$home/bin/start_all"')));
  await until('both nodes Online', async () => {
    const { json } = await get(second, '/configurations/clusterManagement');
    return json.clusterNodes.every(({ status }: { status: string }) => status === 'Online');
  });
  const database = estate.database.databases[0]!;
  return {
    ...first, second,
    sql: (text) => sql(estate, database.name, text),
    database: { host: estate.database.address, port: estate.database.port, databaseName: database.name, username: database.user, password: secret(lab, 'database-password') },
    witnessed: {
      standalone, thresholdAlone, notAdded, notRestarted, unlicensed: { code, log },
      installLog: (await first.shell('tail -n 1 "$home/install.log"')).stdout.trim(),
    },
    close: () => lab.down(),
  };
}

const secret = (lab: Lab, name: string): string => readFileSync(join(lab.dir, 'secrets', name), 'utf8').trim();

function serverOf(lab: Lab, estate: LabStatus, host: string): Target {
  const { address, pids } = estate.hosts.find(({ name }) => name === host)!;
  const enter = ['nsenter', `--target=${pids['sshd']}`, '--mount', '--uts', '--ipc', '--net', '--pid', '--wd=/', '--', ...asProduct, '/bin/sh'];
  const argv = process.getuid?.() === 0 ? enter : ['sudo', '-n', '--', ...enter];
  return {
    address, port: 8444, user: 'admin', password: secret(lab, 'admin-password'), ca: readFileSync(join(lab.dir, 'ca.pem'), 'utf8'),
    homes: '/srv/st/shared/home', fileDriveHome: home,
    shell: (text) => runShell(argv, home, text),
    close: async () => undefined,
  };
}

/** A shell line that writes a file. */
const write = (path: string, content: string): string => `cat > ${path} <<'END OF FILE'\n${content.trimEnd()}\nEND OF FILE\n`;

/** The silent installation (§3): two properties files and the package's setup.sh, as the product's user. */
async function install(lab: Lab, estate: LabStatus, host: string, more: Record<string, string>): Promise<void> {
  const database = estate.database.databases[0]!;
  const properties = {
    Server: 'true', dbType: 'usePostgreSQLExternal', dbHost: estate.database.address, dbPort: String(estate.database.port), dbName: database.name, dbUser: database.user,
    dbPassword: secret(lab, 'database-password'), externalDBUseSecureConnection: 'true', externalDBTrustStore: `${prepared}/ca.pem`, sslAdminPort: '8444', 'standin.daemons': 'ssh,http', ...more,
  };
  const text = (all: Record<string, string>): string => Object.entries(all).map(([name, value]) => `${name} = ${value}`).join('\n');
  await onHost(estate, host, [
    `mkdir -p ${prepared}`,
    write(`${prepared}/ca.pem`, readFileSync(join(lab.dir, 'ca.pem'), 'utf8')),
    write(`${prepared}/second.properties`, text(properties)),
    write(`${prepared}/first.properties`, text({ InstallDir: home, 'IncludeFiles.SecureTransport': 'second.properties' })),
    `chown -R axway ${prepared}; cd /`,
    `${asProduct.join(' ')} /opt/install/SecureTransport_5.5/setup.sh -s ${prepared}/first.properties`,
  ].join('\n'));
}

/** The second Server imports the secret file of the first and uses its schema. */
async function installSecond(lab: Lab, estate: LabStatus): Promise<void> {
  const taeh = `${prepared}/taeh`;
  const content = await onHost(estate, 'st1', `base64 ${home}/bin/taeh`);
  await onHost(estate, 'st2', `mkdir -p ${prepared}\n${write(`${taeh}.base64`, content)}base64 -d ${taeh}.base64 > ${taeh}`);
  await install(lab, estate, 'st2', { externalDBUseExistingSchema: 'true', SecretFilePath: taeh });
  await license(lab, estate, 'st2');
}

/** Licences are two files that are copied to conf/. */
async function license(lab: Lab, estate: LabStatus, host: string): Promise<void> {
  await onHost(estate, host, ['filedrive.license', 'st.license'].map((name) => write(`${home}/conf/${name}`, readFileSync(join(lab.dir, 'licences', lab.name, name), 'utf8'))).join(''));
}
