/** From a cluster file that passed every check to the spec that the rest works with. Doing it to a spec changes nothing. */
import { apiVersion, type NodeEntry, type ParsedClusterFile } from './clusterFileSchema';
import { expandRange } from './ranges';
import type { AdminSpec, BackupSpec, ClusterSpec, JumpSpec, NodeSpec, NotificationSpec, Protocol, SiteSpec, SshSpec } from './specTypes';

type Defaults = NonNullable<ParsedClusterFile['defaults']>;
type SshEntry = NonNullable<NodeEntry['ssh']>;
type SiteEntry = ParsedClusterFile['sites'][string];

export function normalise(file: ParsedClusterFile): ClusterSpec {
  const { product, policies, monitoring, notifications, licences, probe } = file;
  const context = { defaults: file.defaults ?? {}, cluster: file.metadata.name };
  const sites = Object.fromEntries(Object.entries(file.sites).map(([name, site]) => [name, normaliseSite(name, site, context)]));
  return {
    apiVersion,
    kind: 'Cluster',
    metadata: { name: file.metadata.name },
    product: {
      version: product.version,
      fileDriveHome: product.fileDriveHome,
      user: product.user,
      installer: { package: product.installer.package, properties: texts(product.installer.properties ?? {}), autoRegister: product.installer.autoRegister ?? false },
      options: { 'Cluster.enable.SSL': ['true'], ...Object.fromEntries(Object.entries(product.options ?? {}).map(([name, value]) => [name, [value].flat()])) },
      protocols: [...(product.protocols ?? (['ssh'] satisfies Protocol[]))],
      ...(product.update && { update: { command: [...product.update.command], nodeByNode: product.update.nodeByNode ?? false } }),
    },
    licences: { core: licences.core, features: licences.features, ...(licences.edge && { edge: { core: licences.edge.core, features: licences.edge.features } }) },
    ...(probe && { probe: { account: probe.account, password: probe.password } }),
    sites,
    ...(notifications && { notifications: normaliseNotifications(notifications) }),
    backups: normaliseBackups(file),
    policies: {
      minimumNodes: policies?.minimumNodes ?? Math.max(1, serversOfProduction(sites) - 1),
      maximumRoundTrip: policies?.maximumRoundTrip ?? 10,
      // Plus zero: one with a sign would not survive JSON.
      failover: { mode: 'observe', for: policies?.failover?.for ?? 300_000, maximumDataLoss: (policies?.failover?.maximumDataLoss ?? 0) + 0 },
    },
    monitoring: { interval: monitoring?.interval ?? 2000, failuresToOffline: monitoring?.failuresToOffline ?? 3 },
  };
}

interface Context {
  defaults: Defaults;
  cluster: string;
}

/** A site named `dr` is the disaster-recovery site unless the file says otherwise. */
export const defaultDeploymentSite = (site: string): 'Prod' | 'DR' => (site === 'dr' ? 'DR' : 'Prod');

const serversOfProduction = (sites: Record<string, SiteSpec>) => Object.values(sites).find((site) => site.deploymentSite === 'Prod')?.servers.length ?? 1;

function normaliseSite(name: string, site: SiteEntry, context: Context): SiteSpec {
  const { database, loadBalancer } = site;
  const { ca, ...restOfDatabase } = database;
  return {
    ...(site.label !== undefined && { label: site.label }),
    deploymentSite: site.deploymentSite ?? defaultDeploymentSite(name),
    servers: site.servers.flatMap((entry) => expandNode(entry, context)),
    edges: (site.edges ?? []).flatMap((entry) => expandNode(entry, context).map((edge) => ({ ...edge, zone: entry.zone ?? 'Edges' }))),
    database: {
      ...restOfDatabase,
      port: database.port ?? 5432,
      ...(ca !== undefined && { ca }),
      tablespaces: [...(database.tablespaces ?? ['st_data', 'st_filetracking', 'st_serverlog'])],
      stateDatabase: database.stateDatabase ?? `${database.name}_orchestrator`,
    },
    sharedFiles: { path: site.sharedFiles.path },
    ...(loadBalancer && {
      loadBalancer: {
        ...loadBalancer,
        fronts: loadBalancer.fronts ?? ((site.edges ?? []).length > 0 ? 'edges' : 'servers'),
        mapKey: loadBalancer.mapKey ?? context.cluster,
        instances: loadBalancer.instances.map(({ name: instance, address, socket, ssh }) => ({
          name: instance,
          address,
          socket: socket ?? '/run/haproxy/admin.sock',
          ssh: mergeSsh(ssh, context.defaults.ssh),
        })),
      },
    }),
  };
}

function expandNode(entry: NodeEntry, context: Context): NodeSpec[] {
  const names = expanded(entry.name);
  const at = (text: string | undefined, i: number) => (text === undefined ? undefined : (expanded(text)[i] ?? text));
  return names.map((name, i) => {
    const sshAddress = at(entry.ssh?.address, i);
    const adminAddress = at(entry.admin?.address, i);
    return {
      name,
      address: at(entry.address, i)!,
      ssh: mergeSsh({ ...entry.ssh, address: sshAddress }, context.defaults.ssh),
      admin: mergeAdmin({ ...entry.admin, address: adminAddress }, context.defaults.admin),
    };
  });
}

function expanded(text: string): string[] {
  const expansion = expandRange(text);
  return 'texts' in expansion ? expansion.texts : [text];
}

/** A passphrase belongs to its key: who names another key does not inherit it. The rules made sure that nothing is missing. */
function mergeSsh(own: SshEntry = {}, defaults: Defaults['ssh'] = {}): SshSpec {
  const passphrase = own.passphrase ?? (own.key === undefined ? defaults.passphrase : undefined);
  const jump = own.jump ?? defaults.jump;
  const merged: SshSpec = {
    user: (own.user ?? defaults.user)!,
    key: (own.key ?? defaults.key)!,
    ...(passphrase !== undefined && { passphrase }),
    knownHosts: (own.knownHosts ?? defaults.knownHosts)!,
    port: own.port ?? defaults.port ?? 22,
    ...(own.address !== undefined && { address: own.address }),
  };
  return jump ? { ...merged, jump: mergeJump(jump, merged) } : merged;
}

function mergeJump(jump: NonNullable<SshEntry['jump']>, host: SshSpec): JumpSpec {
  const passphrase = jump.passphrase ?? (jump.key === undefined ? host.passphrase : undefined);
  return {
    address: jump.address,
    port: jump.port ?? 22,
    user: jump.user ?? host.user,
    key: jump.key ?? host.key,
    ...(passphrase !== undefined && { passphrase }),
    knownHosts: jump.knownHosts ?? host.knownHosts,
  };
}

function mergeAdmin(own: NonNullable<NodeEntry['admin']>, defaults: Defaults['admin'] = {}): AdminSpec {
  return {
    user: own.user ?? defaults.user ?? 'admin',
    password: (own.password ?? defaults.password)!,
    port: own.port ?? defaults.port ?? 8444,
    ca: (own.ca ?? defaults.ca)!,
    ...(own.address !== undefined && { address: own.address }),
  };
}

function normaliseNotifications({ smtp, to, command, events, ...rest }: NonNullable<ParsedClusterFile['notifications']>): NotificationSpec {
  return {
    ...rest,
    ...(smtp && { smtp: normaliseSmtp(smtp) }),
    ...(to && { to: [...to] }),
    ...(command && { command: [...command] }),
    ...(events && { events: [...new Set(events)] }),
  } as NotificationSpec;
}

function normaliseSmtp({ host, port, user, password, tls = 'starttls', ca }: NonNullable<NonNullable<ParsedClusterFile['notifications']>['smtp']>): NonNullable<NotificationSpec['smtp']> {
  return {
    host,
    port: port ?? (tls === 'tls' ? 465 : tls === 'none' ? 25 : 587),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    tls,
    ...(ca !== undefined && { ca }),
  };
}

function normaliseBackups({ backups, product }: ParsedClusterFile): BackupSpec {
  const { program } = backups?.database ?? {};
  const { by, password } = backups?.edges ?? {};
  return {
    path: backups?.path ?? `${product.fileDriveHome.replace(/\/[^/]+$/, '')}/st-orchestrator-backups`,
    keep: backups?.keep ?? 3,
    maximumSize: backups?.maximumSize ?? 10 * 1024 ** 3,
    database: { by: backups?.database?.by ?? 'pg_dump', ...(program !== undefined && { program }) },
    ...(by === 'system_export' && { edges: { by, password: password! } }),
    ...(by === 'none' && { edges: { by } }),
  };
}

const texts = (properties: Record<string, string | number | boolean>) => Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, String(value)]));
