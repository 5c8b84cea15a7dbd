import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateFacts } from '../../../src/clients/certificates';

const folder = mkdtempSync(join(tmpdir(), 'st-cert-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function made(...extensions: string[]): X509Certificate {
  const file = join(folder, 'crt');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=db1', '-keyout', join(folder, 'key'), '-out', file, ...extensions.flatMap((one) => ['-addext', one])], { stdio: 'pipe' });
  return new X509Certificate(readFileSync(file));
}

test.each<[string, string[], boolean | null]>([
  ['no key usage', [], null],
  ['an extended one only', ['extendedKeyUsage=serverAuth'], null],
  ['digitalSignature', ['keyUsage=critical,digitalSignature'], true],
  ['digitalSignature among others, not critical', ['keyUsage=keyEncipherment,digitalSignature,keyAgreement'], true],
  ['all but digitalSignature', ['keyUsage=critical,nonRepudiation,keyEncipherment,dataEncipherment,keyAgreement,decipherOnly'], false],
  ['one bit that is not it', ['keyUsage=keyEncipherment'], false],
])('key usage: %s', (_, extensions, wanted) => expect(certificateFacts(made(...extensions)).digitalSignature).toBe(wanted));

test('until when it is valid', () => {
  const certificate = made();
  expect(Date.parse(certificateFacts(certificate).validTo)).toBe(Date.parse(certificate.validTo));
  expect(certificateFacts(certificate).validTo).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});
