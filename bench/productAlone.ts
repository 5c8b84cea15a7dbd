/**
 * The product's own part of a set-up, measured without the orchestrator: the same product commands, over the same SSH connections, in the same order
 * and as many at once, with no guard, no verification, no workflow. What a step of the orchestrator takes beyond this is our addition.
 *
 * Measured and not summed up from the stand-in's documented durations, because a stand-in's start costs CPU too (0.1 to 0.3 s each), and with
 * 20 Servers on a few cores that is most of the time. When a service runs is read from its own log, so that no polling adds to the figure.
 */
import { readFile } from 'node:fs/promises';
import { propertiesText } from '../src/activities/installer';
import type { Clients } from '../src/clients';
import { haproxyOverSsh } from '../src/clients/haproxy';
import { asUser, script, sh, type CommandLine } from '../src/clients/quote';
import { resolveSecret } from '../src/clients/secrets';
import { waitFor } from '../src/clients/waitFor';
import { waveSize } from '../src/model/setUpPlan';
import { balancerTargets, databaseTarget, productionSite, serverTarget, siteOf } from '../src/model/slices';
import type { ClusterSpec } from '../src/model/spec';
import type { ServerTarget } from '../src/model/targets';

export interface ProductStep {
  /** As the step of the operation. */
  key: string;
  nodes: number;
  ms: number;
}

const limitMs = 10 * 60_000;
const folder = '/opt/axway/install-alone';

/** Services as their pid files and logs are called, in the order of a stop. */
const services = ['monitord', 'sshd', 'tm'];
const writeScript = 'sudo -n -u "$1" /usr/bin/mkdir -p "$2" && sudo -n -u "$1" /usr/bin/tee "$2/$3" >/dev/null';
const stopScript = 'user=$1 home=$2; shift 2; for service in "$@"; do sudo -n -u "$user" "$home/bin/stop_$service" || exit; done';

/** Sets the cluster up by bare commands and answers what each step took. The hosts must be untouched. */
export async function productAlone(spec: ClusterSpec, clients: Clients): Promise<ProductStep[]> {
  const site = productionSite(spec);
  const nodes = siteOf(spec, site).servers.map(({ name }) => serverTarget(spec, site, name));
  const [first, ...others] = nodes as [ServerTarget, ...ServerTarget[]];
  const steps: ProductStep[] = [];
  const run = (server: ServerTarget, command: CommandLine, stdin?: string | Buffer): Promise<{ stdout: string }> => clients.ssh.run(server.ssh, command, { timeoutMs: limitMs, ...(stdin === undefined ? {} : { stdin }) });
  const product = (server: ServerTarget, ...argv: string[]): Promise<unknown> => run(server, sh(asUser(server.productUser, argv)));
  const bin = (server: ServerTarget, command: string): Promise<unknown> => product(server, `${server.fileDriveHome}/bin/${command}`);
  const stop = (server: ServerTarget, names: readonly string[]): Promise<unknown> => run(server, script(stopScript, [server.productUser, server.fileDriveHome, ...names]));
  const each = (servers: readonly ServerTarget[], act: (server: ServerTarget) => Promise<unknown>): Promise<unknown> => Promise.all(servers.map(act));
  /** Measures one step; `act` may answer when its last effect came about. */
  const step = async (key: string, servers: readonly ServerTarget[], act: (servers: readonly ServerTarget[]) => Promise<number | unknown>): Promise<void> => {
    if (servers.length === 0) return;
    const began = Date.now();
    const ended = await act(servers);
    steps.push({ key, nodes: servers.length, ms: Math.max(0, (typeof ended === 'number' ? ended : Date.now()) - began) });
  };
  /** The moment when the last of these services on the last of these Servers ran. */
  const ran = async (servers: readonly ServerTarget[], names: readonly string[], since: number): Promise<number> => {
    const moments = servers.flatMap((server) => names.map((name) => waitFor(`${name} of ${server.node}`, async () => {
      const { stdout } = await run(server, sh(asUser(server.productUser, ['/usr/bin/cat', `${server.fileDriveHome}/var/logs/${name}.log`])));
      return lastRunning(stdout, name);
    }, (at) => at !== undefined && at >= since, { timeoutMs: limitMs, intervalMs: 250 })));
    return Math.max(...(await Promise.all(moments)).map((at) => at ?? 0));
  };
  const started = (names: readonly string[], command: string, since?: number) => async (servers: readonly ServerTarget[]): Promise<number> => {
    const began = since ?? Date.now();
    await each(servers, (server) => bin(server, command));
    return ran(servers, names, began);
  };

  // Files are the orchestrator's work, so they are not measured here.
  const install = async (servers: readonly ServerTarget[], taeh?: string): Promise<void> =>
    void (await each(servers, async (server) => {
      for (const [name, text] of Object.entries(await files(spec, site, server, taeh))) await run(server, script(writeScript, [server.productUser, folder, name]), text);
    }));
  const license = (servers: readonly ServerTarget[]): Promise<unknown> => each(servers, async (server) => {
    for (const [name, source] of [['filedrive.license', spec.licences.core], ['st.license', spec.licences.features]] as const) {
      await run(server, script(writeScript, [server.productUser, `${server.fileDriveHome}/conf`, name]), await readFile(source, 'utf8'));
    }
  });
  const setup = (servers: readonly ServerTarget[]): Promise<unknown> => each(servers, (server) => product(server, `${spec.product.installer.package}/setup.sh`, '-s', `${folder}/first.properties`));
  const through = clients.admin.server(first.admin);

  await install([first]);
  const installing = Date.now();
  await step('install-first', [first], setup);
  // The installer has ordered this start itself.
  await step('start-first-admin', [first], started(['admin'], 'start_admin', installing));
  await license([first]);
  const { stdout: taeh } = await run(first, script('sudo -n -u "$1" /usr/bin/cat "$2" | base64 -w0', [first.productUser, `${first.fileDriveHome}/bin/taeh`]));
  await install(others, taeh);
  await step('install-others', others, setup);
  await step('stop-admin', others, (servers) => each(servers, (server) => stop(server, ['monitord', 'admin'])));
  await step('stop-services', nodes, (servers) => each(servers, (server) => stop(server, services)));
  for (const server of nodes) await step('add', [server], () => through.addClusterNode(server.address));
  await step('start-admin', others, started(['admin'], 'start_admin'));
  await license(others);
  await step('stop-all', nodes, (servers) => each(servers, (server) => stop(server, [...services, 'admin'])));
  for (const wave of wavesOf(nodes)) await step('online', wave, started(['admin', 'tm', 'sshd'], 'start_all'));
  await step('servers.ensureNodeThreshold', [first], async () => through.setNodeThreshold({ ...(await through.nodeThreshold()), numberOfNodes: spec.policies.minimumNodes, sendNotification: true }));
  for (const balancer of balancerTargets(spec, site)) {
    const haproxy = haproxyOverSsh(clients.ssh, balancer.ssh, balancer.socket);
    const limits = { timeoutMs: 10_000 };
    await step('serving', nodes, async (servers) => {
      await each(servers, ({ node }) => haproxy.setServerState(balancer.healthBackend, node, 'ready', limits));
      await waitFor('all Servers to be healthy', () => haproxy.showStat(limits), (rows) =>
        servers.every(({ node }) => rows.some((row) => row['pxname'] === balancer.healthBackend && row['svname'] === node && row['status'] === 'UP')), { timeoutMs: 60_000, intervalMs: 20 });
    });
  }
  return steps;
}

/** The first Server alone, then the others in waves, as the planner orders it. */
function wavesOf(nodes: readonly ServerTarget[]): ServerTarget[][] {
  const rest = nodes.slice(1);
  return [nodes.slice(0, 1), ...Array.from({ length: Math.ceil(rest.length / waveSize) }, (_, index) => rest.slice(index * waveSize, (index + 1) * waveSize))];
}

/** When a service last began to run, by its log. */
function lastRunning(log: string, service: string): number | undefined {
  const line = log.trimEnd().split('\n').findLast((one) => one.includes(` INFO ${service}: Running.`));
  return line === undefined ? undefined : Date.parse(line.slice(0, line.indexOf(' ')));
}

/** What the installer reads, by file name. `taeh`: the first Server's secret file in base64; without it the schema is created. */
async function files(spec: ClusterSpec, site: string, server: ServerTarget, taeh?: string): Promise<Record<string, string | Buffer>> {
  const database = databaseTarget(spec, site);
  const [password, adminPassword] = await Promise.all([resolveSecret(database.password), resolveSecret(server.admin.password)]);
  return {
    'first.properties': propertiesText({ InstallDir: server.fileDriveHome, 'IncludeFiles.SecureTransport': 'second.properties' }),
    'second.properties': propertiesText({
      Server: 'true', dbType: 'usePostgreSQLExternal', dbHost: database.host, dbPort: String(database.port), dbName: database.name, dbUser: database.user, dbPassword: password.reveal(),
      externalDBUseSecureConnection: String(database.ca !== undefined),
      ...(database.ca ? { externalDBTrustStore: `${folder}/ca.pem` } : {}),
      externalDBUseExistingSchema: String(taeh !== undefined),
      ...(taeh === undefined ? { adminPassword: adminPassword.reveal() } : { SecretFilePath: `${folder}/taeh` }),
      sslAdminPort: String(server.admin.port),
    }),
    ...(database.ca ? { 'ca.pem': await readFile(database.ca, 'utf8') } : {}),
    ...(taeh === undefined ? {} : { taeh: Buffer.from(taeh, 'base64') }),
  };
}
