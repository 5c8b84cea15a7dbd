import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool, PoolClient } from 'pg';

/** The internal CA of a cluster or an Edge, and the one certificate (alias `admind`, its key with it) that its streaming connections are made with. */
export interface Trust {
  ca: string;
  admind: string;
}

/** Aliases of imported CA certificates begin so. */
export const trustedPrefix = 'trusted:';

/** Makes an internal CA and the certificate `admind`. `folder` is for the files meanwhile. */
export function makeTrust(folder: string, name: string): Trust {
  const work = mkdtempSync(join(folder, 'trust-'));
  const file = (one: string) => join(work, one);
  const request = (subject: string, key: string, certificate: string, more: string[]) => {
    const ran = spawnSync('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '825', '-subj', `/CN=${subject}`, ...more,
      '-keyout', file(key), '-out', file(certificate),
    ], { encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`openssl: ${ran.stderr || ran.error?.message}`);
  };
  try {
    writeFileSync(file('empty.cnf'), '[req]\ndistinguished_name = dn\n[dn]\n');
    const plain = ['-config', file('empty.cnf')];
    request(`SecureTransport CA of ${name}`, 'ca.key', 'ca.pem', [...plain, '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign']);
    request('admind', 'admind.key', 'admind.pem', [
      ...plain, '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'keyUsage=critical,digitalSignature',
    ]);
    return { ca: readFileSync(file('ca.pem'), 'utf8'), admind: readFileSync(file('admind.pem'), 'utf8') + readFileSync(file('admind.key'), 'utf8') };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Keeps them in a schema that was just created. */
export async function storeTrust(client: PoolClient, { ca, admind }: Trust): Promise<void> {
  await client.query(`insert into certificate values ('ca', $1), ('admind', $2)`, [ca, admind]);
}

/** What a streaming connection is made with: the own certificate, and the CAs of the other side that were imported. */
export async function readTrust(pool: Pool): Promise<{ cert: string; key: string; ca: string[] }> {
  const { rows } = await pool.query(`select alias, pem from certificate where alias = 'admind' or alias like '${trustedPrefix}%' order by alias`);
  const admind = (rows.find((row) => row.alias === 'admind')?.pem ?? '') as string;
  return { cert: admind, key: admind, ca: rows.filter((row) => row.alias !== 'admind').map((row) => row.pem as string) };
}
