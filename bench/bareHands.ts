/**
 * The product's own commands, over the same SSH connections as the orchestrator's and as many at once, with no guard, no verification, no workflow: what a step of the
 * orchestrator takes beyond them is our addition.
 *
 * Measured and not summed up from the stand-in's documented durations, because a stand-in's start costs CPU too (0.1 to 0.3 s each), and with
 * 20 Servers on a few cores that is most of the time. When a service runs or has ended is read from its own log, so that no polling adds to the figure.
 */
import { readFile } from 'node:fs/promises';
import { propertiesText } from '../src/activities/installer';
import type { Clients } from '../src/clients';
import { haproxyOverSsh } from '../src/clients/haproxy';
import { asUser, script, sh, type CommandLine } from '../src/clients/quote';
import { resolveSecret } from '../src/clients/secrets';
import { waitFor } from '../src/clients/waitFor';
import { settingsToRestore } from '../src/model/daemonSettings';
import { balancerTargets, databaseTarget } from '../src/model/slices';
import type { ClusterSpec } from '../src/model/spec';
import type { ServerTarget } from '../src/model/targets';

export interface ProductStep {
  /** As the step of the operation. */
  key: string;
  nodes: number;
  ms: number;
}

export const limitMs = 10 * 60_000;
const folder = '/opt/axway/install-alone';
const callLimits = { timeoutMs: 10_000 };

/** Services as their pid files and logs are called, in the order of a stop. */
export const services = ['monitord', 'sshd', 'tm'];
const writeScript = 'sudo -n -u "$1" /usr/bin/mkdir -p "$2" && sudo -n -u "$1" /usr/bin/tee "$2/$3" >/dev/null';
const stopScript = 'user=$1 home=$2; shift 2; for service in "$@"; do sudo -n -u "$user" "$home/bin/stop_$service" || exit; done';

type Act = (servers: readonly ServerTarget[]) => Promise<unknown>;

export interface BareHands {
  /** What was measured so far. */
  steps: ProductStep[];
  /** Measures one step; `act` may answer when its last effect came about, in milliseconds since 1970. */
  step(key: string, servers: readonly ServerTarget[], act: Act): Promise<void>;
  each(servers: readonly ServerTarget[], act: (server: ServerTarget) => Promise<unknown>): Promise<unknown>;
  /** A start command, until the last of these services on the last of these nodes runs. `since`: the start was ordered by somebody else then. */
  started(names: readonly string[], command: string, since?: number): Act;
  /** Graceful stops, until the last of these services on the last of these nodes has ended. */
  drained(names: readonly string[]): Act;
  stop(server: ServerTarget, names: readonly string[]): Promise<unknown>;
  bin(server: ServerTarget, command: string): Promise<unknown>;
  /** Files for an installation, then licences: the orchestrator's work, so they are not measured. `taeh`: that of a node which is installed, in base64. */
  prepare(server: ServerTarget, role: 'server' | 'edge', taeh?: string): Promise<void>;
  taehOf(server: ServerTarget): Promise<string>;
  license(server: ServerTarget): Promise<void>;
  setup(server: ServerTarget): Promise<unknown>;
  /** Takes nodes into the balancers and waits until they are healthy there, or sends no more clients to them. */
  serve(servers: readonly ServerTarget[]): Promise<void>;
  /** Puts back what the addition of nodes changed in how the daemons listen (reference §16): a new cluster's is as the product ships it. */
  restoreSettings(through: ServerTarget): Promise<void>;
  hold(servers: readonly ServerTarget[]): Promise<void>;
}

export function bareHands(spec: ClusterSpec, site: string, clients: Clients): BareHands {
  const steps: ProductStep[] = [];
  const run = (server: ServerTarget, command: CommandLine, stdin?: string | Buffer): Promise<{ stdout: string }> => clients.ssh.run(server.ssh, command, { timeoutMs: limitMs, ...(stdin === undefined ? {} : { stdin }) });
  const product = (server: ServerTarget, ...argv: string[]): Promise<unknown> => run(server, sh(asUser(server.productUser, argv)));
  const each: BareHands['each'] = (servers, act) => Promise.all(servers.map(act));
  /** The moment when the last of these services on the last of these nodes said this. */
  const said = async (servers: readonly ServerTarget[], names: readonly string[], words: (name: string) => string, since: number): Promise<number> => {
    const moments = servers.flatMap((server) => names.map((name) => waitFor(`${words(name)} of ${server.node}`, async () => {
      const { stdout } = await run(server, sh(asUser(server.productUser, ['/usr/bin/cat', `${server.fileDriveHome}/var/logs/${name}.log`])));
      return lastSaid(stdout, words(name));
    }, (at) => at !== undefined && at >= since, { timeoutMs: limitMs, intervalMs: 250 })));
    return Math.max(...(await Promise.all(moments)).map((at) => at ?? 0));
  };
  const bin: BareHands['bin'] = (server, command) => product(server, `${server.fileDriveHome}/bin/${command}`);
  const balancers = balancerTargets(spec, site).map((balancer) => ({ ...balancer, haproxy: haproxyOverSsh(clients.ssh, balancer.ssh, balancer.socket) }));
  return {
    steps, each, bin,
    async step(key, servers, act) {
      if (servers.length === 0) return;
      const began = Date.now();
      if (process.env['ST_BENCH_VERBOSE']) console.error(`${key} ${servers.map(({ node }) => node).join(' ')} …`);
      const ended = await act(servers);
      steps.push({ key, nodes: servers.length, ms: Math.max(0, (typeof ended === 'number' ? ended : Date.now()) - began) });
    },
    started: (names, command, since) => async (servers) => {
      const began = since ?? Date.now();
      await each(servers, (server) => bin(server, command));
      return said(servers, names, (name) => `${name}: Running.`, began);
    },
    drained: (names) => async (servers) => {
      const began = Date.now();
      await each(servers, (server) => each([server], async () => {
        for (const name of names) await product(server, `${server.fileDriveHome}/bin/stop_${name}`, '-g', '-timeout', '60');
      }));
      return said(servers, names, (name) => `${name} ended.`, began);
    },
    stop: (server, names) => run(server, script(stopScript, [server.productUser, server.fileDriveHome, ...names])),
    async prepare(server, role, taeh) {
      for (const [name, text] of Object.entries(await (role === 'edge' ? edgeFiles(server, taeh) : files(spec, site, server, taeh)))) await run(server, script(writeScript, [server.productUser, folder, name]), text);
    },
    taehOf: async (server) => (await run(server, script('sudo -n -u "$1" /usr/bin/cat "$2" | base64 -w0', [server.productUser, `${server.fileDriveHome}/bin/taeh`]))).stdout,
    async license(server) {
      for (const [name, source] of [['filedrive.license', spec.licences.core], ['st.license', spec.licences.features]] as const) {
        await run(server, script(writeScript, [server.productUser, `${server.fileDriveHome}/conf`, name]), await readFile(source, 'utf8'));
      }
    },
    setup: (server) => product(server, `${spec.product.installer.package}/setup.sh`, '-s', `${folder}/first.properties`),
    async serve(servers) {
      for (const { haproxy, healthBackend } of balancers) {
        await each(servers, ({ node }) => haproxy.setServerState(healthBackend, node, 'ready', callLimits));
        await waitFor('all to be healthy', () => haproxy.showStat(callLimits), (rows) =>
          servers.every(({ node }) => rows.some((row) => row['pxname'] === healthBackend && row['svname'] === node && row['status'] === 'UP')), { timeoutMs: 60_000, intervalMs: 20 });
      }
    },
    async restoreSettings(through) {
      const admin = clients.admin.server(through.admin);
      const changed = settingsToRestore(await admin.options(callLimits), {}, { defaults: true });
      if (Object.keys(changed).length > 0) await admin.setOptions(changed, callLimits);
    },
    async hold(servers) {
      for (const { haproxy, healthBackend } of balancers) await each(servers, ({ node }) => haproxy.setServerState(healthBackend, node, 'maint', callLimits));
    },
  };
}

/** When a service last said so in its log. */
function lastSaid(log: string, words: string): number | undefined {
  const line = log.trimEnd().split('\n').findLast((one) => one.includes(` INFO ${words}`));
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
    ...taehFile(taeh),
  };
}

/** The same for an Edge, whose database is its own. */
async function edgeFiles(edge: ServerTarget, taeh?: string): Promise<Record<string, string | Buffer>> {
  const adminPassword = await resolveSecret(edge.admin.password);
  return {
    'first.properties': propertiesText({ InstallDir: edge.fileDriveHome, 'IncludeFiles.SecureTransport': 'second.properties' }),
    'second.properties': propertiesText({ Edge: 'true', dbType: 'useDBLocal', ...(taeh === undefined ? {} : { SecretFilePath: `${folder}/taeh` }), adminPassword: adminPassword.reveal(), sslAdminPort: String(edge.admin.port) }),
    ...taehFile(taeh),
  };
}

const taehFile = (taeh?: string): Record<string, Buffer> => (taeh === undefined ? {} : { taeh: Buffer.from(taeh, 'base64') });
