import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface Certificate {
  key: string;
  cert: string;
}

/** A self-signed certificate for one address, as `tls.key` and `tls.crt` in `folder`. */
export function makeCertificate(folder: string, address: string): Certificate {
  const files = { key: join(folder, 'tls.key'), cert: join(folder, 'tls.crt') };
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${address}`,
    '-addext', `subjectAltName=IP:${address}`, '-keyout', files.key, '-out', files.cert], { stdio: 'pipe' });
  return files;
}
