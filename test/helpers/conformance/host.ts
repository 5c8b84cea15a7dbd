import { connect } from 'node:net';
import { until } from '../../../lab/shell';
import { destructive, standing, withShell } from './target';
import { running, transactionManagerIs, type Suite } from './suite';

const services = ['admin', 'tm', 'monitord', 'ftpd', 'httpd', 'as2d', 'sshd', 'pesitd'];

/** §3, §10: FILEDRIVEHOME and its commands, as the orchestrator relies on them. */
export function host(suite: Suite): void {
  if (!withShell) return;
  const shell = (text: string) => suite.target().shell(text);

  test('§10 bin/ has a start and a stop command per service, with the ending .disable where a daemon is disabled', async () => {
    const names = (await shell('ls "$home/bin"')).stdout.split('\n');
    for (const service of services) {
      for (const verb of ['start', 'stop']) expect(names.filter((name) => name === `${verb}_${service}` || name === `${verb}_${service}.disable`)).toHaveLength(1);
    }
    expect(names).toEqual(expect.arrayContaining(['start_all', 'stop_all', 'start_admin', 'start_tm', 'start_monitord', 'start_sshd', 'status_monitord', 'taeh']));
    const { ftpStatus } = await suite.get('/daemons');
    if (names.includes('start_ftpd.disable')) expect(ftpStatus).toBe('Not running');
  });

  test('§3 the licences are conf/filedrive.license and conf/st.license, the latter with the number of cluster nodes', async () => {
    const { stdout } = await shell('ls "$home/conf/filedrive.license" "$home/conf/st.license" && cat "$home/conf/st.license"');
    expect(stdout).toMatch(/ClusterNodes\s*=\s*\d+/);
  });

  test('§8 conf/configuration.xml holds LocalConfigurationsId, and conf/options-overwrite.conf is there', async () => {
    expect((await shell('cat "$home/conf/configuration.xml"')).stdout).toMatch(/<LocalConfigurationsId>\s*\S+\s*<\/LocalConfigurationsId>/);
    expect((await shell('test -f "$home/conf/options-overwrite.conf"')).code).toBe(0);
  });

  test('§3 lib/version.properties tells the version that /version tells', async () => {
    const version = /^Version *= *(\S+)/im.exec((await shell('cat "$home/lib/version.properties"')).stdout)?.[1];
    expect(version).toBe((await suite.get('/version')).version);
  });

  test('§10 a start of what runs says so and exits with 0', async () => {
    const ran = await shell('"$home/bin/start_sshd"');
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/already running/i)]);
  });

  if (standing) return;
  test('§3 an installation that completed says so in the last line of install.log', () => {
    expect(suite.lab().witnessed.installLog).toMatch(/ Installation completed\.$/);
  });

  test('§1 start_tm without licences is answered with success, and the TM ends by itself and says why', () => {
    const { code, log } = suite.lab().witnessed.unlicensed;
    expect(code).toBe(0);
    expect(log).toMatch(/licence is missing: the Transaction Manager does not start/);
  });

  test('§1 taeh is the same on every Server', async () => {
    const hashes = await Promise.all([suite.target(), suite.lab().second].map((one) => one.shell('sha256sum < "$home/bin/taeh"')));
    expect(hashes[0]!.stdout).toBe(hashes[1]!.stdout);
  });

  test('§14 the TM listens for the cluster on 8088', async () => {
    await new Promise((resolve, reject) => connect({ host: suite.target().address, port: 8088 }).once('connect', resolve).once('error', reject));
  });
}

/** Stops and starts services by the commands on the host. */
export function hostCommands(suite: Suite): void {
  if (!destructive || !withShell) return;
  const shell = (text: string) => suite.target().shell(text);
  const answers = () => until('the Administration Tool', async () => (await suite.call('GET', '/version')).status === 200, 15_000);

  test('§10 a stop returns when the service is gone, a second one says "not running", each with 0', async () => {
    const first = await shell('"$home/bin/stop_sshd"');
    expect([first.code, (await suite.get('/daemons')).sshStatus]).toEqual([0, 'Not running']);
    const second = await shell('"$home/bin/stop_sshd"');
    expect([second.code, second.stdout]).toEqual([0, expect.stringMatching(/not running/i)]);
    await shell('"$home/bin/start_sshd"');
    await running(suite, 'Running');
  });

  test('§10 a start answers before the service is up', async () => {
    await shell('"$home/bin/stop_tm"');
    expect((await shell('"$home/bin/start_tm"; cat "$home/var/run/tm.state"')).stdout).toMatch(/Starting|^(?!.*Running)/);
    await transactionManagerIs(suite, 'Running.');
  });

  test('§8.5 stop_X -g -timeout answers at once; a wrong argument is refused and stops nothing', async () => {
    expect((await shell('"$home/bin/stop_sshd" -now')).code).not.toBe(0);
    expect((await suite.get('/daemons')).sshStatus).toBe('Running');
    expect((await shell('"$home/bin/stop_sshd" -g -timeout 30')).code).toBe(0);
    await running(suite, 'Not running');
    await shell('"$home/bin/start_sshd"');
    await running(suite, 'Running');
  });

  test('§3 starting any service starts monitord too; status_monitord exits with 0 or 1', async () => {
    await shell('"$home/bin/stop_monitord"');
    expect((await shell('"$home/bin/status_monitord"')).code).toBe(1);
    await shell('"$home/bin/start_sshd"');
    expect((await shell('"$home/bin/status_monitord"')).code).toBe(0);
  });

  test('§10 stop_all ends everything, monitord too, and start_all starts what is enabled', async () => {
    expect((await shell('"$home/bin/stop_all"')).code).toBe(0);
    expect((await shell('"$home/bin/status_monitord"')).code).toBe(1);
    expect((await shell(`for service in admin tm sshd; do "$home/bin/stop_$service"; done`)).stdout.match(/not running/gi)).toHaveLength(3);
    expect((await shell('"$home/bin/start_all"')).code).toBe(0);
    await answers();
    await transactionManagerIs(suite, 'Running.');
    await running(suite, 'Running');
  });

  test('§16 options-overwrite.conf is written to the database at every start of a service', async () => {
    const value = async () => (await suite.get('/configurations/options/Cluster.EnableDRConfiguration')).values[0];
    const before = await value();
    const other = before === 'true' ? 'false' : 'true';
    const restart = async () => { await shell('"$home/bin/stop_admin"; "$home/bin/start_admin"'); await answers(); };
    await shell(`cp "$home/conf/options-overwrite.conf" "$home/conf/options-overwrite.kept"; printf '\\nCluster.EnableDRConfiguration=${other}\\n' >> "$home/conf/options-overwrite.conf"`);
    try {
      await restart();
      expect(await value()).toBe(other);
    } finally {
      await shell('mv -f "$home/conf/options-overwrite.kept" "$home/conf/options-overwrite.conf"');
      await restart();
      await suite.call('PUT', '/configurations/options', { body: [{ name: 'Cluster.EnableDRConfiguration', values: [before] }] });
    }
  });

  if (standing) return;
  test('§6 a node is Offline when its TM or its Administration Tool is down, and Online when both run', async () => {
    const { second } = suite.lab();
    const status = async () => (await suite.get('/configurations/clusterManagement')).clusterNodes.find(({ serverAddress }: { serverAddress: string }) => serverAddress === second.address).status;
    for (const service of ['tm', 'admin']) {
      await second.shell(`"$home/bin/stop_${service}"`);
      expect([service, await status()]).toEqual([service, 'Offline']);
      await second.shell(`"$home/bin/start_${service}"`);
      await until('Online again', async () => (await status()) === 'Online');
    }
  });
}
