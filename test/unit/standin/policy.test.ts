import { chooseNode, parseAttributes, type Candidate } from '../../../lab/standin/queue/policy';

const candidate = (node: string, more: Partial<Candidate> = {}): Candidate => ({ node, attributes: {}, threshold: 100, load: 0, ...more });
const three = ['a', 'b', 'c'].map((node) => candidate(node));
const event = (account: string, attributes: Record<string, string> = { PUSH: 'true' }) => ({ account, attributes });
const chosen = (policy: string, candidates: Candidate[], events = Array.from({ length: 6 }, () => event('x'))) =>
  events.map((one, turn) => chooseNode(policy, one, candidates, turn));

test('roundRobinPolicy gives each Server its turn', () => expect(chosen('roundRobinPolicy', three)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']));

describe('cacheBasedPolicy', () => {
  const accounts = Array.from({ length: 60 }, (_, n) => event(`partner${n}`));
  test('gives all events of an account to one Server, and accounts to all Servers', () => {
    expect(new Set(chosen('cacheBasedPolicy', three)).size).toBe(1);
    expect(new Set(chosen('cacheBasedPolicy', three, accounts)).size).toBe(3);
  });
  test('moves only the accounts of a Server that went', () => {
    const before = chosen('cacheBasedPolicy', three, accounts);
    const after = chosen('cacheBasedPolicy', three.slice(0, 2), accounts);
    expect(after.filter((node, index) => before[index] !== 'c' && node !== before[index])).toEqual([]);
    expect(after).not.toContain('c');
  });
});

describe('attributeMatchPolicy', () => {
  const servers = [candidate('a'), candidate('b', { attributes: parseAttributes('PGP=false, PUSH=true') }), candidate('c', { attributes: parseAttributes('PUSH=true,DXAGENT_APPLICATION_NAME=smbBU1') })];
  test('gives an event to the Servers that match, in turn', () => expect(chosen('attributeMatchPolicy', servers)).toEqual(['b', 'c', 'b', 'c', 'b', 'c']));
  test('knows attributes beyond the kinds of events', () =>
    expect(chosen('attributeMatchPolicy', servers, [event('x', { PULL: 'true', DXAGENT_APPLICATION_NAME: 'smbBU1' })])).toEqual(['c']));
  test('has the whole cluster to choose from when none matches', () =>
    expect(chosen('attributeMatchPolicy', servers, Array.from({ length: 3 }, () => event('x', { PULL: 'true' })))).toEqual(['a', 'b', 'c']));
  test('passes an overloaded Server by', () =>
    expect(chosen('attributeMatchPolicy', [...servers.slice(0, 2), candidate('c', { attributes: { PUSH: 'true' }, load: 5, threshold: 5 })])).toEqual(['b', 'b', 'b', 'b', 'b', 'b']));
});

test('without a Server there is nobody to choose', () =>
  expect(['roundRobinPolicy', 'cacheBasedPolicy', 'attributeMatchPolicy'].map((policy) => chooseNode(policy, event('x'), [], 0))).toEqual([undefined, undefined, undefined]));
