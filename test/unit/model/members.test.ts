import type { Member } from '../../../src/model/cluster';
import { memberSite, membersOf, outsiders } from '../../../src/model/members';
import { parseClusterSpec } from '../../../src/model/spec';
import { changed } from './demoFile';

const { spec } = parseClusterSpec(changed(['sites', 'prod', 'edges'], [{ name: 'ed[1:2]', address: '10.86.0.[31:32]' }]));
const names = (nodes: readonly { name: string }[]): string[] => nodes.map(({ name }) => name);
const everyone = ['st1', 'st2', 'st3', 'ed1', 'ed2'];

test('members are named in the order of the spec, Servers first', () => {
  expect(membersOf(spec!, 'prod').map(({ node, role }) => `${node} ${role}`)).toEqual(['st1 server', 'st2 server', 'st3 server', 'ed1 edge', 'ed2 edge']);
  expect(membersOf(spec!, 'prod', ['ed1', 'st3']).map(({ node }) => node)).toEqual(['st3', 'ed1']);
});

test.each<[string, string[], string[]]>([
  ['some', ['st1', 'st3', 'ed2'], ['st2', 'ed1']],
  ['all', everyone, []],
])('a site of its members alone: %s', (_, inside, outside) => {
  const members = membersOf(spec!, 'prod', inside);
  const site = memberSite(spec!, 'prod', members);
  expect([...names(site.servers), ...names(site.edges)]).toEqual(inside);
  expect(outsiders(spec!, 'prod', members)).toEqual(outside);
});

test('where no member is known, or none has a role, the whole site belongs', () => {
  const before = membersOf(spec!, 'prod', ['st1', 'st2']).map(({ role: _, ...rest }) => rest) as Member[];
  for (const members of [[], before]) {
    const site = memberSite(spec!, 'prod', members);
    expect([...names(site.servers), ...names(site.edges)]).toEqual(everyone);
    expect(outsiders(spec!, 'prod', members)).toEqual([]);
  }
});
