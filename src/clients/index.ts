/** All clients that one worker shares; tests wrap this object to fail or cut off calls. */
import { createAdminApi, type AdminApi } from './adminApi';
import { createMailer, type Mailer } from './mail';
import { createPartner, type Partner } from './partner';
import { createPostgres, type Postgres } from './postgres';
import { createPrograms, type Programs } from './program';
import { createSshPool, type SshPool, type SshPoolOptions } from './ssh';
import { createWebhook, type Webhook } from './webhook';

export interface Clients {
  ssh: SshPool;
  admin: AdminApi;
  postgres: Postgres;
  mail: Mailer;
  webhook: Webhook;
  programs: Programs;
  /** A partner's login, to prove the way. */
  partner: Partner;
}

export interface ClientsOptions {
  env?: NodeJS.ProcessEnv;
  ssh?: Omit<SshPoolOptions, 'env'>;
}

export function createClients(options: ClientsOptions = {}): Clients & { close(): Promise<void> } {
  const { env } = options;
  const clients: Clients = {
    ssh: createSshPool({ env, ...options.ssh }),
    admin: createAdminApi({ env }),
    postgres: createPostgres({ env }),
    mail: createMailer({ env }),
    webhook: createWebhook({ env }),
    programs: createPrograms({ env }),
    partner: createPartner(),
  };
  return {
    ...clients,
    async close() {
      await Promise.allSettled([clients.ssh.close(), clients.admin.close()]);
    },
  };
}
