/** The way of a partner: a login over SFTP by password, as partners log in, and one look at the home folder. Nothing is changed. */
import { endpoint } from '../model/fields';
import { Client } from 'ssh2';
import { StError } from '../model/errors';
import { fingerprint } from './knownHosts';
import { within } from './within';

export interface PartnerLogin {
  host: string;
  port: number;
  user: string;
  password: string;
}

export interface PartnerLimits {
  /** Connecting, login and the look together, in milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface Partner {
  /**
   * Logs in once. The password alone is offered: a wrong one counts once for each method that a client tries, and accounts lock.
   * The key of the daemon is told, not verified: nobody can know the key of a daemon that was installed a minute ago.
   * @throws StError Unreachable, NotYet (no answer in time), AuthenticationFailed, Refused (logged in, but no SFTP or no home folder).
   */
  logIn(login: PartnerLogin, limits: PartnerLimits): Promise<{ hostKey: string }>;
}

export const createPartner = (): Partner => ({ logIn });

async function logIn({ host, port, user, password }: PartnerLogin, limits: PartnerLimits): Promise<{ hostKey: string }> {
  const place = `${user}@${endpoint(host, port)}`;
  const client = new Client();
  let hostKey = '';
  const attempt = new Promise<void>((resolve, reject) => {
    client.on('error', (error: Error & { level?: string }) => reject(failureOf(place, error)));
    client.once('close', () => reject(new StError('Unreachable', `${place}: the connection was closed before the login.`)));
    client.once('ready', () => client.sftp((error, sftp) => {
      if (error) return reject(new StError('Refused', `${place}: logged in, but SFTP was refused: ${error.message}`, { cause: error }));
      sftp.readdir('/', (failure) => {
        if (failure) reject(new StError('Refused', `${place}: logged in, but the home folder can't be listed: ${failure.message}`, { cause: failure }));
        else resolve();
      });
    }));
    client.connect({
      host, port, username: user, password, authHandler: ['password'], readyTimeout: 0,
      hostVerifier: (key: Buffer) => {
        hostKey = fingerprint(key);
        return true;
      },
    });
  });
  try {
    await within(attempt, limits, () => new StError('NotYet', `${place}: no login within ${limits.timeoutMs} ms.`), () => undefined);
  } finally {
    client.removeAllListeners('close');
    client.destroy();
  }
  return { hostKey };
}

function failureOf(place: string, error: Error & { level?: string }): StError {
  if (error.level === 'client-authentication') return new StError('AuthenticationFailed', `${place}: the login was refused.`, { cause: error });
  return new StError('Unreachable', `${place} could not be reached: ${error.message}.`, { cause: error });
}
