/** The shape of a cluster file, key by key. Rules between keys are in specRules.ts; a normalised spec has this shape too. */
import { z } from 'zod';
import {
  address, clusterName, databaseName, duration, hostPath, loginUser, matching, oneOf, port, proxyName, secretRef, strict, userName, whole, workerPath, zoneName,
} from './fields';
import { notificationSchema } from './notificationSchema';
import { describe } from './problems';

export const apiVersion = 'st-orchestrator/v1';
export const protocols = ['ssh', 'http', 'ftp', 'as2', 'pesit'] as const;

/** Estates that can't be run are refused where the file says so; a host tells its own system when it is looked at. */
const platformHint = (found: unknown): string | undefined =>
  typeof found !== 'string' ? undefined : /windows/i.test(found) ? ' (Windows hosts can\'t be run)' : /appliance/i.test(found) ? ' (appliances can\'t be run)' : undefined;

const notYet = (kinds: Record<string, string>) => (found: unknown) => (typeof found === 'string' && Object.hasOwn(kinds, found) ? ` (${kinds[found]})` : undefined);

function build() {
  const jump = strict({
    address,
    port: port.optional().meta({ description: 'SSH port of the jump host; 22 when left out.' }),
    user: loginUser.optional(),
    key: secretRef.optional(),
    passphrase: secretRef.optional(),
    knownHosts: workerPath.optional(),
  }).meta({ description: 'A host that the connection goes through. User, key and known hosts are those of the host itself unless given here.' });

  const sshShape = {
    user: loginUser.optional().meta({ description: 'The unprivileged user that logs in.' }),
    key: secretRef.optional().meta({ description: 'The private key (OpenSSH or PEM), as a reference.' }),
    passphrase: secretRef.optional(),
    knownHosts: workerPath.optional().meta({ description: 'The known_hosts file on the worker\'s host. Host keys are always verified.' }),
    port: port.optional(),
    jump: jump.optional(),
  };
  const adminShape = {
    user: matching(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'the name of an administrator').optional(),
    password: secretRef.optional(),
    port: port.optional(),
    ca: workerPath.optional().meta({ description: 'The CA certificates (PEM) that the Administration Tool is verified with.' }),
  };

  /** An address with at most one range; what it expands to is checked by the rules. */
  const ranged = (what: string) => matching(/^[A-Za-z0-9:.[\]_-]{1,253}$/, what);

  const nodeShape = {
    name: ranged('the name of a node, or a range such as st[1:3]').meta({ description: 'The node\'s name, or several by a range: st[01:20].' }),
    address: ranged('an IP address or a host name, or a range such as 10.0.0.[11:13]').meta({ description: 'The address by which the cluster knows the node; a range expands in step with the name\'s.' }),
    ssh: strict({ ...sshShape, address: ranged('an IP address or a host name').optional().meta({ description: 'Where SSH answers, when that is not the node\'s address.' }) }).optional(),
    admin: strict({ ...adminShape, address: ranged('an IP address or a host name').optional().meta({ description: 'Where the Administration Tool answers, when that is not the node\'s address.' }) }).optional(),
  };
  const server = strict(nodeShape);
  const edge = strict({
    ...nodeShape,
    zone: zoneName.optional().meta({ description: 'The network zone by which the Servers know the Edge; Edges when left out.' }),
  });

  const database = strict({
    kind: oneOf(['postgresql'], notYet({ command: 'a command driver isn\'t available yet', oracle: 'Oracle can\'t be run yet', mssql: 'SQL Server can\'t be run yet', embedded: 'a cluster needs an external database' })),
    host: address,
    port: port.optional(),
    name: databaseName,
    user: databaseName,
    password: secretRef,
    ca: workerPath.optional().meta({ description: 'The CA certificate that the database is verified with. Without it the connection is not encrypted.' }),
    tablespaces: z.array(databaseName).min(1).max(10).optional(),
    stateDatabase: databaseName.optional().meta({ description: 'The small database of the orchestrator\'s own beside the product\'s; <name>_orchestrator when left out.' }),
  });

  const balancer = strict({
    kind: oneOf(['haproxy'], notYet({ command: 'a command driver isn\'t available yet' })),
    fronts: oneOf(['servers', 'edges']).optional().meta({ description: 'What the balancer sends clients to; the Edges when the site has any.' }),
    map: hostPath.meta({ description: 'The map file that names the site which is served, on the balancer\'s host.' }),
    mapKey: proxyName.optional().meta({ description: 'The cluster\'s key in the map; the cluster\'s name when left out.' }),
    stateFile: hostPath.optional().meta({ description: 'HAProxy\'s server-state-file on the balancer\'s host, where it has one: without it a reload undoes who was taken out or in.' }),
    siteBackend: proxyName.meta({ description: 'What the map says when this site is served.' }),
    healthBackend: proxyName.meta({ description: 'The backend whose health checks all others track.' }),
    instances: z.array(strict({ name: proxyName, address, socket: hostPath.optional(), ssh: strict({ ...sshShape, address: address.optional() }).optional() })).min(1).max(8),
  });

  const site = strict({
    label: matching(/^\S(.{0,62}\S)?$/u, 'a label of at most 64 characters').optional(),
    deploymentSite: oneOf(['Prod', 'DR']).optional().meta({ description: 'The product\'s own word for the site; DR for a site named dr, else Prod.' }),
    servers: z.array(server).min(1).max(20),
    edges: z.array(edge).max(50).optional(),
    database,
    sharedFiles: strict({ path: hostPath.meta({ description: 'Where the shared file system is mounted, the same on every Server.' }) }),
    loadBalancer: balancer.optional(),
  });

  const properties = z.record(
    matching(/^[A-Za-z][A-Za-z0-9._-]{0,99}$/, 'the name of an installer property'),
    z.union([z.string(), z.number(), z.boolean()], { error: (issue) => `expected text, a number or true/false, found ${describe(issue.input)}` }),
  );

  const optionValue = z.string().max(500).regex(/^[^\p{Cc}]*$/u, { error: () => 'expected one line of text' });

  const product = strict({
    version: z.string({ error: (issue) => (typeof issue.input === 'number' ? `expected text in quotes ("${issue.input}"), found the number ${issue.input}` : undefined) }).regex(/^\d{1,3}\.\d{1,3}([.-][0-9A-Za-z]{1,20}){0,3}$/, { error: (issue) => `expected a version such as 5.5, found ${describe(issue.input)}` }),
    platform: oneOf(['linux'], platformHint).optional().meta({ description: 'What the Servers run on; linux when left out, and nothing else can be run.' }),
    fileDriveHome: hostPath.meta({ description: 'FILEDRIVEHOME, the same path on every Server.' }),
    user: userName.meta({ description: 'The user that owns the product\'s files.' }),
    installer: strict({
      package: hostPath.meta({ description: 'The unpacked installer package on every host (the folder with setup.sh).' }),
      properties: properties.optional().meta({ description: 'Further properties of the silent installation; those that the orchestrator sets itself are refused.' }),
      autoRegister: z.boolean().optional().meta({ description: 'The installation puts its Server into the cluster\'s table of nodes (the installer\'s auto-register address); false when left out.' }),
    }),
    options: z.record(
      matching(/^[A-Za-z][A-Za-z0-9._-]{0,199}$/, 'the name of a server option'),
      z.union([optionValue, z.array(optionValue).min(1).max(20)], { error: (issue) => `expected text in quotes, or a list of such texts, found ${describe(issue.input)}` }),
    ).optional().meta({ description: 'Shared server options that a new cluster gets before its other Servers are installed. Cluster.enable.SSL is "true" when left out.' }),
    protocols: z.array(oneOf(protocols)).min(1).max(protocols.length).optional(),
    update: strict({
      command: z.array(z.string().min(1).max(500).regex(/^[^\p{Cc}]*$/u, { error: () => 'expected one line of text' })).min(1).max(20)
        .refine(([program = '']) => program.startsWith('/'), { error: () => 'expected the absolute path of a program on the hosts first' })
        .meta({ description: 'The operator\'s own program that updates the node it runs on, and its arguments; run as the login user while nothing of the product runs. See docs/restarts.md.' }),
      nodeByNode: z.boolean().optional().meta({ description: 'The notes of this very update allow Servers of the old and the new version on one schema; false when left out, and then everything is stopped.' }),
    }).optional(),
  });

  const backups = strict({
    path: hostPath.optional().meta({ description: 'Where backups go on every Server\'s host, perhaps a mount of a shared store; st-orchestrator-backups beside FILEDRIVEHOME when left out.' }),
    keep: whole(2, 50).optional().meta({ description: 'Of how many operations backups are kept; 3 when left out.' }),
    maximumSize: whole(1024 * 1024, 100 * 1024 ** 4).optional().meta({ description: 'Bytes, of each archive and of the dump; 10 GiB when left out.' }),
    database: strict({
      by: oneOf(['pg_dump', 'attested']).meta({ description: 'attested: the DBA makes them, and each operation is told which (databaseBackup).' }),
      program: workerPath.optional().meta({ description: 'pg_dump on the worker\'s host, when it is not on the PATH.' }),
    }).optional(),
    edges: strict({
      by: oneOf(['system_export', 'none']).meta({ description: 'How the embedded databases of the Edges are backed up. none: by other means, or not at all; when all of it is left out every plan and report says so.' }),
      password: secretRef.optional().meta({ description: 'What the exports are encrypted with, and an import asks for: 8 to 128 letters, digits and signs of ASCII.' }),
    }).optional(),
  }).meta({ description: 'The backup that an operation makes before it changes a cluster that exists.' });

  const kindHint = (found: unknown) => (typeof found === 'string' && /standard/i.test(found) ? ' (Standard Clusters can\'t be run)' : undefined);

  return strict({
    apiVersion: oneOf([apiVersion]),
    kind: oneOf(['Cluster'], kindHint),
    metadata: strict({ name: clusterName.meta({ description: 'The cluster\'s name in every workflow id.' }) }),
    defaults: strict({ ssh: strict(sshShape).optional(), admin: strict(adminShape).optional() }).optional().meta({ description: 'Taken by every Server, Edge and balancer that says nothing else.' }),
    product,
    licences: strict({
      core: workerPath.meta({ description: 'filedrive.license, on the worker\'s host.' }),
      features: workerPath.meta({ description: 'st.license, on the worker\'s host.' }),
      edge: strict({ core: workerPath, features: workerPath }).optional().meta({ description: 'The licences of the Edges; those of the Servers when left out.' }),
    }),
    probe: strict({
      account: matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'the name of an account'),
      password: secretRef,
    }).optional().meta({ description: 'An account of our own for trying the way of a partner: only a login through an Edge proves it. Made when it is missing.' }),
    sites: z.record(clusterName, site).meta({ description: 'The production site and, when there is one, the disaster-recovery site.' }),
    notifications: notificationSchema().optional().meta({ description: 'Where events go; nobody is told anything when left out.' }),
    backups: backups.optional(),
    policies: strict({
      minimumNodes: whole(1, 20).optional().meta({ description: 'A notification goes out while fewer Servers are Online; one less than there are when left out.' }),
      maximumRoundTrip: duration(1, 60_000).optional().meta({ description: 'The longest round trip between two Servers of a site; 10ms when left out.' }),
      failover: strict({
        mode: oneOf(['observe'], notYet({ approve: 'failing over on approval isn\'t available yet', automatic: 'failing over automatically isn\'t available yet' })).optional(),
        for: duration(10_000, 86_400_000).optional(),
        maximumDataLoss: whole(0, Number.MAX_SAFE_INTEGER).optional().meta({ description: 'Bytes.' }),
      }).optional(),
    }).optional(),
    monitoring: strict({
      interval: duration(500, 3_600_000).optional(),
      failuresToOffline: whole(1, 100).optional(),
    }).optional(),
  });
}

let built: ReturnType<typeof build> | undefined;
/** Made when first asked for: every workflow loads this module anew, and most never look at a whole spec. */
export const clusterFileSchema = () => (built ??= build());

/** A cluster file as people write it, or a normalised spec. */
export type ClusterFile = z.input<ReturnType<typeof build>>;
/** The same after zod: durations are milliseconds. */
export type ParsedClusterFile = z.output<ReturnType<typeof build>>;
export type NodeEntry = ParsedClusterFile['sites'][string]['servers'][number];
