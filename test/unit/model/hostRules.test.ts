/** One machine under two names, ranges and numbers that are abused, and estates that can't be run: told from the file alone. */
import { formatProblem, parseClusterSpec } from '../../../src/model/spec';
import { changed, demoFile, recoverySite } from './demoFile';

const problemsOf = (file: unknown): string[] => (parseClusterSpec(file).problems ?? []).map(formatProblem);
const change = (path: (string | number)[], value: unknown) => problemsOf(changed(path, value));
const servers = ['sites', 'prod', 'servers'];
const withServers = (...entries: unknown[]) => change(servers, entries);
const ssh = (address: string, more = {}) => ({ ssh: { address, ...more } });

describe('the same host under another name', () => {
  test('SSH leads to one host for two nodes', () => {
    expect(withServers({ name: 'st1', address: '10.0.0.1', ...ssh('mgmt1') }, { name: 'st2', address: '10.0.0.2', ...ssh('MGMT1') })).toEqual([
      'sites.prod.servers[1].ssh.address: SSH at MGMT1, port 22 is already the way to st1 in site prod; every node is a host of its own',
    ]);
    expect(withServers({ name: 'st1', address: '10.0.0.1', ...ssh('10.0.0.2') }, { name: 'st2', address: '10.0.0.2' })).toEqual([expect.stringMatching(/^sites\.prod\.servers\[1\]\.address: SSH at 10\.0\.0\.2, port 22 is already the way to st1/)]);
  });
  test('but not behind another port or another jump host', () => {
    expect(withServers({ name: 'st1', address: '10.0.0.1', ...ssh('nat', { port: 2201 }) }, { name: 'st2', address: '10.0.0.2', ...ssh('nat', { port: 2202 }) })).toEqual([]);
    const through = (address: string) => ssh('192.168.0.2', { jump: { address } });
    expect(withServers({ name: 'st1', address: '10.0.0.1', ...through('10.9.0.1') }, { name: 'st2', address: '10.0.0.2', ...through('10.9.0.2') })).toEqual([]);
  });
  test('one Administration Tool for two nodes, over both sites', () => {
    const file = changed(['sites', 'dr'], { ...recoverySite(), servers: [{ name: 'dr1', address: '10.86.0.111', admin: { address: '10.86.0.13' } }] });
    expect(problemsOf(file)).toEqual(['sites.dr.servers[0].admin.address: the Administration Tool at 10.86.0.13, port 8444 is already the way to st3 in site prod; every node is a host of its own']);
  });
  test('a name in short and in full', () => {
    expect(withServers({ name: 'st1', address: 'st1' }, { name: 'st2', address: 'ST1.example.com' })).toEqual(['sites.prod.servers[1].address: ST1.example.com may be the same host as st1, the address of st1 in site prod; expected both in full']);
    expect(withServers({ name: 'st1', address: 'st1.fra.example.com' }, { name: 'st2', address: 'st1.muc.example.com' })).toEqual([]);
  });
  test.each([['10.0.0.1', '::ffff:10.0.0.1'], ['10.0.0.1', '::FFFF:a00:1'], ['fd00::1', 'FD00:0::0:1']])('%s and %s are one address', (one, other) => {
    expect(withServers({ name: 'st1', address: one }, { name: 'st2', address: other })).toEqual([expect.stringContaining(`${other} is already the address of st1`)]);
  });
  test.each(['0x0a000001', '10.0.0.0x1', '127.1', '2130706433', '::', '::ffff:0.0.0.0', 'ff02::1', '0:0:0:0:0:0:0:0'])('%s is no address of one host', (address) => {
    expect(withServers({ name: 'st1', address }, { name: 'st2', address: '10.0.0.2' })).toEqual([expect.stringMatching(/^sites\.prod\.servers\[0\]\.address: expected /)]);
  });
  test.each(['127.9.9.9', 'LOCALHOST', '::1', '0::0:1', '::ffff:127.0.0.1'])('%s would be another host to each node, for the nodes and for their database', (address) => {
    const message = 'expected an address that';
    expect(withServers({ name: 'st1', address }, { name: 'st2', address: '10.0.0.2' })).toEqual([`sites.prod.servers[0].address: ${message} the other nodes can reach, found ${address}`]);
    expect(change(['sites', 'prod', 'database', 'host'], address)).toEqual([`sites.prod.database.host: ${message} every node can reach, found ${address}`]);
  });
  test('a balancer that is listed twice', () => {
    const two = (...sockets: string[]) => change(['sites', 'prod', 'loadBalancer', 'instances'], sockets.map((socket, i) => ({ name: `lb${i}`, address: '10.86.0.6', socket })));
    expect(two('/run/a.sock', '/run/a.sock')).toEqual(['sites.prod.loadBalancer.instances[1].address: 10.86.0.6 is already the address of lb0; every balancer has its own, or another socket']);
    expect(two('/run/a.sock', '/run/b.sock')).toEqual([]);
  });
});

describe('ranges', () => {
  test.each([
    ['st[1:3', 'one range of the form'], ['st]1:3[', 'one range of the form'], ['st[a:c]', 'one range of the form'], ['st[1-3]', 'a name of a node'], ['st[-1:3]', 'one range of the form'],
    ['st[1:]', 'one range of the form'], ['st[01:3]', 'the same number of digits'], ['st[0:100]', 'longer than 100'], ['st[0000001:9]', 'one range of the form'], ['st[1:2:3]', 'one range of the form'], ['[1:2]'.repeat(40), 'one range of the form'],
  ])('the name %s is refused', (name, message) => {
    const found = withServers({ name, address: '10.0.0.1' }, { name: 'other', address: '10.0.0.2' });
    expect(found).toEqual([expect.stringMatching(/^sites\.prod\.servers\[0\]\.name: expected|^sites\.prod\.servers\[0\]\.name: the range/)]);
    expect(found[0]).toContain(message.replace('a name of a node', 'one range'));
  });
  test('a range that makes a name or an address of another entry', () => {
    expect(withServers({ name: 'st[1:3]', address: '10.0.0.[1:3]' }, { name: 'st2', address: '10.0.0.9' })).toEqual(['sites.prod.servers[1].name: st2 is already the name of a node in site prod; every node has its own']);
    expect(withServers({ name: 'st[1:3]', address: '10.0.0.[254:256]' })).toEqual([expect.stringContaining('found "10.0.0.256"')]);
  });
  test('many entries of many nodes are not even expanded', () => {
    const file = demoFile();
    file.sites.prod.servers = Array.from({ length: 1000 }, () => ({ name: 'st[1:100]', address: '10.0.0.[1:100]', ssh: { address: 'a[1:100]' }, admin: { address: 'b[1:100]' } }));
    const began = performance.now();
    expect(problemsOf(file)).toContain('sites: more than 500 nodes: this is no input for one cluster');
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('estates that can\'t be run are refused where the file says so', () => {
  test.each([
    [['product', 'platform'], 'windows', 'product.platform: expected linux, found "windows" (Windows hosts can\'t be run)'],
    [['product', 'platform'], 'Windows Server 2022', '(Windows hosts can\'t be run)'],
    [['product', 'platform'], 'appliance', '(appliances can\'t be run)'],
    [['kind'], 'Standard Cluster', '(Standard Clusters can\'t be run)'],
    [['product', 'installer', 'package'], 'D:/install/ST', 'Windows hosts can\'t be run'],
    [['licences', 'core'], 'C:\\st\\filedrive.license', 'Windows hosts can\'t be run'],
  ])('%j: %s', (path, value, message) => expect(change(path, value).join()).toContain(message));
  test('linux may be said, and a spec does not repeat it', () => expect(parseClusterSpec(changed(['product', 'platform'], 'linux')).spec).toEqual(parseClusterSpec(demoFile()).spec));
});

test('a path on the worker\'s host has one spelling, or the same spec would be another one after a round trip', () => {
  for (const bad of ['/etc//st/ca.pem', '/etc/st/', '//etc/ca.pem', '/etc/./ca.pem']) {
    expect(change(['defaults', 'admin', 'ca'], bad)).toEqual([expect.stringMatching(/^defaults\.admin\.ca: expected a path with/)]);
    expect(change(['defaults', 'ssh', 'key'], `file:${bad}`)).toEqual([expect.stringMatching(/^defaults\.ssh\.key: expected a path with/)]);
  }
});
