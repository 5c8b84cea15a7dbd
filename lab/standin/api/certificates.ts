import { X509Certificate } from 'node:crypto';
import { trustedPrefix } from '../trust';
import { ApiError, json, noContent, ok, page, type Api, type Route } from './http';

interface Certificate {
  name: string;
  type: 'x509';
  usage: 'local' | 'trusted';
  subject: string;
  /** SHA-256 of the certificate, hexadecimal. */
  fingerprint: string;
  expirationTime: string;
  /** PEM; a private key is never shown. */
  content: string;
}

/** The documents say that certificates have an API; this shape of it is ours: the own CA (`local`), and CAs that were imported (`trusted`). */
export const certificateRoutes: Route[] = [
  ['GET', '/certificates', async ({ query }, api) => {
    const usage = query.get('usage');
    return page((await readCertificates(api)).filter((one) => usage === null || one.usage === usage), query);
  }],
  ['POST', '/certificates', async (request, api) => {
    const { name, usage, content } = json<Partial<Certificate>>(request);
    if (typeof name !== 'string' || name === '' || /[/\\;']/.test(name)) throw new ApiError(400, `name: must be a name without / \\ ; '`);
    if (usage !== 'trusted') throw new ApiError(400, 'usage: must be trusted');
    if (typeof content !== 'string' || !isCertificate(content)) throw new ApiError(400, 'content: must be a certificate in PEM');
    if ((await readCertificates(api)).some((one) => one.name === name)) throw new ApiError(400, 'The certificate name is not unique.');
    await api.pool.query('insert into certificate values ($1, $2)', [`${trustedPrefix}${name}`, content]);
    return { status: 201, headers: { location: `/api/v2.0/certificates/${encodeURIComponent(name)}` } };
  }],
  ['GET', '/certificates/{name}', async ({ params }, api) => ok(await find(api, params['name']))],
  ['DELETE', '/certificates/{name}', async ({ params }, api) => {
    const { name, usage } = await find(api, params['name']);
    if (usage !== 'trusted') throw new ApiError(400, `The certificate ${name} is in use.`);
    await api.pool.query('delete from certificate where alias = $1', [`${trustedPrefix}${name}`]);
    return noContent;
  }],
];

async function readCertificates({ pool }: Api): Promise<Certificate[]> {
  const { rows } = await pool.query(`select alias, pem from certificate where alias = 'ca' or alias like '${trustedPrefix}%' order by alias`);
  return (rows as { alias: string; pem: string }[]).map(({ alias, pem }) => {
    const { subject, fingerprint256, validTo } = new X509Certificate(pem);
    const own = alias === 'ca';
    return {
      name: own ? 'ca' : alias.slice(trustedPrefix.length), type: 'x509', usage: own ? 'local' : 'trusted', subject,
      fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(), expirationTime: new Date(validTo).toUTCString().replace('GMT', '+0000'), content: pem,
    };
  });
}

async function find(api: Api, name: string | undefined): Promise<Certificate> {
  const found = (await readCertificates(api)).find((one) => one.name === name);
  if (!found) throw new ApiError(404, `The certificate ${name} was not found.`);
  return found;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).toString() !== '';
  } catch {
    return false;
  }
}
