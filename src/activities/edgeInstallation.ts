/** The silent installation of one Edge. */
import { resolveSecret } from '../clients/secrets';
import type { Outcome } from '../model/operation';
import type { Authority, HostTarget, ServerTarget } from '../model/targets';
import type { Clients } from './clients';
import { installUntilDone, ownProperties, secretFile, type Installer, type Place, type Prepared } from './installer';
import { productOn } from './product';

/** An Edge has no schema to share; the others of a site import the secret file of the first. */
export function ensureEdgeInstalled(clients: Clients, { edge, installer, version, taehFrom }: { edge: ServerTarget; installer: Installer; version: string; taehFrom?: HostTarget }, authority: Authority): Promise<Outcome> {
  const prepare = async ({ product, taehCopy }: Place): Promise<Prepared> => {
    const taeh = taehFrom && await secretFile(clients, taehFrom, [productOn(clients, taehFrom).path('bin', 'taeh')]);
    const adminPassword = await resolveSecret(edge.admin.password);
    return {
      ...(taeh ? { taeh } : {}),
      files: [],
      properties: {
        ...(await ownProperties(installer)), Edge: 'true', dbType: 'useDBLocal', ...(taeh ? { SecretFilePath: taehCopy } : {}),
        adminPassword: adminPassword.reveal(), sslAdminPort: String(edge.admin.port),
      },
      note: `installed in ${product.path()}, with an embedded database`,
    };
  };
  return installUntilDone(clients, { server: edge, installer, version, prepare }, authority);
}
