import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  key: string;
  cert: string;
}

/** A self-signed certificate for one address, as `tls.key` and `tls.crt` in `folder`; over since yesterday when `days` is -1. */
export function makeCertificate(folder: string, address: string, days = 2): Certificate {
  const files = { key: join(folder, 'tls.key'), cert: join(folder, 'tls.crt') };
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { stdio: 'pipe' });
  const request = join(folder, 'tls.csr');
  const extensions = join(folder, 'tls.ext');
  writeFileSync(extensions, `subjectAltName=IP:${address}\nbasicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n`);
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${address}`, '-keyout', files.key, '-out', request);
  openssl('x509', '-req', '-in', request, '-signkey', files.key, '-days', String(days), '-extfile', extensions, '-out', files.cert);
  return files;
}
