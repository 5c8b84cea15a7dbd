/** What a server's certificate says of itself, beyond what TLS verifies. */
import type { X509Certificate } from 'node:crypto';

export interface CertificateFacts {
  /** ISO-8601 UTC. */
  validTo: string;
  /** Whether its key usage has digitalSignature; null where it has no key usage, which allows everything. */
  digitalSignature: boolean | null;
}

export const certificateFacts = (certificate: X509Certificate): CertificateFacts =>
  ({ validTo: new Date(certificate.validTo).toISOString(), digitalSignature: digitalSignature(certificate.raw) });

/** The extension id-ce-keyUsage (RFC 5280, 4.2.1.3), which Node does not show: its `keyUsage` is the extended one. */
const keyUsageId = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x0f]);
const critical = Buffer.from([0x01, 0x01, 0xff]);

function digitalSignature(der: Buffer): boolean | null {
  const at = der.indexOf(keyUsageId);
  if (at < 0) return null;
  let rest = der.subarray(at + keyUsageId.length);
  if (rest.subarray(0, critical.length).equals(critical)) rest = rest.subarray(critical.length);
  // An octet string that holds a bit string: tag, length, tag, length, unused bits, and the first bits. The first of all is digitalSignature.
  if (rest[0] !== 0x04 || rest[2] !== 0x03 || rest.length < 6) return null;
  return ((rest[5] ?? 0) & 0x80) !== 0;
}
