import { StError } from '../../../src/model/errors';
import { balancerTargets, databaseTarget, productionSite, serverTarget } from '../../../src/model/slices';
import { formatProblem, parseClusterSpec } from '../../../src/model/spec';
import { changed, demoFile, recoverySite } from './demoFile';

const { spec } = parseClusterSpec(changed(['sites', 'dr'], recoverySite()));
if (!spec) throw new Error('the demo file is no spec');

test('a Server\'s slice says how to reach its host and its Administration Tool', () => {
  expect(serverTarget(spec, 'prod', 'st3')).toEqual({
    cluster: 'demo', site: 'prod', node: 'st3', address: '10.86.0.13', productUser: 'axway', fileDriveHome: '/opt/axway/SecureTransport',
    ssh: {
      address: '10.86.0.13', port: 22, user: 'ops', key: 'file:/lab/keys/id_ed25519', knownHosts: '/lab/known_hosts',
      jump: { address: '10.86.0.7', port: 22, user: 'jumper', key: 'file:/lab/keys/id_ed25519', knownHosts: '/lab/known_hosts' },
    },
    admin: { address: '10.86.0.13', port: 8444, user: 'admin', password: 'file:/lab/secrets/admin-password', ca: '/lab/ca.pem' },
  });
});

test('other addresses of SSH and of the Administration Tool win over the node\'s', () => {
  const file = demoFile();
  Object.assign(file.sites.prod.servers[1], { ssh: { address: 'mgmt3', port: 2222 }, admin: { address: 'admin3', port: 444 } });
  const target = serverTarget(parseClusterSpec(file).spec!, 'prod', 'st3');
  expect([target.address, target.ssh.address, target.ssh.port, target.admin.address, target.admin.port]).toEqual(['10.86.0.13', 'mgmt3', 2222, 'admin3', 444]);
});

test('a database\'s slice', () => {
  expect(databaseTarget(spec, 'dr')).toEqual({
    cluster: 'demo', kind: 'postgresql', host: '10.86.0.105', port: 5432, name: 'demo', user: 'demo', password: 'file:/lab/secrets/database-password', ca: '/lab/ca.pem',
    tablespaces: ['st_data', 'st_filetracking', 'st_serverlog'], stateDatabase: 'demo_orchestrator',
  });
});

test('a balancer\'s slice names the backend of every site', () => {
  expect(balancerTargets(spec, 'prod')).toEqual([{
    cluster: 'demo', site: 'prod', name: 'lb1', socket: '/run/haproxy/admin.sock', map: '/etc/haproxy/maps/site.map', mapKey: 'demo', healthBackend: 'demo_hc',
    siteBackends: { prod: 'demo_prod', dr: 'demo_dr' },
    ssh: { address: '10.86.0.6', port: 22, user: 'ops', key: 'file:/lab/keys/id_ed25519', knownHosts: '/lab/known_hosts' },
  }]);
  expect(balancerTargets(parseClusterSpec(changed(['sites', 'prod', 'loadBalancer'], undefined)).spec!, 'prod')).toEqual([]);
});

test('the production site is the one that is Prod', () => expect(productionSite(spec)).toBe('prod'));

test('a site or node that is not there is bad input, and the message names those that are', () => {
  for (const [act, names] of [[() => serverTarget(spec, 'prod', 'st9'), 'st1, st2, st3'], [() => serverTarget(spec, 'test', 'st1'), 'prod and dr'], [() => databaseTarget(spec, '__proto__'), 'prod and dr']] as const) {
    expect(act).toThrow(StError);
    expect(act).toThrow(names);
  }
});

test('every slice is at most 2 KB of JSON, and a spec with longer ones is refused', () => {
  const size = (slice: unknown) => Buffer.byteLength(JSON.stringify(slice));
  for (const slice of [serverTarget(spec, 'prod', 'st3'), databaseTarget(spec, 'prod'), ...balancerTargets(spec, 'prod')]) expect(size(slice)).toBeLessThanOrEqual(2048);
  const long = (character: string) => changed(['sites', 'prod', 'servers', 1, 'ssh'], { knownHosts: `/${character.repeat(250)}`, key: `file:/${character.repeat(250)}`, passphrase: `file:/${character.repeat(250)}`, jump: { address: '10.86.0.7' } });
  expect(parseClusterSpec(long('ü')).problems?.map(formatProblem)).toEqual([expect.stringMatching(/^sites\.prod: the paths, addresses and references for st3 are too long together: \d+ bytes, at most 2048$/)]);
});
