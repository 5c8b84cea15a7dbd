/**
 * What a lab hands to its user: cluster files, secrets, licences.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { stringify } from 'yaml';
import { giveToCaller, labFolder } from './place';
import { balancersOf, balancerSocket, fileDriveHome, grown, hostNamed, hostOf, installPackage, mailPort, siteMap, tablespaces, type LabCluster, type LabPlan } from './plan';

/** The cluster file of one cluster, as an object; paths are relative to the file. */
export function clusterSpec(plan: LabPlan, cluster: LabCluster): Record<string, unknown> {
  const jump = { address: hostOf(plan, 'jump').address, user: 'ops' };
  return {
    apiVersion: 'st-orchestrator/v1',
    kind: 'Cluster',
    metadata: { name: cluster.name },
    defaults: {
      ssh: { user: 'ops', key: 'file:./keys/id_ed25519', knownHosts: './known_hosts', port: 22 },
      admin: { user: 'admin', password: 'file:./secrets/admin-password', port: 8444, ca: './ca.pem' },
    },
    product: {
      version: '5.5',
      fileDriveHome,
      user: 'axway',
      installer: { package: installPackage, properties: {} },
      protocols: ['ssh'],
    },
    licences: {
      core: `./licences/${cluster.name}/filedrive.license`, features: `./licences/${cluster.name}/st.license`,
      ...(cluster.edges.length > 0 ? { edge: { core: `./licences/${cluster.name}/edge/filedrive.license`, features: `./licences/${cluster.name}/edge/st.license` } } : {}),
    },
    ...(cluster.edges.length > 0 ? { probe: { account: 'st-orchestrator-probe', password: 'file:./secrets/probe-password' } } : {}),
    sites: {
      prod: {
        label: 'fra',
        servers: cluster.servers.map((name) => {
          const host = hostNamed(plan, name);
          return { name, address: host.address, ...(host.behindJump === true ? { ssh: { jump } } : {}) };
        }),
        edges: cluster.edges.map((name) => ({ name, address: hostNamed(plan, name).address })),
        database: {
          kind: 'postgresql', host: hostOf(plan, 'database').address, port: 5432, name: cluster.database, user: cluster.database,
          password: 'file:./secrets/database-password', ca: './ca.pem', tablespaces, stateDatabase: `${cluster.database}_orchestrator`,
        },
        sharedFiles: { path: '/srv/st/shared' },
        loadBalancer: {
          kind: 'haproxy', fronts: cluster.edges.length > 0 ? 'edges' : 'servers', map: siteMap, mapKey: cluster.name,
          stateFile: '/var/lib/haproxy/server-state', siteBackend: `${cluster.name}_prod`, healthBackend: `${cluster.name}_hc`,
          instances: balancersOf(plan).map(({ name, address }) => ({ name, address, socket: balancerSocket })),
        },
      },
    },
    ...(cluster.edges.length > 0 ? { backups: { edges: { by: 'system_export', password: 'file:./secrets/edge-export-password' } } } : {}),
    ...(plan.options.mail === true ? { notifications: notificationsOf(plan) } : {}),
    policies: { minimumNodes: Math.min(2, cluster.servers.length), failover: { mode: 'observe', for: '300s', maximumDataLoss: 0 } },
    monitoring: { interval: '2s', failuresToOffline: 3 },
  };
}

/** Everything is told to the lab's own mail server. */
const notificationsOf = (plan: LabPlan): object =>
  ({ smtp: { host: hostOf(plan, 'mail').address, port: mailPort, tls: 'starttls', ca: './ca.pem' }, from: 'st-orchestrator@lab.example', to: ['operations@lab.example'] });

/** Text of the two licence files of a cluster. */
export function licences(nodes: number): { core: string; features: string } {
  return {
    core: 'Product=SecureTransport\nAccounts=1000\n',
    features: `Product=SecureTransport\nProtocols=ssh,http,ftp,as2,pesit\nEnterpriseCluster=true\nDatabase=PostgreSQL\nClusterNodes=${nodes}\n`,
  };
}

/** The same of its Edges: nothing of clusters, databases or numbers of nodes in them. */
const edgeLicences = { core: 'Product=SecureTransport\nAccounts=1000\n', features: 'Product=SecureTransport\nServerType=Edge\nProtocols=ssh,http,ftp,as2,pesit\n' };

/** Makes the passwords: letters and digits only, as the product's installer can't take `$ % & +` in a database password. */
export function makeSecrets(lab: string): void {
  const folder = path.join(labFolder(lab), 'secrets');
  fs.mkdirSync(folder, { recursive: true });
  giveToCaller(folder);
  for (const name of ['admin-password', 'database-password', 'partner-password', 'probe-password', 'edge-export-password']) {
    const file = path.join(folder, name);
    fs.writeFileSync(file, `${randomBytes(12).toString('hex')}\n`, { mode: 0o600 });
    giveToCaller(file);
  }
}

/** Writes the cluster files and the licences. */
export function writeClusterFiles(plan: LabPlan): void {
  const lab = labFolder(plan.name);
  for (const cluster of plan.clusters) {
    const head = `# Cluster "${cluster.name}" of the practice estate "${plan.name}". Written anew by every \`lab up\`.\n`;
    for (const written of cluster.reserve ? [cluster, grown(cluster)] : [cluster]) {
      const file = path.join(lab, written.file);
      fs.writeFileSync(file, head + stringify(clusterSpec(plan, written), { lineWidth: 140 }));
      giveToCaller(file);
    }
    const folder = path.join(lab, 'licences', cluster.name);
    fs.mkdirSync(folder, { recursive: true });
    giveToCaller(path.dirname(folder));
    writeLicences(folder, licences(plan.options.licensedNodes ?? grown(cluster).servers.length));
    if (cluster.edges.length > 0) writeLicences(path.join(folder, 'edge'), edgeLicences);
  }
}

function writeLicences(folder: string, { core, features }: { core: string; features: string }): void {
  fs.mkdirSync(folder, { recursive: true });
  const files = [path.join(folder, 'filedrive.license'), path.join(folder, 'st.license')];
  fs.writeFileSync(files[0] ?? '', core);
  fs.writeFileSync(files[1] ?? '', features);
  giveToCaller(folder, ...files);
}
