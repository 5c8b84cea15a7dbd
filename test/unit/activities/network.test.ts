/** What the answers of a host that tried the ways to the others are told as. That the ways are really tried is proven in the lab. */
import { networkProblems } from '../../../src/activities/network';
import type { NetworkAnswer, Shut } from '../../../src/activities/networkScript';
import { edgePorts, portsText } from '../../../src/model/ports';

const others = [{ name: 'st1', address: '10.0.0.11' }, { name: 'st3', address: 'st3.example' }];
const open: NetworkAnswer = { unknown: [], met: ['st1', 'st3'], shut: [], roundTripMs: { st1: 0.1, st3: 0.2 }, listened: { tcp: [8088], udp: [8088] } };

const told = (answer: Partial<NetworkAnswer>, limits = { roundTripLimitMs: 10, later: ['st3'] }): string[] =>
  networkProblems('st2', { ...open, ...answer }, others, limits).map(({ what, level }) => `${level ? 'warning: ' : ''}${what}`);

const ways = (peer: string, protocol: 'tcp' | 'udp', ports: number[], why: Shut): NetworkAnswer['shut'] => ports.map((port) => [peer, protocol, port, why]);

test('nothing is told where everything is open', () => {
  expect(told({})).toEqual([]);
});

test('ways to one machine that are shut alike are one sentence, and each kind of shut its own', () => {
  const shut = [...ways('st1', 'udp', [8088, 8089, 8090], 'silent'), ...ways('st1', 'tcp', [7, 8091], 'silent'), ...ways('st1', 'tcp', [8444], 'turned away'), ...ways('st3', 'tcp', [7], 'silent')];
  expect(told({ shut })).toEqual([
    'st2: st1 (10.0.0.11) can\'t be reached at TCP 7, 8091 and UDP 8088-8090 (no answer)',
    'st2: st1 (10.0.0.11) can\'t be reached at TCP 8444 (something turns it away)',
    'st2: st3 (st3.example) can\'t be reached at TCP 7 (no answer)',
  ]);
});

test('what nobody could answer is a warning, and none where the machine is told to be shut off anyway', () => {
  expect(told({ shut: [...ways('st1', 'udp', [8088, 8089], 'unproven'), ...ways('st3', 'tcp', [8088], 'silent'), ...ways('st3', 'udp', [8088], 'unproven')] })).toEqual([
    'warning: st2: whether st1 (10.0.0.11) can be reached at UDP 8088-8089 is not known: nothing answered there that could have',
    'st2: st3 (st3.example) can\'t be reached at TCP 8088 (no answer)',
  ]);
});

test('a long round trip is told once of each pair, with how long and the limit', () => {
  expect(told({ roundTripMs: { st1: 300, st3: 300.4 } })).toEqual(['st2: the round trip to st3 (st3.example) takes 300 ms (limit 10 ms)']);
  expect(told({ roundTripMs: { st3: 9.9 } })).toEqual([]);
  expect(told({ roundTripMs: { st3: 2.34 } }, { roundTripLimitMs: 2, later: ['st3'] })).toEqual(['st2: the round trip to st3 (st3.example) takes 2.3 ms (limit 2 ms)']);
});

test('a name that the host does not know, and a host without python3', () => {
  expect(told({ unknown: ['st3'] })).toEqual(['st2: the name st3.example is not known here']);
  expect(told({ python: false })).toEqual(['warning: st2: the ports between the machines can\'t be tried from here, since there is no python3']);
});

test('a host that has no port free for the cluster cache', () => {
  expect(told({ listened: { tcp: [], udp: [] } })).toEqual(['warning: st2: the ports 8088-8093 are all taken']);
});

test('ports are written as people write them', () => {
  expect(portsText([8090, 7, 8088, 8089, 8093, 8088])).toBe('7, 8088-8090, 8093');
  expect(portsText([])).toBe('');
  expect(edgePorts(['ssh', 'pesit'])).toEqual([20022, 27617, 20444, 1080]);
});
