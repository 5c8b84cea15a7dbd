/** The exchange of CA certificates between a cluster and one Edge (reference §15, step 7). */
import type { AdminServer, CallOptions, Certificate } from '../clients/adminApi';
import { StError } from '../model/errors';
import type { Outcome } from '../model/operation';

/** Each side imports the other's CA unless it trusts it already; a CA that was trusted before under the same name stays. */
export async function ensureTrust(sides: { server: AdminServer; edge: AdminServer }, names: { cluster: string; edge: string }, options: CallOptions): Promise<Outcome> {
  const [known, knownByEdge] = await Promise.all([sides.server.certificates(options), sides.edge.certificates(options)]);
  const imported = [
    ...(await importInto(sides.server, known, ownOf(knownByEdge, names.edge), `edge ${names.edge}`, options) ? [`${names.cluster} trusts the CA of ${names.edge}`] : []),
    ...(await importInto(sides.edge, knownByEdge, ownOf(known, names.cluster), `cluster ${names.cluster}`, options) ? [`${names.edge} trusts the CA of ${names.cluster}`] : []),
  ];
  return imported.length > 0 ? { changed: true, note: imported.join('; ') } : { changed: false, note: 'trust each other already' };
}

function ownOf(certificates: readonly Certificate[], who: string): Certificate {
  const own = certificates.find(({ usage }) => usage === 'local');
  if (!own) throw new StError('Refused', `${who} has no CA of its own: make or import one in its initial configuration`);
  return own;
}

async function importInto(side: AdminServer, known: readonly Certificate[], ca: Certificate, name: string, options: CallOptions): Promise<boolean> {
  if (known.some(({ usage, fingerprint }) => usage === 'trusted' && fingerprint === ca.fingerprint)) return false;
  const taken = known.some((one) => one.name === name);
  await side.importCertificate({ name: taken ? `${name} ${ca.fingerprint.slice(0, 12)}` : name, content: ca.content }, options);
  return true;
}
