import { compareHosts, epochProblems, type HostFacts, isVersionOf } from '../../../src/model/facts';

const host = (node: string, over: Partial<HostFacts> = {}): HostFacts =>
  ({ node, identity: `host keys ${node}`, installation: 'none', prepared: false, ours: false, epoch: null, version: null, taeh: null, licences: { core: null, features: null }, ...over });
const told = (...hosts: HostFacts[]): string[] => compareHosts(hosts).map(({ what }) => what);

describe('one machine under two names', () => {
  test('is known by its host keys, or where nobody may read them by its machine-id', () => {
    expect(told(host('st1'), host('st2'), host('st3', { identity: 'host keys st1' }))).toEqual(['st3 and st1 are the same machine (same host keys)']);
    expect(told(host('st1', { identity: '/etc/machine-id a' }), host('st2', { identity: '/etc/machine-id a' }))).toEqual(['st2 and st1 are the same machine (same /etc/machine-id)']);
    expect(told(host('st1', { identity: 'host keys a' }), host('st2', { identity: '/etc/machine-id a' }))).toEqual([]);
  });
  test('is not seen in two of which nothing is known', () => expect(told(host('st1', { identity: null }), host('st2', { identity: null }))).toEqual([]));
});

test('a secret file that differs is told, one that is missing is not', () => {
  expect(told(host('st1', { taeh: 'a' }), host('st2'), host('st3', { taeh: 'b' }))).toEqual(['the secret file bin/taeh of st3 differs from that of st1']);
});

describe('the epochs that have been seen', () => {
  const record = { name: 'demo', epoch: 4 };
  test('are no problem up to the record\'s own', () => expect(epochProblems(record, [{ where: 'st1', epoch: 4 }, { where: 'st2', epoch: null }, { where: 'lb1', epoch: 1 }])).toEqual([]));
  test('above it mean a record that was lost, and the way out names the highest', () => {
    expect(epochProblems(record, [{ where: 'st1', epoch: 9 }, { where: 'st2', epoch: 3 }, { where: 'the database', epoch: 11 }])).toEqual([{
      what: 'the record of cluster "demo" is at epoch 4, but later ones have been seen: st1 9, the database 11. The record was lost, or restored from an older state, or another Temporal server works on this cluster too',
      remedy: 'see to it that no other one does; then "stctl apply -f <cluster file> --epoch-at-least 11", and run this again',
    }]);
  });
});

test.each([['5.5', '5.5', true], ['5.6', '5.5', false], ['5.5', '5.5-20261126', true], ['5.6', '5.5-20261126', false], ['5.5', '4711', true], ['5.5', '5.5.1', false]])('version %s where the cluster file says %s: %s', (found, wanted, same) => {
  expect(isVersionOf(found, wanted)).toBe(same);
});
