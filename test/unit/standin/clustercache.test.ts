/** The cluster cache of the stand-in: a Server with an IPv6 address joins only when the product's file names it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheComplaint } from '../../../lab/standin/clustercache';
import type { Home } from '../../../lab/standin/home';

const dir = mkdtempSync(join(tmpdir(), 'cache-'));
const file = join(dir, 'conf/tangosol-coherence-override.xml');
mkdirSync(join(dir, 'conf'));
afterAll(() => rmSync(dir, { recursive: true }));

const complaint = (xml: string | undefined, address: string): string | undefined => {
  if (xml === undefined) rmSync(file, { force: true });
  else writeFileSync(file, xml);
  return cacheComplaint({ dir } as Home, address);
};

test.each([
  ['its address', '<cluster-config><unicast-listener><address>fd86:1::11</address></unicast-listener></cluster-config>', undefined],
  ['another\'s', '<cluster-config><unicast-listener><address>fd86:1::12</address></unicast-listener></cluster-config>', /names fd86:1::12 as unicast listener, and the address of this Server is fd86:1::11/],
  ['its address, but not in the first element', '<cluster-config><member-identity/><unicast-listener><address>fd86:1::11</address></unicast-listener></cluster-config>', /names no address/],
  ['its address in a comment', '<cluster-config><!-- <unicast-listener><address>fd86:1::11</address></unicast-listener> --></cluster-config>', /names no address/],
  ['nothing: the file is not there', undefined, /names no address/],
])('the file names %s', (_, xml, why) => {
  if (why === undefined) expect(complaint(xml, 'fd86:1::11')).toBeUndefined();
  else expect(complaint(xml, 'fd86:1::11')).toMatch(why);
  expect(complaint(xml, '10.86.1.11')).toBeUndefined();
});
