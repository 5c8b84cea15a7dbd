/** What a server's certificate says of itself, beyond what TLS verifies. */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { StError } from '../model/errors';

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

/** The certificate that a TLS server shows, whether it can be verified or not: nothing is sent to it. @throws StError Unreachable, TlsRejected */
export function peerCertificate({ host, port }: { host: string; port: number }, { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal }): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const socket = connect({ host, port, rejectUnauthorized: false, ...(isIP(host) === 0 ? { servername: host } : {}) });
    const settle = (act: () => void): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      act();
    };
    const onAbort = (): void => settle(() => reject(signal!.reason as Error));
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.setTimeout(timeoutMs, () => settle(() => reject(new StError('Unreachable', `${host}:${port}: no TLS within ${timeoutMs} ms.`))));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(() => reject(new StError(/^(ERR_SSL|EPROTO)/.test(error.code ?? '') ? 'TlsRejected' : 'Unreachable', `${host}:${port}: ${error.message}`, { cause: error }))));
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate();
      settle(() => (shown ? resolve(shown) : reject(new StError('TlsRejected', `${host}:${port} showed no certificate.`))));
    });
  });
}
