/** A complete cluster file as a value, fresh for each test, and a way to change one place in it. */
export function demoFile(): any {
  return {
    apiVersion: 'st-orchestrator/v1',
    kind: 'Cluster',
    metadata: { name: 'demo' },
    defaults: {
      ssh: { user: 'ops', key: 'file:/lab/keys/id_ed25519', knownHosts: '/lab/known_hosts', port: 22 },
      admin: { user: 'admin', password: 'file:/lab/secrets/admin-password', port: 8444, ca: '/lab/ca.pem' },
    },
    product: {
      version: '5.5',
      fileDriveHome: '/opt/axway/SecureTransport',
      user: 'axway',
      installer: { package: '/opt/install/SecureTransport_5.5', properties: {} },
      protocols: ['ssh'],
    },
    licences: { core: '/lab/licences/demo/filedrive.license', features: '/lab/licences/demo/st.license' },
    sites: {
      prod: {
        label: 'fra',
        servers: [{ name: 'st[1:2]', address: '10.86.0.[11:12]' }, { name: 'st3', address: '10.86.0.13', ssh: { jump: { address: '10.86.0.7', user: 'jumper' } } }],
        edges: [],
        database: {
          kind: 'postgresql', host: '10.86.0.5', port: 5432, name: 'demo', user: 'demo', password: 'file:/lab/secrets/database-password', ca: '/lab/ca.pem',
          tablespaces: ['st_data', 'st_filetracking', 'st_serverlog'], stateDatabase: 'demo_orchestrator',
        },
        sharedFiles: { path: '/srv/st/shared' },
        loadBalancer: {
          kind: 'haproxy', fronts: 'servers', map: '/etc/haproxy/maps/site.map', mapKey: 'demo', siteBackend: 'demo_prod', healthBackend: 'demo_hc',
          instances: [{ name: 'lb1', address: '10.86.0.6', socket: '/run/haproxy/admin.sock' }],
        },
      },
    },
    notifications: { smtp: { host: 'mail.example.com', port: 587, user: 'st', password: 'env:SMTP_PASSWORD', tls: 'starttls' }, from: 'st@example.com', to: ['mft@example.com'] },
    policies: { minimumNodes: 2, failover: { mode: 'observe', for: '300s', maximumDataLoss: 0 } },
    monitoring: { interval: '2s', failuresToOffline: 3 },
  };
}

/** A second, smaller site. */
export function recoverySite(): any {
  const { prod } = demoFile().sites;
  return {
    servers: [{ name: 'dr[1:2]', address: '10.86.0.[111:112]' }],
    database: { ...prod.database, host: '10.86.0.105' },
    sharedFiles: prod.sharedFiles,
    loadBalancer: { ...prod.loadBalancer, siteBackend: 'demo_dr' },
  };
}

/** The demo file with the value at a path replaced; `undefined` removes the key. */
export function changed(path: (string | number)[], value: unknown, file: any = demoFile()): any {
  const key = path.at(-1)!;
  let parent = file;
  for (const part of path.slice(0, -1)) parent = parent[part] ??= {};
  if (value === undefined) delete parent[key];
  else parent[key] = value;
  return file;
}
