import { formatProblem, parseClusterSpec, type ClusterSpec } from '../../../src/model/spec';
import { changed, demoFile, recoverySite } from './demoFile';

const specOf = (file: unknown): ClusterSpec => {
  const parsed = parseClusterSpec(file);
  if (parsed.problems) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.spec;
};
const problemsOf = (file: unknown): string[] => (parseClusterSpec(file).problems ?? []).map(formatProblem);
const change = (path: (string | number)[], value: unknown) => problemsOf(changed(path, value));
const servers = ['sites', 'prod', 'servers'];

describe('a normalised spec', () => {
  test('has defaults merged into every node and ranges expanded in step', () => {
    const { servers: found } = specOf(demoFile()).sites.prod!;
    expect(found.map(({ name, address }) => `${name} ${address}`)).toEqual(['st1 10.86.0.11', 'st2 10.86.0.12', 'st3 10.86.0.13']);
    expect(found[0]!.ssh).toEqual({ user: 'ops', key: 'file:/lab/keys/id_ed25519', knownHosts: '/lab/known_hosts', port: 22 });
    expect(found[1]!.admin).toEqual({ user: 'admin', password: 'file:/lab/secrets/admin-password', port: 8444, ca: '/lab/ca.pem' });
    expect(found[2]!.ssh.jump).toEqual({ address: '10.86.0.7', port: 22, user: 'jumper', key: 'file:/lab/keys/id_ed25519', knownHosts: '/lab/known_hosts' });
  });

  test('has durations in milliseconds and fills in what was left out', () => {
    const file = demoFile();
    for (const key of ['policies', 'monitoring', 'notifications']) delete file[key];
    delete file.sites.prod.edges;
    for (const key of ['port', 'tablespaces', 'stateDatabase', 'ca']) delete file.sites.prod.database[key];
    for (const key of ['fronts', 'mapKey']) delete file.sites.prod.loadBalancer[key];
    const spec = specOf(file);
    expect(spec.policies).toEqual({ minimumNodes: 2, maximumRoundTrip: 10, failover: { mode: 'observe', for: 300_000, maximumDataLoss: 0 } });
    expect(spec.monitoring).toEqual({ interval: 2000, failuresToOffline: 3 });
    expect(spec.backups).toEqual({ path: '/opt/axway/st-orchestrator-backups', keep: 3, maximumSize: 10 * 1024 ** 3, database: { by: 'pg_dump' } });
    expect(spec).not.toHaveProperty('notifications');
    expect(spec.sites.prod).toMatchObject({
      edges: [], deploymentSite: 'Prod',
      database: { port: 5432, tablespaces: ['st_data', 'st_filetracking', 'st_serverlog'], stateDatabase: 'demo_orchestrator' },
      loadBalancer: { fronts: 'servers', mapKey: 'demo' },
    });
  });

  test('is plain JSON, and parsing it again changes nothing', () => {
    for (const file of [demoFile(), changed(['sites', 'dr'], recoverySite()), changed(['notifications', 'smtp'], { host: 'mail' })]) {
      const spec = specOf(file);
      expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
      expect(specOf(spec)).toEqual(spec);
      expect(specOf(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    }
  });

  test('does not share or change what it was made from', () => {
    const file = demoFile();
    const before = JSON.stringify(file);
    specOf(file).sites.prod!.database.tablespaces.push('other');
    expect(JSON.stringify(file)).toBe(before);
  });

  test('keeps zero padding, expands the addresses of SSH and the Administration Tool too', () => {
    const spec = specOf(changed(servers, [{ name: 'st[08:10]', address: 'st[08:10].example.com', ssh: { address: 'mgmt[1:3].example.com' }, admin: { address: '10.1.0.[1:3]' } }]));
    expect(spec.sites.prod!.servers.map((node) => [node.name, node.address, node.ssh.address, node.admin.address])).toEqual([
      ['st08', 'st08.example.com', 'mgmt1.example.com', '10.1.0.1'],
      ['st09', 'st09.example.com', 'mgmt2.example.com', '10.1.0.2'],
      ['st10', 'st10.example.com', 'mgmt3.example.com', '10.1.0.3'],
    ]);
  });

  test('a passphrase belongs to its key: another key does not inherit it', () => {
    const file = changed(['defaults', 'ssh', 'passphrase'], 'env:PASSPHRASE');
    file.sites.prod.servers[1].ssh = { key: 'env:OTHER_KEY' };
    const { servers: found } = specOf(file).sites.prod!;
    expect([found[0]!.ssh.passphrase, found[2]!.ssh.passphrase]).toEqual(['env:PASSPHRASE', undefined]);
  });

  test('installer properties become texts', () => {
    expect(specOf(changed(['product', 'installer', 'properties'], { tomcatShutdownPort: 8005, externalDBPort: '5432', fast: true })).product.installer.properties).toEqual({
      tomcatShutdownPort: '8005', externalDBPort: '5432', fast: 'true',
    });
  });

  test('a site without a balancer, and a cluster of one Server, are legal', () => {
    const file = changed(['sites', 'prod', 'loadBalancer'], undefined, changed(servers, [{ name: 'only', address: 'localhost' }]));
    file.policies = {};
    expect(specOf(file).policies.minimumNodes).toBe(1);
  });
});

describe('what is wrong is said with the place, what was expected and what was found', () => {
  const table: [name: string, path: (string | number)[], value: unknown, problems: string[]][] = [
    ['an unknown key, with the one meant', [...servers, 0, 'adress'], 'x', ['sites.prod.servers[0].adress: unknown key; did you mean "address"?']],
    ['an unknown key like none', ['zzzzzzzz'], 1, ['zzzzzzzz: unknown key; expected one of apiVersion, kind, metadata, defaults, product, licences, probe, sites, notifications, backups, policies, monitoring']],
    ['backups inside of what they are made of', ['backups'], { path: '/opt/axway/SecureTransport/backups' }, [expect.stringContaining('backups.path: expected a folder outside of FILEDRIVEHOME')]],
    ['a backup of a database that nobody makes', ['backups'], { keep: 1, database: { by: 'hope' } }, ['backups.keep: expected at least 2, found 1', 'backups.database.by: expected pg_dump or attested, found "hope"']],
    ['exports of Edges without a password', ['backups'], { edges: { by: 'system_export' } }, ['backups.edges.password: missing; the product exports nothing without a password']],
    ['a password for exports that nobody makes', ['backups'], { edges: { by: 'none', password: 'file:/lab/secrets/x' } }, ['backups.edges.password: nothing is exported (by: none), so nothing needs it; remove it']],
    ['a password itself for exports', ['backups'], { edges: { by: 'system_export', password: 'hunter2hunter2' } }, [expect.stringMatching(/^backups\.edges\.password: expected .*env:NAME/)]],
    ['exports by a program that the product has not', ['backups'], { edges: { by: 'backup_db' } }, ['backups.edges.by: expected system_export or none, found "backup_db"']],
    ['a missing key', ['licences', 'core'], undefined, ['licences.core: missing; expected text']],
    ['a wrong kind', ['kind'], 'StandardCluster', ['kind: expected Cluster, found "StandardCluster" (Standard Clusters can\'t be run)']],
    ['a wrong version of the format', ['apiVersion'], 'st-orchestrator/v2', ['apiVersion: expected st-orchestrator/v1, found "st-orchestrator/v2"; did you mean "st-orchestrator/v1"?']],
    ['a text where a mapping is due, unread', ['defaults'], 'hunter2', ['defaults: expected a mapping, found text']],
    ['a number where a text is due', ['metadata', 'name'], 7, ['metadata.name: expected text, found 7']],
    ['a version without quotes', ['product', 'version'], 5.5, ['product.version: expected text in quotes ("5.5"), found the number 5.5']],
    ['a name in capitals', ['metadata', 'name'], 'Demo', ['metadata.name: expected a name of small letters, digits and dashes that begins with a letter, at most 31 characters, found "Demo"']],
    ['a name of 32 characters', ['metadata', 'name'], 'a'.repeat(32), [expect.stringContaining('at most 31 characters')]],
    ['no Server', servers, [], ['sites.prod.servers: expected at least 1 entry, found 0']],
    ['a port that is none', ['defaults', 'ssh', 'port'], 70000, ['defaults.ssh.port: expected at most 65535, found 70000']],
    ['a protocol misspelt', ['product', 'protocols'], ['shh'], ['product.protocols[0]: expected ssh or http or ftp or as2 or pesit, found "shh"; did you mean "ssh"?']],
    ['a protocol twice', ['product', 'protocols'], ['ssh', 'ssh'], ['product.protocols[1]: named twice']],
    ['a duration without unit', ['monitoring', 'interval'], '2', ['monitoring.interval: expected a duration such as "30s", "5m" or "1500ms", or a number of milliseconds, found "2"']],
    ['a duration out of bounds', ['policies', 'failover', 'for'], '1s', ['policies.failover.for: expected a duration from 10s to 1d, found "1s"']],
    ['another database', ['sites', 'prod', 'database', 'kind'], 'oracle', ['sites.prod.database.kind: expected postgresql, found "oracle" (Oracle can\'t be run yet)']],
    ['a driver that is not there yet', ['sites', 'prod', 'loadBalancer', 'kind'], 'command', ['sites.prod.loadBalancer.kind: expected haproxy, found "command" (a command driver isn\'t available yet)']],
    ['a driver named like a part of every object', ['sites', 'prod', 'loadBalancer', 'kind'], 'constructor', ['sites.prod.loadBalancer.kind: expected haproxy, found "constructor"']],
    ['a mode that is not there yet', ['policies', 'failover', 'mode'], 'automatic', [expect.stringContaining('failing over automatically isn\'t available yet')]],
    ['a Windows path', ['product', 'fileDriveHome'], 'C:\\Axway\\ST', ['product.fileDriveHome: Windows hosts can\'t be run; expected an absolute path on the host, such as /opt/axway']],
    ['a share of Windows', ['sites', 'prod', 'sharedFiles', 'path'], '\\\\nas\\st', [expect.stringContaining('Windows hosts can\'t be run')]],
    ['a relative path on hosts', ['product', 'installer', 'package'], 'install/ST', ['product.installer.package: expected an absolute path on the host, such as /opt/axway, found "install/ST"']],
    ['a path that climbs', ['sites', 'prod', 'sharedFiles', 'path'], '/srv/../etc', [expect.stringContaining('expected a path without . and .. parts')]],
    ['a path for a shell', ['product', 'fileDriveHome'], '/opt/$(reboot)', [expect.stringContaining('product.fileDriveHome: expected a path of letters')]],
    ['root as login', ['defaults', 'ssh', 'user'], 'root', ['defaults.ssh.user: expected an unprivileged user (what it may do is listed in sudoers), found root']],
    ['more nodes needed than there are', ['policies', 'minimumNodes'], 4, ['policies.minimumNodes: expected at most 3, the number of Servers of site prod, found 4']],
    ['the product\'s placeholder as a mail address', ['notifications', 'to', 0], 'root@localhost', ['notifications.to[0]: "root@localhost" is the product\'s placeholder: nobody reads it; expected the address of a person or team']],
    ['no mail address', ['notifications', 'from'], 'st at example.com', [expect.stringContaining('notifications.from: expected a mail address')]],
    ['a password sent in the clear', ['notifications', 'smtp', 'tls'], 'none', ['notifications.smtp.tls: a password is never sent unencrypted; expected starttls or tls']],
    ['a login without password', ['notifications', 'smtp', 'password'], undefined, ['notifications.smtp.password: missing; a user needs a password']],
    ['a property that the set-up decides', ['product', 'installer', 'properties'], { externalDBUseExistingSchema: 'false' }, ['product.installer.properties.externalDBUseExistingSchema: is set by the orchestrator for each Server; remove it']],
    ['shared files inside the installation', ['sites', 'prod', 'sharedFiles', 'path'], '/opt/axway/SecureTransport/shared', [expect.stringContaining('must not lie in each other')]],
    ['our tables beside the product\'s', ['sites', 'prod', 'database', 'stateDatabase'], 'demo', [expect.stringContaining('sites.prod.database.stateDatabase: expected a database of its own')]],
    ['Edges fronted that are not there', ['sites', 'prod', 'loadBalancer', 'fronts'], 'edges', ['sites.prod.loadBalancer.fronts: the site has no Edges; expected servers']],
    ['a balancer named like a node', ['sites', 'prod', 'loadBalancer', 'instances', 0, 'name'], 'st1', ['sites.prod.loadBalancer.instances[0].name: st1 is already the name of a node']],
    ['no site', ['sites'], {}, ['sites: expected at least one site']],
  ];
  test.each(table)('%s', (_, path, value, problems) => expect(change(path, value)).toEqual(problems));

  test('all problems are found at once, of the shape and of the rules', () => {
    const file = demoFile();
    file.kind = 'Clutser';
    file.sites.prod.servers[1].address = '10.86.0.11';
    delete file.licences;
    file.policies.minimumNodes = 9;
    expect(problemsOf(file).map((problem) => problem.split(':')[0])).toEqual(['kind', 'licences', 'sites.prod.servers[1].address', 'policies.minimumNodes']);
  });

  test.each([[undefined], [null], ['text'], [7], [[]], [{}], [() => 1], [new Date()], [NaN]])('%p is no spec', (value) => expect(problemsOf(value).length).toBeGreaterThan(0));
});

describe('nodes', () => {
  const withServers = (...entries: unknown[]) => change(servers, entries);

  test('refuses a 21st Server, and takes 20', () => {
    expect(withServers({ name: 'st[01:21]', address: '10.0.0.[1:21]' })).toEqual(['sites.prod.servers: expected at most 20 Servers in a site, found 21']);
    expect(withServers({ name: 'st[01:20]', address: '10.0.0.[1:20]' })).toEqual([]);
  });
  test('refuses a name or an address that is there twice, over all sites and spellings', () => {
    expect(withServers({ name: 'st1', address: '10.0.0.1' }, { name: 'ST1', address: '10.0.0.2' })).toEqual(['sites.prod.servers[1].name: ST1 is already the name of a node in site prod; every node has its own']);
    expect(withServers({ name: 'st1', address: 'fd00::1' }, { name: 'st2', address: 'FD00:0:0:0::0001' })).toEqual(['sites.prod.servers[1].address: FD00:0:0:0::0001 is already the address of st1 in site prod; every node has its own']);
    const file = changed(['sites', 'dr'], recoverySite());
    file.sites.dr.servers = [{ name: 'dr1', address: '10.86.0.13' }];
    expect(problemsOf(file)).toEqual(['sites.dr.servers[0].address: 10.86.0.13 is already the address of st3 in site prod; every node has its own']);
  });
  test('refuses ranges that do not fit', () => {
    const two = (name: string, address: string) => withServers({ name, address }, { name: 'other1', address: '10.9.9.9' }, { name: 'other2', address: '10.9.9.8' });
    expect(two('st[1:3]', '10.0.0.[1:2]')).toEqual(['sites.prod.servers[0].address: expected as many addresses as names (3), found 2']);
    expect(two('st[3:1]', '10.0.0.1')).toEqual([expect.stringContaining('sites.prod.servers[0].name: the range [3:1] ends before it begins')]);
    expect(two('st[1:999999]', '10.0.0.1')).toEqual([expect.stringContaining('longer than 100')]);
    expect(two('st[1:2][1:2]', '10.0.0.1')).toEqual([expect.stringContaining('expected one range of the form [1:3]')]);
  });
  test.each(['10.0.0.256', '10.0.0', '1.2.3.4.5', '10.0.0.01', '0.0.0.0', '224.0.0.1', '-host', 'host_name', 'ho..st', 'fe80::1::2', 'fe80::1-eth0', '12345'])('refuses the address %s', (address) => {
    expect(withServers({ name: 'st1', address }, { name: 'st2', address: '10.0.0.2' })).toEqual([expect.stringMatching(/^sites\.prod\.servers\[0\]\.address: expected /)]);
  });
  test('refuses loopback addresses that others would take for themselves', () => {
    expect(withServers({ name: 'st1', address: '127.0.0.1' }, { name: 'st2', address: '10.0.0.2' })).toEqual(['sites.prod.servers[0].address: expected an address that the other nodes can reach, found 127.0.0.1']);
  });
  test('says once what every node lacks, and at the node what one lacks', () => {
    expect(change(['defaults', 'ssh', 'key'], undefined)).toEqual(['defaults.ssh.key: missing; expected here or for each host (3 entries lack it)']);
    const file = changed(['defaults', 'admin', 'ca'], undefined);
    file.sites.prod.servers[0].admin = { ca: '/lab/other.pem' };
    expect(problemsOf(file)).toEqual(['sites.prod.servers[1].admin.ca: missing here and under defaults.admin']);
  });
});

describe('sites', () => {
  const two = (edit: (dr: any, file: any) => void = () => {}) => {
    const file = changed(['sites', 'dr'], recoverySite());
    edit(file.sites.dr, file);
    return problemsOf(file);
  };
  test('a site named dr is the disaster-recovery site', () => {
    expect(two()).toEqual([]);
    expect(specOf(changed(['sites', 'dr'], recoverySite())).sites.dr!.deploymentSite).toBe('DR');
  });
  test('refuses two production sites, a lone DR site, a third site, more Servers in DR than in production, one backend for both', () => {
    expect(two((dr) => (dr.deploymentSite = 'Prod'))).toEqual(['sites.dr.deploymentSite: both sites are Prod; expected one Prod and one DR']);
    expect(two((dr, file) => (file.sites = { dr }))).toEqual([expect.stringContaining('sites.dr.deploymentSite: the only site must be Prod')]);
    expect(two((dr, file) => (file.sites.third = { ...recoverySite(), servers: [{ name: 'x1', address: '10.7.7.7' }] }))).toContain('sites: expected at most two sites (production and disaster recovery), found 3');
    expect(two((dr) => (dr.servers = [{ name: 'dr[1:4]', address: '10.86.0.[111:114]' }]))).toEqual([expect.stringContaining('sites.dr.servers: expected at most as many Servers as in site prod (3)')]);
    expect(two((dr) => (dr.loadBalancer.siteBackend = 'demo_prod'))).toEqual([expect.stringContaining('both sites name the backend demo_prod')]);
  });
});
