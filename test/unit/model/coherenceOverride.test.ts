/** The file of the cluster cache: a Server's IPv6 address is put into it, and nothing else of it changes. */
import { isIpv6, withUnicastListener } from '../../../src/model/coherenceOverride';

const address = 'fd86:1::11';
const file = (inner: string): string => `<?xml version="1.0"?>\r\n<!-- <cluster-config> of old -->\n<coherence>\n  <cluster-config>${inner}</cluster-config>\n</coherence>\n`;
const listener = `<unicast-listener><address>${address}</address></unicast-listener>`;
const member = '\n    <member-identity><cluster-name>ST</cluster-name></member-identity>\n  ';

test.each([
  ['it becomes the first element, indented as the one that was first', member, `\n    ${listener}${member}`],
  ['into an element without any', '', listener],
  ['past a comment', `\n    <!-- <unicast-listener><address>::1</address></unicast-listener> -->${member}`, `\n    ${listener}\n    <!-- <unicast-listener><address>::1</address></unicast-listener> -->${member}`],
  ['into a listener that has a port only', `${'\n    '}<unicast-listener><port>8088</port></unicast-listener>${member}`, `\n    <unicast-listener><address>${address}</address><port>8088</port></unicast-listener>${member}`],
  ['in the place of another address', `\n    <unicast-listener>\n<address system-property="x">10.0.0.1</address></unicast-listener>${member}`, `\n    <unicast-listener>\n<address system-property="x">${address}</address></unicast-listener>${member}`],
  ['it stays as it is where the same address stands, however written', '<unicast-listener><address> FD86:1:0:0::11 </address></unicast-listener>', '<unicast-listener><address> FD86:1:0:0::11 </address></unicast-listener>'],
])('%s', (_, before, after) => {
  expect(withUnicastListener(file(before), address)).toEqual({ text: file(after) });
  expect(withUnicastListener(file(after), address)).toEqual({ text: file(after) });
});

test.each([
  ['<coherence/>', 'it has no element cluster-config to put the address into'],
  ['<coherence><cluster-config/></coherence>', 'it has no element cluster-config to put the address into'],
  [file(`${member}${listener}`), 'its element unicast-listener is not the first of cluster-config'],
  [file('<unicast-listener/>'), 'its element unicast-listener is empty'],
])('what can\'t be changed without a thought is left to a person: %#', (xml, problem) => {
  expect(withUnicastListener(xml, address)).toEqual({ problem });
});

test('only IPv6 addresses ask for it', () => {
  expect(['fd86:1::11', '10.86.1.11', 'st1.example.com', '::ffff:10.0.0.1'].map(isIpv6)).toEqual([true, false, false, false]);
});
