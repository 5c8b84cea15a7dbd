/** The product's file for its cluster cache, `conf/tangosol-coherence-override.xml`: a Server with an IPv6 address is named in it (reference §4). Pure. */
import { canonicalAddress } from './fields';

/** Of a Server that the cluster knows by an IPv6 address. What stands behind a name is not looked at. */
export const isIpv6 = (address: string): boolean => canonicalAddress(address).includes(':');

/** The text with the address in it, byte for byte the same otherwise; or why a person must see to it. */
export type Override = { text: string } | { problem: string };

/** Comments blanked, so that what they hold is never taken for an element and every place stays where it is. */
const withoutComments = (xml: string): string => xml.replaceAll(/<!--[\s\S]*?-->/g, (comment) => ' '.repeat(comment.length));

/** Names the address in `<unicast-listener>`, the first element of `<cluster-config>`; made when it is not there. */
export function withUnicastListener(xml: string, address: string): Override {
  const seen = withoutComments(xml);
  const config = /<cluster-config(?:\s[^>]*[^/>])?>/.exec(seen);
  if (!config) return { problem: 'it has no element cluster-config to put the address into' };
  const from = config.index + config[0].length;
  const end = seen.indexOf('</cluster-config>', from);
  const inner = seen.slice(from, end < 0 ? undefined : end);
  const listener = /<unicast-listener(?:\s[^>]*[^/>])?>/.exec(inner);
  const put = (at: number, length: number, what: string): Override => ({ text: `${xml.slice(0, at)}${what}${xml.slice(at + length)}` });
  if (!listener) {
    if (inner.includes('<unicast-listener')) return { problem: 'its element unicast-listener is empty' };
    // In a line of its own, indented as what follows.
    const indent = /^\s*/.exec(xml.slice(from))![0].replace(/^(?:\s*\n)+/, '\n');
    return put(from, 0, `${indent}<unicast-listener><address>${address}</address></unicast-listener>`);
  }
  if (inner.slice(0, listener.index).trim() !== '') return { problem: 'its element unicast-listener is not the first of cluster-config' };
  const inside = from + listener.index + listener[0].length;
  const close = seen.indexOf('</unicast-listener>', inside);
  const named = /<address(?:\s[^>]*)?>([^<]*)<\/address>/.exec(seen.slice(inside, close));
  if (!named) return put(inside, 0, `<address>${address}</address>`);
  if (canonicalAddress(named[1]!.trim()) === canonicalAddress(address)) return { text: xml };
  const at = inside + named.index + named[0].indexOf('>') + 1;
  return put(at, named[1]!.length, address);
}
